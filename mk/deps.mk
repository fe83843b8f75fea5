# System packages: `make deps` installs what is missing (apt, as root or by sudo).
DEBS := gcc g++ make libcmocka-dev libjansson-dev libinih-dev libpng-dev libjpeg62-turbo-dev \
        zlib1g-dev libflatbuffers-dev flatbuffers-compiler jq
DEBS_LINT := clang-format cppcheck shellcheck
deps: ## installs the Debian packages that are missing
	@mk/deps.sh $(DEBS)
.PHONY: deps-lint
deps-lint:
	@mk/deps.sh $(DEBS_LINT)
DEBS_RTL := verilator yosys iverilog z3
deps-rtl: ## installs Verilator, Yosys, Icarus and z3 if they are missing
	@mk/deps.sh $(DEBS_RTL)

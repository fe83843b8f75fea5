# Lint: the compilers' warnings are errors in every build; here the layout (clang-format), cppcheck,
# shellcheck and the house rules (tests/tidy.sh).
LINT_DIRS := arch kernels sim compiler driver cli tests tests/support tests/fuzz tests/rtl
LINT_SRC  := $(sort $(foreach d,$(LINT_DIRS),$(wildcard $(d)/*.c $(d)/*.cc $(d)/*.h)))
SCRIPTS   := $(wildcard .ci/run mk/*.sh tests/*.sh tests/rtl/*.sh bench/*.sh)
CLANG_FORMAT ?= clang-format

lint: deps deps-rtl deps-lint ## clang-format, cppcheck, shellcheck, house rules, Verilator, Yosys
	$(CLANG_FORMAT) --dry-run -Werror $(LINT_SRC)
	shellcheck $(SCRIPTS)
	tests/tidy.sh
	@$(SUBMAKE) lint-rtl
	@$(SUBMAKE) $(GEN)/.done
	@mkdir -p $(BUILD)/cppcheck
	cppcheck -q -j $(JOBS) --std=c11 --enable=warning,performance,portability \
	  --suppressions-list=mk/cppcheck.txt --cppcheck-build-dir=$(BUILD)/cppcheck \
	  --error-exitcode=1 -D_GNU_SOURCE $(INC_tests) -Isim $(filter %.c,$(LINT_SRC))

tidy: ## the house rules alone
	@tests/tidy.sh

format: deps-lint ## lays the C sources out with clang-format
	$(CLANG_FORMAT) -i $(LINT_SRC)

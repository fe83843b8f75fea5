# The RTL: generated constants, lint, the Verilated library of a preset, module tests.
#
# A preset's constants lie in build/gen/preset/PRESET; every module finds them by weft_pkg. Each
# tests/rtl/test_NAME.cc (cmocka, C++) becomes build/rtl/PRESET/test_NAME: it drives the module
# tb_NAME of tests/rtl/tb_NAME.sv, or weft_NAME where there is no such file.
RTL_OUT  := build/rtl
RTL_PKG  := rtl/weft_pkg.sv
RTL_SRC  := $(RTL_PKG) $(sort $(filter-out $(RTL_PKG),$(wildcard rtl/*.sv)))
RTL_GEN  := $(GEN)/weft_isa.vh $(GEN)/weft_types.vh $(GEN)/weft_legal.vh
RTL_TESTS := $(patsubst tests/rtl/test_%.cc,%,$(sort $(wildcard tests/rtl/test_*.cc)))
rtl_inc   = -I$(GEN) -I$(GEN)/preset/$(1)
VERILATOR ?= verilator
VFLAGS   := --cc -O3 --x-assign fast --x-initial unique --noassert -Wall

# --- the Verilated library ---------------------------------------------------------------------
# make rtl PRESET=NAME, or CONFIG=FILE.ini PRESET=a-name-for-it. WAVES=1: able to write FST.
PRESET ?= edge-256
RTL_LIB := $(RTL_OUT)/$(PRESET)/libweft_rtl$(if $(WAVES),_waves).so
rtl: deps-rtl ## builds the Verilated library of PRESET (edge-256) for --backend rtl and cosim
	@$(SUBMAKE) $(RTL_LIB)
ifdef CONFIG
$(GEN)/preset/$(PRESET)/weft_config.vh: $(CONFIG) $(GEN)/weft-gen
	@mkdir -p $(@D)
	@$(GEN)/weft-gen config $(CONFIG) > $@.tmp && mv $@.tmp $@
endif
# Constants that the shim needs, out of the generated ones.
vh = $$(sed -n 's/.* $(1) = \([0-9]*\);.*/\1/p' $(GEN)/preset/$(2)/weft_config.vh)
# $(call rtl_library,SUFFIX,VERILATOR FLAGS,COMPILER FLAGS)
define rtl_library
$(RTL_OUT)/%/libweft_rtl$(1).so: $(RTL_SRC) $(RTL_GEN) $(GEN)/preset/%/weft_config.vh \
    driver/rtl_shim.cc driver/rtl_api.h mk/rtl.mk
	@mkdir -p $$(@D)
	+$$(call say,VER)$(VERILATOR) $(VFLAGS) --exe --build -j $(JOBS) $$(call rtl_inc,$$*) $(2) \
	  --Mdir $$(@D)/obj$(1) --top-module weft_top \
	  -CFLAGS "-fPIC -std=c++17 -I$(abspath driver) $(3) \
	    -DWEFT_RTL_BUS_BYTES=$$(call vh,CFG_DRAM_BYTES,$$*) \
	    -DWEFT_RTL_WORD_BYTES=$$(call vh,CFG_WORD_BYTES,$$*) -DWEFT_RTL_ADDR_BITS=20" \
	  -MAKEFLAGS "OPT_FAST=-O3 OPT_SLOW=-O1" -LDFLAGS "-shared" -o ../libweft_rtl$(1).so \
	  $(RTL_SRC) $(abspath driver/rtl_shim.cc) > $$@.log 2>&1 || \
	  { cat $$@.log; rm -f $$@; exit 1; }
endef
$(eval $(call rtl_library,,,))
$(eval $(call rtl_library,_waves,--trace-fst,-DWEFT_RTL_WAVES))

.PHONY: lint-rtl rtl-tests deps-rtl
RTL_LINT_PRESETS ?= nano-16 micro-64 edge-256
lint-rtl: ## Verilator's lint of every module at 4x4, 8x8, 16x16; Yosys and Icarus read it
	@$(SUBMAKE) $(RTL_GEN) $(foreach p,$(RTL_LINT_PRESETS),$(GEN)/preset/$(p)/weft_config.vh)
	@GEN=$(GEN) PRESETS="$(RTL_LINT_PRESETS)" mk/lint_rtl.sh $(RTL_SRC)

$(GEN)/weft_types.vh: $(GEN)/weft-gen
	@$< types > $@.tmp && mv $@.tmp $@
$(GEN)/weft_legal.vh: $(GEN)/weft-gen
	@$< legal > $@.tmp && mv $@.tmp $@

# $(call rtl_test,PRESET,NAME)
RTL_TEST_LIBS := $(BUILD)/libsim.a $(BUILD)/libarch.a
rtl_tb = $(or $(wildcard tests/rtl/tb_$(1).sv),rtl/weft_$(1).sv)
define rtl_test
$(RTL_OUT)/$(1)/test_$(2): tests/rtl/test_$(2).cc $(call rtl_tb,$(2)) $(RTL_SRC) $(RTL_GEN) \
    $(GEN)/preset/$(1)/weft_config.vh $(wildcard tests/rtl/*.h) $(RTL_TEST_LIBS)
	@mkdir -p $(RTL_OUT)/$(1)
	$$(call say,VER)$(VERILATOR) $(VFLAGS) --exe --build -j 1 $(call rtl_inc,$(1)) -y rtl \
	  --Mdir $(RTL_OUT)/$(1)/obj_$(2) \
	  --top-module $(basename $(notdir $(call rtl_tb,$(2)))) --prefix Vtb \
	  -CFLAGS "-std=c++17 -O1 -DPRESET='\"$(1)\"' \
	    $(foreach i,$(INC_sim:-I%=%) tests/rtl,-I$(abspath $(i)))" \
	  -MAKEFLAGS "OPT_FAST=-O2 OPT_SLOW=-O0" -o ../test_$(2) \
	  -LDFLAGS "$(abspath $(RTL_TEST_LIBS)) -lcmocka -linih" \
	  $(RTL_PKG) $(call rtl_tb,$(2)) $(abspath tests/rtl/test_$(2).cc) \
	  > $$@.log 2>&1 || { cat $$@.log; exit 1; }
endef
RTL_TEST_PRESETS ?= nano-16
ALL_PRESETS := nano-16 micro-64 edge-256
$(foreach p,$(ALL_PRESETS),$(foreach t,$(RTL_TESTS),$(eval $(call rtl_test,$(p),$(t)))))
# tests/rtl/icarus.sh reads the constants of micro-64 as well
rtl-tests: $(GEN)/preset/micro-64/weft_config.vh # builds them
rtl-tests: $(foreach p,$(RTL_TEST_PRESETS),$(RTL_TESTS:%=$(RTL_OUT)/$(p)/test_%))

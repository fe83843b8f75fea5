# Weft: build, demo, tests, lint. `make help` lists the targets.
#
# Each folder is a static library with its own include paths, so that a forbidden dependency does
# not compile: arch nothing; kernels libc; sim arch; compiler arch and kernels; driver arch, and
# its model backend sim; cli and tests everything.
#
# Variables: SAN=1 (ASan and UBSan, in build/san), V=1 (shows commands), OPT (optimization), BUILD
# (where to), CC, CXX, JOBS, WEFT_TEST_DATA (folder of further test models and golden tensors;
# optional).

ifdef SAN
BUILD   := build/san
else
BUILD   ?= build
endif
ifeq ($(origin CC),default)
CC      := gcc
endif
ifeq ($(origin CXX),default)
CXX     := g++
endif
OPT     ?= -O2 -g
comma   := ,
WARN    := -Wall -Wextra -Werror
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all)
CFLAGS  := -std=c11 -D_GNU_SOURCE $(OPT) $(WARN) $(SANFLAGS) -MMD -MP -pthread
CXXFLAGS := -std=c++17 $(OPT) $(WARN) $(SANFLAGS) -MMD -MP
LDFLAGS := $(SANFLAGS) -pthread
LDLIBS  := -ljansson -linih -lpng -ljpeg -lz -lm -ldl -lstdc++
GEN     := $(BUILD)/gen
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)
# A recursive build takes part in the caller's -j, or brings its own.
SUBMAKE  = $(MAKE) --no-print-directory $(if $(findstring --jobserver,$(MAKEFLAGS)),,-j$(JOBS))

# $(call say,WHAT): in place of the command that follows it; V=1 shows that instead, -s neither.
say = $(if $(V),,@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,printf '  %-4s %s\n' $(1) $@;))

.DEFAULT_GOAL := all
.PHONY: all help demo test test-full tests lint format tidy fuzz bench docs rtl deps clean FORCE

help: ## lists these targets
	@echo "make TARGET"
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Variables: SAN=1, V=1, OPT, JOBS, WEFT_TEST_DATA; see the top of the Makefile."

include mk/deps.mk
include mk/gen.mk

# --- folders as libraries -------------------------------------------------------------------
INC_arch     := -Iarch -I$(GEN)
INC_kernels  := -Ikernels
INC_sim      := -Isim $(INC_arch)
INC_compiler := -Icompiler $(INC_arch) $(INC_kernels)
INC_driver   := -Idriver $(INC_arch)
INC_cli      := -Icli -Idriver -Icompiler -Isim $(INC_arch) $(INC_kernels)
INC_tests    := -Itests -Itests/support $(INC_cli)
driver_model_INC := -Isim
driver_rtl_INC   := -Isim

# $(call text_file,FILE,VARIABLE): FILE holds the variable's text and is written only when that is
# another one, so that what depends on it is made again exactly then.
same = $(and $(findstring x$(1)x,x$(2)x),$(findstring x$(2)x,x$(1)x))
define text_file
$(1): $$(if $$(call same,$$(file <$(1)),$$($(2))),,FORCE)
	@mkdir -p $$(@D); echo '$$($(2))' > $$@
endef

# What every object depends on besides its sources: the compilers and their flags.
FLAGS_TEXT := $(strip $(CC) $(CFLAGS) / $(CXX) $(CXXFLAGS) / $(LDFLAGS) $(LDLIBS))
FLAGS      := $(BUILD)/flags.txt
$(eval $(call text_file,$(FLAGS),FLAGS_TEXT))

FOLDERS := arch kernels sim compiler driver cli
define folder_rules
$(1)_SRC := $$(sort $$(filter-out $$(NOLIB),$$(wildcard $(1)/*.c $(1)/*.cc)))
$(1)_OBJ := $$(patsubst %,$(BUILD)/%.o,$$($(1)_SRC))
$(call text_file,$(BUILD)/$(1)/sources.txt,$(1)_SRC)
$(BUILD)/lib$(1).a: $$($(1)_OBJ) $(BUILD)/$(1)/sources.txt
	@rm -f $$@ && $$(AR) rcs $$@ $$($(1)_OBJ)
$(BUILD)/$(1)/%.c.o: $(1)/%.c $(FLAGS) | $(GEN)/.done
	@mkdir -p $$(@D)
	$$(call say,CC)$$(CC) $$(CFLAGS) $$(INC_$(1)) $$($(1)_$$*_INC) $$($(1)_$$*_FLAGS) -c $$< -o $$@
$(BUILD)/$(1)/%.cc.o: $(1)/%.cc $(FLAGS) | $(GEN)/.done
	@mkdir -p $$(@D)
	$$(call say,CXX)$$(CXX) $$(CXXFLAGS) $$(INC_$(1)) -c $$< -o $$@
-include $$($(1)_OBJ:.o=.d)
endef
# Programs of their own, not parts of a library.
NOLIB := arch/gen.c cli/main.c driver/rtl_shim.cc
$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$(f))))

LIBS := $(foreach f,cli driver sim compiler kernels arch,$(BUILD)/lib$(f).a)

all: $(BUILD)/weft ## builds build/weft
$(BUILD)/weft: $(BUILD)/cli/main.c.o $(LIBS)
	$(call say,LD)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
-include $(BUILD)/cli/main.c.d
.SECONDARY:
FORCE:

# --- the demo -------------------------------------------------------------------------------
DEMO_MODEL  := models/cifar10_mobilenet_int8.tflite
DEMO_INPUT  := models/demo.png
DEMO_LABELS := models/labels_cifar10.txt
demo: deps ## builds, classifies a picture, checks every value, writes a report and a trace
	@$(SUBMAKE) all
	$(BUILD)/weft run $(DEMO_MODEL) --input $(DEMO_INPUT) --labels $(DEMO_LABELS) --check \
	  --report $(BUILD)/demo.html --trace $(BUILD)/demo.trace.json --json $(BUILD)/demo.json
	@echo
	@echo "report  $(BUILD)/demo.html        open it in a browser"
	@echo "trace   $(BUILD)/demo.trace.json  open it in https://ui.perfetto.dev"
	@echo "json    $(BUILD)/demo.json        everything above, for programs"

include mk/rtl.mk
include mk/tests.mk
include mk/lint.mk

bench: deps ## measures cycles and simulation speed, writes them into docs/performance.md
	@$(SUBMAKE) all
	WEFT=$(BUILD)/weft bench/models.sh
	WEFT=$(BUILD)/weft bench/parts.sh $(MODEL)
	WEFT=$(BUILD)/weft bench/speed.sh $(MODEL)
	WEFT=$(BUILD)/weft bench/others.sh

clean: ## removes build/
	rm -rf build

# Weft: build, demo, tests, lint. `make help` lists the targets.
#
# Each folder is a static library with its own include paths, so that a forbidden dependency does
# not compile: arch nothing; kernels libc; sim arch; compiler arch and kernels; driver arch, and
# its model backend sim; cli and tests everything.

BUILD   ?= build
CC      ?= gcc
CXX     ?= g++
OPT     ?= -O2 -g
comma   := ,
WARN    := -Wall -Wextra -Werror
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all)
CFLAGS  := -std=c11 -D_GNU_SOURCE $(OPT) $(WARN) $(SANFLAGS) -MMD -MP -pthread
CXXFLAGS := -std=c++17 $(OPT) $(WARN) $(SANFLAGS) -MMD -MP
LDFLAGS := $(SANFLAGS) -pthread
LDLIBS  := -ljansson -linih -lpng -ljpeg -lz -lm -ldl -lstdc++
ifdef SAN
BUILD   := build/san
endif
GEN     := $(BUILD)/gen

.DEFAULT_GOAL := all
.PHONY: all help demo test lint fuzz bench deps clean format

include mk/deps.mk
include mk/gen.mk

# --- folders as libraries -------------------------------------------------------------------
INC_arch     := -Iarch -I$(GEN)
INC_kernels  := -Ikernels
INC_sim      := -Isim $(INC_arch)
INC_compiler := -Icompiler $(INC_arch) $(INC_kernels)
INC_driver   := -Idriver $(INC_arch)
INC_cli      := -Icli -Idriver -Icompiler -Isim $(INC_arch) $(INC_kernels)
INC_tests    := -Itests $(INC_cli)
driver_model_INC := -Isim

FOLDERS := arch kernels sim compiler driver cli
define folder_rules
$(1)_SRC := $$(filter-out $$(NOLIB),$$(wildcard $(1)/*.c $(1)/*.cc))
$(1)_OBJ := $$(patsubst %,$(BUILD)/%.o,$$($(1)_SRC))
$(BUILD)/lib$(1).a: $$($(1)_OBJ) ; @rm -f $$@ && ar rcs $$@ $$^
$(BUILD)/$(1)/%.c.o: $(1)/%.c | $(GEN)/.done $(DEPS_STAMP)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(INC_$(1)) $$($(1)_$$*_INC) $$($(1)_$$*_FLAGS) -c $$< -o $$@
$(BUILD)/$(1)/%.cc.o: $(1)/%.cc | $(GEN)/.done $(DEPS_STAMP)
	@mkdir -p $$(@D)
	$$(CXX) $$(CXXFLAGS) $$(INC_$(1)) -c $$< -o $$@
-include $$($(1)_OBJ:.o=.d)
endef
# Programs of their own, not parts of a library.
NOLIB := arch/gen.c cli/main.c
$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$(f))))

LIBS := $(foreach f,cli driver sim compiler kernels arch,$(BUILD)/lib$(f).a)

all: $(BUILD)/weft
$(BUILD)/weft: $(BUILD)/cli/main.c.o $(LIBS)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
-include $(BUILD)/cli/main.c.d

# --- tests ----------------------------------------------------------------------------------
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
SUPPORT_SRC := $(wildcard tests/support/*.c tests/support/*.cc)
SUPPORT_OBJ := $(patsubst %,$(BUILD)/%.o,$(SUPPORT_SRC))
$(BUILD)/tests/%.c.o: tests/%.c | $(GEN)/.done $(DEPS_STAMP)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(INC_tests) -c $< -o $@
$(BUILD)/tests/%.cc.o: tests/%.cc | $(GEN)/.done $(DEPS_STAMP)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(INC_tests) -c $< -o $@
$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.c.o $(SUPPORT_OBJ) $(LIBS)
	$(CC) $(LDFLAGS) $^ -lcmocka $(LDLIBS) -o $@
-include $(TESTS:%=%.c.d) $(SUPPORT_OBJ:.o=.d)
.SECONDARY:

tests: $(TESTS)
test: deps
	@$(MAKE) --no-print-directory -j2 all tests
	@tests/run.sh

clean:
	rm -rf build

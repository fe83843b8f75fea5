# Tests: one cmocka program per tests/test_*.c, scripts beside them, fuzzers under tests/fuzz.
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/test_*.c)))
SUPPORT_OBJ := $(patsubst %,$(BUILD)/%.o,$(wildcard tests/support/*.c tests/support/*.cc))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

$(BUILD)/tests/%.c.o: tests/%.c $(FLAGS) | $(GEN)/.done
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS) $(INC_tests) -c $< -o $@
$(BUILD)/tests/%.cc.o: tests/%.cc $(FLAGS) | $(GEN)/.done
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) $(CXXFLAGS) $(INC_tests) -c $< -o $@
$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.c.o $(SUPPORT_OBJ) $(LIBS)
	$(call say,LD)$(CC) $(LDFLAGS) $^ -lcmocka $(LDLIBS) -o $@
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.c.o $(BUILD)/tests/fuzz/main.c.o \
                            $(SUPPORT_OBJ) $(LIBS)
	$(call say,LD)$(CC) $(LDFLAGS) $^ -lcmocka $(LDLIBS) -o $@
-include $(TESTS:%=%.c.d) $(FUZZERS:%=%.c.d) $(BUILD)/tests/fuzz/main.c.d $(SUPPORT_OBJ:.o=.d)

RUN_TESTS = BUILD=$(BUILD) JOBS=$(JOBS) $(if $(SAN),SAN=1) tests/run.sh

# With sanitizers the C side alone is built again: the Verilated device stays as it is, and the
# modules' own tests are left to the plain run.
tests: $(TESTS) $(FUZZERS) $(if $(SAN),,rtl-tests) # builds them, runs nothing
test: deps deps-rtl ## all tests; the last line counts them (SAN=1: under ASan and UBSan)
	@$(SUBMAKE) SAN= $(RTL_TEST_PRESETS:%=$(RTL_OUT)/%/libweft_rtl.so)
	@$(SUBMAKE) all tests
	@$(RUN_TESTS)

# WEFT_TEST_FULL: more inputs for every network (tests/check_models.sh), whole networks and
# thousands of random programs on the RTL of all sizes, mutants of the RTL, its netlist.
FULL_GRAPHS ?= 20000
test-full: deps deps-rtl ## much longer: FULL_GRAPHS (20000) networks, RTL of all sizes, mutants
	@$(SUBMAKE) RTL_TEST_PRESETS="$(ALL_PRESETS)" $(ALL_PRESETS:%=$(RTL_OUT)/%/libweft_rtl.so)
	@$(SUBMAKE) RTL_TEST_PRESETS="$(ALL_PRESETS)" all tests
	@WEFT_TEST_FULL=1 WEFT_RANDOM_GRAPHS=$(FULL_GRAPHS) $(RUN_TESTS)

# Each fuzzer for FUZZ_SECONDS from seed FUZZ_SEED. An input that a reader dies of is kept in
# fuzz-input.bin; build/san/tests/fuzz/fuzz_X --once fuzz-input.bin repeats it.
FUZZ_SECONDS ?= 60
FUZZ_SEED    ?= 1
.PHONY: fuzzers
fuzzers: $(FUZZERS)
fuzz: deps ## every fuzzer under ASan and UBSan for FUZZ_SECONDS (60) each, FUZZ_SEED (1)
	@$(SUBMAKE) SAN=1 fuzzers
	@for f in $(FUZZERS:$(BUILD)/%=build/san/%); do \
	  echo "$$f --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)"; \
	  $$f --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED) || exit 1; done

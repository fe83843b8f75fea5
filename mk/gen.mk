# Generated sources: the TFLite reader (compiler/tflite.fbs), the presets' text, and from the
# contract (arch/*.def) the Verilog constants and the tables of docs/isa.md.
$(GEN)/.done: $(GEN)/tflite_generated.h $(GEN)/presets.inc
	@touch $@
$(GEN)/tflite_generated.h: compiler/tflite.fbs
	@mkdir -p $(GEN)
	@command -v flatc >/dev/null || { echo "flatc is missing: make deps" >&2; exit 1; }
	$(call say,GEN)flatc --cpp --gen-mutable -o $(GEN) compiler/tflite.fbs
# The presets as C strings, so that the binary needs no files; the default first.
PRESETS := edge-256 nano-16 micro-64 edge-1024
$(GEN)/presets.inc: $(PRESETS:%=arch/presets/%.ini) mk/gen.mk
	@mkdir -p $(GEN)
	@{ printf 'static const char *const preset_names[] = {'; printf '"%s", ' $(PRESETS); \
	   echo 'NULL};'; echo 'static const char *const preset_texts[] = {'; \
	   for p in $(PRESETS); do sed 's/.*/"&\\n"/' arch/presets/$$p.ini; echo ','; done; \
	   echo '};'; } > $@
# The generator for everything that is not C: Verilog constants, tables of the documents.
$(GEN)/weft-gen: arch/gen.c arch/isa.c arch/config.c arch/regs.c $(GEN)/presets.inc \
                 $(wildcard arch/*.def arch/*.h)
	$(call say,LD)$(CC) -std=c11 -D_GNU_SOURCE -O1 -g $(WARN) $(SANFLAGS) -Iarch -I$(GEN) \
	  $(filter %.c,$^) -linih -o $@
$(GEN)/weft_isa.vh: $(GEN)/weft-gen
	@$< verilog > $@.tmp && mv $@.tmp $@
# One configuration's constants: build/gen/preset/edge-256/weft_config.vh, ...
$(GEN)/preset/%/weft_config.vh: $(GEN)/weft-gen
	@mkdir -p $(@D)
	@$< config $* > $@.tmp && mv $@.tmp $@
# The tables in the documents, in place; tests/test_docs.c checks that they are up to date.
docs: $(GEN)/weft-gen ## renews the generated tables in docs/*.md
	$< docs $(wildcard docs/*.md)
$(BUILD)/tests/test_docs: | $(GEN)/weft-gen $(GEN)/weft_isa.vh

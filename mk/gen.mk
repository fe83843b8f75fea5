# Generated sources: the TFLite reader (compiler/tflite.fbs), the presets' text, and from the
# contract (arch/*.def) the Verilog constants and the tables of docs/isa.md.
$(GEN)/.done: $(GEN)/tflite_generated.h $(GEN)/presets.inc
	@touch $@
$(GEN)/tflite_generated.h: compiler/tflite.fbs
	@mkdir -p $(GEN)
	flatc --cpp --gen-mutable -o $(GEN) compiler/tflite.fbs
# The presets as C strings, so that the binary needs no files; the default first.
PRESETS := edge-256 nano-16 micro-64 edge-1024
$(GEN)/presets.inc: $(PRESETS:%=arch/presets/%.ini) mk/gen.mk
	@mkdir -p $(GEN)
	@{ printf 'static const char *const preset_names[] = {'; printf '"%s", ' $(PRESETS); \
	   echo 'NULL};'; echo 'static const char *const preset_texts[] = {'; \
	   for p in $(PRESETS); do sed 's/.*/"&\\n"/' arch/presets/$$p.ini; echo ','; done; \
	   echo '};'; } > $@

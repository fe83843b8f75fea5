# Generated sources: the contract (arch/*.def) and the TFLite reader (compiler/tflite.fbs).
$(GEN)/.done: compiler/tflite.fbs
	@mkdir -p $(GEN)
	flatc --cpp --gen-mutable -o $(GEN) compiler/tflite.fbs
	@touch $@

/* Model files: parsed and checked; small ones compiled, run on the C model and compared. */
#include "fuzz.h"
#include "fuzz_run.h"

#include "support/random_graph.h"
#include "support/tflite_write.h"
#include "support/zoo.h"
#include "tflite.h"

uint8_t *fuzz_seed(int i, size_t *n) {
  if (i > 24) return NULL;
  weft_graph *g = i == 0   ? zoo_new()
                  : i == 1 ? zoo_small()
                           : random_graph((uint64_t)i, &(random_graph_options){.nodes = 1 + i % 4});
  uint8_t *bytes = weft_tflite_write(g, &(weft_tflite_fault){0}, n);
  weft_graph_free(g);
  return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  weft_graph *g;
  weft_program *p;
  weft_err err;
  weft_config config;
  if (weft_tflite_parse(data, n, "fuzz.tflite", &g, &err)) return 0;
  if (weft_config_preset(&config, "nano-16", &err)) abort();
  if (fuzz_is_small(g) && !weft_compile(g, &config, &(weft_compile_options){0}, &p, &err)) {
    fuzz_run(g, p, true);
    weft_program_free(p);
  }
  weft_graph_free(g);
  return 0;
}

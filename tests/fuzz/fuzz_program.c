/* Program files: loaded, their model parsed, and run as `weft run` does. The checksum at the end is
 * made right first, or nothing behind it would ever be looked at. */
#include "fuzz.h"
#include "fuzz_run.h"

#include "model_file.h"
#include "support/random_graph.h"
#include "support/tflite_write.h"
#include "support/zoo.h"

#include <unistd.h>
#include <zlib.h>

uint8_t *fuzz_seed(int i, size_t *n) {
  weft_err err;
  weft_config config;
  weft_program *p;
  char path[] = "/tmp/weft-fuzz-XXXXXX";
  void *bytes;
  if (i > 7) return NULL;
  weft_graph *g =
      i == 0 ? zoo_small() : random_graph((uint64_t)i, &(random_graph_options){.nodes = 1 + i % 3});
  size_t model_bytes;
  uint8_t *model = weft_tflite_write(g, &(weft_tflite_fault){0}, &model_bytes);
  int fd = mkstemp(path);
  if (fd < 0 || weft_config_preset(&config, "nano-16", &err) ||
      weft_compile(g, &config, &(weft_compile_options){0}, &p, &err) ||
      weft_program_save(p, model, model_bytes, path, &err) || weft_read_file(path, &bytes, n, &err))
    abort();
  close(fd);
  unlink(path);
  free(model);
  weft_program_free(p);
  weft_graph_free(g);
  return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  weft_model_file m = {0};
  weft_err err;
  uint8_t *fixed = fuzz_copy(data, n);
  if (n > 4) {
    uint32_t crc = (uint32_t)crc32(0, fixed, (uInt)(n - 4));
    for (int i = 0; i < 4; i++) fixed[n - 4 + (size_t)i] = (uint8_t)(crc >> (8 * i));
  }
  if (!weft_model_file_open(fuzz_file(fixed, n), NULL, true, &m, &err) && m.was_program &&
      fuzz_is_small(m.graph) && m.program->arena_bytes < 16 * FUZZ_BYTES)
    fuzz_run(m.graph, m.program, false);
  weft_model_file_close(&m);
  free(fixed);
  return 0;
}

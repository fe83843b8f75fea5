/* Configuration files and "key=value" overlays. */
#include "fuzz.h"

#include "config.h"

#include <stdlib.h>
#include <string.h>

uint8_t *fuzz_seed(int i, size_t *n) {
  static const char *const text[] = {
      "rows = 16\ncols = 16\n", "[weft]\nrows=4\ncols = 8 ; comment\ndw_lanes = 0\n",
      "queue_depth = 2\n\n# note\ndram_bytes = 64\nsparsity = 1\n", "rows=64"};
  if (i >= (int)(sizeof text / sizeof *text)) return NULL;
  *n = strlen(text[i]);
  return fuzz_copy(text[i], *n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  weft_config c;
  weft_err err;
  weft_config_default(&c);
  if (!weft_config_file(&c, fuzz_file(data, n), &err) && !weft_config_check(&c, &err))
    (void)weft_config_hash(&c);
  char *line = (char *)fuzz_copy(data, n);
  line[n] = '\0';
  (void)weft_config_set(&c, line, &err);
  free(line);
  return 0;
}

/* What a fuzz target provides to tests/fuzz/main.c. The entry point is libFuzzer's, so that a
 * target also builds with -fsanitize=fuzzer, without main.c. */
#ifndef WEFT_FUZZ_H
#define WEFT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Must return 0 whatever the bytes are; a wrong result is an abort(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
/* Well-formed input number `i` to start from, malloc'd; NULL after the last one. */
uint8_t *fuzz_seed(int i, size_t *n);

/* For loaders that take a path: the bytes as a file in memory. One at a time. */
const char *fuzz_file(const uint8_t *data, size_t n);
/* A copy of a text or of bytes, as fuzz_seed() returns them. */
uint8_t *fuzz_copy(const void *bytes, size_t n);

#endif

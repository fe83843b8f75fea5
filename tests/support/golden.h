/* Folders of golden outputs: DATA/models/golden/tflite/MODEL/INPUT/opKKK_NAME_tN.npy.
 *
 * DATA is the environment's WEFT_TEST_DATA, or ../shared beside the repository. */
#ifndef WEFT_GOLDEN_H
#define WEFT_GOLDEN_H

#include "err.h"
#include "tensor.h"

#include <stdbool.h>

/* DATA joined with `format`; the result is valid until the eighth call after this one. */
const char *golden_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Whether a file or folder exists. */
bool golden_exists(const char *path);
/* Names in a folder that end in `suffix`, sorted; the caller frees each and the list. -1 when the
 * folder cannot be read. */
int golden_list(const char *folder, const char *suffix, char ***names);
void golden_list_free(int n, char **names);
/* A whole file (malloc), or NULL. */
void *golden_read(const char *path, size_t *n);

#endif

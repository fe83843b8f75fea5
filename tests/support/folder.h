/* A temporary folder with files, for tests of file input and output. */
#ifndef WEFT_TEST_FOLDER_H
#define WEFT_TEST_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Set-up and tear-down of a cmocka group: creates the folder, removes it with its files. */
int folder_make(void **state);
int folder_remove(void **state);
/* Its path, and the path of a file in it (valid until the next call). */
const char *folder_path(void);
const char *in_folder(const char *name);
int files_in_folder(void);
void write_file(const char *name, const void *bytes, size_t n);
/* The whole file; the caller frees. */
uint8_t *read_file(const char *name, size_t *n);
/* `status` is an error whose line contains the folder's path and `what`. */
void expect_error(weft_status status, const weft_err *err, const char *what);

#endif

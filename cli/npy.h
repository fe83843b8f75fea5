/* numpy's .npy files: how tensors travel between Weft and other tools.
 *
 * Read: format versions 1 to 3, C order, little-endian |i1 |u1 <i2 <i4 <i8 <f4 |b1, rank <= 8.
 * Written: version 1.0. Anything else is refused with one line that says what was found. */
#ifndef WEFT_NPY_H
#define WEFT_NPY_H

#include "err.h"
#include "tensor.h"

/* Reads `path`. On success `*out` has type, shape and data (the caller frees out->data), no name
 * and no quantization; on error it is untouched. */
weft_status weft_npy_load(const char *path, weft_tensor *out, weft_err *err);

/* Writes type, shape and data of `t` to `path`: first to a temporary file in the same folder, then
 * renamed, so that `path` is either complete or as it was. */
weft_status weft_npy_save(const char *path, const weft_tensor *t, weft_err *err);

#endif

/* Reads arrays out of numpy's .npz files (a zip of .npy, stored or deflated). */
#ifndef WEFT_NPZ_H
#define WEFT_NPZ_H

#include "tensor.h"

#include <stdbool.h>

/* The array `name` (without ".npy") of the file at `path`: |i1, <i2 or <i4, C order. The caller
 * frees out->data. False when the file, the array or the format is not there. */
bool npz_load(const char *path, const char *name, weft_tensor *out);

#endif

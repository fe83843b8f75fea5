/* Importer of TensorFlow Lite models.
 *
 * The whole file is verified before anything in it is read; a damaged or hostile file gives one
 * line that names the file and what was found. Subgraph 0 becomes the graph; tensor indices are
 * kept, padding becomes explicit, and weft_graph_check() has the last word.
 *
 * Refused (WEFT_EUNSUPP): custom operators, operators outside kernels/ops.def, element types other
 * than those of weft_dtype, sparse tensors, state (variable tensors). */
#ifndef WEFT_TFLITE_H
#define WEFT_TFLITE_H

#include <stddef.h>

#include "err.h"
#include "graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads the file at `path`. The caller frees *out with weft_graph_free(). */
weft_status weft_tflite_load(const char *path, weft_graph **out, weft_err *err);

/* The same from memory; `file` is the name used in messages and for the graph's name. */
weft_status weft_tflite_parse(const void *bytes, size_t n, const char *file, weft_graph **out,
                              weft_err *err);

#ifdef __cplusplus
}
#endif

#endif

/* A network's inputs from files, or random ones. */
#ifndef WEFT_INPUTS_H
#define WEFT_INPUTS_H

#include "graph.h"
#include "image.h"
#include "options.h"

/* "auto", "0..1", "-1..1", "0..255". */
weft_status weft_norm_parse(const char *name, weft_norm *out, weft_err *err);

/* Loads file[i] into input i: .npy (type and shape must match; leading dimensions of 1 may differ),
 * .png .jpg .jpeg .bmp (weft_image_to_tensor), .bin (exactly the tensor's bytes). Without files,
 * every byte of 8- and 16-bit inputs is random, floats are random in -1...1, others are 0. *out has
 * one pointer per graph input; free with weft_inputs_free(). */
weft_status weft_inputs_load(const weft_graph *g, const weft_list *file, weft_norm norm,
                             uint64_t seed, void ***out, weft_err *err);
void weft_inputs_free(const weft_graph *g, void **input);

#endif

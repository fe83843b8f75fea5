/* One CMSIS-NN operator vector: DATA/models/vectors/cmsis-nn/NAME.json and NAME.npz. Whatever is
 * missing or differs fails the running cmocka test. */
#ifndef WEFT_GOLDEN_VECTOR_H
#define WEFT_GOLDEN_VECTOR_H

#include "params.h"
#include "ref.h"

#include <jansson.h>

typedef struct {
  const char *name;
  json_t *json; /* the caller's to json_decref */
} vector;

/* False when there is no such vector. */
bool vector_open(const char *name, vector *v);

/* The number NAME_KEY; with a fallback, false when it is not there. */
int vector_number(const vector *v, const char *key);
bool vector_number_or(const vector *v, const char *key, long fallback, long *value);

/* The array NAME_key; the caller frees t->data. */
void vector_need(const vector *v, const char *key, weft_tensor *t);
bool vector_array(const vector *v, const char *key, weft_tensor *t);

/* Float scales with a / b = the multiplier, exactly as weft_quantize_multiplier makes it. */
void vector_scales(weft_multiplier want, float *a, float *b);

/* `t` with one scale and a shape; `s` and `z` must outlive it. */
weft_tensor vector_shaped(weft_tensor t, float *s, int32_t *z, int rank, const int32_t *dim);
/* Memory for a tensor like `want`. */
weft_tensor vector_room(const weft_tensor *want);

void vector_run(const vector *v, weft_opcode op, const weft_attr *attr, int n,
                const weft_tensor *const *in, weft_tensor *out);
/* Compares every `step`-th code from `first`, after clamping what was got to lo..hi. */
void vector_compare(const vector *v, const weft_tensor *got, const weft_tensor *want, size_t first,
                    size_t step, int lo, int hi);

#endif

/* One CMSIS-NN operator vector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "golden_vector.h"

#include "golden.h"
#include "npz.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool vector_open(const char *name, vector *v) {
  v->name = name;
  v->json = json_load_file(golden_path("models/vectors/cmsis-nn/%s.json", name), 0, NULL);
  return v->json != NULL;
}

bool vector_number_or(const vector *v, const char *key, long fallback, long *value) {
  char full[128];
  size_t n = 0;
  for (const char *c = v->name; *c; c++) full[n++] = (char)toupper((unsigned char)*c);
  snprintf(full + n, sizeof full - n, "_%s", key);
  json_t *j = json_object_get(v->json, full);
  *value = j ? (long)json_integer_value(j) : fallback;
  return j != NULL;
}

int vector_number(const vector *v, const char *key) {
  long value;
  if (!vector_number_or(v, key, 0, &value)) fail_msg("%s: no %s", v->name, key);
  return (int)value;
}

bool vector_array(const vector *v, const char *key, weft_tensor *t) {
  char full[128];
  snprintf(full, sizeof full, "%s_%s", v->name, key);
  return npz_load(golden_path("models/vectors/cmsis-nn/%s.npz", v->name), full, t);
}

void vector_need(const vector *v, const char *key, weft_tensor *t) {
  if (!vector_array(v, key, t)) fail_msg("%s: no array %s", v->name, key);
}

void vector_scales(weft_multiplier want, float *a, float *b) {
  double real = ldexp(want.multiplier, want.shift - 31);
  for (int k = 0; k < 100000; k++) {
    *b = 1.0f + (float)k / 131072.0f;
    *a = (float)(real * *b);
    weft_multiplier got = weft_multiplier_of((double)*a / *b);
    if (got.multiplier == want.multiplier && got.shift == want.shift) return;
  }
  fail_msg("no scales give %d, %d", want.multiplier, want.shift);
}

weft_tensor vector_shaped(weft_tensor t, float *s, int32_t *z, int rank, const int32_t *dim) {
  t.rank = rank;
  memcpy(t.dim, dim, sizeof *dim * (size_t)rank);
  t.quant = (weft_quant){.n = 1, .scale = s, .zero_point = z};
  return t;
}

weft_tensor vector_room(const weft_tensor *want) {
  weft_tensor t = *want;
  t.data = calloc(weft_tensor_bytes(want) + 1, 1);
  assert_non_null(t.data);
  return t;
}

void vector_run(const vector *v, weft_opcode op, const weft_attr *attr, int n,
                const weft_tensor *const *in, weft_tensor *out) {
  const char *bad = weft_ref_run(op, attr, n, in, 1, &out);
  if (bad) fail_msg("%s: %s", v->name, bad);
}

void vector_compare(const vector *v, const weft_tensor *got, const weft_tensor *want, size_t first,
                    size_t step, int lo, int hi) {
  for (size_t i = first; i < weft_tensor_elements(want); i += step) {
    int a = weft_clamp(((int8_t *)got->data)[i], lo, hi), b = ((int8_t *)want->data)[i];
    if (a != b) fail_msg("%s: element %zu is %d, should be %d", v->name, i, a, b);
  }
}

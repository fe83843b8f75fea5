/* Inputs from .npy, images, raw bytes, or a seed. */
#include "inputs.h"

#include "model_file.h"
#include "npy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

weft_status weft_norm_parse(const char *name, weft_norm *out, weft_err *err) {
  static const char *const names[] = {"auto", "0..1", "-1..1", "0..255"};
  static const weft_norm values[] = {WEFT_NORM_AUTO, WEFT_NORM_0_1, WEFT_NORM_M1_1,
                                     WEFT_NORM_0_255};
  for (int i = 0; i < 4; i++)
    if (strcmp(names[i], name) == 0) {
      *out = values[i];
      return WEFT_OK;
    }
  return weft_fail(err, WEFT_EINPUT, "--normalize: found '%s', accepted: auto, 0..1, -1..1, 0..255",
                   name);
}

static void format_shape(const weft_tensor *t, char *out, size_t size) {
  int n = snprintf(out, size, "%s [", weft_dtype_name(t->dtype));
  for (int i = 0; i < t->rank; i++)
    n += snprintf(out + n, size - (size_t)n, "%s%d", i ? "," : "", t->dim[i]);
  (void)snprintf(out + n, size - (size_t)n, "]");
}

/* The same type and shape; leading ones do not count. */
static bool same_shape(const weft_tensor *a, const weft_tensor *b) {
  int i = 0, k = 0;
  while (i < a->rank && a->dim[i] == 1) i++;
  while (k < b->rank && b->dim[k] == 1) k++;
  return a->dtype == b->dtype && a->rank - i == b->rank - k &&
         memcmp(a->dim + i, b->dim + k, (size_t)(a->rank - i) * sizeof a->dim[0]) == 0;
}

static weft_status from_npy(const char *path, const weft_tensor *t, void *data, weft_err *err) {
  weft_tensor in;
  weft_status status = weft_npy_load(path, &in, err);
  if (status) return status;
  if (same_shape(&in, t)) {
    memcpy(data, in.data, weft_tensor_bytes(t));
  } else {
    char found[160], accepted[160];
    format_shape(&in, found, sizeof found);
    format_shape(t, accepted, sizeof accepted);
    status = weft_fail(err, WEFT_EINPUT, "%s: holds %s, input '%s' accepts %s", path, found,
                       t->name ? t->name : "", accepted);
  }
  free(in.data);
  return status;
}

static weft_status from_image(const char *path, weft_norm norm, const weft_tensor *t, void *data,
                              weft_err *err) {
  weft_image image;
  weft_status status = weft_image_load(path, &image, err);
  if (status) return status;
  status = weft_image_to_tensor(&image, norm, t, data, err);
  weft_image_free(&image);
  return status;
}

static weft_status from_raw(const char *path, const weft_tensor *t, void *data, weft_err *err) {
  void *bytes;
  size_t n;
  weft_status status = weft_read_file(path, &bytes, &n, err);
  if (status) return status;
  if (n == weft_tensor_bytes(t))
    memcpy(data, bytes, n);
  else
    status = weft_fail(err, WEFT_EINPUT, "%s: holds %zu bytes, input '%s' accepts exactly %zu",
                       path, n, t->name ? t->name : "", weft_tensor_bytes(t));
  free(bytes);
  return status;
}

static weft_status from_file(const char *path, weft_norm norm, const weft_tensor *t, void *data,
                             weft_err *err) {
  const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
  const char *ext = dot ? dot : "";
  if (strcasecmp(ext, ".npy") == 0) return from_npy(path, t, data, err);
  if (strcasecmp(ext, ".bin") == 0) return from_raw(path, t, data, err);
  if (strcasecmp(ext, ".png") == 0 || strcasecmp(ext, ".jpg") == 0 ||
      strcasecmp(ext, ".jpeg") == 0 || strcasecmp(ext, ".bmp") == 0)
    return from_image(path, norm, t, data, err);
  return weft_fail(err, WEFT_EINPUT, "%s: ends in '%s', accepted: .npy .png .jpg .bmp .bin", path,
                   ext);
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static void fill_random(const weft_tensor *t, void *data, uint64_t *state) {
  size_t n = weft_tensor_elements(t);
  switch (t->dtype) {
  case WEFT_INT8:
  case WEFT_UINT8:
  case WEFT_INT16:
    for (size_t i = 0; i < n * weft_dtype_size(t->dtype); i++)
      ((uint8_t *)data)[i] = (uint8_t)(next_random(state) >> 56);
    break;
  case WEFT_FLOAT32:
    for (size_t i = 0; i < n; i++)
      ((float *)data)[i] = (float)(int32_t)(next_random(state) >> 40) / 8388608.0f - 1.0f;
    break;
  default: break; /* indices and flags: 0 is always valid */
  }
}

weft_status weft_inputs_load(const weft_graph *g, const weft_list *file, weft_norm norm,
                             uint64_t seed, void ***out, weft_err *err) {
  if (file->n && file->n != g->n_inputs)
    return weft_fail(err, WEFT_EINPUT, "%s: %d --input given, the network has %d input%s", g->name,
                     file->n, g->n_inputs, g->n_inputs == 1 ? "" : "s");
  void **input = calloc((size_t)g->n_inputs + 1, sizeof *input);
  weft_status status =
      input ? WEFT_OK : weft_fail(err, WEFT_ENOMEM, "%s: no memory for the inputs", g->name);
  for (int i = 0; i < g->n_inputs && !status; i++) {
    const weft_tensor *t = &g->tensor[g->input[i]];
    input[i] = calloc(weft_tensor_bytes(t) + 1, 1);
    if (!input[i])
      status = weft_fail(err, WEFT_ENOMEM, "%s: no memory for the inputs", g->name);
    else if (file->n)
      status = from_file(file->item[i], norm, t, input[i], err);
    else
      fill_random(t, input[i], &seed);
  }
  if (status) {
    weft_inputs_free(g, input);
    return status;
  }
  *out = input;
  return WEFT_OK;
}

void weft_inputs_free(const weft_graph *g, void **input) {
  for (int i = 0; input && i < g->n_inputs; i++) free(input[i]);
  free(input);
}

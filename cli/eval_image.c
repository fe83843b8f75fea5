/* Photographs for `weft eval`: one file into the model's input. */
#include "eval.h"

#include <string.h>

#include "image.h"

static const struct {
  const char *name;
  weft_norm norm;
} norms[] = {{"auto", WEFT_NORM_AUTO},
             {"0..1", WEFT_NORM_0_1},
             {"-1..1", WEFT_NORM_M1_1},
             {"0..255", WEFT_NORM_0_255}};

weft_status eval_norm_parse(const char *name, int *norm, weft_err *err) {
  for (size_t i = 0; i < sizeof norms / sizeof *norms; i++)
    if (strcmp(name, norms[i].name) == 0) {
      *norm = (int)norms[i].norm;
      return WEFT_OK;
    }
  return weft_fail(err, WEFT_EINPUT, "--normalize is '%s', accepted: auto, 0..1, -1..1, 0..255",
                   name);
}

weft_status eval_image_load(const char *path, int norm, const weft_tensor *input, void *data,
                            weft_err *err) {
  weft_image image;
  weft_err why;
  weft_status status = weft_image_load(path, &image, err);
  if (status) return status;
  status = weft_image_to_tensor(&image, (weft_norm)norm, input, data, &why);
  weft_image_free(&image);
  return status ? weft_fail(err, status, "%s: %s", path, why.text) : WEFT_OK;
}

/* Photographs into a model's input: load, crop and resize, convert.
 *
 * Weft works with 8-bit RGB, row-major, top row first. */
#ifndef WEFT_IMAGE_H
#define WEFT_IMAGE_H

#include "err.h"
#include "tensor.h"

typedef struct {
  int width, height;
  uint8_t *rgb; /* height * width * 3 bytes */
} weft_image;

/* Loads a PNG (any colour type and depth), a JPEG (grey or colour) or an uncompressed BMP (8, 24 or
 * 32 bits); the file's first bytes decide which. Grey becomes RGB, 16-bit samples are scaled to 8,
 * transparent pixels are laid over black, embedded gamma and colour profiles are ignored. At most
 * 2^26 pixels. The caller frees with weft_image_free(); on error *out is untouched. */
weft_status weft_image_load(const char *path, weft_image *out, weft_err *err);
void weft_image_free(weft_image *image);

/* Cuts the largest centred rectangle of the shape width:height out of `in`, then scales it to
 * exactly width x height, each axis on its own:
 *   smaller: every result is the mean of the source area it covers, parts of pixels counted as
 *            parts;
 *   larger:  linear between the two nearest pixel centres; beyond the outermost centre, that pixel;
 *   equal:   unchanged.
 * Weights are exact integers and the only rounding is the last (to nearest, halves up). When the
 * margin to cut is odd, the extra row or column is cut at the bottom or right. */
weft_status weft_image_resize(const weft_image *in, int height, int width, weft_image *out,
                              weft_err *err);

/* Which real number a pixel of 0...255 stands for. */
typedef enum {
  WEFT_NORM_AUTO,  /* see weft_image_to_tensor() */
  WEFT_NORM_0_1,   /* pixel / 255 */
  WEFT_NORM_M1_1,  /* pixel / 127.5 - 1 */
  WEFT_NORM_0_255, /* pixel */
} weft_norm;

/* Converts an image to the model input `t`: [1, H, W, 3] or [1, H, W, 1] (then luminance by ITU-R
 * BT.601: 0.299 R + 0.587 G + 0.114 B), int8, uint8 or float32; resizes if H x W differs. Writes
 * weft_tensor_bytes(t) bytes to `data`, which may be t->data.
 *
 * With a range given, code = round(real / scale) + zero_point, clamped, halves away from zero; a
 * float32 input takes the real number. With WEFT_NORM_AUTO:
 *   uint8                                  the pixel itself is the code
 *   int8, codes that cover a usual range   pixel - 128: zero point -128 with scale 1/255 (0...1)
 *                                          or 1 (0...255), zero point -1...1 with scale 1/127.5
 *                                          (-1...1), each within 10% (1% for the scale 1)
 *   other int8, scale * 255 <= 1.1         as WEFT_NORM_0_1
 *   other int8, scale * 127 in 0.9...1.1   as WEFT_NORM_M1_1
 *   other int8, scale in 0.9...1.1         as WEFT_NORM_0_255
 *   anything else                          an error that asks for a range */
weft_status weft_image_to_tensor(const weft_image *image, weft_norm norm, const weft_tensor *t,
                                 void *data, weft_err *err);

#endif

/* PNG, JPEG and BMP files, and what follows: a resize into a model's input. */
#include "fuzz.h"

#include "image.h"

#include <jpeglib.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 12 };

static void fill(uint8_t *rgb) {
  for (int i = 0; i < SIDE * SIDE * 3; i++) rgb[i] = (uint8_t)(i * 29 + i / 7);
}

static uint8_t *png(uint32_t format, size_t *n) {
  uint8_t rgb[SIDE * SIDE * 4] = {0};
  png_image image = {.version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = format};
  fill(rgb);
  png_alloc_size_t size = 1 << 16;
  uint8_t *out = malloc(size);
  if (!out || !png_image_write_to_memory(&image, out, &size, 0, rgb, 0, NULL)) abort();
  *n = size;
  return out;
}

static uint8_t *jpeg(int components, size_t *n) {
  uint8_t rgb[SIDE * SIDE * 3], *out = NULL;
  unsigned long size = 0;
  struct jpeg_compress_struct c;
  struct jpeg_error_mgr e;
  fill(rgb);
  c.err = jpeg_std_error(&e);
  jpeg_create_compress(&c);
  jpeg_mem_dest(&c, &out, &size);
  c.image_width = c.image_height = SIDE;
  c.input_components = components;
  c.in_color_space = components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&c);
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < SIDE) {
    JSAMPROW row = rgb + c.next_scanline * SIDE * (unsigned)components;
    (void)jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  *n = size;
  return out;
}

static uint8_t *bmp(int bits, size_t *n) {
  const uint32_t palette = bits == 8 ? 1024 : 0, offset = 54 + palette;
  const uint32_t row = (SIDE * (uint32_t)bits / 8 + 3) & ~3u;
  *n = offset + row * SIDE;
  uint8_t *p = calloc(*n, 1);
  if (!p) abort();
  for (size_t i = 54; i < *n; i++) p[i] = (uint8_t)(i * 13);
  memcpy(p, "BM", 2);
  const uint32_t size = (uint32_t)*n;
  memcpy(p + 2, &size, 4);
  memcpy(p + 10, &offset, 4);
  p[14] = 40;
  p[18] = p[22] = SIDE;
  p[26] = 1;
  p[28] = (uint8_t)bits;
  return p;
}

uint8_t *fuzz_seed(int i, size_t *n) {
  switch (i) {
  case 0: return png(PNG_FORMAT_RGB, n);
  case 1: return png(PNG_FORMAT_RGBA, n);
  case 2: return png(PNG_FORMAT_GRAY, n);
  case 3: return jpeg(3, n);
  case 4: return jpeg(1, n);
  case 5: return bmp(8, n);
  case 6: return bmp(24, n);
  case 7: return bmp(32, n);
  default: return NULL;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  weft_image image;
  weft_err err;
  if (weft_image_load(fuzz_file(data, n), &image, &err)) return 0;
  float scale = 1.0f / 255;
  int32_t zero = -128;
  uint8_t out[8 * 8 * 3];
  weft_tensor t = {.name = "x", .dtype = WEFT_INT8, .rank = 4, .dim = {1, 8, 8, 3}};
  t.quant = (weft_quant){.n = 1, .scale = &scale, .zero_point = &zero};
  (void)weft_image_to_tensor(&image, WEFT_NORM_AUTO, &t, out, &err);
  weft_image_free(&image);
  return 0;
}

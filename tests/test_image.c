/* Images: files of every kind, made here with libpng and libjpeg; resizing; conversion to tensors;
 * photographs against inputs that another tool made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <jpeglib.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"
#include "support/folder.h"

/* --- image files ------------------------------------------------------------------------------ */

enum { W = 13, H = 9 };

static int rgb_at(int x, int y, int c) {
  return (x * 17 + y * 29 + c * 50) & 255;
}

/* Writes a PNG of W x H in the given colour type and depth; samples follow rgb_at(). */
static void write_png(const char *name, int colour, int bits, int interlace) {
  FILE *f = fopen(in_folder(name), "wb");
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, f);
  png_set_IHDR(png, info, W, H, bits, colour, interlace, 0, 0);
  png_color palette[256];
  if (colour == PNG_COLOR_TYPE_PALETTE) {
    for (int i = 0; i < 256; i++)
      palette[i] = (png_color){(png_byte)i, (png_byte)(255 - i), (png_byte)(i / 2)};
    png_set_PLTE(png, info, palette, 256);
  }
  uint8_t rows[H][W * 8];
  png_bytep row[H];
  int channels = colour == PNG_COLOR_TYPE_GRAY || colour == PNG_COLOR_TYPE_PALETTE ? 1
                 : colour == PNG_COLOR_TYPE_GRAY_ALPHA                             ? 2
                 : colour == PNG_COLOR_TYPE_RGB                                    ? 3
                                                                                   : 4;
  for (int y = 0; y < H; y++) {
    row[y] = rows[y];
    for (int x = 0; x < W; x++)
      for (int c = 0; c < channels; c++) {
        int alpha = channels % 2 == 0 && c == channels - 1;
        int v = alpha ? (x & 1 ? 255 : 0) : rgb_at(x, y, c), at = x * channels + c;
        if (bits == 16)
          rows[y][at * 2] = (uint8_t)v, rows[y][at * 2 + 1] = (uint8_t)v;
        else
          rows[y][at] = (uint8_t)v;
      }
  }
  png_write_info(png, info);
  png_write_image(png, row);
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  fclose(f);
}

static void write_jpeg(const char *name, J_COLOR_SPACE space, int channels) {
  FILE *f = fopen(in_folder(name), "wb");
  struct jpeg_error_mgr handler;
  struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&handler)};
  jpeg_create_compress(&jpeg);
  jpeg_stdio_dest(&jpeg, f);
  jpeg.image_width = W;
  jpeg.image_height = H;
  jpeg.input_components = channels;
  jpeg.in_color_space = space;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 100, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  for (int y = 0; y < H; y++) {
    uint8_t line[W * 4];
    JSAMPROW row = line;
    for (int i = 0; i < W * channels; i++) line[i] = (uint8_t)(40 + y * 10 + i % channels * 20);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  fclose(f);
}

static weft_image load(const char *name) {
  weft_image image = {0};
  weft_err err = {""};
  if (weft_image_load(in_folder(name), &image, &err)) fail_msg("%s", err.text);
  return image;
}

static void test_png(void **state) {
  (void)state;
  static const struct {
    int colour, bits;
  } kinds[] = {{PNG_COLOR_TYPE_RGB, 8},        {PNG_COLOR_TYPE_RGB, 16},
               {PNG_COLOR_TYPE_GRAY, 8},       {PNG_COLOR_TYPE_GRAY, 16},
               {PNG_COLOR_TYPE_RGB_ALPHA, 8},  {PNG_COLOR_TYPE_RGB_ALPHA, 16},
               {PNG_COLOR_TYPE_GRAY_ALPHA, 8}, {PNG_COLOR_TYPE_PALETTE, 8}};
  for (size_t k = 0; k < 2 * sizeof kinds / sizeof kinds[0]; k++) {
    int colour = kinds[k / 2].colour;
    write_png("a.png", colour, kinds[k / 2].bits, (int)k % 2);
    weft_image image = load("a.png");
    assert_int_equal(image.width, W);
    assert_int_equal(image.height, H);
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++)
        for (int c = 0; c < 3; c++) {
          int v = rgb_at(x, y, c);
          if (!(colour & PNG_COLOR_MASK_COLOR)) v = rgb_at(x, y, 0);
          if (colour & PNG_COLOR_MASK_ALPHA && !(x & 1)) v = 0; /* over black */
          if (colour == PNG_COLOR_TYPE_PALETTE) {
            v = rgb_at(x, y, 0);
            v = c == 0 ? v : c == 1 ? 255 - v : v / 2;
          }
          assert_int_equal(image.rgb[(y * W + x) * 3 + c], v);
        }
    weft_image_free(&image);
  }
}

static void test_jpeg(void **state) {
  (void)state;
  for (int channels = 1; channels <= 3; channels += 2) {
    write_jpeg("a.jpg", channels == 1 ? JCS_GRAYSCALE : JCS_RGB, channels);
    weft_image image = load("a.jpg");
    assert_int_equal(image.width, W);
    assert_int_equal(image.height, H);
    for (int y = 0; y < H; y++)
      for (int i = 0; i < W * 3; i++) {
        int want = 40 + y * 10 + (channels == 3 ? i % 3 * 20 : 0);
        assert_true(abs(image.rgb[y * W * 3 + i] - want) <= 4);
      }
    weft_image_free(&image);
  }
  weft_image image = {0};
  weft_err err = {""};
  write_jpeg("cmyk.jpg", JCS_CMYK, 4);
  expect_error(weft_image_load(in_folder("cmyk.jpg"), &image, &err), &err,
               "cmyk.jpg: damaged JPEG");
}

static void put32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

/* A BMP of W x H; 8 bits with a palette of 256 greys shifted by colour, 24 or 32 bits. */
static size_t make_bmp(uint8_t *b, int bits, int downwards) {
  size_t stride = (size_t)(W * bits + 31) / 32 * 4, start = 54 + (bits == 8 ? 1024 : 0);
  memset(b, 0, start + stride * H);
  memcpy(b, "BM", 2);
  put32(b + 2, (uint32_t)(start + stride * H));
  put32(b + 10, (uint32_t)start);
  put32(b + 14, 40);
  put32(b + 18, W);
  put32(b + 22, (uint32_t)(downwards ? -H : H));
  b[26] = 1;
  b[28] = (uint8_t)bits;
  for (int i = 0; bits == 8 && i < 256; i++)
    for (int c = 0; c < 3; c++) b[54 + i * 4 + (2 - c)] = (uint8_t)(i + c * 50);
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      uint8_t *p = b + start + stride * (size_t)(downwards ? y : H - 1 - y) + x * (bits / 8);
      if (bits == 8) p[0] = (uint8_t)rgb_at(x, y, 0);
      for (int c = 0; bits > 8 && c < 3; c++) p[2 - c] = (uint8_t)rgb_at(x, y, c);
    }
  return start + stride * H;
}

static void test_bmp(void **state) {
  (void)state;
  uint8_t bytes[4096];
  for (int bits = 8; bits <= 32; bits += bits == 8 ? 16 : 8)
    for (int downwards = 0; downwards < 2; downwards++) {
      size_t n = make_bmp(bytes, bits, downwards);
      write_file("a.bmp", bytes, n);
      weft_image image = load("a.bmp");
      for (int i = 0; i < W * H * 3; i++)
        assert_int_equal(image.rgb[i], rgb_at(i / 3 % W, i / 3 / W, i % 3));
      weft_image_free(&image);
    }
  weft_image image = {0};
  weft_err err = {""};
  size_t n = make_bmp(bytes, 24, 0);
  write_file("short.bmp", bytes, n - 1);
  expect_error(weft_image_load(in_folder("short.bmp"), &image, &err), &err, "ends early");
  put32(bytes + 18, 0);
  write_file("flat.bmp", bytes, n);
  expect_error(weft_image_load(in_folder("flat.bmp"), &image, &err), &err, "image of 0x9");
  put32(bytes + 18, W);
  put32(bytes + 30, 1);
  write_file("rle.bmp", bytes, n);
  expect_error(weft_image_load(in_folder("rle.bmp"), &image, &err), &err, "compression 1");
}

/* Files cut at every length and with flipped bytes: an image or one line, never a crash. */
static void damage(const char *name) {
  size_t n;
  uint8_t *bytes = read_file(name, &n), *bad = malloc(n);
  uint64_t seed = 7;
  int refused = 0, rounds = 0;
  for (size_t i = 0; i < n + 500; i++, rounds++) {
    memcpy(bad, bytes, n);
    for (int flips = 0; i >= n && flips < 3; flips++) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      bad[(seed >> 33) % n] ^= (uint8_t)(1u << (seed >> 61));
    }
    write_file("bad", bad, i < n ? i : n);
    weft_image image = {0};
    weft_err err = {""};
    weft_status status = weft_image_load(in_folder("bad"), &image, &err);
    if (status) {
      expect_error(status, &err, "/bad: ");
      assert_null(image.rgb);
    }
    weft_image_free(&image);
    refused += status != WEFT_OK;
  }
  print_message("%s: %d of %d damaged files refused\n", name, refused, rounds);
  free(bad);
  free(bytes);
}

static void test_damaged_images(void **state) {
  (void)state;
  uint8_t bytes[4096];
  write_png("d.png", PNG_COLOR_TYPE_RGB_ALPHA, 8, 1);
  damage("d.png");
  write_jpeg("d.jpg", JCS_RGB, 3);
  damage("d.jpg");
  write_file("d.bmp", bytes, make_bmp(bytes, 8, 0));
  damage("d.bmp");
  weft_image image = {0};
  weft_err err = {""};
  write_file("text.png", "hello", 5);
  expect_error(weft_image_load(in_folder("text.png"), &image, &err), &err, "PNG, JPEG or BMP");
  expect_error(weft_image_load(in_folder("none.png"), &image, &err), &err, "No such file");
  expect_error(weft_image_load(folder_path(), &image, &err), &err, "not a regular file");
}

/* --- resizing and conversion ------------------------------------------------------------------ */

static weft_image resized(const weft_image *in, int h, int w) {
  weft_image out = {0};
  weft_err err = {""};
  if (weft_image_resize(in, h, w, &out, &err)) fail_msg("%s", err.text);
  assert_int_equal(out.width, w);
  assert_int_equal(out.height, h);
  return out;
}

static weft_image image_of(int w, int h, const uint8_t *grey) {
  weft_image image = {w, h, malloc((size_t)(w * h * 3))};
  for (int i = 0; i < w * h * 3; i++) image.rgb[i] = grey[i / 3];
  return image;
}

static void test_resize(void **state) {
  (void)state;
  /* constant images stay constant, at every pair of sizes */
  for (int from = 1; from < 12; from++)
    for (int to = 1; to < 12; to++) {
      uint8_t grey[144];
      memset(grey, 201, sizeof grey);
      weft_image in = image_of(from, 12 - from, grey), out = resized(&in, to, 12 - to);
      for (int i = 0; i < to * (12 - to) * 3; i++) assert_int_equal(out.rgb[i], 201);
      weft_image_free(&in);
      weft_image_free(&out);
    }
  /* the same size changes nothing; half the size is the mean of 2 x 2, rounded up at halves */
  uint8_t grey[16] = {0, 1, 10, 20, 2, 3, 30, 41, 5, 5, 0, 255, 5, 6, 255, 0};
  weft_image in = image_of(4, 4, grey), out = resized(&in, 4, 4);
  assert_memory_equal(in.rgb, out.rgb, 48);
  weft_image_free(&out);
  out = resized(&in, 2, 2);
  const uint8_t means[4] = {2, 25, 5, 128};
  for (int i = 0; i < 12; i++) assert_int_equal(out.rgb[i], means[i / 3]);
  weft_image_free(&out);
  weft_image_free(&in);
  /* 3 -> 2 by areas: (2a + b) / 3, (b + 2c) / 3 */
  in = image_of(3, 3, (uint8_t[]){0, 90, 30, 0, 90, 30, 0, 90, 30});
  out = resized(&in, 2, 2);
  assert_int_equal(out.rgb[0], 30);
  assert_int_equal(out.rgb[3], 50);
  weft_image_free(&out);
  weft_image_free(&in);
  /* 2 -> 4: centres at -1/4, 1/4, 3/4, 5/4 */
  in = image_of(2, 2, (uint8_t[]){0, 100, 0, 100});
  out = resized(&in, 4, 4);
  const uint8_t line[4] = {0, 25, 75, 100};
  for (int i = 0; i < 16; i++) assert_int_equal(out.rgb[i * 3], line[i % 4]);
  weft_image_free(&out);
  weft_image_free(&in);
  /* the crop is centred: of 6 x 2 the middle 2 x 2 */
  in = image_of(6, 2, (uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  out = resized(&in, 2, 2);
  const uint8_t middle[4] = {3, 4, 9, 10};
  for (int i = 0; i < 4; i++) assert_int_equal(out.rgb[i * 3], middle[i]);
  weft_image_free(&out);
  weft_err err = {""};
  assert_int_equal(weft_image_resize(&in, 0, 5, &out, &err), WEFT_EINPUT);
  assert_int_equal(weft_image_resize(&in, 32767, 32767, &out, &err), WEFT_EINPUT);
  weft_image_free(&in);
}

/* The codes of the pixels 0, 64, 127, 128, 255 in a tensor of one channel. */
static weft_status codes(weft_norm norm, weft_dtype dtype, float scale, int32_t zero, int want[5],
                         weft_err *err) {
  weft_image image = image_of(5, 1, (uint8_t[]){0, 64, 127, 128, 255});
  weft_tensor t = {
      .name = "in", .dtype = dtype, .rank = 4, .dim = {1, 1, 5, 1}, .quant = {1, 0, &scale, &zero}};
  uint8_t bytes[5] = {0};
  weft_status status = weft_image_to_tensor(&image, norm, &t, bytes, err);
  for (int i = 0; i < 5; i++) want[i] = dtype == WEFT_INT8 ? (int8_t)bytes[i] : bytes[i];
  weft_image_free(&image);
  return status;
}

static void test_to_tensor(void **state) {
  (void)state;
  static const struct {
    weft_norm norm;
    weft_dtype dtype;
    float scale;
    int32_t zero;
    int want[5];
  } cases[] = {
      {WEFT_NORM_AUTO, WEFT_UINT8, 0.0078125f, 128, {0, 64, 127, 128, 255}},
      {WEFT_NORM_AUTO, WEFT_UINT8, 0.00784f, 127, {0, 64, 127, 128, 255}},
      {WEFT_NORM_AUTO, WEFT_INT8, 0.00392156886f, -128, {-128, -64, -1, 0, 127}},
      {WEFT_NORM_AUTO, WEFT_INT8, 1, -128, {-128, -64, -1, 0, 127}},
      {WEFT_NORM_AUTO, WEFT_INT8, 0.0078125f, 0, {-128, -64, -1, 0, 127}},
      {WEFT_NORM_AUTO, WEFT_INT8, 0.00784313772f, -1, {-128, -64, -1, 0, 127}},
      {WEFT_NORM_AUTO, WEFT_INT8, 0.002f, -128, {-128, -3, 121, 123, 127}},
      {WEFT_NORM_AUTO, WEFT_INT8, 0.0078125f, 20, {-108, -44, 19, 21, 127}},
      {WEFT_NORM_AUTO, WEFT_INT8, 1.05f, 0, {0, 61, 121, 122, 127}},
      {WEFT_NORM_0_1, WEFT_INT8, 1 / 255.0f, -128, {-128, -64, -1, 0, 127}},
      {WEFT_NORM_0_1, WEFT_UINT8, 1 / 255.0f, 0, {0, 64, 127, 128, 255}},
      {WEFT_NORM_M1_1, WEFT_INT8, 1 / 128.0f, 0, {-128, -64, -1, 1, 127}},
      {WEFT_NORM_0_255, WEFT_INT8, 2, -128, {-128, -96, -64, -64, 0}},
  };
  weft_err err = {""};
  int got[5];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (codes(cases[i].norm, cases[i].dtype, cases[i].scale, cases[i].zero, got, &err))
      fail_msg("case %zu: %s", i, err.text);
    for (int k = 0; k < 5; k++)
      if (got[k] != cases[i].want[k])
        fail_msg("case %zu, pixel %d: %d, not %d", i, k, got[k], cases[i].want[k]);
  }
  assert_int_equal(codes(WEFT_NORM_AUTO, WEFT_INT8, 0.5847f, 83, got, &err), WEFT_EINPUT);
  assert_non_null(strstr(err.text, "'in' is int8 with scale 0.5847"));

  /* luminance, float, resize on the way, refusals */
  weft_image red = {1, 1, (uint8_t[]){255, 0, 0}};
  weft_tensor t = {.name = "in", .dtype = WEFT_UINT8, .rank = 4, .dim = {1, 1, 1, 1}};
  uint8_t code;
  assert_int_equal(weft_image_to_tensor(&red, WEFT_NORM_AUTO, &t, &code, &err), WEFT_OK);
  assert_int_equal(code, 76);
  float real[12];
  t = (weft_tensor){.name = "in", .dtype = WEFT_FLOAT32, .rank = 4, .dim = {1, 2, 2, 3}};
  assert_int_equal(weft_image_to_tensor(&red, WEFT_NORM_M1_1, &t, real, &err), WEFT_OK);
  for (int i = 0; i < 12; i++) assert_true(real[i] == (i % 3 ? -1.0f : 1.0f));
  assert_int_equal(weft_image_to_tensor(&red, WEFT_NORM_AUTO, &t, real, &err), WEFT_EINPUT);
  t.dim[3] = 2;
  assert_int_equal(weft_image_to_tensor(&red, WEFT_NORM_M1_1, &t, real, &err), WEFT_EUNSUPP);
  t.dim[3] = 3;
  t.dtype = WEFT_INT64;
  assert_int_equal(weft_image_to_tensor(&red, WEFT_NORM_M1_1, &t, real, &err), WEFT_EUNSUPP);
}

/* Photographs, against inputs that another tool made of them (bilinear, so not equal). */
static void test_photographs(void **state) {
  (void)state;
  static const char *const photos[] = {"parrot.jpg", "bird.bmp", "cat.bmp", "grace_hopper.bmp"};
  static const int sizes[] = {96, 128, 224};
  const char *data = getenv("WEFT_TEST_DATA");
  for (int p = 0; p < 4; p++) {
    char name[512], stem[32];
    (void)snprintf(name, sizeof name, "%s/models/images/%s", data ? data : "../shared", photos[p]);
    (void)snprintf(stem, sizeof stem, "%.*s", (int)strcspn(photos[p], "."), photos[p]);
    weft_image image = {0};
    weft_err err = {""};
    if (access(name, R_OK) != 0) {
      print_message("skipped: no %s (WEFT_TEST_DATA names the folder)\n", name);
      skip();
    }
    if (weft_image_load(name, &image, &err)) fail_msg("%s", err.text);
    for (int k = 0; k < 3; k++) {
      (void)snprintf(name, sizeof name, "%s/models/inputs/%s_%d_i8.bin", data ? data : "../shared",
                     stem, sizes[k]);
      FILE *f = fopen(name, "rb");
      if (!f) continue;
      size_t n = (size_t)(sizes[k] * sizes[k] * 3);
      int8_t *want = malloc(n), *got = malloc(n);
      assert_int_equal(fread(want, 1, n, f), n);
      fclose(f);
      float scale = 1 / 255.0f;
      int32_t zero = -128;
      weft_tensor t = {.name = "in",
                       .dtype = WEFT_INT8,
                       .rank = 4,
                       .dim = {1, sizes[k], sizes[k], 3},
                       .quant = {1, 0, &scale, &zero}};
      if (weft_image_to_tensor(&image, WEFT_NORM_AUTO, &t, got, &err)) fail_msg("%s", err.text);
      double sum = 0;
      for (size_t i = 0; i < n; i++) sum += abs(want[i] - got[i]);
      print_message("%s %d: mean difference %.2f codes\n", stem, sizes[k], sum / (double)n);
      assert_true(sum / (double)n < 6);
      free(want);
      free(got);
    }
    weft_image_free(&image);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_png),         cmocka_unit_test(test_jpeg),
      cmocka_unit_test(test_bmp),         cmocka_unit_test(test_damaged_images),
      cmocka_unit_test(test_resize),      cmocka_unit_test(test_to_tensor),
      cmocka_unit_test(test_photographs),
  };
  return cmocka_run_group_tests(tests, folder_make, folder_remove);
}

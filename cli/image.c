/* Loading, resizing and converting images; image.h says what exactly. The decoders get the whole
 * file in memory and report errors by longjmp, which ends in one error line, never in abort(). */
#include "image.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>
#include <png.h>

enum { MAX_SIDE = 32767, MAX_PIXELS = 1 << 26, MAX_FILE = 1 << 28 };

/* A file being decoded. `image` and `rows` are the decoder's to fill and the caller's to free. */
typedef struct {
  const char *path;
  const uint8_t *bytes;
  size_t size, at;
  weft_image image;
  void *scratch;
  weft_err *err;
  weft_status status;
  jmp_buf on_error;
} source;

static void source_fail(source *s, weft_status status, const char *what) {
  s->status = weft_fail(s->err, status, "%s: %s", s->path, what);
}

/* Room for the pixels; false (and an error) when the size is refused. */
static bool make_room(source *s, int64_t width, int64_t height) {
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE ||
      width * height > MAX_PIXELS) {
    s->status = weft_fail(s->err, WEFT_EINPUT,
                          "%s: image of %lldx%lld; accepted: sides up to %d, 2^26 pixels", s->path,
                          (long long)width, (long long)height, MAX_SIDE);
    return false;
  }
  s->image = (weft_image){(int)width, (int)height, malloc((size_t)(width * height * 3))};
  if (!s->image.rgb) source_fail(s, WEFT_ENOMEM, "out of memory");
  return s->image.rgb != NULL;
}

/* --- PNG -------------------------------------------------------------------------------------- */

static void png_failed(png_structp png, png_const_charp message) {
  source *s = png_get_error_ptr(png);
  s->status = weft_fail(s->err, WEFT_EINPUT, "%s: damaged PNG: %s", s->path, message);
  longjmp(s->on_error, 1);
}

static void png_warned(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void png_take(png_structp png, png_bytep to, size_t n) {
  source *s = png_get_io_ptr(png);
  if (n > s->size - s->at) png_error(png, "the file ends early");
  memcpy(to, s->bytes + s->at, n);
  s->at += n;
}

/* Runs under setjmp: everything that must survive an error is in *s. */
static void png_decode(source *s, png_structp png, png_infop info) {
  png_set_user_limits(png, MAX_SIDE, MAX_SIDE);
  png_set_read_fn(png, s, png_take);
  png_read_info(png, info);
  int width = (int)png_get_image_width(png, info), height = (int)png_get_image_height(png, info);
  if (!make_room(s, width, height)) return;
  png_set_expand(png); /* palettes, 1 to 4 bits, tRNS -> 8 bits, alpha */
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
  (void)png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != (size_t)width * 4) png_error(png, "unexpected row size");

  size_t pixels = (size_t)width * (size_t)height;
  s->scratch = malloc(pixels * 4 + (size_t)height * sizeof(png_bytep));
  if (!s->scratch) png_error(png, "out of memory");
  png_bytep *row = s->scratch;
  uint8_t *rgba = (uint8_t *)(row + height);
  for (int y = 0; y < height; y++) row[y] = rgba + (size_t)y * (size_t)width * 4;
  png_read_image(png, row);
  png_read_end(png, NULL);
  for (size_t i = 0; i < pixels; i++)
    for (int c = 0; c < 3; c++)
      s->image.rgb[i * 3 + c] = (uint8_t)((rgba[i * 4 + c] * rgba[i * 4 + 3] + 127) / 255);
}

static void load_png(source *s) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, s, png_failed, png_warned);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info)
    source_fail(s, WEFT_ENOMEM, "out of memory");
  else if (!setjmp(s->on_error))
    png_decode(s, png, info);
  png_destroy_read_struct(&png, &info, NULL);
}

/* --- JPEG ------------------------------------------------------------------------------------- */

static void jpeg_failed(j_common_ptr jpeg) {
  source *s = jpeg->client_data;
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  s->status = weft_fail(s->err, WEFT_EINPUT, "%s: damaged JPEG: %s", s->path, text);
  longjmp(s->on_error, 1);
}

/* Warnings mean lost data (a truncated file goes on in grey): errors too. Traces are dropped. */
static void jpeg_said(j_common_ptr jpeg, int level) {
  if (level < 0) jpeg_failed(jpeg);
}

static void jpeg_decode(source *s, struct jpeg_decompress_struct *jpeg) {
  jpeg_mem_src(jpeg, s->bytes, (unsigned long)s->size);
  (void)jpeg_read_header(jpeg, TRUE);
  if (!make_room(s, jpeg->image_width, jpeg->image_height)) return;
  jpeg->out_color_space = JCS_RGB;
  jpeg->dct_method = JDCT_ISLOW;
  (void)jpeg_start_decompress(jpeg);
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW row = s->image.rgb + (size_t)jpeg->output_scanline * (size_t)s->image.width * 3;
    (void)jpeg_read_scanlines(jpeg, &row, 1);
  }
  (void)jpeg_finish_decompress(jpeg);
}

static void load_jpeg(source *s) {
  struct jpeg_error_mgr handler;
  struct jpeg_decompress_struct jpeg = {.err = jpeg_std_error(&handler), .client_data = s};
  handler.error_exit = jpeg_failed;
  handler.emit_message = jpeg_said;
  if (!setjmp(s->on_error)) {
    jpeg_create_decompress(&jpeg);
    jpeg_decode(s, &jpeg);
  }
  jpeg_destroy_decompress(&jpeg);
}

/* --- BMP -------------------------------------------------------------------------------------- */

static uint32_t le32(const uint8_t *p) {
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* File header of 14 bytes, information header of at least 40, palette, pixels; rows are padded to 4
 * bytes and run upwards unless the height is negative. */
static void load_bmp(source *s) {
  const uint8_t *b = s->bytes;
  if (s->size < 54 || le32(b + 14) < 40 || le32(b + 14) > s->size - 14) {
    source_fail(s, WEFT_EINPUT, "damaged BMP: the header is cut off or of an old kind");
    return;
  }
  int bits = b[28] | b[29] << 8;
  if (le32(b + 30) != 0 || (bits != 8 && bits != 24 && bits != 32)) {
    s->status = weft_fail(s->err, WEFT_EUNSUPP,
                          "%s: BMP of %d bits, compression %u; accepted: 8, 24, 32 uncompressed",
                          s->path, bits, le32(b + 30));
    return;
  }
  int64_t width = (int32_t)le32(b + 18), height = (int32_t)le32(b + 22);
  bool downwards = height < 0;
  if (downwards) height = -height;
  if (!make_room(s, width, height)) return;
  size_t stride = ((size_t)width * (size_t)bits + 31) / 32 * 4, start = le32(b + 10);
  size_t palette = 14 + (size_t)le32(b + 14), colours = le32(b + 46);
  if (colours == 0 || colours > 256) colours = 256;
  if (bits != 8) colours = 0;
  if (start > s->size || stride * (size_t)height > s->size - start ||
      palette + colours * 4 > s->size) {
    source_fail(s, WEFT_EINPUT, "damaged BMP: the file ends early");
    return;
  }
  for (int64_t y = 0; y < height; y++) {
    const uint8_t *row = b + start + (size_t)(downwards ? y : height - 1 - y) * stride;
    uint8_t *to = s->image.rgb + (size_t)(y * width * 3);
    for (int64_t x = 0; x < width; x++, to += 3) {
      const uint8_t *bgr = row + x * (bits / 8);
      if (bits == 8) {
        if (*bgr >= colours) {
          source_fail(s, WEFT_EINPUT, "damaged BMP: a pixel is outside the palette");
          return;
        }
        bgr = b + palette + (size_t)*bgr * 4;
      }
      to[0] = bgr[2];
      to[1] = bgr[1];
      to[2] = bgr[0];
    }
  }
}

/* --- any image file --------------------------------------------------------------------------- */

static weft_status read_file(const char *path, uint8_t **bytes, size_t *size, weft_err *err) {
  struct stat st;
  FILE *f = fopen(path, "rb");
  if (!f) return weft_fail(err, WEFT_EINPUT, "%s: %s", path, strerror(errno));
  weft_status status = WEFT_OK;
  *bytes = NULL;
  if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
    status = weft_fail(err, WEFT_EINPUT, "%s: not a regular file", path);
  else if (st.st_size > MAX_FILE)
    status = weft_fail(err, WEFT_EINPUT, "%s: image file of more than 256 MiB", path);
  else if (!(*bytes = malloc((size_t)st.st_size + 1)))
    status = weft_fail(err, WEFT_ENOMEM, "%s: out of memory", path);
  else if (fread(*bytes, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
    status = weft_fail(err, WEFT_EINPUT, "%s: cannot be read to its end", path);
  fclose(f);
  if (status) {
    free(*bytes);
    return status;
  }
  *size = (size_t)st.st_size;
  return WEFT_OK;
}

weft_status weft_image_load(const char *path, weft_image *out, weft_err *err) {
  uint8_t *bytes = NULL;
  source s = {.path = path, .err = err};
  weft_status status = read_file(path, &bytes, &s.size, err);
  if (status) return status;
  s.bytes = bytes;
  if (s.size >= 8 && png_sig_cmp(bytes, 0, 8) == 0)
    load_png(&s);
  else if (s.size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
    load_jpeg(&s);
  else if (s.size >= 2 && memcmp(bytes, "BM", 2) == 0)
    load_bmp(&s);
  else
    source_fail(&s, WEFT_EUNSUPP, "not an image that Weft reads: PNG, JPEG or BMP");
  free(s.scratch);
  free(bytes);
  if (s.status)
    weft_image_free(&s.image);
  else
    *out = s.image;
  return s.status;
}

void weft_image_free(weft_image *image) {
  free(image->rgb);
  *image = (weft_image){0};
}

/* --- resizing --------------------------------------------------------------------------------- */

/* One axis: result i is the sum over j in [first, last] of weight(j) * source j, divided by total.
 * In units of 1/to source pixels when shrinking, 1/(2 * to) when enlarging, so all are integers. */
typedef struct {
  int from, to;
  int64_t total;
} axis;

static axis axis_of(int from, int to) {
  return (axis){from, to, to < from ? from : to > from ? 2 * (int64_t)to : 1};
}

static void axis_range(const axis *a, int i, int *first, int *last) {
  if (a->to == a->from) {
    *first = *last = i;
  } else if (a->to < a->from) { /* the area [i * from, (i + 1) * from) */
    *first = (int)((int64_t)i * a->from / a->to);
    *last = (int)(((int64_t)(i + 1) * a->from - 1) / a->to);
  } else { /* around the centre ((2i + 1) * from - to) / (2 to) */
    int64_t centre = (2 * (int64_t)i + 1) * a->from - a->to;
    *first = centre <= 0 ? 0 : (int)(centre / a->total);
    *last = centre <= 0 || *first + 1 >= a->from ? *first : *first + 1;
  }
}

static int64_t axis_weight(const axis *a, int i, int j, int first, int last) {
  if (a->to < a->from) {
    int64_t lo = (int64_t)i * a->from, hi = lo + a->from;
    int64_t begin = (int64_t)j * a->to, end = begin + a->to;
    return (end < hi ? end : hi) - (begin > lo ? begin : lo);
  }
  if (first == last) return a->total;
  int64_t right = ((2 * (int64_t)i + 1) * a->from - a->to) % a->total;
  return j == first ? a->total - right : right;
}

/* Cuts `from` to the part whose ratio to `other_from` is that of `to` to `other_to`. */
static int cut(int from, int other_from, int to, int other_to) {
  int64_t n = ((int64_t)other_from * to * 2 + other_to) / (2 * (int64_t)other_to);
  return n < 1 ? 1 : n > from ? from : (int)n;
}

weft_status weft_image_resize(const weft_image *in, int height, int width, weft_image *out,
                              weft_err *err) {
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE ||
      (int64_t)width * height > MAX_PIXELS)
    return weft_fail(err, WEFT_EINPUT, "cannot resize an image to %dx%d", width, height);
  int w = cut(in->width, in->height, width, height), h = cut(in->height, in->width, height, width);
  const uint8_t *origin =
      in->rgb +
      ((size_t)((in->height - h) / 2) * (size_t)in->width + (size_t)((in->width - w) / 2)) * 3;
  axis ax = axis_of(w, width), ay = axis_of(h, height);
  uint8_t *rgb = malloc((size_t)width * (size_t)height * 3);
  int64_t *sum = malloc((size_t)width * 3 * sizeof *sum);
  if (!rgb || !sum) {
    free(rgb);
    free(sum);
    return weft_fail(err, WEFT_ENOMEM, "out of memory for an image of %dx%d", width, height);
  }
  for (int y = 0; y < height; y++) {
    int top, bottom;
    axis_range(&ay, y, &top, &bottom);
    memset(sum, 0, (size_t)width * 3 * sizeof *sum);
    for (int sy = top; sy <= bottom; sy++) {
      const uint8_t *row = origin + (size_t)sy * (size_t)in->width * 3;
      int64_t wy = axis_weight(&ay, y, sy, top, bottom);
      for (int x = 0; x < width; x++) {
        int left, right;
        axis_range(&ax, x, &left, &right);
        for (int sx = left; sx <= right; sx++) {
          int64_t weight = wy * axis_weight(&ax, x, sx, left, right);
          for (int c = 0; c < 3; c++) sum[x * 3 + c] += weight * row[sx * 3 + c];
        }
      }
    }
    int64_t total = ax.total * ay.total;
    uint8_t *to = rgb + (size_t)y * (size_t)width * 3;
    for (int i = 0; i < width * 3; i++) to[i] = (uint8_t)((sum[i] + total / 2) / total);
  }
  free(sum);
  *out = (weft_image){width, height, rgb};
  return WEFT_OK;
}

/* --- conversion to a tensor ------------------------------------------------------------------- */

static bool near(float value, float want, float tolerance) {
  return fabsf(value - want) <= tolerance * want;
}

/* What AUTO means for a tensor: *direct, the code is pixel + zero; else the range is *norm. */
static weft_status choose(const weft_tensor *t, weft_norm *norm, bool *direct, weft_err *err) {
  *direct = false;
  if (*norm != WEFT_NORM_AUTO) return WEFT_OK;
  if (t->dtype == WEFT_UINT8) {
    *direct = true;
    return WEFT_OK;
  }
  if (t->dtype == WEFT_INT8 && t->quant.n == 1) {
    float scale = t->quant.scale[0];
    int zero = t->quant.zero_point[0];
    *direct = (zero == -128 && (near(scale, 1 / 255.0f, 0.1f) || near(scale, 1, 0.01f))) ||
              (zero >= -1 && zero <= 1 && near(scale, 1 / 127.5f, 0.1f));
    *norm = scale * 255 <= 1.1f          ? WEFT_NORM_0_1
            : near(scale * 127, 1, 0.1f) ? WEFT_NORM_M1_1
            : near(scale, 1, 0.1f)       ? WEFT_NORM_0_255
                                         : WEFT_NORM_AUTO;
    if (*direct || *norm != WEFT_NORM_AUTO) return WEFT_OK;
  }
  return weft_fail(err, WEFT_EINPUT,
                   "input '%.120s' is %s with scale %g: no usual range of pixels; name one of "
                   "0..1, -1..1, 0..255",
                   t->name ? t->name : "", weft_dtype_name(t->dtype),
                   t->quant.n ? (double)t->quant.scale[0] : 0.0);
}

/* The tensor's value for a pixel. */
static void store(const weft_tensor *t, weft_norm norm, bool direct, void *data, size_t i,
                  int pixel) {
  double real = norm == WEFT_NORM_0_1    ? pixel / 255.0
                : norm == WEFT_NORM_M1_1 ? pixel / 127.5 - 1
                                         : pixel;
  if (t->dtype == WEFT_FLOAT32) {
    ((float *)data)[i] = (float)real;
    return;
  }
  int lo = t->dtype == WEFT_INT8 ? -128 : 0;
  double code =
      direct ? pixel + lo : round(real / (double)t->quant.scale[0]) + t->quant.zero_point[0];
  int clamped = code < lo ? lo : code > lo + 255 ? lo + 255 : (int)code;
  ((uint8_t *)data)[i] = (uint8_t)clamped;
}

weft_status weft_image_to_tensor(const weft_image *image, weft_norm norm, const weft_tensor *t,
                                 void *data, weft_err *err) {
  const char *name = t->name ? t->name : "";
  if (t->rank != 4 || t->dim[0] != 1 || (t->dim[3] != 3 && t->dim[3] != 1))
    return weft_fail(err, WEFT_EUNSUPP,
                     "input '%.120s' does not take an image: its shape is not [1, H, W, 1 or 3]",
                     name);
  if (t->dtype != WEFT_INT8 && t->dtype != WEFT_UINT8 && t->dtype != WEFT_FLOAT32)
    return weft_fail(err, WEFT_EUNSUPP, "input '%.120s' is %s; images need int8, uint8, float32",
                     name, weft_dtype_name(t->dtype));
  bool direct;
  weft_status status = choose(t, &norm, &direct, err);
  if (status) return status;
  if (!direct && t->dtype != WEFT_FLOAT32 && (t->quant.n != 1 || !(t->quant.scale[0] > 0)))
    return weft_fail(err, WEFT_EINPUT, "input '%.120s' has no scale", name);

  weft_image sized = {0};
  if (image->height != t->dim[1] || image->width != t->dim[2]) {
    status = weft_image_resize(image, t->dim[1], t->dim[2], &sized, err);
    if (status) return status;
    image = &sized;
  }
  size_t pixels = (size_t)t->dim[1] * (size_t)t->dim[2];
  for (size_t i = 0; i < pixels; i++) {
    const uint8_t *p = image->rgb + i * 3;
    if (t->dim[3] == 1)
      store(t, norm, direct, data, i, (299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000);
    else
      for (size_t c = 0; c < 3; c++) store(t, norm, direct, data, i * 3 + c, p[c]);
  }
  weft_image_free(&sized);
  return WEFT_OK;
}

/* A reader of .npz files: the zip's central directory, inflate, the .npy header. */
#include "npz.h"

#include "golden.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static uint32_t u16(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}
static uint32_t u32(const uint8_t *p) {
  return u16(p) | u16(p + 2) << 16;
}

static bool inflate_raw(const uint8_t *from, size_t n, uint8_t *to, size_t size) {
  z_stream z = {0};
  if (inflateInit2(&z, -MAX_WBITS) != Z_OK) return false;
  z.next_in = (uint8_t *)(uintptr_t)from;
  z.avail_in = (uInt)n;
  z.next_out = to;
  z.avail_out = (uInt)size;
  int end = inflate(&z, Z_FINISH);
  inflateEnd(&z);
  return end == Z_STREAM_END && z.avail_out == 0;
}

/* The member's bytes (malloc), or NULL. */
static uint8_t *member(const uint8_t *zip, size_t n, const char *name, size_t *size) {
  if (n < 22) return NULL;
  size_t end = n - 22;
  while (end > 0 && u32(zip + end) != 0x06054b50) end--;
  if (u32(zip + end) != 0x06054b50) return NULL;
  size_t at = u32(zip + end + 16), entries = u16(zip + end + 10);
  for (size_t i = 0; i < entries; i++) {
    if (at + 46 > n || u32(zip + at) != 0x02014b50) return NULL;
    const uint8_t *e = zip + at;
    size_t length = u16(e + 28);
    if (at + 46 + length > n) return NULL;
    if (length == strlen(name) && !memcmp(e + 46, name, length)) {
      size_t packed = u32(e + 20), local = u32(e + 42);
      *size = u32(e + 24);
      if (local + 30 > n) return NULL;
      size_t data = local + 30 + u16(zip + local + 26) + u16(zip + local + 28);
      if (data > n || packed > n - data) return NULL;
      uint8_t *bytes = malloc(*size ? *size : 1);
      if (!bytes) return NULL;
      bool good = false;
      if (u16(e + 10) == 0 && packed == *size) {
        memcpy(bytes, zip + data, packed);
        good = true;
      } else if (u16(e + 10) == 8) {
        good = inflate_raw(zip + data, packed, bytes, *size);
      }
      if (good) return bytes;
      free(bytes);
      return NULL;
    }
    at += 46 + length + u16(e + 30) + u16(e + 32);
  }
  return NULL;
}

/* Fills type, shape and data from the bytes of a .npy of version 1. */
static bool parse(const uint8_t *npy, size_t n, weft_tensor *out) {
  if (n < 10 || memcmp(npy, "\x93NUMPY\x01", 7) != 0) return false;
  size_t length = u16(npy + 8);
  char text[512];
  if (10 + length > n || length >= sizeof text) return false;
  memcpy(text, npy + 10, length);
  text[length] = 0;
  const char *shape = strstr(text, "'shape':");
  if (!shape || strstr(text, "'fortran_order': True")) return false;
  memset(out, 0, sizeof *out);
  if (strstr(text, "'|i1'"))
    out->dtype = WEFT_INT8;
  else if (strstr(text, "'<i2'"))
    out->dtype = WEFT_INT16;
  else if (strstr(text, "'<i4'"))
    out->dtype = WEFT_INT32;
  else
    return false;
  for (const char *p = strchr(shape, '('); *p && *p != ')';) {
    char *end;
    long d = strtol(p + 1, &end, 10);
    if (end == p + 1 || out->rank == WEFT_MAX_RANK) break;
    out->dim[out->rank++] = (int32_t)d;
    p = end;
  }
  size_t bytes = weft_tensor_bytes(out);
  if (bytes != n - 10 - length) return false;
  out->data = malloc(bytes ? bytes : 1);
  if (out->data) memcpy(out->data, npy + 10 + length, bytes);
  return out->data != NULL;
}

bool npz_load(const char *path, const char *name, weft_tensor *out) {
  size_t n, size = 0;
  char file[256];
  uint8_t *zip = golden_read(path, &n), *npy = NULL;
  snprintf(file, sizeof file, "%s.npy", name);
  if (zip) npy = member(zip, n, file, &size);
  bool good = npy && parse(npy, size, out);
  free(npy);
  free(zip);
  return good;
}

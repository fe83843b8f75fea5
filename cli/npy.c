/* Reading and writing .npy files. A file is: magic, version, header length, a header that is the
 * text of a Python dictionary with exactly three keys, then the elements. Read weft_npy_load(). */
#include "npy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_HEADER = 65536, MAX_PATH = 4096 };

static const struct {
  const char *descr;
  weft_dtype dtype;
} types[] = {
    {"|i1", WEFT_INT8},  {"|u1", WEFT_UINT8}, {"<i2", WEFT_INT16},   {"<i4", WEFT_INT32},
    {"<i8", WEFT_INT64}, {"|b1", WEFT_BOOL},  {"<f4", WEFT_FLOAT32},
};
enum { N_TYPES = sizeof types / sizeof types[0] };

/* --- the header's text ------------------------------------------------------------------------ */

static void skip_blanks(const char **p) {
  while (**p == ' ' || **p == '\t' || **p == '\n') (*p)++;
}

static bool take(const char **p, const char *word) {
  skip_blanks(p);
  size_t n = strlen(word);
  if (strncmp(*p, word, n) != 0) return false;
  *p += n;
  return true;
}

/* A quoted string without escapes, into `out`. */
static bool take_string(const char **p, char *out, size_t size) {
  skip_blanks(p);
  char quote = **p;
  if (quote != '\'' && quote != '"') return false;
  const char *end = strchr(*p + 1, quote);
  if (!end) return false;
  size_t n = (size_t)(end - *p - 1);
  if (n >= size) return false;
  memcpy(out, *p + 1, n);
  out[n] = 0;
  *p = end + 1;
  return true;
}

/* "(2, 3)", "(2,)" or "()". */
static bool take_shape(const char **p, weft_tensor *t) {
  if (!take(p, "(")) return false;
  t->rank = 0;
  while (!take(p, ")")) {
    skip_blanks(p);
    if (**p < '0' || **p > '9' || t->rank == WEFT_MAX_RANK) return false;
    int64_t dim = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
      dim = dim * 10 + (**p - '0');
      if (dim > INT32_MAX) return false;
    }
    t->dim[t->rank++] = (int32_t)dim;
    if (!take(p, ",")) {
      if (!take(p, ")")) return false;
      break;
    }
  }
  int64_t elements = 1;
  for (int i = 0; i < t->rank; i++) {
    elements *= t->dim[i];
    if (elements > INT32_MAX) return false;
  }
  return true;
}

static weft_status parse_header(const char *path, const char *text, weft_tensor *t, weft_err *err) {
  bool seen_descr = false, seen_order = false, seen_shape = false;
  const char *p = text;
  if (!take(&p, "{")) return weft_fail(err, WEFT_EINPUT, "%s: npy header is not a dict", path);
  while (!take(&p, "}")) {
    char key[32], descr[32];
    if (!take_string(&p, key, sizeof key) || !take(&p, ":"))
      return weft_fail(err, WEFT_EINPUT, "%s: npy header has no key at: %.32s", path, p);
    if (strcmp(key, "descr") == 0) {
      if (!take_string(&p, descr, sizeof descr))
        return weft_fail(err, WEFT_EUNSUPP, "%s: npy type is not a plain one", path);
      int i = 0;
      while (i < N_TYPES && strcmp(types[i].descr, descr) != 0) i++;
      if (i == N_TYPES)
        return weft_fail(err, WEFT_EUNSUPP,
                         "%s: npy type '%s'; accepted: |i1 |u1 <i2 <i4 <i8 <f4 |b1", path, descr);
      t->dtype = types[i].dtype;
      seen_descr = true;
    } else if (strcmp(key, "fortran_order") == 0) {
      if (take(&p, "True"))
        return weft_fail(err, WEFT_EUNSUPP, "%s: npy in Fortran order; save it in C order", path);
      if (!take(&p, "False"))
        return weft_fail(err, WEFT_EINPUT, "%s: npy fortran_order is not a bool", path);
      seen_order = true;
    } else if (strcmp(key, "shape") == 0) {
      if (!take_shape(&p, t))
        return weft_fail(err, WEFT_EINPUT,
                         "%s: npy shape; accepted: rank <= %d, fewer than 2^31 elements: %.32s",
                         path, WEFT_MAX_RANK, p);
      seen_shape = true;
    } else {
      return weft_fail(err, WEFT_EINPUT, "%s: npy header has the unknown key '%s'", path, key);
    }
    if (!take(&p, ",")) {
      if (take(&p, "}")) break;
      return weft_fail(err, WEFT_EINPUT, "%s: npy header broken at: %.32s", path, p);
    }
  }
  skip_blanks(&p);
  if (*p || !seen_descr || !seen_order || !seen_shape)
    return weft_fail(err, WEFT_EINPUT, "%s: npy header incomplete or followed by other text", path);
  return WEFT_OK;
}

/* --- files ------------------------------------------------------------------------------------ */

static weft_status read_stream(const char *path, FILE *f, int64_t size, weft_tensor *t,
                               weft_err *err) {
  unsigned char lead[12];
  if (fread(lead, 1, 10, f) != 10 || memcmp(lead, "\x93NUMPY", 6) != 0)
    return weft_fail(err, WEFT_EINPUT, "%s: not an npy file", path);
  if (lead[6] < 1 || lead[6] > 3)
    return weft_fail(err, WEFT_EUNSUPP, "%s: npy version %d; accepted: 1 to 3", path, lead[6]);
  size_t header = lead[8] | (size_t)lead[9] << 8, before = 10;
  if (lead[6] > 1) {
    if (fread(lead + 10, 1, 2, f) != 2)
      return weft_fail(err, WEFT_EINPUT, "%s: npy file ends in its header", path);
    header |= (size_t)lead[10] << 16 | (size_t)lead[11] << 24;
    before = 12;
  }
  if (header > MAX_HEADER)
    return weft_fail(err, WEFT_EINPUT, "%s: npy header of %zu bytes; accepted: up to %d", path,
                     header, MAX_HEADER);
  char *text = malloc(header + 1);
  if (!text) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", path);
  bool whole = fread(text, 1, header, f) == header;
  text[header] = 0;
  weft_status status = WEFT_OK;
  if (!whole || strlen(text) != header)
    status = weft_fail(err, WEFT_EINPUT, "%s: npy file ends in its header", path);
  if (!status) status = parse_header(path, text, t, err);
  free(text);
  if (status) return status;

  int64_t bytes = (int64_t)weft_tensor_bytes(t);
  int64_t found = size - (int64_t)(before + header);
  if (found != bytes)
    return weft_fail(err, WEFT_EINPUT, "%s: npy holds %lld data bytes; its shape needs %lld", path,
                     (long long)found, (long long)bytes);
  t->data = malloc(bytes ? (size_t)bytes : 1);
  if (!t->data) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", path);
  if (fread(t->data, 1, (size_t)bytes, f) != (size_t)bytes) {
    free(t->data);
    return weft_fail(err, WEFT_EINPUT, "%s: npy file ends in its data", path);
  }
  if (t->dtype == WEFT_BOOL) /* any other byte value would be undefined as a bool */
    for (int64_t i = 0; i < bytes; i++) ((uint8_t *)t->data)[i] = ((uint8_t *)t->data)[i] != 0;
  return WEFT_OK;
}

weft_status weft_npy_load(const char *path, weft_tensor *out, weft_err *err) {
  struct stat st;
  FILE *f = fopen(path, "rb");
  if (!f) return weft_fail(err, WEFT_EINPUT, "%s: %s", path, strerror(errno));
  weft_status status;
  weft_tensor t = {0};
  if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
    status = weft_fail(err, WEFT_EINPUT, "%s: not a regular file", path);
  else
    status = read_stream(path, f, st.st_size, &t, err);
  fclose(f);
  if (!status) *out = t;
  return status;
}

/* The header's dictionary, padded so that the data start at a multiple of 64 bytes. */
static size_t format_header(const weft_tensor *t, char *out, size_t size) {
  const char *descr = "";
  for (int i = 0; i < N_TYPES; i++)
    if (types[i].dtype == t->dtype) descr = types[i].descr;
  int n = snprintf(out, size, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (int i = 0; i < t->rank; i++)
    n += snprintf(out + n, size - (size_t)n, "%s%d%s", i ? " " : "", t->dim[i],
                  i + 1 < t->rank || t->rank == 1 ? "," : "");
  n += snprintf(out + n, size - (size_t)n, "), }");
  while ((10 + n + 1) % 64) out[n++] = ' ';
  out[n++] = '\n';
  return (size_t)n;
}

weft_status weft_npy_save(const char *path, const weft_tensor *t, weft_err *err) {
  char temp[MAX_PATH], header[512];
  if (snprintf(temp, sizeof temp, "%s.XXXXXX", path) >= (int)sizeof temp)
    return weft_fail(err, WEFT_EINPUT, "%.64s...: path too long", path);
  int fd = mkstemp(temp);
  if (fd < 0) return weft_fail(err, WEFT_EINPUT, "%s: cannot create: %s", path, strerror(errno));
  mode_t mask = umask(0);
  umask(mask);
  FILE *f = fchmod(fd, 0666 & ~mask) == 0 ? fdopen(fd, "wb") : NULL;
  if (!f) {
    weft_status status = weft_fail(err, WEFT_EINPUT, "%s: %s", path, strerror(errno));
    close(fd);
    unlink(temp);
    return status;
  }
  size_t n = format_header(t, header, sizeof header), bytes = weft_tensor_bytes(t);
  unsigned char lead[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, n & 255, (unsigned char)(n >> 8)};
  bool good = fwrite(lead, 1, 10, f) == 10 && fwrite(header, 1, n, f) == n &&
              (bytes == 0 || fwrite(t->data, 1, bytes, f) == bytes);
  good = fclose(f) == 0 && good;
  if (!good || rename(temp, path) != 0) {
    weft_status status = weft_fail(err, WEFT_EINPUT, "%s: cannot write: %s", path, strerror(errno));
    unlink(temp);
    return status;
  }
  return WEFT_OK;
}

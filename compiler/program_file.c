/* Program files: writing and reading.
 *
 * Everything is little-endian, written byte by byte. Layout:
 *
 *   "WEFTPROG"  u32 format  u32 ISA version  u64 bytes of the file  u64 configuration hash
 *   u32 number of configuration keys  u32 number of sections  preset name (32 bytes)
 *   u32 per key (config.def order)
 *   per section: tag (4 bytes), u32 zero, u64 offset, u64 bytes
 *   the sections, one after the other, in the order of `tags` below
 *   u32 CRC-32 of everything before it
 *
 * META is JSON (steps, layers, bounds); tables with an entry per instruction or tensor are binary.
 * Start reading at weft_program_save(); weft_program_load() is its mirror and trusts nothing. */
#include "program_check.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { FORMAT = 1, CRC_BYTES = 4, FIXED_BYTES = 72, ENTRY_BYTES = 24 };
enum { PLACE_BYTES = 16, RESULT_WORDS = 12, RESULT_BYTES = 4 * RESULT_WORDS };
enum { META, CODE, CONSTANTS, PLACES, RESULTS, LAYER_OF, MODEL, SECTIONS };

static const char magic[] = "WEFTPROG";
static const char tags[SECTIONS][5] = {"META", "CODE", "CNST", "PLAC", "RSLT", "LYOF", "MODL"};

/* --- writing ---------------------------------------------------------------------------------- */
typedef struct {
  uint8_t *p;
  size_t n, size;
  bool failed;
} buffer;

static void put(buffer *b, const void *bytes, size_t n) {
  if (b->failed || !n) return;
  if (b->size - b->n < n) {
    size_t size = (b->n + n) * 2;
    uint8_t *p = realloc(b->p, size);
    if (!p) {
      b->failed = true;
      return;
    }
    b->p = p;
    b->size = size;
  }
  memcpy(b->p + b->n, bytes, n);
  b->n += n;
}

static void poke(uint8_t *p, uint64_t v, int n) {
  for (int i = 0; i < n; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static void put_int(buffer *b, uint64_t v, int n) {
  uint8_t bytes[8];
  poke(bytes, v, n);
  put(b, bytes, (size_t)n);
}

/* Names come from model files and need not be UTF-8, which JSON demands. */
static json_t *text(const char *s) {
  json_t *j = json_string(s ? s : "");
  if (j) return j;
  char *copy = strdup(s);
  for (char *c = copy; c && *c; c++)
    if ((unsigned char)*c >= 0x80) *c = '?';
  j = copy ? json_string(copy) : NULL;
  free(copy);
  return j;
}

static json_t *number(uint64_t v) {
  return json_integer((json_int_t)v);
}

static json_t *step_json(const weft_step *t) {
  json_t *j = json_object();
  if (t->host) {
    json_object_set_new(j, "node", json_integer(t->node));
    json_object_set_new(j, "why", text(t->why));
  } else {
    json_object_set_new(j, "first", number(t->first));
    json_object_set_new(j, "count", number(t->count));
  }
  return j;
}

static json_t *layer_json(const weft_layer *l) {
  json_t *j = json_object();
  json_object_set_new(j, "name", text(l->name));
  json_object_set_new(j, "op", text(l->op));
  json_object_set_new(j, "unit", json_integer(l->unit));
  json_object_set_new(j, "macs", number(l->macs));
  json_object_set_new(j, "array_macs", number(l->array_macs));
  json_object_set_new(j, "bound", number(l->bound));
  return j;
}

/* The 64-bit members that META carries as plain numbers. */
#define META_NUMBERS(X)                                                                            \
  X(bound_array)                                                                                   \
  X(bound_dw) X(bound_vec) X(bound_dram) X(bound) X(macs) X(array_macs) X(arena_bytes)

static char *meta_text(const weft_program *p) {
  json_t *j = json_object(), *steps = json_array(), *layers = json_array();
  for (int i = 0; i < p->n_steps; i++) json_array_append_new(steps, step_json(&p->step[i]));
  for (int i = 0; i < p->n_layers; i++) json_array_append_new(layers, layer_json(&p->layer[i]));
  json_object_set_new(j, "steps", steps);
  json_object_set_new(j, "layers", layers);
#define X(name) json_object_set_new(j, #name, number(p->name));
  META_NUMBERS(X)
#undef X
  double seconds = isfinite(p->compile_seconds) ? p->compile_seconds : 0;
  json_object_set_new(j, "compile_seconds", json_real(seconds));
  char *s = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
  json_decref(j);
  return s;
}

static void put_section(buffer *b, int section, const weft_program *p, const char *meta,
                        const void *model, size_t model_bytes) {
  switch (section) {
  case META: put(b, meta, strlen(meta)); break;
  case CODE: put(b, p->code, (size_t)p->n_insns * WEFT_INSN_BYTES); break;
  case CONSTANTS: put(b, p->constants, p->constant_bytes); break;
  case PLACES:
    for (int i = 0; i < p->n_tensors; i++) {
      put_int(b, p->place[i].offset, 8);
      put_int(b, p->place[i].bytes, 8);
    }
    break;
  case RESULTS:
    for (uint32_t i = 0; i < p->n_insns; i++) {
      const weft_result *r = &p->result[i];
      const uint32_t v[RESULT_WORDS] = {
          (uint32_t)r->tensor, r->batch, r->y,        r->x,   r->c, r->h, r->w, r->n,
          r->height,           r->width, r->channels, r->flip};
      for (int k = 0; k < RESULT_WORDS; k++) put_int(b, v[k], 4);
    }
    break;
  case LAYER_OF:
    for (uint32_t i = 0; i < p->n_insns; i++) put_int(b, p->layer_of[i], 4);
    break;
  default: put(b, model, model_bytes); break;
  }
}

static void put_file(buffer *b, const weft_program *p, const char *meta, const void *model,
                     size_t model_bytes) {
  int n_keys;
  const weft_key *key = weft_config_keys(&n_keys);
  char preset[sizeof p->config.preset] = "";
  memcpy(preset, p->config.preset, strnlen(p->config.preset, sizeof preset - 1));
  put(b, magic, 8);
  put_int(b, FORMAT, 4);
  put_int(b, WEFT_ISA_VERSION, 4);
  put_int(b, 0, 8); /* bytes of the file: known at the end */
  put_int(b, p->config_hash, 8);
  put_int(b, (uint64_t)n_keys, 4);
  put_int(b, SECTIONS, 4);
  put(b, preset, sizeof preset);
  for (int i = 0; i < n_keys; i++) {
    uint32_t v;
    memcpy(&v, (const char *)&p->config + key[i].offset, sizeof v);
    put_int(b, v, 4);
  }
  size_t table = b->n;
  for (int i = 0; i < SECTIONS; i++) {
    put(b, tags[i], 4);
    put_int(b, 0, 8);
    put_int(b, 0, 8);
    put_int(b, 0, 4);
  }
  for (int i = 0; i < SECTIONS; i++) {
    size_t begin = b->n;
    put_section(b, i, p, meta, model, model_bytes);
    if (b->failed) return;
    poke(b->p + table + (size_t)i * ENTRY_BYTES + 8, begin, 8);
    poke(b->p + table + (size_t)i * ENTRY_BYTES + 16, b->n - begin, 8);
  }
  poke(b->p + 16, b->n + CRC_BYTES, 8);
  put_int(b, crc32_z(0, b->p, b->n), 4);
}

/* Into a file of another name first, so that nobody ever sees half a program. */
static weft_status write_file(const char *path, const buffer *b, weft_err *err) {
  size_t room = strlen(path) + 32;
  char *temporary = malloc(room);
  if (!temporary) return weft_fail(err, WEFT_ENOMEM, "%s: no memory", path);
  (void)snprintf(temporary, room, "%s.%ld.tmp", path, (long)getpid());
  int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  int error = fd < 0 ? errno : 0;
  for (size_t at = 0; !error && at < b->n;) {
    ssize_t n = write(fd, b->p + at, b->n - at);
    if (n < 0 && errno != EINTR) error = errno;
    if (n > 0) at += (size_t)n;
  }
  if (fd >= 0 && close(fd) != 0 && !error) error = errno;
  if (!error && rename(temporary, path) != 0) error = errno;
  if (error && fd >= 0) (void)unlink(temporary);
  free(temporary);
  if (error) return weft_fail(err, WEFT_EINPUT, "%s: cannot be written: %s", path, strerror(error));
  return WEFT_OK;
}

weft_status weft_program_save(const weft_program *p, const void *model, size_t model_bytes,
                              const char *path, weft_err *err) {
  weft_status s = weft_program_check(p, path, err);
  if (s != WEFT_OK) return s;
  char *meta = meta_text(p);
  buffer b = {NULL, 0, 0, !meta};
  if (meta) put_file(&b, p, meta, model, model_bytes);
  s = b.failed ? weft_fail(err, WEFT_ENOMEM, "%s: no memory", path) : write_file(path, &b, err);
  free(b.p);
  free(meta);
  return s;
}

/* --- reading ---------------------------------------------------------------------------------- */
typedef struct {
  const char *path;
  weft_err *err;
  uint8_t *bytes;
  size_t n;
  struct {
    const uint8_t *p;
    size_t n;
  } section[SECTIONS];
} input;

static uint64_t peek(const uint8_t *p, int n) {
  uint64_t v = 0;
  for (int i = n; i-- > 0;) v = v << 8 | p[i];
  return v;
}

#define REQUIRE(ok, fmt, ...)                                                                      \
  if (!(ok)) return weft_fail(in->err, WEFT_EINPUT, "%s: " fmt, in->path, __VA_ARGS__)

static weft_status read_file(input *in) {
  FILE *f = fopen(in->path, "rb");
  REQUIRE(f, "cannot be opened: %s", strerror(errno));
  struct stat st;
  bool regular = fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode);
  in->n = regular ? (size_t)st.st_size : 0;
  in->bytes = malloc(in->n + 1);
  bool complete = in->bytes && fread(in->bytes, 1, in->n, f) == in->n;
  (void)fclose(f);
  REQUIRE(regular, "%s", "is not a file");
  if (!in->bytes) return weft_fail(in->err, WEFT_ENOMEM, "%s: no memory", in->path);
  REQUIRE(complete, "%s", "cannot be read to its end");
  return WEFT_OK;
}

static weft_status read_header(input *in, weft_program *p) {
  int n_keys;
  const weft_key *key = weft_config_keys(&n_keys);
  const uint8_t *h = in->bytes;
  size_t table = FIXED_BYTES + 4 * (size_t)n_keys, first = table + SECTIONS * ENTRY_BYTES;
  REQUIRE(in->n >= 8 && memcmp(h, magic, 8) == 0, "%s", "is not a Weft program");
  REQUIRE(in->n >= 16, "truncated: %zu bytes", in->n);
  REQUIRE(peek(h + 8, 4) == FORMAT, "format version %u, accepted %d", (unsigned)peek(h + 8, 4),
          FORMAT);
  REQUIRE(in->n >= first + CRC_BYTES, "truncated: %zu bytes, a program has at least %zu", in->n,
          first + CRC_BYTES);
  REQUIRE(peek(h + 16, 8) == in->n, "has %zu bytes, its header says %llu", in->n,
          (unsigned long long)peek(h + 16, 8));
  uint32_t found = (uint32_t)peek(h + in->n - CRC_BYTES, 4);
  uint32_t crc = (uint32_t)crc32_z(0, h, in->n - CRC_BYTES);
  REQUIRE(found == crc, "damaged: checksum is %08x, the contents give %08x", found, crc);
  REQUIRE(peek(h + 12, 4) == WEFT_ISA_VERSION, "instruction set version %u, accepted %d",
          (unsigned)peek(h + 12, 4), WEFT_ISA_VERSION);
  REQUIRE(peek(h + 32, 4) == (uint64_t)n_keys, "%u configuration keys, accepted %d",
          (unsigned)peek(h + 32, 4), n_keys);
  REQUIRE(peek(h + 36, 4) == SECTIONS, "%u sections, accepted %d", (unsigned)peek(h + 36, 4),
          SECTIONS);
  p->config_hash = peek(h + 24, 8);
  memcpy(p->config.preset, h + 40, sizeof p->config.preset - 1);
  for (int i = 0; i < n_keys; i++) {
    uint32_t v = (uint32_t)peek(h + FIXED_BYTES + 4 * (size_t)i, 4);
    memcpy((char *)&p->config + key[i].offset, &v, sizeof v);
  }
  uint64_t at = first, end = in->n - CRC_BYTES;
  for (int i = 0; i < SECTIONS; i++) {
    const uint8_t *e = h + table + (size_t)i * ENTRY_BYTES;
    uint64_t offset = peek(e + 8, 8), n = peek(e + 16, 8);
    REQUIRE(memcmp(e, tags[i], 4) == 0 && peek(e + 4, 4) == 0, "section %d is not %s", i, tags[i]);
    REQUIRE(offset == at && n <= end - at, "section %s: %llu bytes at %llu of %zu", tags[i],
            (unsigned long long)n, (unsigned long long)offset, in->n);
    in->section[i].p = h + at;
    in->section[i].n = (size_t)n;
    at += n;
  }
  REQUIRE(at == end, "%llu bytes after the last section", (unsigned long long)(end - at));
  return WEFT_OK;
}

/* A copy of a section, or of nothing: never NULL unless memory is exhausted. */
static uint8_t *copy_section(const input *in, int section) {
  uint8_t *p = malloc(in->section[section].n + 1);
  if (p && in->section[section].n) memcpy(p, in->section[section].p, in->section[section].n);
  return p;
}

static weft_status read_tables(const input *in, weft_program *p) {
  const size_t code = in->section[CODE].n, places = in->section[PLACES].n;
  REQUIRE(code % WEFT_INSN_BYTES == 0 && code / WEFT_INSN_BYTES <= UINT32_MAX,
          "section CODE has %zu bytes, accepted multiples of %d", code, WEFT_INSN_BYTES);
  p->n_insns = (uint32_t)(code / WEFT_INSN_BYTES);
  REQUIRE(in->section[RESULTS].n == (size_t)p->n_insns * RESULT_BYTES &&
              in->section[LAYER_OF].n == (size_t)p->n_insns * 4,
          "sections RSLT and LYOF have %zu and %zu bytes for %u instructions",
          in->section[RESULTS].n, in->section[LAYER_OF].n, p->n_insns);
  REQUIRE(places % PLACE_BYTES == 0 && places / PLACE_BYTES <= INT32_MAX,
          "section PLAC has %zu bytes, accepted multiples of %d", places, PLACE_BYTES);
  p->n_tensors = (int)(places / PLACE_BYTES);
  p->constant_bytes = in->section[CONSTANTS].n;
  p->code = copy_section(in, CODE);
  p->constants = copy_section(in, CONSTANTS);
  p->place = malloc(((size_t)p->n_tensors + 1) * sizeof *p->place);
  p->result = malloc(((size_t)p->n_insns + 1) * sizeof *p->result);
  p->layer_of = malloc(((size_t)p->n_insns + 1) * sizeof *p->layer_of);
  if (!p->code || !p->constants || !p->place || !p->result || !p->layer_of)
    return weft_fail(in->err, WEFT_ENOMEM, "%s: no memory", in->path);
  for (int i = 0; i < p->n_tensors; i++) {
    const uint8_t *e = in->section[PLACES].p + (size_t)i * PLACE_BYTES;
    p->place[i] = (weft_place){peek(e, 8), peek(e + 8, 8)};
  }
  for (uint32_t i = 0; i < p->n_insns; i++) {
    uint32_t v[RESULT_WORDS];
    for (int k = 0; k < RESULT_WORDS; k++)
      v[k] = (uint32_t)peek(in->section[RESULTS].p + (size_t)i * RESULT_BYTES + 4 * (size_t)k, 4);
    REQUIRE(v[11] <= 1, "instruction %u: result flag is %u", i, v[11]);
    p->result[i] = (weft_result){(int32_t)v[0], v[1], v[2], v[3], v[4],  v[5],
                                 v[6],          v[7], v[8], v[9], v[10], v[11]};
    p->layer_of[i] = (uint32_t)peek(in->section[LAYER_OF].p + (size_t)i * 4, 4);
  }
  return WEFT_OK;
}

/* A number of a JSON object, at most `max`. */
static weft_status get_number(const input *in, const json_t *j, const char *key, uint64_t max,
                              uint64_t *out) {
  const json_t *v = json_object_get(j, key);
  REQUIRE(json_is_integer(v) && json_integer_value(v) >= 0 &&
              (uint64_t)json_integer_value(v) <= max,
          "section META: '%s' is missing or out of range", key);
  *out = (uint64_t)json_integer_value(v);
  return WEFT_OK;
}

static weft_status get_text(const input *in, const json_t *j, const char *key, const char **out) {
  const json_t *v = json_object_get(j, key);
  REQUIRE(json_is_string(v), "section META: '%s' is missing or no text", key);
  *out = json_string_value(v);
  return WEFT_OK;
}

static weft_status read_steps(const input *in, const json_t *steps, weft_program *p) {
  size_t n = json_array_size(steps), used = 0;
  p->step = calloc(n + 1, sizeof *p->step);
  p->strings = calloc(in->section[META].n + n + 1, 1); /* unescaped texts are never longer */
  if (!p->step || !p->strings) return weft_fail(in->err, WEFT_ENOMEM, "%s: no memory", in->path);
  p->n_steps = (int)n;
  for (size_t i = 0; i < n; i++) {
    const json_t *j = json_array_get(steps, i);
    weft_step *t = &p->step[i];
    uint64_t a = 0, b = 0;
    weft_status s;
    t->host = json_object_get(j, "node") != NULL;
    if (t->host) {
      const char *why = "";
      if ((s = get_number(in, j, "node", INT32_MAX, &a)) != WEFT_OK) return s;
      if ((s = get_text(in, j, "why", &why)) != WEFT_OK) return s;
      t->node = (int)a;
      t->why = memcpy(p->strings + used, why, strlen(why) + 1);
      used += strlen(why) + 1;
    } else {
      if ((s = get_number(in, j, "first", UINT32_MAX, &a)) != WEFT_OK) return s;
      if ((s = get_number(in, j, "count", UINT32_MAX, &b)) != WEFT_OK) return s;
      t->first = (uint32_t)a;
      t->count = (uint32_t)b;
    }
  }
  return WEFT_OK;
}

static weft_status read_layers(const input *in, const json_t *layers, weft_program *p) {
  size_t n = json_array_size(layers);
  p->layer = calloc(n + 1, sizeof *p->layer);
  if (!p->layer) return weft_fail(in->err, WEFT_ENOMEM, "%s: no memory", in->path);
  p->n_layers = (int)n;
  for (size_t i = 0; i < n; i++) {
    const json_t *j = json_array_get(layers, i);
    weft_layer *l = &p->layer[i];
    const char *name, *op;
    uint64_t unit;
    weft_status s;
    if ((s = get_text(in, j, "name", &name)) != WEFT_OK ||
        (s = get_text(in, j, "op", &op)) != WEFT_OK ||
        (s = get_number(in, j, "unit", WEFT_UNIT_FETCH, &unit)) != WEFT_OK ||
        (s = get_number(in, j, "macs", INT64_MAX, &l->macs)) != WEFT_OK ||
        (s = get_number(in, j, "array_macs", INT64_MAX, &l->array_macs)) != WEFT_OK ||
        (s = get_number(in, j, "bound", INT64_MAX, &l->bound)) != WEFT_OK)
      return s;
    l->unit = (int)unit;
    l->name = strdup(name);
    l->op = strdup(op);
    if (!l->name || !l->op) return weft_fail(in->err, WEFT_ENOMEM, "%s: no memory", in->path);
  }
  return WEFT_OK;
}

static weft_status read_meta(const input *in, const json_t *j, weft_program *p) {
  const json_t *steps = json_object_get(j, "steps"), *layers = json_object_get(j, "layers");
  const json_t *seconds = json_object_get(j, "compile_seconds");
  REQUIRE(json_is_array(steps) && json_is_array(layers) && json_is_number(seconds) &&
              json_array_size(steps) <= INT32_MAX && json_array_size(layers) <= INT32_MAX,
          "section META: %s", "steps, layers or compile_seconds are missing");
  weft_status s = read_steps(in, steps, p);
  if (s == WEFT_OK) s = read_layers(in, layers, p);
  p->compile_seconds = json_number_value(seconds);
  uint64_t v = 0;
#define X(name)                                                                                    \
  if (s == WEFT_OK && (s = get_number(in, j, #name, INT64_MAX, &v)) == WEFT_OK) p->name = v;
  META_NUMBERS(X)
#undef X
  return s;
}

static weft_status read_program(input *in, weft_program *p) {
  weft_status s = read_file(in);
  if (s == WEFT_OK) s = read_header(in, p);
  if (s == WEFT_OK) s = read_tables(in, p);
  if (s != WEFT_OK) return s;
  json_error_t e;
  json_t *meta = json_loadb((const char *)in->section[META].p, in->section[META].n,
                            JSON_REJECT_DUPLICATES, &e);
  REQUIRE(meta, "section META: %s", e.text);
  s = read_meta(in, meta, p);
  json_decref(meta);
  return s == WEFT_OK ? weft_program_check(p, in->path, in->err) : s;
}

weft_status weft_program_load(const char *path, weft_program **out, void **model,
                              size_t *model_bytes, weft_err *err) {
  input in = {.path = path, .err = err};
  weft_program *p = calloc(1, sizeof *p);
  if (!p) return weft_fail(err, WEFT_ENOMEM, "%s: no memory", path);
  weft_status s = read_program(&in, p);
  uint8_t *bytes = s == WEFT_OK ? copy_section(&in, MODEL) : NULL;
  if (s == WEFT_OK && !bytes) s = weft_fail(err, WEFT_ENOMEM, "%s: no memory", path);
  if (s == WEFT_OK) {
    *out = p;
    *model = bytes;
    *model_bytes = in.section[MODEL].n;
  } else {
    weft_program_free(p);
  }
  free(in.bytes);
  return s;
}

bool weft_program_is(const char *path) {
  char head[8];
  FILE *f = fopen(path, "rb");
  bool is = f && fread(head, 1, sizeof head, f) == sizeof head && memcmp(head, magic, 8) == 0;
  if (f) (void)fclose(f);
  return is;
}

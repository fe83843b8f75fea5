/* Configuration keys: ranges, presets, ini files, hash. The presets' text is compiled in from
 * arch/presets/ by the generator, so that the binary needs no files. */
#include "config.h"

#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "isa.h"
#include "presets.inc"

enum { ANY = 0, POW2 = 1 };

static const weft_key keys[] = {
#define WEFT_KEY(name, def, min, max, rule, doc)                                                   \
  {#name, def, min, max, rule, offsetof(weft_config, name), doc},
#include "config.def"
#undef WEFT_KEY
};
enum { N_KEYS = sizeof keys / sizeof *keys };

const weft_key *weft_config_keys(int *count) {
  *count = N_KEYS;
  return keys;
}

static uint32_t *slot(weft_config *c, const weft_key *k) {
  return (uint32_t *)((char *)c + k->offset);
}

void weft_config_default(weft_config *c) {
  memset(c, 0, sizeof *c);
  for (int i = 0; i < N_KEYS; i++) *slot(c, &keys[i]) = keys[i].def;
  snprintf(c->preset, sizeof c->preset, "edge-256");
}

/* Sets one key from text; `where` ("--set") begins the message. NULL: ini_done() adds file and
 * line. */
static weft_status set_key(weft_config *c, const char *where, const char *name, const char *value,
                           weft_err *err) {
  const char *at = where ? where : "", *sep = where ? ": " : "";
  for (int i = 0; i < N_KEYS; i++) {
    if (strcmp(keys[i].name, name) != 0) continue;
    char *end;
    errno = 0;
    unsigned long v = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || errno || v < keys[i].min || v > keys[i].max)
      return weft_fail(err, WEFT_EINPUT, "%s%skey %s is '%s', accepted %u to %u", at, sep, name,
                       value, keys[i].min, keys[i].max);
    if (keys[i].pow2 && (v & (v - 1)))
      return weft_fail(err, WEFT_EINPUT, "%s%skey %s is %lu, accepted powers of two, %u to %u", at,
                       sep, name, v, keys[i].min, keys[i].max);
    *slot(c, &keys[i]) = (uint32_t)v;
    return WEFT_OK;
  }
  return weft_fail(err, WEFT_EINPUT, "%s%sunknown key '%s' (weft run --help lists the keys)", at,
                   sep, name);
}

typedef struct {
  weft_config *c;
  const char *file;
  weft_err *err;
  weft_status status;
} ini_ctx;

static int on_key(void *user, const char *section, const char *name, const char *value) {
  (void)section;
  ini_ctx *x = user;
  if (x->status == WEFT_OK) x->status = set_key(x->c, NULL, name, value, x->err);
  return x->status == WEFT_OK;
}

static weft_status ini_done(ini_ctx *x, int line, const char *what) {
  if (x->status != WEFT_OK) {
    weft_err key = x->err ? *x->err : (weft_err){""};
    return weft_fail(x->err, x->status, "%s:%d: %.400s", what, line, key.text);
  }
  if (line < 0)
    return weft_fail(x->err, WEFT_EINPUT, "%s: cannot be read (%s)", what, strerror(errno));
  if (line > 0)
    return weft_fail(x->err, WEFT_EINPUT, "%s:%d: not a 'key = value' line", what, line);
  return WEFT_OK;
}

const char *const *weft_config_presets(void) {
  return preset_names;
}

weft_status weft_config_preset(weft_config *c, const char *name, weft_err *err) {
  char known[256] = "";
  for (int i = 0; preset_names[i]; i++) {
    if (strcmp(preset_names[i], name) == 0) {
      weft_config fresh;
      weft_config_default(&fresh);
      ini_ctx x = {&fresh, name, err, WEFT_OK};
      weft_status s = ini_done(&x, ini_parse_string(preset_texts[i], on_key, &x), name);
      if (s != WEFT_OK) return s;
      snprintf(fresh.preset, sizeof fresh.preset, "%s", name);
      *c = fresh;
      return WEFT_OK;
    }
    snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "",
             preset_names[i]);
  }
  return weft_fail(err, WEFT_EINPUT, "unknown preset '%s', accepted: %s", name, known);
}

weft_status weft_config_file(weft_config *c, const char *path, weft_err *err) {
  weft_config next = *c;
  ini_ctx x = {&next, path, err, WEFT_OK};
  errno = 0;
  weft_status s = ini_done(&x, ini_parse(path, on_key, &x), path);
  if (s != WEFT_OK) return s;
  snprintf(next.preset, sizeof next.preset, "custom");
  *c = next;
  return WEFT_OK;
}

weft_status weft_config_set(weft_config *c, const char *key_value, weft_err *err) {
  const char *eq = strchr(key_value, '=');
  char name[64];
  if (!eq || (size_t)(eq - key_value) >= sizeof name)
    return weft_fail(err, WEFT_EINPUT, "--set: found '%s', accepted KEY=VALUE", key_value);
  memcpy(name, key_value, (size_t)(eq - key_value));
  name[eq - key_value] = '\0';
  return set_key(c, "--set", name, eq + 1, err);
}

weft_status weft_config_check(const weft_config *c, weft_err *err) {
  uint32_t w = weft_word_bytes(c);
#define REQUIRE(ok, ...)                                                                           \
  if (!(ok)) return weft_fail(err, WEFT_EINPUT, __VA_ARGS__)
  REQUIRE(c->output_lanes <= c->cols, "key output_lanes is %u, accepted 1 to cols = %u",
          c->output_lanes, c->cols);
  REQUIRE(c->vec_lanes <= w, "key vec_lanes is %u, accepted 1 to max(rows, cols) = %u",
          c->vec_lanes, w);
  REQUIRE(c->dw_lanes <= w && (c->dw_lanes & (c->dw_lanes - 1)) == 0,
          "key dw_lanes is %u, accepted 0 or a power of two to max(rows, cols) = %u", c->dw_lanes,
          w);
  REQUIRE(weft_bank_words(c) >= 16,
          "key scratchpad_banks is %u: a bank of %u KiB needs at least 16 words of %u bytes",
          c->scratchpad_banks, c->scratchpad_kib, w);
  REQUIRE(weft_weight_rows(c) >= 4 * c->rows,
          "key weight_kib is %u: the weight buffer must hold 4 tiles of %u x %u", c->weight_kib,
          c->rows, c->cols);
  REQUIRE(weft_acc_rows(c) >= 16,
          "key accumulator_kib is %u: at least 16 rows of %u accumulators are needed",
          c->accumulator_kib, c->cols);
  REQUIRE(weft_param_blocks(c) >= 2,
          "key param_kib is %u: at least 2 blocks of %u channels are"
          " needed",
          c->param_kib, c->cols);
  REQUIRE(weft_dwbuf_words(c) >= 2 * (WEFT_PARAM_BYTES + WEFT_DW_MAX_KERNEL * WEFT_DW_MAX_KERNEL),
          "key dwbuf_kib is %u: two words of channels with 7x7 taps need %u bytes", c->dwbuf_kib,
          2 * (WEFT_PARAM_BYTES + WEFT_DW_MAX_KERNEL * WEFT_DW_MAX_KERNEL) * w);
  REQUIRE(c->sparsity != 3, "key sparsity is 3, accepted 1, 2, 4");
#undef REQUIRE
  return WEFT_OK;
}

uint64_t weft_config_hash(const weft_config *c) {
  uint64_t h = 14695981039346656037u; /* FNV-1a */
  for (int i = -1; i < N_KEYS; i++) {
    uint32_t v =
        i < 0 ? (uint32_t)WEFT_ISA_VERSION : *(const uint32_t *)((const char *)c + keys[i].offset);
    for (int b = 0; b < 4; b++) h = (h ^ (v >> (8 * b) & 0xff)) * 1099511628211u;
  }
  return h;
}

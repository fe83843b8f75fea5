/* Configurations: keys from config.def, presets, ini files, derived sizes.
 *
 * The compiler, the model and the RTL generator all take a `weft_config`; a program carries the
 * hash of the one it was compiled for. */
#ifndef WEFT_CONFIG_H
#define WEFT_CONFIG_H

#include <stdint.h>

#include "err.h"

typedef struct {
#define WEFT_KEY(name, def, min, max, rule, doc) uint32_t name;
#include "config.def"
#undef WEFT_KEY
  char preset[32]; /* name for reports; not part of the hash */
} weft_config;

/* Pipeline depths (timing.def): WEFT_T_ISSUE, ... */
enum {
#define WEFT_T(name, cycles, doc) WEFT_T_##name = cycles,
#include "timing.def"
#undef WEFT_T
};

enum {
  WEFT_PARAM_BYTES = 12, /* bias int32, multiplier int32, shift int8, 3 zero bytes; little-endian */
  WEFT_BURST_BYTES = 256,
  WEFT_LUT_BYTES = 256,
  WEFT_EXP_BYTES = 1024,
  WEFT_DW_MAX_KERNEL = 7,    /* depthwise engine: kernel height and width */
  WEFT_DW_MAX_STRIDE = 4,    /* depthwise engine: strides */
  WEFT_AVG_MAX_WINDOW = 256, /* average pool: pixels in a window */
  WEFT_LOAD_WINDOW = 64,     /* LOAD with overlapping windows: bytes per pixel */
  WEFT_LOAD_CONTEXTS = 8,    /* LOAD instructions between start and their last write */
  WEFT_TOKEN_MAX = 1023      /* tokens a semaphore holds */
};

/* The defaults (preset `edge-256`). */
void weft_config_default(weft_config *c);
/* Loads a shipped preset by name. Fails with the list of names. */
weft_status weft_config_preset(weft_config *c, const char *name, weft_err *err);
/* Overlays an ini file: key = value lines, one section or none. Fails naming file, line and key. */
weft_status weft_config_file(weft_config *c, const char *path, weft_err *err);
/* Overlays one "key=value". Fails naming the key, what was found, and the range. */
weft_status weft_config_set(weft_config *c, const char *key_value, weft_err *err);
/* Checks relations between keys; call after the last overlay. */
weft_status weft_config_check(const weft_config *c, weft_err *err);
/* 64-bit hash of every key's value and of the contract's version. */
uint64_t weft_config_hash(const weft_config *c);
/* The names of the shipped presets, NULL-terminated. */
const char *const *weft_config_presets(void);

/* Every key as data. */
typedef struct {
  const char *name;
  uint32_t def, min, max;
  int pow2;
  size_t offset;
  const char *doc;
} weft_key;
const weft_key *weft_config_keys(int *count);

/* Derived sizes. */
static inline uint32_t weft_word_bytes(const weft_config *c) { /* W */
  return c->rows > c->cols ? c->rows : c->cols;
}
static inline uint32_t weft_spad_words(const weft_config *c) {
  return c->scratchpad_kib * 1024 / weft_word_bytes(c);
}
static inline uint32_t weft_bank_words(const weft_config *c) {
  return weft_spad_words(c) / c->scratchpad_banks;
}
static inline uint32_t weft_weight_rows(const weft_config *c) { /* rows of C weights */
  return c->weight_kib * 1024 / c->cols;
}
static inline uint32_t weft_acc_rows(const weft_config *c) { /* rows of C sums */
  return c->accumulator_kib * 1024 / (4 * c->cols);
}
static inline uint32_t weft_param_blocks(const weft_config *c) { /* blocks of C channels */
  return c->param_kib * 1024 / (WEFT_PARAM_BYTES * c->cols);
}
static inline uint32_t weft_dwbuf_words(const weft_config *c) { /* words of W bytes */
  return c->dwbuf_kib * 1024 / weft_word_bytes(c);
}

#endif

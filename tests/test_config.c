/* Configuration keys, ini files, presets, hash; and the register map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "isa.h"
#include "regs.h"

static uint32_t *slot(weft_config *c, const weft_key *k) {
  return (uint32_t *)((char *)c + k->offset);
}

static weft_status set(weft_config *c, const char *name, uint64_t v, weft_err *err) {
  char text[96];
  (void)snprintf(text, sizeof text, "%s=%llu", name, (unsigned long long)v);
  err->text[0] = '\0';
  return weft_config_set(c, text, err);
}

static void expect_text(const weft_err *err, const char *what) {
  if (!strstr(err->text, what)) fail_msg("'%s' is not in: %s", what, err->text);
}

static void every_key_keeps_its_range(void **state) {
  (void)state;
  weft_err err;
  weft_config c;
  int n;
  const weft_key *key = weft_config_keys(&n);
  for (int i = 0; i < n; i++) {
    const weft_key *k = &key[i];
    char range[64];
    weft_config_default(&c);
    assert_int_equal(*slot(&c, k), k->def);
    assert_true(k->min <= k->def && k->def <= k->max);
    assert_int_equal(set(&c, k->name, k->min, &err), WEFT_OK);
    assert_int_equal(*slot(&c, k), k->min);
    assert_int_equal(set(&c, k->name, k->max, &err), WEFT_OK);
    assert_int_equal(*slot(&c, k), k->max);
    (void)snprintf(range, sizeof range, "%u to %u", k->min, k->max);
    const uint64_t bad[] = {(uint64_t)k->max + 1, k->min ? k->min - 1 : UINT64_MAX,
                            (uint64_t)1 << 32, UINT64_MAX};
    for (int b = 0; b < 4; b++) {
      assert_int_equal(set(&c, k->name, bad[b], &err), WEFT_EINPUT);
      expect_text(&err, k->name);
      expect_text(&err, range);
      assert_int_equal(*slot(&c, k), k->max);
    }
    for (uint32_t v = k->min; v <= k->max && v < 5000; v++) {
      int power = (v & (v - 1)) == 0;
      assert_int_equal(set(&c, k->name, v, &err), power || !k->pow2 ? WEFT_OK : WEFT_EINPUT);
      if (!power && k->pow2) expect_text(&err, "powers of two");
    }
    for (int j = 0; j < i; j++) {
      assert_string_not_equal(k->name, key[j].name);
      assert_true(k->offset != key[j].offset);
    }
  }
}

static void texts_that_are_no_settings(void **state) {
  (void)state;
  static const char *const bad[] = {"rows",     "=4",       "rows=",     "rows=x",   "rows=4x",
                                    "rows=-4",  "rows= 16", "rows=+16",  "row=16",   "ROWS=16",
                                    "rows=1e1", "",         "rows=0x10", "preset=16"};
  weft_err err;
  weft_config c, before;
  weft_config_default(&c);
  before = c;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    err.text[0] = '\0';
    if (weft_config_set(&c, bad[i], &err) != WEFT_EINPUT) fail_msg("accepted: '%s'", bad[i]);
    expect_text(&err, "--set");
    assert_memory_equal(&c, &before, sizeof c);
  }
  assert_int_equal(weft_config_set(&c, "row=16", &err), WEFT_EINPUT);
  expect_text(&err, "unknown key 'row'");
  char longest[200];
  memset(longest, 'k', sizeof longest);
  memcpy(longest + 150, "=1", 3);
  assert_int_equal(weft_config_set(&c, longest, &err), WEFT_EINPUT);
}

/* Overlays an ini file of this text on the defaults. */
static weft_status file_of(const char *text, weft_config *c, weft_err *err, char *path) {
  strcpy(path, "/tmp/weft-config-XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
  weft_config_default(c);
  err->text[0] = '\0';
  weft_status s = weft_config_file(c, path, err);
  (void)unlink(path);
  return s;
}

static void ini_files(void **state) {
  (void)state;
  weft_err err;
  weft_config c, fresh;
  char path[64], where[80];
  weft_config_default(&fresh);
  assert_int_equal(file_of("; mine\n[weft]\nrows = 8 ; eight\ncols=8\n\n", &c, &err, path),
                   WEFT_OK);
  assert_int_equal(c.rows, 8);
  assert_int_equal(c.cols, 8);
  assert_int_equal(c.weight_kib, 64);
  assert_string_equal(c.preset, "custom");
  assert_int_equal(file_of("", &c, &err, path), WEFT_OK);

  assert_int_equal(file_of("rows = 8\n\nwhat is this\n", &c, &err, path), WEFT_EINPUT);
  (void)snprintf(where, sizeof where, "%s:3", path);
  expect_text(&err, where);
  assert_memory_equal(&c, &fresh, sizeof c);

  static const struct {
    const char *text, *what;
  } bad[] = {{"rows = 8\ncols = 9\n", "key cols is 9"},
             {"rows = 8\nclock_mhz = fast\n", "key clock_mhz is 'fast'"},
             {"rows = 8\ncolumns = 8\n", "unknown key 'columns'"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(file_of(bad[i].text, &c, &err, path), WEFT_EINPUT);
    expect_text(&err, path);
    expect_text(&err, bad[i].what);
    assert_memory_equal(&c, &fresh, sizeof c); /* nothing half-done */
  }
  assert_int_equal(weft_config_file(&c, "/nowhere/x.ini", &err), WEFT_EINPUT);
  expect_text(&err, "/nowhere/x.ini");
  assert_memory_equal(&c, &fresh, sizeof c);
}

static void presets(void **state) {
  (void)state;
  weft_err err;
  weft_config c, def;
  int count = 0;
  uint64_t hash[16];
  for (const char *const *name = weft_config_presets(); *name; name++) {
    assert_int_equal(weft_config_preset(&c, *name, &err), WEFT_OK);
    if (weft_config_check(&c, &err) != WEFT_OK) fail_msg("%s: %s", *name, err.text);
    assert_string_equal(c.preset, *name);
    hash[count++] = weft_config_hash(&c);
    for (int j = 0; j < count - 1; j++) assert_true(hash[count - 1] != hash[j]);
  }
  assert_true(count >= 4);
  weft_config_default(&def);
  assert_int_equal(weft_config_preset(&c, "edge-256", &err), WEFT_OK);
  assert_memory_equal(&c, &def, sizeof c);
  assert_int_equal(weft_config_preset(&c, "edge-257", &err), WEFT_EINPUT);
  expect_text(&err, "edge-256, nano-16");
  assert_memory_equal(&c, &def, sizeof c);
}

static void hash_tells_every_key(void **state) {
  (void)state;
  weft_config c;
  int n;
  const weft_key *key = weft_config_keys(&n);
  weft_config_default(&c);
  uint64_t base = weft_config_hash(&c), *seen = calloc((size_t)n, sizeof *seen);
  for (int i = 0; i < n; i++) {
    weft_config_default(&c);
    *slot(&c, &key[i]) = key[i].def == key[i].max ? key[i].min : key[i].max;
    seen[i] = weft_config_hash(&c);
    assert_true(seen[i] != base);
    for (int j = 0; j < i; j++) assert_true(seen[i] != seen[j]);
  }
  free(seen);
  weft_config_default(&c);
  strcpy(c.preset, "other"); /* the name is not part of it */
  assert_true(weft_config_hash(&c) == base);
}

static void relations_between_keys(void **state) {
  (void)state;
  static const struct {
    const char *name;
    uint32_t value;
  } bad[] = {{"output_lanes", 32}, {"vec_lanes", 32},      {"dw_lanes", 32}, {"dw_lanes", 3},
             {"weight_kib", 0},    {"accumulator_kib", 0}, {"param_kib", 0}, {"dwbuf_kib", 1}};
  weft_err err;
  weft_config c;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int n;
    const weft_key *key = weft_config_keys(&n);
    weft_config_default(&c);
    while (strcmp(key->name, bad[i].name) != 0) key++;
    *slot(&c, key) = bad[i].value;
    err.text[0] = '\0';
    assert_int_equal(weft_config_check(&c, &err), WEFT_EINPUT);
    expect_text(&err, bad[i].name);
  }
  weft_config_default(&c);
  c.scratchpad_kib = 4;
  c.scratchpad_banks = 32; /* 8 words each */
  assert_int_equal(weft_config_check(&c, &err), WEFT_EINPUT);
  expect_text(&err, "scratchpad_banks");
  weft_config_default(&c);
  c.dw_lanes = 0;
  assert_int_equal(weft_config_check(&c, &err), WEFT_OK);
}

static void registers_are_disjoint_and_aligned(void **state) {
  (void)state;
  static uint8_t owner[0x1000];
  static const struct {
    const char *name;
    unsigned offset;
  } regs[] = {
#define WEFT_REG(name, offset, access, reset, doc) {#name, offset},
#define WEFT_ERROR(name, value, doc)
#include "regs.def"
#undef WEFT_REG
#undef WEFT_ERROR
  };
  int n_keys;
  (void)weft_config_keys(&n_keys);
  memset(owner, 0, sizeof owner);
  for (size_t i = 0; i < sizeof regs / sizeof *regs; i++) {
    unsigned bytes = regs[i].offset == WEFT_REG_CONFIG    ? 4 * (unsigned)n_keys
                     : regs[i].offset == WEFT_REG_BASE    ? 16 * WEFT_REGIONS
                     : regs[i].offset == WEFT_REG_COUNTER ? 32 * (WEFT_UNITS + 1)
                                                          : 4;
    assert_int_equal(regs[i].offset % 4, 0);
    for (unsigned b = regs[i].offset; b < regs[i].offset + bytes; b++) {
      if (owner[b]) fail_msg("register %s at 0x%03x overlaps another", regs[i].name, b);
      owner[b] = 1;
    }
  }
}

static void error_causes(void **state) {
  (void)state;
  static const struct {
    unsigned value;
    const char *doc;
  } errors[] = {
#define WEFT_REG(name, offset, access, reset, doc)
#define WEFT_ERROR(name, value, doc) {value, doc},
#include "regs.def"
#undef WEFT_REG
#undef WEFT_ERROR
  };
  for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++) {
    assert_int_equal(errors[i].value, i);
    assert_string_equal(weft_error_text(i), errors[i].doc);
  }
  assert_string_equal(weft_error_text(999), "unknown cause");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_key_keeps_its_range),
      cmocka_unit_test(texts_that_are_no_settings),
      cmocka_unit_test(ini_files),
      cmocka_unit_test(presets),
      cmocka_unit_test(hash_tells_every_key),
      cmocka_unit_test(relations_between_keys),
      cmocka_unit_test(registers_are_disjoint_and_aligned),
      cmocka_unit_test(error_causes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Program files: round trip, and every way in which a file can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "program.h"

enum { INSNS = 3, LAYERS = 2, TENSORS = 3, STEPS = 2 };

static char folder[64], path[128];
static const char model_text[] = "a model's bytes";

static int make_folder(void **state) {
  (void)state;
  strcpy(folder, "/tmp/weft-program-XXXXXX");
  if (!mkdtemp(folder)) return -1;
  (void)snprintf(path, sizeof path, "%s/net.weft", folder);
  return 0;
}

static int files_in_folder(void) {
  int n = 0;
  DIR *dir = opendir(folder);
  for (struct dirent *e; (e = readdir(dir));) n += e->d_name[0] != '.';
  closedir(dir);
  return n;
}

static int remove_folder(void **state) {
  (void)state;
  (void)unlink(path);
  return rmdir(folder);
}

static weft_program *sample(const char *preset) {
  weft_err err;
  weft_program *p = calloc(1, sizeof *p);
  assert_int_equal(weft_config_preset(&p->config, preset, &err), WEFT_OK);
  p->config_hash = weft_config_hash(&p->config);
  p->n_insns = INSNS;
  p->code = calloc(INSNS, WEFT_INSN_BYTES);
  p->result = calloc(INSNS, sizeof *p->result);
  p->layer_of = calloc(INSNS, sizeof *p->layer_of);
  for (uint32_t i = 0; i < INSNS; i++) {
    weft_insn insn = {.opcode = i + 1 < INSNS ? WEFT_OP_CODE_FENCE : WEFT_OP_CODE_END};
    assert_int_equal(weft_encode(&insn, p->code + (size_t)i * WEFT_INSN_BYTES, &err), WEFT_OK);
    p->result[i] = (weft_result){(int32_t)i - 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, i == 1};
    p->layer_of[i] = i % LAYERS;
  }
  p->constant_bytes = 5;
  p->constants = malloc(5);
  memcpy(p->constants, "const", 5);
  p->arena_bytes = 1000;
  p->n_steps = STEPS;
  p->step = calloc(STEPS, sizeof *p->step);
  p->step[0] = (weft_step){.first = 0, .count = 3};
  p->step[1] = (weft_step){.host = true, .node = 7, .why = "not on \"this\" device"};
  p->n_layers = LAYERS;
  p->layer = calloc(LAYERS, sizeof *p->layer);
  p->layer[0] = (weft_layer){strdup("conv"), strdup("CONV_2D+ADD"), WEFT_UNIT_GEMM, 100, 90, 80};
  p->layer[1] = (weft_layer){strdup("copy"), strdup("RESHAPE"), WEFT_UNIT_STORE, 0, 0, 1};
  p->n_tensors = TENSORS;
  p->place = calloc(TENSORS, sizeof *p->place);
  p->place[0] = (weft_place){0, 600};
  p->place[1] = (weft_place){600, 400};
  p->place[2] = (weft_place){WEFT_NOWHERE, 123};
  p->bound_array = 1;
  p->bound_dw = 2;
  p->bound_vec = 3;
  p->bound_dram = (uint64_t)1 << 40;
  p->bound = (uint64_t)1 << 41;
  p->macs = 100;
  p->array_macs = 90;
  p->compile_seconds = 0.25;
  return p;
}

static void save(const char *preset) {
  weft_err err = {""};
  weft_program *p = sample(preset);
  if (weft_program_save(p, model_text, sizeof model_text, path, &err) != WEFT_OK)
    fail_msg("%s", err.text);
  weft_program_free(p);
}

static uint8_t *read_all(size_t *n) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  uint8_t *bytes = malloc(1 << 16);
  *n = fread(bytes, 1, 1 << 16, f);
  fclose(f);
  return bytes;
}

static void write_all(const uint8_t *bytes, size_t n) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

/* Makes the checksum right again, so that what lies behind it is tested. */
static void seal(uint8_t *bytes, size_t n) {
  uint32_t crc = (uint32_t)crc32_z(0, bytes, n - 4);
  for (int i = 0; i < 4; i++) bytes[n - 4 + (size_t)i] = (uint8_t)(crc >> (8 * i));
}

/* Loads the file; on failure checks what is promised about failures. */
static weft_status load(weft_err *err) {
  weft_program *p = NULL;
  void *model = NULL;
  size_t bytes = 77;
  err->text[0] = '\0';
  weft_status s = weft_program_load(path, &p, &model, &bytes, err);
  if (s == WEFT_OK) {
    assert_non_null(p);
    weft_program_free(p);
    free(model);
    return s;
  }
  assert_null(p);
  assert_null(model);
  assert_int_equal(bytes, 77);
  assert_non_null(strstr(err->text, path));
  assert_null(strchr(err->text, '\n'));
  return s;
}

static void expect_error(const char *what) {
  weft_err err;
  assert_int_equal(load(&err), WEFT_EINPUT);
  if (!strstr(err.text, what)) fail_msg("'%s' is not in: %s", what, err.text);
}

static void round_trip(void **state) {
  (void)state;
  weft_err err;
  save("edge-256");
  assert_true(weft_program_is(path));
  assert_int_equal(files_in_folder(), 1);
  weft_program *p, *q = sample("edge-256");
  void *model;
  size_t bytes;
  assert_int_equal(weft_program_load(path, &p, &model, &bytes, &err), WEFT_OK);
  assert_int_equal(bytes, sizeof model_text);
  assert_memory_equal(model, model_text, bytes);
  assert_memory_equal(&p->config, &q->config, sizeof p->config);
  assert_int_equal(p->config_hash, q->config_hash);
  assert_int_equal(p->n_insns, INSNS);
  assert_memory_equal(p->code, q->code, (size_t)INSNS * WEFT_INSN_BYTES);
  assert_memory_equal(p->layer_of, q->layer_of, INSNS * sizeof *p->layer_of);
  for (int i = 0; i < INSNS; i++) {
    const weft_result *a = &p->result[i], *b = &q->result[i];
    assert_int_equal(a->tensor, b->tensor);
    assert_memory_equal(&a->batch, &b->batch, 10 * sizeof a->batch);
    assert_int_equal(a->flip, b->flip);
  }
  assert_int_equal(p->constant_bytes, 5);
  assert_memory_equal(p->constants, "const", 5);
  assert_int_equal(p->arena_bytes, 1000);
  assert_int_equal(p->n_steps, STEPS);
  assert_false(p->step[0].host);
  assert_int_equal(p->step[0].count, 3);
  assert_true(p->step[1].host);
  assert_int_equal(p->step[1].node, 7);
  assert_string_equal(p->step[1].why, q->step[1].why);
  assert_int_equal(p->n_layers, LAYERS);
  for (int i = 0; i < LAYERS; i++) {
    assert_string_equal(p->layer[i].name, q->layer[i].name);
    assert_string_equal(p->layer[i].op, q->layer[i].op);
    assert_int_equal(p->layer[i].unit, q->layer[i].unit);
    assert_int_equal(p->layer[i].macs, q->layer[i].macs);
    assert_int_equal(p->layer[i].array_macs, q->layer[i].array_macs);
    assert_int_equal(p->layer[i].bound, q->layer[i].bound);
  }
  assert_int_equal(p->n_tensors, TENSORS);
  assert_memory_equal(p->place, q->place, TENSORS * sizeof *p->place);
  assert_int_equal(p->bound_array, 1);
  assert_int_equal(p->bound_dw, 2);
  assert_int_equal(p->bound_vec, 3);
  assert_int_equal(p->bound_dram, q->bound_dram);
  assert_int_equal(p->bound, q->bound);
  assert_int_equal(p->macs, 100);
  assert_int_equal(p->array_macs, 90);
  assert_true(p->compile_seconds == 0.25);
  /* a loaded program saves to the same bytes */
  size_t n, m;
  uint8_t *first = read_all(&n);
  assert_int_equal(weft_program_save(p, model, bytes, path, &err), WEFT_OK);
  uint8_t *second = read_all(&m);
  assert_int_equal(n, m);
  assert_memory_equal(first, second, n);
  free(first);
  free(second);
  free(model);
  weft_program_free(p);
  weft_program_free(q);
}

static void empty_program(void **state) {
  (void)state;
  weft_err err;
  weft_program p = {0}, *q;
  void *model;
  size_t bytes;
  weft_config_default(&p.config);
  p.config_hash = weft_config_hash(&p.config);
  assert_int_equal(weft_program_save(&p, NULL, 0, path, &err), WEFT_OK);
  assert_int_equal(weft_program_load(path, &q, &model, &bytes, &err), WEFT_OK);
  assert_int_equal(q->n_insns + q->constant_bytes + bytes, 0);
  free(model);
  weft_program_free(q);
}

static void names_that_are_not_utf8(void **state) {
  (void)state;
  weft_err err;
  weft_program *p = sample("edge-256"), *q;
  void *model;
  size_t bytes;
  strcpy(p->layer[0].name, "\xff\xfe!");
  assert_int_equal(weft_program_save(p, NULL, 0, path, &err), WEFT_OK);
  assert_int_equal(weft_program_load(path, &q, &model, &bytes, &err), WEFT_OK);
  assert_string_equal(q->layer[0].name, "\?\?!");
  free(model);
  weft_program_free(p);
  weft_program_free(q);
}

static void truncation_at_every_byte(void **state) {
  (void)state;
  weft_err err;
  size_t n;
  save("edge-256");
  uint8_t *bytes = read_all(&n);
  for (size_t i = 0; i < n; i++) {
    write_all(bytes, i);
    assert_int_equal(load(&err), WEFT_EINPUT);
    if (i > 4) { /* a shorter file with a checksum of its own */
      uint8_t *copy = malloc(i);
      memcpy(copy, bytes, i);
      seal(copy, i);
      write_all(copy, i);
      assert_int_equal(load(&err), WEFT_EINPUT);
      free(copy);
    }
  }
  free(bytes);
}

static void random_flips(void **state) {
  (void)state;
  weft_err err;
  size_t n;
  int accepted = 0;
  save("edge-256");
  uint8_t *bytes = read_all(&n), *copy = malloc(n);
  srand(20);
  for (int i = 0; i < 2000; i++) {
    memcpy(copy, bytes, n);
    for (int k = rand() % 3; k >= 0; k--) copy[(size_t)rand() % n] ^= (uint8_t)(1 + rand() % 255);
    if (memcmp(copy, bytes, n) == 0) continue;
    write_all(copy, n);
    assert_int_equal(load(&err), WEFT_EINPUT);
    seal(copy, n);
    write_all(copy, n);
    accepted += load(&err) == WEFT_OK; /* either way: no crash */
  }
  assert_true(accepted > 0 && accepted < 2000);
  free(bytes);
  free(copy);
}

static void put32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static void wrong_headers(void **state) {
  (void)state;
  static const struct {
    size_t at;
    uint32_t value;
    const char *what;
  } cases[] = {
      {0, 0, "not a Weft program"},
      {8, 2, "format version 2, accepted 1"},
      {12, 9, "instruction set version 9, accepted 1"},
      {16, 9, "its header says 9"},
      {24, 1, "configuration hash"},
      {32, 24, "24 configuration keys"},
      {36, 8, "8 sections"},
      {72, 17, "key rows is 17"},
      {72, 128, "key rows is 128"},
      {72, 8, "configuration hash"},
  };
  size_t n;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    save("edge-256");
    uint8_t *bytes = read_all(&n);
    put32(bytes + cases[i].at, cases[i].value);
    seal(bytes, n);
    write_all(bytes, n);
    expect_error(cases[i].what);
    free(bytes);
  }
}

static void other_configurations(void **state) {
  (void)state;
  weft_err err;
  for (const char *const *name = weft_config_presets(); *name; name++) {
    weft_program *p;
    void *model;
    size_t bytes;
    weft_config c;
    save(*name);
    assert_int_equal(weft_program_load(path, &p, &model, &bytes, &err), WEFT_OK);
    assert_int_equal(weft_config_preset(&c, *name, &err), WEFT_OK);
    assert_int_equal(p->config_hash, weft_config_hash(&c));
    assert_string_equal(p->config.preset, *name);
    weft_program_free(p);
    free(model);
  }
}

/* Programs that are inconsistent are refused when they are saved. */
static void refused_when_saved(const char *what, weft_program *p) {
  weft_err err = {""};
  (void)unlink(path);
  assert_int_equal(weft_program_save(p, NULL, 0, path, &err), WEFT_EINPUT);
  if (!strstr(err.text, what)) fail_msg("'%s' is not in: %s", what, err.text);
  assert_int_equal(files_in_folder(), 0);
  weft_program_free(p);
}

static void inconsistent_programs(void **state) {
  (void)state;
  weft_program *p;
#define CASE(change, what)                                                                         \
  p = sample("micro-64");                                                                          \
  change;                                                                                          \
  refused_when_saved(what, p)
  CASE(p->config.cols = 0, "key cols is 0");
  CASE(p->config.output_lanes = 16, "key output_lanes is 16");
  CASE(p->config_hash++, "configuration hash");
  CASE(p->step[0].count = 4, "step 0: instructions 0 + 4");
  CASE(p->step[0].first = UINT32_MAX, "step 0");
  CASE(p->step[1].node = -1, "step 1: host node is -1");
  CASE(p->layer[1].unit = 6, "layer 1: unit is 6");
  CASE(p->layer_of[2] = 2, "instruction 2: layer 2, there are 2");
  CASE(p->result[2].tensor = 3, "instruction 2: result is tensor 3");
  CASE(p->result[2].h = 7, "instruction 2: result [2+7");
  CASE(p->result[2].x = UINT32_MAX, "instruction 2");
  CASE(p->result[2].n = 8, "instruction 2");
  CASE(p->place[1].bytes = 401, "tensor 1: 401 bytes at 600");
  CASE(p->place[1].offset = UINT64_MAX - 1, "tensor 1");
#undef CASE
}

static void files_that_cannot_be(void **state) {
  (void)state;
  weft_err err;
  char kept[sizeof path];
  weft_program *p = sample("edge-256");
  assert_int_equal(weft_program_save(p, NULL, 0, "/nowhere/x.weft", &err), WEFT_EINPUT);
  assert_non_null(strstr(err.text, "/nowhere/x.weft"));
  weft_program_free(p);
  memcpy(kept, path, sizeof path);
  strcpy(path, "/nowhere/x.weft");
  expect_error("cannot be opened");
  assert_false(weft_program_is(path));
  strcpy(path, folder);
  expect_error("is not a file");
  memcpy(path, kept, sizeof path);
  write_all((const uint8_t *)"WEFTPRO", 7);
  assert_false(weft_program_is(path));
  expect_error("not a Weft program");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(round_trip),
      cmocka_unit_test(empty_program),
      cmocka_unit_test(names_that_are_not_utf8),
      cmocka_unit_test(truncation_at_every_byte),
      cmocka_unit_test(random_flips),
      cmocka_unit_test(wrong_headers),
      cmocka_unit_test(other_configurations),
      cmocka_unit_test(inconsistent_programs),
      cmocka_unit_test(files_that_cannot_be),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

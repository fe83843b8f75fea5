/* `weft eval`: folders of classes, ranks, and the whole command on a network that tells red, green
 * and blue apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <ftw.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "eval.h"
#include "support/tflite_write.h"

static char folder[64];

/* "FOLDER/name"; good until the fourth next call. */
static const char *at(const char *name) {
  static char path[4][512];
  static int turn;
  turn = (turn + 1) % 4;
  (void)snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
  return path[turn];
}

static void put_file(const char *name, const void *bytes, size_t n) {
  FILE *f = fopen(at(name), "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  assert_int_equal(fclose(f), 0);
}

static void put_folder(const char *name) {
  assert_int_equal(mkdir(at(name), 0700), 0);
}

/* A picture of one colour, 5 x 4. */
static void put_picture(const char *name, uint8_t r, uint8_t g, uint8_t b) {
  enum { W = 5, H = 4, ROW = 16, SIZE = 54 + H * ROW };
  uint8_t bmp[SIZE] = {
      'B', 'M', SIZE, [10] = 54, [14] = 40, [18] = W, [22] = H, [26] = 1, [28] = 24};
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      uint8_t *p = &bmp[54 + y * ROW + x * 3];
      p[0] = b, p[1] = g, p[2] = r;
    }
  put_file(name, bmp, sizeof bmp);
}

/* The mean of every colour, as int8. */
static void put_model(void) {
  weft_graph *g = weft_graph_new("colours");
  float scale = 1.0f / 255;
  int32_t zero = -128, axes[] = {1, 2};
  int in = weft_graph_add_tensor(g, "image", WEFT_INT8, 4, (int32_t[]){1, 4, 4, 3});
  int axis = weft_graph_add_tensor(g, "axes", WEFT_INT32, 1, (int32_t[]){2});
  int out = weft_graph_add_tensor(g, "scores", WEFT_INT8, 2, (int32_t[]){1, 3});
  assert_int_equal(weft_graph_set_quant(g, in, 1, 0, &scale, &zero), 0);
  assert_int_equal(weft_graph_set_quant(g, out, 1, 0, &scale, &zero), 0);
  assert_int_equal(weft_graph_set_data(g, axis, axes), 0);
  weft_attr attr = {0};
  assert_true(weft_graph_add_node(g, WEFT_OP_MEAN, &attr, 2, (int[]){in, axis}, 1, &out) >= 0);
  assert_int_equal(weft_graph_set_io(g, 1, &in, 1, &out), 0);
  size_t n;
  uint8_t *bytes = weft_tflite_write(g, NULL, &n);
  put_file("colours.tflite", bytes, n);
  free(bytes);
  weft_graph_free(g);
}

static int set_up(void **state) {
  (void)state;
  strcpy(folder, "/tmp/weft-eval-XXXXXX");
  if (!mkdtemp(folder)) return -1;
  put_model();
  static const char *const sets[] = {"named", "numbered"};
  static const char *const names[2][3] = {{"a red", "b green", "c blue"}, {"0", "01", "2"}};
  for (int s = 0; s < 2; s++) {
    put_folder(sets[s]);
    for (int c = 0; c < 3; c++) {
      char name[256];
      (void)snprintf(name, sizeof name, "%s/%s", sets[s], names[s][c]);
      put_folder(name);
      for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%s/%s/%d.%s", sets[s], names[s][c], i,
                       i % 2 ? "bmp" : "JPG"); /* what is in a file decides, not its name */
        put_picture(name, c == 0 ? 200 : 10, c == 1 ? 200 : 20, c == 2 ? 200 : 30);
      }
    }
  }
  put_picture("named/c blue/3.bmp", 250, 0, 0); /* the network will be wrong about this one */
  put_file("named/README.txt", "x", 1);
  put_file("named/a red/notes.txt", "x", 1);
  put_file("named/a red/.hidden.bmp", "x", 1);
  put_folder("empty");
  put_folder("bare");
  put_folder("bare/a");
  put_folder("bare/b");
  put_folder("bare/c");
  put_folder("broken");
  put_folder("broken/1");
  put_file("broken/1/x.png", "no image", 8);
  put_file("labels.txt", "nothing\nc blue\na red\nb green\n", 29);
  put_file("few.txt", "a red\nb green\n", 14);
  return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  return remove(path);
}

static int tear_down(void **state) {
  (void)state;
  return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- folders of classes ----------------------------------------------------------------------- */
static void test_sets(void **state) {
  (void)state;
  eval_set s;
  weft_err err;
  assert_int_equal(eval_set_find(at("named"), NULL, 0, 0, 3, &s, &err), WEFT_OK);
  assert_int_equal(s.n, 12);
  assert_int_equal(s.n_classes, 3);
  assert_string_equal(s.image[0].path, at("named/a red/0.JPG"));
  assert_string_equal(s.image[11].path, at("named/c blue/3.bmp"));
  for (size_t i = 0; i < s.n; i++) assert_int_equal(s.image[i].output, i / 4);
  eval_set_free(&s);

  assert_int_equal(eval_set_find(at("named"), at("labels.txt"), 1, 3, 5, &s, &err), WEFT_OK);
  assert_int_equal(s.n, 3); /* one of each class */
  assert_int_equal(s.image[0].output, 3);
  assert_int_equal(s.image[1].output, 4);
  assert_int_equal(s.image[2].output, 2);
  eval_set_free(&s);

  assert_int_equal(eval_set_find(at("numbered"), NULL, 998, 0, 1001, &s, &err), WEFT_OK);
  assert_int_equal(s.image[4].output, 999);
  eval_set_free(&s);
  assert_int_equal(eval_set_find(at("numbered"), at("labels.txt"), 0, 100, 3, &s, &err), WEFT_OK);
  assert_int_equal(s.n, 12);
  assert_int_equal(s.image[11].output, 2);
  eval_set_free(&s);
}

static void test_bad_sets(void **state) {
  (void)state;
  static const struct {
    const char *dir, *labels;
    uint64_t offset;
    const char *text;
  } bad[] = {
      {"none", NULL, 0, "none: No such file"},
      {"labels.txt", NULL, 0, "labels.txt: Not a directory"},
      {"empty", NULL, 0, "empty: no class folders"},
      {"bare", NULL, 0, "bare: no images in its 3 class folders"},
      {"named", NULL, 1, "3 class folders and offset 1, but the model has 3 outputs"},
      {"numbered", NULL, 1, "class folder '2' is output 3, but the model has 3 outputs"},
      {"named", "few.txt", 0, "class folder 'c blue' is not in "},
      {"named", "none.txt", 0, "none.txt"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    eval_set s;
    weft_err err = {""};
    const char *labels = bad[i].labels ? at(bad[i].labels) : NULL;
    assert_int_equal(eval_set_find(at(bad[i].dir), labels, bad[i].offset, 0, 3, &s, &err),
                     WEFT_EINPUT);
    if (!strstr(err.text, bad[i].text)) print_error("%s\n", err.text);
    assert_non_null(strstr(err.text, bad[i].text));
    eval_set_free(&s);
  }
}

static void test_ranks(void **state) {
  (void)state;
  uint8_t code[] = {0x80, 5, 0xff, 5, 0x7f, 0};
  weft_tensor t = {.dtype = WEFT_INT8, .rank = 2, .dim = {1, 6}, .data = code};
  static const size_t as_int8[] = {5, 1, 4, 2, 0, 3}, as_uint8[] = {1, 3, 0, 4, 2, 5};
  for (size_t i = 0; i < 6; i++) assert_int_equal(eval_rank(&t, i), as_int8[i]);
  t.dtype = WEFT_UINT8;
  for (size_t i = 0; i < 6; i++) assert_int_equal(eval_rank(&t, i), as_uint8[i]);
}

/* --- the command ------------------------------------------------------------------------------ */
/* Runs it with both streams in files; returns the exit status. */
static int eval(char *out, char *err, size_t size, const char *const *word) {
  char *argv[16] = {"eval"};
  int argc = 1, kept[2];
  char *text[] = {out, err};
  for (; word[argc - 1]; argc++) argv[argc] = (char *)(uintptr_t)word[argc - 1];
  (void)fflush(NULL);
  for (int s = 0; s < 2; s++) {
    kept[s] = dup(s + 1);
    FILE *f = fopen(at(s ? "stderr" : "stdout"), "w");
    assert_non_null(f);
    dup2(fileno(f), s + 1);
    fclose(f);
  }
  int status = weft_cmd_eval(argc, argv);
  (void)fflush(NULL);
  for (int s = 0; s < 2; s++) {
    dup2(kept[s], s + 1);
    close(kept[s]);
    FILE *f = fopen(at(s ? "stderr" : "stdout"), "r");
    assert_non_null(f);
    text[s][fread(text[s], 1, size - 1, f)] = 0;
    fclose(f);
  }
  return status;
}
#define EVAL(...) eval(out, err, sizeof out, (const char *const[]){__VA_ARGS__, NULL})

static void test_command(void **state) {
  (void)state;
  char out[4096], err[4096], model[512], named[512], numbered[512], file[512];
  strcpy(model, at("colours.tflite"));
  strcpy(named, at("named"));
  strcpy(numbered, at("numbered"));
  strcpy(file, at("eval.json"));
  static const char *const backend[] = {"ref", "sim"};
  for (int b = 0; b < 2; b++) {
    assert_int_equal(EVAL(model, named, "--backend", backend[b], "--json", file), 0);
    assert_int_equal(strncmp(out, "top-1 91.67% (11/12)\ntop-5 100.00% (12/12)\n", 43), 0);
    json_t *j = json_load_file(file, 0, NULL);
    assert_non_null(j);
    assert_int_equal(json_integer_value(json_object_get(j, "top1_correct")), 11);
    assert_int_equal(json_integer_value(json_object_get(j, "images")), 12);
    assert_string_equal(json_string_value(json_object_get(j, "model")), "colours");
    json_decref(j);
    assert_int_equal(EVAL(model, numbered, "--backend", backend[b], "--jobs", "3"), 0);
    assert_int_equal(strncmp(out, "top-1 100.00% (12/12)", 21), 0);
  }
  assert_int_equal(EVAL(model, named, "--json", "-", "--limit", "6", "--preset", "nano-16"), 0);
  json_t *j = json_loads(out, 0, NULL);
  assert_non_null(j);
  assert_int_equal(json_integer_value(json_object_get(j, "images")), 6);
  assert_string_equal(json_string_value(json_object_get(j, "preset")), "nano-16");
  json_decref(j);
}

static void test_command_errors(void **state) {
  (void)state;
  char out[4096], err[4096], model[512], named[512], broken[512], none[512];
  strcpy(model, at("colours.tflite"));
  strcpy(named, at("named"));
  strcpy(broken, at("broken"));
  strcpy(none, at("none/e.json"));
  const struct {
    const char *word[5], *text;
  } bad[] = {
      {{model, broken, "--jobs", "2"}, "broken/1/x.png: "},
      {{model, named, "--offset", "1"}, "but the model has 3 outputs"},
      {{model, named, "--backend", "rtl2"}, "rtl2"},
      {{model, named, "--normalize", "0..2"}, "0..2"},
      {{model, named, "--jobs", "5000"}, "--jobs is 5000"},
      {{model, named, "--json", none}, "none/e.json: cannot create"},
      {{model, named, "--set", "rows=3"}, "rows"},
      {{none, named}, "none/e.json"},
      {{model}, "weft eval"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(eval(out, err, sizeof out, bad[i].word), 2);
    if (!strstr(err, bad[i].text)) print_error("%zu: %s\n", i, err);
    assert_non_null(strstr(err, bad[i].text));
    assert_int_equal(strncmp(err, "weft: ", 6), 0);
    assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1); /* one line */
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sets),           cmocka_unit_test(test_bad_sets),
      cmocka_unit_test(test_ranks),          cmocka_unit_test(test_command),
      cmocka_unit_test(test_command_errors),
  };
  return cmocka_run_group_tests_name("eval", tests, set_up, tear_down);
}

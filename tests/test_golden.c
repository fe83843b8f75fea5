/* Every operator of every golden model, bit for bit, against TFLite's reference kernels.
 *
 * For each DATA/models/golden/tflite/MODEL/INPUT: the model runs from input.bin and every
 * operator's output is compared ("end to end"); then every operator runs on the golden outputs of
 * its predecessors ("per operator"), so that one difference does not hide another. Without the data
 * the tests say "skipped". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exec.h"
#include "npy.h"
#include "support/golden.h"
#include "tflite.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  long operators, elements, mismatches, missing;
} tally;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Elements that differ; reports the first. */
static void compare(const weft_graph *g, int node, int tensor, const weft_tensor *got,
                    const weft_tensor *want, const char *how, tally *sum) {
  const weft_node *n = &g->node[node];
  sum->operators++;
  if (got->dtype != want->dtype || weft_tensor_bytes(got) != weft_tensor_bytes(want)) {
    print_message("%s: %s: op %d %s, tensor %d: type or size differs\n", g->name, how, node,
                  weft_op_name(n->op), tensor);
    sum->mismatches++;
    return;
  }
  size_t size = weft_dtype_size(got->dtype), count = weft_tensor_elements(got), bad = 0, first = 0;
  const char *a = got->data, *b = want->data;
  for (size_t i = 0; i < count; i++)
    if (memcmp(a + i * size, b + i * size, size) != 0 && bad++ == 0) first = i;
  sum->elements += (long)count;
  sum->mismatches += (long)bad;
  if (!bad) return;
  int x = 0, y = 0;
  if (size == 1) {
    x = got->dtype == WEFT_INT8 ? a[first] : (uint8_t)a[first];
    y = got->dtype == WEFT_INT8 ? b[first] : (uint8_t)b[first];
  }
  print_message("%s: %s: op %d %s, tensor %d: %zu of %zu differ; first at %zu: %d, golden %d\n",
                g->name, how, node, weft_op_name(n->op), tensor, bad, count, first, x, y);
}

/* The golden output of a node, freed with free(out->data). */
static bool load_golden(const char *folder, const weft_graph *g, int node, int out,
                        weft_tensor *t) {
  char path[1200];
  const weft_node *n = &g->node[node];
  snprintf(path, sizeof path, "%s/op%03d_%s_t%d.npy", folder, node, weft_op_name(n->op),
           n->out[out]);
  weft_err err;
  if (weft_npy_load(path, t, &err) == WEFT_OK) return true;
  print_message("%s\n", err.text);
  return false;
}

static void run_input(const weft_graph *g, const char *folder, tally *whole, tally *single) {
  weft_err err;
  weft_exec *e = NULL, *alone = NULL;
  assert_int_equal(weft_exec_new(g, &e, &err), WEFT_OK);
  assert_int_equal(weft_exec_new(g, &alone, &err), WEFT_OK);
  char path[1100];
  size_t n;
  snprintf(path, sizeof path, "%s/input.bin", folder);
  void *bytes = golden_read(path, &n);
  assert_non_null(bytes);
  assert_int_equal(g->n_inputs, 1);
  if (weft_exec_set(e, g->input[0], bytes, n, &err) || weft_exec_run(e, &err))
    fail_msg("%s", err.text);
  assert_int_equal(weft_exec_set(alone, g->input[0], bytes, n, &err), WEFT_OK);
  free(bytes);
  for (int i = 0; i < g->n_nodes; i++) {
    if (weft_exec_run_node(alone, i, &err)) fail_msg("%s", err.text);
    for (int k = 0; k < g->node[i].n_out; k++) {
      weft_tensor want;
      int tensor = g->node[i].out[k];
      if (!load_golden(folder, g, i, k, &want)) {
        whole->missing++;
        continue;
      }
      compare(g, i, tensor, weft_exec_tensor(e, tensor), &want, "end to end", whole);
      compare(g, i, tensor, weft_exec_tensor(alone, tensor), &want, "per operator", single);
      assert_int_equal(weft_exec_set(alone, tensor, want.data, weft_tensor_bytes(&want), &err),
                       WEFT_OK);
      free(want.data);
    }
  }
  weft_exec_free(e);
  weft_exec_free(alone);
}

/* A golden folder's model: they share the name, but for the trunk. */
static const char *model_path(const char *name) {
  if (!strcmp(name, "mobilenet_v1_1.0_224_trunk"))
    name = "mobilenet_v1_1.0_224_quant_embedding_extractor";
  return golden_path("models/tflite/%s.tflite", name);
}

static void test_every_operator(void **state) {
  (void)state;
  const char *root = golden_path("models/golden/tflite");
  if (!golden_exists(root)) {
    print_message("skipped: golden outputs (no %s)\n", root);
    skip();
  }
  char **models;
  int n_models = golden_list(root, "", &models), ran = 0;
  long bad = 0;
  for (int m = 0; m < n_models; m++) {
    char **inputs;
    const char *folder = golden_path("models/golden/tflite/%s", models[m]);
    int n_inputs = golden_list(folder, "", &inputs);
    if (n_inputs < 0) continue; /* a file */
    weft_err err;
    weft_graph *g;
    if (weft_tflite_load(model_path(models[m]), &g, &err)) fail_msg("%s", err.text);
    tally whole = {0}, single = {0};
    double start = now();
    int count = 0;
    for (int i = 0; i < n_inputs; i++) {
      char path[1024];
      snprintf(path, sizeof path, "%s/%s", golden_path("models/golden/tflite/%s", models[m]),
               inputs[i]);
      char **files;
      int n_files = golden_list(path, ".npy", &files);
      if (n_files < 0) continue;
      golden_list_free(n_files, files);
      run_input(g, path, &whole, &single);
      count++;
    }
    print_message("%s: %d inputs, %ld operators, %ld elements: %ld differ end to end, %ld per "
                  "operator, %ld missing (%.2f s)\n",
                  models[m], count, whole.operators, whole.elements, whole.mismatches,
                  single.mismatches, whole.missing, now() - start);
    bad += whole.mismatches + single.mismatches + whole.missing;
    ran += count;
    weft_graph_free(g);
    golden_list_free(n_inputs, inputs);
  }
  golden_list_free(n_models, models);
  assert_true(ran > 0);
  assert_int_equal(bad, 0);
}

typedef void *load_input(const char *name, size_t *n);

static void *load_clip(const char *name, size_t *n) {
  return golden_read(golden_path("models/inputs/kws/%s", name), n);
}

/* "0050.bin" is image 50 of a thousand; the file holds every tenth. */
static void *load_image(const char *name, size_t *n) {
  enum { IMAGE = 224 * 224 * 3 };
  size_t all, at = (size_t)(atoi(name) / 10) * IMAGE;
  char *bytes = golden_read(golden_path("models/inputs/imagenet/every10th_224_u8.bin"), &all);
  if (!bytes || atoi(name) % 10 || at + IMAGE > all) {
    free(bytes);
    return NULL;
  }
  memmove(bytes, bytes + at, IMAGE);
  *n = IMAGE;
  return bytes;
}

/* Lines "NAME,code,code,...": the outputs for the input NAME, at most `most` lines. */
static void check_csv(const char *csv, const char *model, load_input *load, int most) {
  const char *path = golden_path("models/golden/tflite/%s", csv);
  FILE *f = fopen(path, "r");
  if (!f) {
    print_message("skipped: %s\n", csv);
    skip();
  }
  weft_err err;
  weft_graph *g;
  weft_exec *e;
  if (weft_tflite_load(model_path(model), &g, &err)) fail_msg("%s", err.text);
  assert_int_equal(weft_exec_new(g, &e, &err), WEFT_OK);
  char *line = NULL;
  size_t room = 0;
  long ran = 0, differ = 0;
  while (ran < most && getline(&line, &room, f) > 0) {
    char *field = strtok(line, ",");
    size_t n;
    void *bytes = load(field, &n);
    if (!bytes) continue;
    if (weft_exec_set(e, g->input[0], bytes, n, &err) || weft_exec_run(e, &err))
      fail_msg("%s", err.text);
    free(bytes);
    const weft_tensor *y = weft_exec_tensor(e, g->output[0]);
    for (size_t i = 0; i < weft_tensor_elements(y); i++) {
      field = strtok(NULL, ",\n");
      assert_non_null(field);
      int code = y->dtype == WEFT_INT8 ? ((int8_t *)y->data)[i] : ((uint8_t *)y->data)[i];
      if (code != atoi(field)) differ++;
    }
    ran++;
  }
  print_message("%s: %ld inputs, %ld output codes differ\n", csv, ran, differ);
  free(line);
  fclose(f);
  weft_exec_free(e);
  weft_graph_free(g);
  assert_true(ran > 0);
  assert_int_equal(differ, 0);
}

static void test_keyword_clips(void **state) {
  (void)state;
  check_csv("kws_ref_model_tflm_1000.csv", "kws_ref_model", load_clip, 200);
}

static void test_imagenet(void **state) {
  (void)state;
  check_csv("tf2_mnv2_tflm_imagenet20.csv", "tf2_mobilenet_v2_1.0_224_ptq", load_image, 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_operator),
      cmocka_unit_test(test_keyword_clips),
      cmocka_unit_test(test_imagenet),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

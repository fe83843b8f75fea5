/* The TFLite importer: real models agree with what another reader found in them, every operator
 * survives a round trip, and damaged files end in one line that names the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec.h"
#include "tflite.h"
#include "support/tflite_write.h"
#include "support/zoo.h"

static const char *data_dir(void) {
  const char *dir = getenv("WEFT_TEST_DATA");
  return dir ? dir : "../shared";
}

/* --- real models ------------------------------------------------------------------------------ */

/* Folder of the goldens, and the model file's name where it differs. */
static const char *const models[][2] = {
    {"kws_ref_model", NULL},
    {"mobilenet_v1_0.25_128_quant", NULL},
    {"mobilenet_v1_1.0_224_trunk", "mobilenet_v1_1.0_224_quant_embedding_extractor"},
    {"person_detect", NULL},
    {"pretrainedResnet_quant", NULL},
    {"stm_flowers_mobilenet_v2_0.35_128", NULL},
    {"tf2_mobilenet_v2_1.0_224_ptq", NULL},
    {"vww_96_int8", NULL},
};

static int integer(const json_t *object, const char *key) {
  const json_t *v = json_object_get(object, key);
  assert_non_null(v);
  return (int)json_integer_value(v);
}

static int item(const json_t *object, const char *key, size_t i) {
  return (int)json_integer_value(json_array_get(json_object_get(object, key), i));
}

static void same_list(const json_t *object, const char *key, int n, const int32_t *values) {
  assert_int_equal(json_array_size(json_object_get(object, key)), n);
  for (int i = 0; i < n; i++) assert_int_equal(item(object, key, (size_t)i), values[i]);
}

static void compare_tensor(const weft_tensor *t, const json_t *want) {
  const char *type = json_string_value(json_object_get(want, "type"));
  assert_string_equal(t->name, json_string_value(json_object_get(want, "name")));
  assert_int_equal(strcasecmp(weft_dtype_name(t->dtype), type), 0);
  same_list(want, "shape", t->rank, t->dim);
  assert_int_equal(weft_is_const(t), json_is_true(json_object_get(want, "const")));
  json_t *scale = json_object_get(want, "scale");
  assert_int_equal(t->quant.n, json_array_size(scale));
  if (!scale) return;
  same_list(want, "zp", t->quant.n, t->quant.zero_point);
  for (int i = 0; i < t->quant.n; i++) {
    float s = (float)json_number_value(json_array_get(scale, (size_t)i));
    assert_true(fabsf(s - t->quant.scale[i]) <= 1e-8f * s);
  }
  if (t->quant.n > 1 && t->rank > 1) assert_int_equal(t->quant.axis, integer(want, "qdim"));
}

static void compare_activation(weft_activation act, const json_t *want) {
  static const char *const names[] = {"NONE", "RELU", "RELU6", "RELU_N1_TO_1"};
  const json_t *name = json_object_get(want, "act");
  if (name) assert_string_equal(names[act], json_string_value(name));
}

/* Padding of one axis by the rule that the file names, from sizes in and out alone. */
static void compare_padding(const char *rule, int in, int out, int stride, int filter, int before,
                            int after) {
  if (strcmp(rule, "VALID") == 0) {
    assert_int_equal(before, 0);
    assert_int_equal(after, 0);
    assert_int_equal(out, (in - filter) / stride + 1);
    return;
  }
  int total = (out - 1) * stride + filter - in;
  if (total < 0) total = 0;
  assert_int_equal(before + after, total);
  assert_int_equal(before, total / 2);
}

static void compare_node(const weft_graph *g, const weft_node *n, const json_t *want) {
  const weft_attr *a = &n->attr;
  assert_string_equal(weft_op_name(n->op), json_string_value(json_object_get(want, "op")));
  same_list(want, "in", n->n_in, n->in);
  same_list(want, "out", n->n_out, n->out);
  compare_activation(a->activation, want);
  if (json_object_get(want, "dm")) assert_int_equal(a->depth_multiplier, integer(want, "dm"));
  if (json_object_get(want, "keep")) assert_int_equal(a->keep_dims, integer(want, "keep"));
  if (json_object_get(want, "beta"))
    assert_true(a->beta == (float)json_number_value(json_object_get(want, "beta")));
  if (json_object_get(want, "dil"))
    same_list(want, "dil", 2, (int32_t[]){a->dilation_h, a->dilation_w});
  if (!json_object_get(want, "stride")) return;
  same_list(want, "stride", 2, (int32_t[]){a->stride_h, a->stride_w});
  int filter_h = a->filter_h, filter_w = a->filter_w;
  if (json_object_get(want, "filter"))
    same_list(want, "filter", 2, (int32_t[]){filter_h, filter_w});
  else
    filter_h = g->tensor[n->in[1]].dim[1], filter_w = g->tensor[n->in[1]].dim[2];
  const char *rule = json_string_value(json_object_get(want, "pad"));
  const weft_tensor *x = &g->tensor[n->in[0]], *y = &g->tensor[n->out[0]];
  compare_padding(rule, x->dim[1], y->dim[1], a->stride_h, filter_h, a->pad_top, a->pad_bottom);
  compare_padding(rule, x->dim[2], y->dim[2], a->stride_w, filter_w, a->pad_left, a->pad_right);
}

static void test_real_models(void **state) {
  (void)state;
  int tensors = 0, nodes = 0;
  for (size_t m = 0; m < sizeof models / sizeof models[0]; m++) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/models/golden/tflite/%s/graph.json", data_dir(),
                   models[m][0]);
    json_error_t why;
    json_t *want = json_load_file(path, 0, &why);
    if (!want) {
      print_message("skipped: no %s (WEFT_TEST_DATA names the folder)\n", path);
      skip();
    }
    const char *name = models[m][1] ? models[m][1] : models[m][0];
    (void)snprintf(path, sizeof path, "%s/models/tflite/%s.tflite", data_dir(), name);
    weft_err err = {""};
    weft_graph *g = NULL;
    if (weft_tflite_load(path, &g, &err)) fail_msg("%s", err.text);
    assert_string_equal(g->name, name);
    json_t *list = json_object_get(want, "tensors");
    assert_int_equal(g->n_tensors, json_array_size(list));
    for (int i = 0; i < g->n_tensors; i++)
      compare_tensor(&g->tensor[i], json_array_get(list, (size_t)i));
    list = json_object_get(want, "ops");
    assert_int_equal(g->n_nodes, json_array_size(list));
    for (int k = 0; k < g->n_nodes; k++)
      compare_node(g, &g->node[k], json_array_get(list, (size_t)k));
    same_list(want, "inputs", g->n_inputs, g->input);
    same_list(want, "outputs", g->n_outputs, g->output);
    tensors += g->n_tensors;
    nodes += g->n_nodes;
    weft_graph_free(g);
    json_decref(want);
  }
  print_message("%d tensors and %d operators agree\n", tensors, nodes);
}

/* --- round trips ------------------------------------------------------------------------------ */

/* Field by field: the struct has gaps. */
static bool same_attr(const weft_attr *a, const weft_attr *b) {
#define SAME(field) (a->field == b->field)
  return SAME(activation) && SAME(stride_h) && SAME(stride_w) && SAME(dilation_h) &&
         SAME(dilation_w) && SAME(pad_top) && SAME(pad_left) && SAME(pad_bottom) &&
         SAME(pad_right) && SAME(filter_h) && SAME(filter_w) && SAME(depth_multiplier) &&
         SAME(keep_dims) && SAME(axis) && SAME(batch_dims) && SAME(beta) && SAME(alpha) &&
         SAME(approximate) && SAME(adj_x) && SAME(adj_y) && SAME(align_corners) &&
         SAME(half_pixel_centers) && SAME(begin_mask) && SAME(end_mask) && SAME(ellipsis_mask) &&
         SAME(new_axis_mask) && SAME(shrink_axis_mask);
#undef SAME
}

static void same_graph(const weft_graph *a, const weft_graph *b) {
  assert_int_equal(a->n_tensors, b->n_tensors);
  for (int i = 0; i < a->n_tensors; i++) {
    const weft_tensor *s = &a->tensor[i], *t = &b->tensor[i];
    assert_string_equal(s->name, t->name);
    assert_int_equal(s->dtype, t->dtype);
    assert_int_equal(s->rank, t->rank);
    assert_memory_equal(s->dim, t->dim, sizeof s->dim[0] * (size_t)s->rank);
    assert_int_equal(s->quant.n, t->quant.n);
    assert_int_equal(s->quant.axis, t->quant.axis);
    for (int q = 0; q < s->quant.n; q++) {
      assert_true(s->quant.scale[q] == t->quant.scale[q]);
      assert_int_equal(s->quant.zero_point[q], t->quant.zero_point[q]);
    }
    assert_int_equal(weft_is_const(s), weft_is_const(t));
    if (s->data && weft_tensor_bytes(s))
      assert_memory_equal(s->data, t->data, weft_tensor_bytes(s));
  }
  assert_int_equal(a->n_nodes, b->n_nodes);
  for (int k = 0; k < a->n_nodes; k++) {
    const weft_node *m = &a->node[k], *n = &b->node[k];
    assert_int_equal(m->op, n->op);
    assert_int_equal(m->n_in, n->n_in);
    assert_int_equal(m->n_out, n->n_out);
    assert_memory_equal(m->in, n->in, sizeof m->in[0] * (size_t)m->n_in);
    assert_memory_equal(m->out, n->out, sizeof m->out[0] * (size_t)m->n_out);
    if (!same_attr(&m->attr, &n->attr))
      fail_msg("attributes of operator %d (%s) differ", k, weft_op_name(m->op));
  }
  assert_int_equal(a->n_inputs, b->n_inputs);
  assert_int_equal(a->n_outputs, b->n_outputs);
  assert_memory_equal(a->input, b->input, sizeof a->input[0] * (size_t)a->n_inputs);
  assert_memory_equal(a->output, b->output, sizeof a->output[0] * (size_t)a->n_outputs);
}

/* Runs a checked graph: whatever is in it, no kernel may leave its tensors (ASan looks on). Returns
 * the executor's status; graphs that damage has made huge are left out. */
static weft_status run(const weft_graph *g, weft_err *err) {
  double bytes = 0;
  for (int i = 0; i < g->n_tensors; i++) bytes += (double)weft_tensor_bytes(&g->tensor[i]);
  if (bytes > 1e6) return WEFT_OK;
  weft_exec *e;
  if (weft_exec_new(g, &e, err)) return WEFT_EINTERNAL;
  weft_status status = weft_exec_run(e, err);
  weft_exec_free(e);
  return status;
}

static void test_round_trip(void **state) {
  (void)state;
  weft_graph *zoo = zoo_new(), *back = NULL;
  weft_err err = {""};
  if (weft_graph_check(zoo, "zoo", &err)) fail_msg("%s", err.text);
  size_t n;
  uint8_t *bytes = weft_tflite_write(zoo, NULL, &n);
  assert_non_null(bytes);
  if (weft_tflite_parse(bytes, n, "dir/zoo.tflite", &back, &err)) fail_msg("%s", err.text);
  assert_string_equal(back->name, "zoo");
  same_graph(zoo, back);
  if (run(back, &err)) fail_msg("%s", err.text);
  weft_graph_free(back);
  free(bytes);
  for (int op = 0; op < WEFT_OP_COUNT; op++) (void)zoo_node(zoo, (weft_opcode)op);
  weft_graph_free(zoo);
}

/* Operator numbers in the old one-byte field only, and bytes that are not aligned. */
static void test_old_codes_unaligned(void **state) {
  (void)state;
  weft_graph *small = zoo_small(), *back = NULL;
  weft_err err = {""};
  size_t n;
  uint8_t *bytes = weft_tflite_write(small, &(weft_tflite_fault){.old_codes = true}, &n);
  uint8_t *odd = malloc(n + 1);
  memcpy(odd + 1, bytes, n);
  if (weft_tflite_parse(odd + 1, n, "small", &back, &err)) fail_msg("%s", err.text);
  same_graph(small, back);
  weft_graph_free(back);
  weft_graph_free(small);
  free(odd);
  free(bytes);
}

/* --- damage ----------------------------------------------------------------------------------- */

static int refused_by_kernels;

/* Parses, and runs if that succeeds, a copy that ends exactly where the bytes do, so that ASan sees
 * a read past the end. */
static weft_status parse_exact(const uint8_t *bytes, size_t n, weft_err *err) {
  uint8_t *exact = malloc(n ? n : 1);
  if (n) memcpy(exact, bytes, n);
  weft_graph *g = NULL;
  weft_status status = weft_tflite_parse(exact, n, "folder/broken.tflite", &g, err);
  free(exact);
  if (status) {
    assert_null(g);
  } else {
    weft_err why = {""};
    if (run(g, &why)) refused_by_kernels++;
    weft_graph_free(g);
  }
  return status;
}

static void expect_line(weft_status status, weft_status want, const weft_err *err, const char *file,
                        const char *what) {
  assert_int_equal(status, want);
  if (!strstr(err->text, file) || !strstr(err->text, what))
    fail_msg("'%s' lacks '%s' or '%s'", err->text, file, what);
}

static void test_truncation(void **state) {
  (void)state;
  weft_graph *small = zoo_small();
  size_t n;
  uint8_t *bytes = weft_tflite_write(small, NULL, &n);
  for (size_t cut = 0; cut < n; cut++) {
    weft_err err = {""};
    weft_status status = parse_exact(bytes, cut, &err);
    if (status) expect_line(status, status, &err, "folder/broken.tflite", "");
    /* the last bytes may be padding; before that, nothing less than the file is a model */
    if (cut + 16 < n) assert_int_equal(status, WEFT_EINPUT);
  }
  print_message("%zu truncations\n", n);
  free(bytes);
  weft_graph_free(small);
}

static void flip(const weft_graph *g, int rounds, uint64_t seed) {
  size_t n;
  uint8_t *bytes = weft_tflite_write(g, NULL, &n);
  uint8_t *bad = malloc(n);
  int refused = 0;
  for (int i = 0; i < rounds; i++) {
    memcpy(bad, bytes, n);
    for (int flips = 1 + i % 4; flips > 0; flips--) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      bad[(seed >> 33) % n] ^= (uint8_t)(1u << (seed >> 61));
    }
    weft_err err = {""};
    weft_status status = parse_exact(bad, n, &err);
    if (status) expect_line(status, status, &err, "folder/broken.tflite", "");
    refused += status != WEFT_OK;
  }
  print_message("%d of %d damaged files refused, %d more by kernels\n", refused, rounds,
                refused_by_kernels);
  refused_by_kernels = 0;
  free(bad);
  free(bytes);
}

static void test_flips(void **state) {
  (void)state;
  weft_graph *small = zoo_small(), *zoo = zoo_new();
  flip(small, 5000, 1);
  flip(zoo, 5000, 2);
  weft_graph_free(small);
  weft_graph_free(zoo);
}

static void test_not_a_model(void **state) {
  (void)state;
  weft_err err = {""};
  weft_graph *g = NULL;
  const char *magic = "a file of text, not of TFLite", *me = "folder/broken.tflite";
  expect_line(parse_exact((const uint8_t *)magic, strlen(magic), &err), WEFT_EINPUT, &err, me,
              "TFL3");
  expect_line(parse_exact(NULL, 0, &err), WEFT_EINPUT, &err, me, "empty");
  expect_line(weft_tflite_load("/nonexistent/net.tflite", &g, &err), WEFT_EINPUT, &err,
              "/nonexistent/net.tflite", "No such file");
  expect_line(weft_tflite_load("/tmp", &g, &err), WEFT_EINPUT, &err, "/tmp", "not a regular");
  char path[] = "/tmp/weft-test-XXXXXX";
  int fd = mkstemp(path);
  expect_line(weft_tflite_load(path, &g, &err), WEFT_EINPUT, &err, path, "empty");
  assert_int_equal(write(fd, magic, 20), 20);
  close(fd);
  expect_line(weft_tflite_load(path, &g, &err), WEFT_EINPUT, &err, path, "TFL3");
  unlink(path);
  assert_null(g);
}

static void test_faults(void **state) {
  (void)state;
  static const struct {
    weft_tflite_fault fault;
    weft_status status;
    const char *what;
  } cases[] = {
      {{.builtin = 27}, WEFT_EUNSUPP, "operator 0 is SVDF (builtin 27)"},
      {{.builtin = 9000}, WEFT_EUNSUPP, "operator 0 is unknown (builtin 9000)"},
      {{.builtin = 32, .custom = "MyOp"}, WEFT_EUNSUPP, "custom operator 'MyOp'"},
      {{.builtin = 4}, WEFT_EINPUT, "(DEPTHWISE_CONV_2D) has another operator's options"},
      {{.type_plus_1 = 1 + 1}, WEFT_EUNSUPP, "tensor 0 't0' is FLOAT16"},
      {{.type_plus_1 = 17 + 1}, WEFT_EUNSUPP, "tensor 0 't0' is INT4"},
      {{.type_plus_1 = 0 + 1}, WEFT_EUNSUPP, "tensor 0 't0': is float32; Weft runs int8 and uint8"},
      {{.type_plus_1 = 7 + 1}, WEFT_EUNSUPP, "tensor 0 't0': is int16"},
      {{.sparse = true}, WEFT_EUNSUPP, "tensor 0 't0' is stored sparse"},
      {{.variable = true}, WEFT_EUNSUPP, "tensor 0 't0' is variable"},
      {{.buffer = 77}, WEFT_EINPUT, "tensor 0 't0' uses buffer 77"},
      {{.buffer = 1}, WEFT_EINPUT, "tensor 0 't0' has 54 bytes of data; its shape and type need"},
      {{.scales = 2}, WEFT_EINPUT, "tensor 0 't0' has 2 scales; accepted: 1 or"},
      {{.activation = 4}, WEFT_EUNSUPP, "operator 0 (CONV_2D) has a fused activation other"},
  };
  weft_graph *small = zoo_small();
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    weft_err err = {""};
    size_t n;
    uint8_t *bytes = weft_tflite_write(small, &cases[i].fault, &n);
    weft_status status = parse_exact(bytes, n, &err);
    expect_line(status, cases[i].status, &err, "folder/broken.tflite", cases[i].what);
    free(bytes);
  }
  weft_graph_free(small);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_real_models),
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_old_codes_unaligned),
      cmocka_unit_test(test_truncation),
      cmocka_unit_test(test_flips),
      cmocka_unit_test(test_not_a_model),
      cmocka_unit_test(test_faults),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

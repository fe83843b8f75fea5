/* The executor: two inputs, a constant, a chain of nodes, single nodes, and its errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exec.h"

/* c = a + b; d = c + constant; e = transpose(d) by a permutation. Tensors 0..5 in that order, with
 * the permutation last. */
static weft_graph *sample(const int32_t *permutation) {
  weft_graph *g = weft_graph_new("sample");
  static const int32_t dim[] = {2, 2}, two[] = {2};
  static const int8_t constant[] = {1, 2, 3, 4};
  static const char *const name[] = {"a", "b", "c", "constant", "d", "e"};
  for (int i = 0; i < 6; i++) {
    assert_int_equal(weft_graph_add_tensor(g, name[i], WEFT_INT8, 2, dim), i);
    assert_int_equal(weft_graph_set_quant(g, i, 1, 0, (float[]){0.5f}, (int32_t[]){0}), 0);
  }
  assert_int_equal(weft_graph_add_tensor(g, "permutation", WEFT_INT32, 1, two), 6);
  assert_int_equal(weft_graph_set_data(g, 3, constant), 0);
  assert_int_equal(weft_graph_set_data(g, 6, permutation), 0);
  weft_attr attr = {0};
  weft_graph_add_node(g, WEFT_OP_ADD, &attr, 2, (int[]){0, 1}, 1, (int[]){2});
  weft_graph_add_node(g, WEFT_OP_ADD, &attr, 2, (int[]){2, 3}, 1, (int[]){4});
  weft_graph_add_node(g, WEFT_OP_TRANSPOSE, &attr, 2, (int[]){4, 6}, 1, (int[]){5});
  weft_graph_set_io(g, 2, (int[]){0, 1}, 1, (int[]){5});
  return g;
}

static void test_run(void **state) {
  (void)state;
  weft_graph *g = sample((int32_t[]){1, 0});
  weft_exec *e;
  weft_err err;
  int8_t a[] = {10, 20, 30, 40}, b[] = {1, 1, 1, 1};
  assert_int_equal(weft_exec_new(g, &e, &err), WEFT_OK);
  assert_int_equal(weft_exec_set(e, 0, a, sizeof a, &err), WEFT_OK);
  assert_int_equal(weft_exec_set(e, 1, b, sizeof b, &err), WEFT_OK);
  assert_int_equal(weft_exec_run(e, &err), WEFT_OK);
  assert_memory_equal(weft_exec_tensor(e, 2)->data, ((int8_t[]){11, 21, 31, 41}), 4);
  assert_memory_equal(weft_exec_tensor(e, 5)->data, ((int8_t[]){12, 34, 23, 45}), 4);
  assert_ptr_equal(weft_exec_tensor(e, 3)->data, g->tensor[3].data);
  assert_null(weft_exec_tensor(e, 7));
  assert_null(g->tensor[2].data); /* the graph itself stays untouched */
  /* one node on new data */
  assert_int_equal(weft_exec_set(e, 4, a, sizeof a, &err), WEFT_OK);
  assert_int_equal(weft_exec_run_node(e, 2, &err), WEFT_OK);
  assert_memory_equal(weft_exec_tensor(e, 5)->data, ((int8_t[]){10, 30, 20, 40}), 4);
  /* and without an executor */
  int8_t out[4];
  void *data[7] = {[4] = b, [5] = out};
  assert_int_equal(weft_run_node(g, 2, data, &err), WEFT_OK);
  assert_memory_equal(out, b, 4);
  weft_exec_free(e);
  weft_graph_free(g);
}

static void test_errors(void **state) {
  (void)state;
  weft_graph *g = sample((int32_t[]){1, 1});
  weft_exec *e;
  weft_err err;
  int8_t a[4] = {0};
  assert_int_equal(weft_exec_new(g, &e, &err), WEFT_OK);
  assert_int_equal(weft_exec_set(e, 0, a, 3, &err), WEFT_EINPUT);
  assert_string_equal(err.text, "sample: tensor 0 (a) takes 4 bytes, got 3");
  assert_int_equal(weft_exec_set(e, 3, a, 4, &err), WEFT_EINPUT);
  assert_int_equal(weft_exec_set(e, -1, a, 4, &err), WEFT_EINPUT);
  assert_int_equal(weft_exec_run_node(e, 3, &err), WEFT_EINPUT);
  assert_int_equal(weft_exec_run(e, &err), WEFT_EUNSUPP);
  assert_string_equal(err.text, "sample: node 2 (TRANSPOSE): not a permutation");
  weft_exec_free(e);
  weft_exec_free(NULL);
  weft_graph_free(g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_run),
      cmocka_unit_test(test_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the files of the graph check share: graph_check.c (the graph as a whole and the helpers
 * below), graph_check_conv.c (convolutions, products, pools), graph_check_math.c (element-wise
 * operators and reductions), graph_check_move.c (operators that move elements).
 *
 * Each operator has one function. It runs after the graph-wide checks, so it can rely on: the
 * number of inputs and outputs, valid indices, required inputs present, at least one element in
 * every tensor that is not a constant of integers. */
#ifndef WEFT_GRAPH_CHECK_H
#define WEFT_GRAPH_CHECK_H

#include "graph.h"

typedef struct {
  const weft_graph *g;
  const char *file;
  weft_err *err;
  int k; /* index of the node */
  const weft_node *n;
} weft_check;

typedef weft_status weft_check_fn(const weft_check *c);

/* Leaves the function with the status of a check that failed. */
#define WEFT_TRY(call)                                                                             \
  do {                                                                                             \
    weft_status weft_try_ = (call);                                                                \
    if (weft_try_) return weft_try_;                                                               \
  } while (0)

/* Input or output `i` of the node; NULL when an optional input is absent. */
const weft_tensor *weft_check_in(const weft_check *c, int i);
const weft_tensor *weft_check_out(const weft_check *c, int i);

/* "FILE: operator 3 (CONV_2D), tensor 7 'name': ..."; `t` may be NULL. */
weft_status weft_check_fail(const weft_check *c, weft_status status, const weft_tensor *t,
                            const char *fmt, ...) __attribute__((format(printf, 4, 5)));

weft_status weft_check_rank(const weft_check *c, const weft_tensor *t, int rank);
/* Exactly the shape `dim`. */
weft_status weft_check_shape(const weft_check *c, const weft_tensor *t, int rank,
                             const int32_t *dim);
/* The output's type is that of `t`. */
weft_status weft_check_same_type(const weft_check *c, const weft_tensor *t);
/* int8 or uint8 with one positive scale and a zero point that is a code. */
weft_status weft_check_q8(const weft_check *c, const weft_tensor *t);
/* Output 0 has the same scale and zero point as `t` where these are int8 or uint8. */
weft_status weft_check_same_quant(const weft_check *c, const weft_tensor *t);
/* A constant of int32 or int64 with `n` elements (n < 0: any number). */
weft_status weft_check_const_index(const weft_check *c, const weft_tensor *t, int n,
                                   const char *what);
/* Element `i` of such a constant. */
int64_t weft_check_index(const weft_tensor *t, int i);
/* An axis of the given rank, counted from the end when negative: its value from 0, or -1. */
int weft_check_axis(int64_t axis, int rank);

#define WEFT_OP(name, min_in, max_in) weft_check_fn weft_check_##name;
#include "ops.def"
#undef WEFT_OP

#endif

/* The reference executor: a whole graph on the reference kernels, every activation kept.
 *
 * What it computes is the definition that the compiled program, the models of the accelerator and
 * the hardware are compared against. Start at weft_exec_run.
 *
 *   weft_exec *e;
 *   weft_exec_new(graph, &e, &err);
 *   weft_exec_set(e, graph->input[0], bytes, n, &err);
 *   weft_exec_run(e, &err);
 *   const int8_t *y = weft_exec_tensor(e, graph->output[0])->data;
 *   weft_exec_free(e);
 */
#ifndef WEFT_EXEC_H
#define WEFT_EXEC_H

#include "err.h"
#include "graph.h"

typedef struct weft_exec weft_exec;

/* Room for every activation of `g`, all zero; `g` must outlive the executor and not change. */
weft_status weft_exec_new(const weft_graph *g, weft_exec **out, weft_err *err);
void weft_exec_free(weft_exec *e);

/* Copies `bytes` bytes into an activation (a graph input, or any tensor to start from there);
 * they must be exactly its size. */
weft_status weft_exec_set(weft_exec *e, int tensor, const void *data, size_t bytes, weft_err *err);

/* Runs every node in order. On error the message names the node; tensors of the nodes before it
 * hold their values. */
weft_status weft_exec_run(weft_exec *e, weft_err *err);

/* Runs one node on what its input tensors hold now. */
weft_status weft_exec_run_node(weft_exec *e, int node, weft_err *err);

/* A tensor with its data: a constant's, or the activation's. NULL when there is no such tensor. */
const weft_tensor *weft_exec_tensor(const weft_exec *e, int tensor);

/* Runs one node of `g` without an executor, for operators that stay on the host: data[t] is where
 * activation t lies (dense, weft_tensor_bytes() bytes); entries of tensors that the node does not
 * use, and of constants, are not read. */
weft_status weft_run_node(const weft_graph *g, int node, void *const *data, weft_err *err);

#endif

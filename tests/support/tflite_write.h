/* Writes a graph as a TFLite file, so that tests can make models: well-formed ones of every
 * operator, and ones with a chosen fault. */
#ifndef WEFT_TEST_TFLITE_WRITE_H
#define WEFT_TEST_TFLITE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdarg.h>

/* A fault to build in; all zero: none. */
typedef struct {
  int builtin;           /* not 0: the operator number of node 0 */
  const char *custom;    /* the custom name of node 0, with builtin 32 */
  int type_plus_1;       /* not 0: the element type of tensor 0, plus 1 */
  bool sparse, variable; /* tensor 0 */
  int buffer;            /* not 0: the buffer of tensor 0 */
  int scales;            /* not 0: that many scales for tensor 0 */
  int activation;        /* not 0: the fused activation of node 0, a CONV_2D */
  bool old_codes;        /* operator numbers only in the old one-byte field */
} weft_tflite_fault;

#ifdef __cplusplus
extern "C" {
#endif
#include "graph.h"

/* Padding that is all 0 is written as VALID, other as SAME. Returns malloc'd
 * bytes. */
uint8_t *weft_tflite_write(const weft_graph *g, const weft_tflite_fault *fault, size_t *n);
#ifdef __cplusplus
}
#endif

#endif

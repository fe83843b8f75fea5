/* A run that nobody ran: layers, counters and slices that look like MobileNetV2's, for tests of
 * what is made from a run. */
#ifndef WEFT_TEST_MADE_UP_RUN_H
#define WEFT_TEST_MADE_UP_RUN_H

#include "isa.h"
#include "result.h"

enum { MADE_UP_LAYERS = 80 };
typedef struct {
  weft_run_result r; /* its pointers lead into this struct, but for slices and host operators */
  weft_layer_result layer[MADE_UP_LAYERS];
  weft_unit_result unit[WEFT_UNITS + 1];
  weft_output_result output;
  char name[MADE_UP_LAYERS][96];
} made_up;

/* 64 layers, each in `tiles` parts of two or three instructions. */
made_up *made_up_new(size_t tiles);
/* Two operators that the host computes, one with a name of odd bytes. */
void made_up_add_host(made_up *m);
void made_up_free(made_up *m);

#endif

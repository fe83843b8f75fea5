/* Walks an output and two operands that broadcast to it, numpy fashion, one row at a time. */
#ifndef WEFT_BROADCAST_H
#define WEFT_BROADCAST_H

#include "tensor.h"

#include <stdbool.h>

typedef struct {
  int rank;
  size_t dim[WEFT_MAX_RANK];
  size_t step[2][WEFT_MAX_RANK]; /* elements to the next along each dimension; 0 = broadcast */
  size_t at[WEFT_MAX_RANK];
  size_t pos[2];      /* first element of the current row in each operand */
  size_t row;         /* elements in a row */
  size_t row_step[2]; /* step of each operand within a row: 0 or 1 */
} weft_broadcast;

/* False when the shapes do not broadcast to the output's. */
bool weft_broadcast_start(weft_broadcast *w, const weft_tensor *a, const weft_tensor *b,
                          const weft_tensor *out);
/* Goes to the next row; false after the last. */
bool weft_broadcast_next(weft_broadcast *w);

#endif

/* The strided copy. */
#include "copy.h"

#include <string.h>

void weft_copy_box(const weft_box *box, size_t size, const void *src, void *dst) {
  const char *from = src;
  char *to = dst;
  size_t at[WEFT_MAX_RANK] = {0}, run = size;
  int rank = box->rank;
  for (int d = 0; d < rank; d++)
    if (box->dim[d] == 0) return;
  /* innermost dimensions that are dense on both sides move as one run of bytes */
  while (rank > 0 && box->from[rank - 1] == (ptrdiff_t)run && box->to[rank - 1] == (ptrdiff_t)run)
    run *= box->dim[--rank];
  for (;;) {
    memcpy(to, from, run);
    int d = rank - 1;
    for (; d >= 0; d--) {
      from += box->from[d];
      to += box->to[d];
      if (++at[d] < box->dim[d]) break;
      from -= box->from[d] * (ptrdiff_t)box->dim[d];
      to -= box->to[d] * (ptrdiff_t)box->dim[d];
      at[d] = 0;
    }
    if (d < 0) return;
  }
}

/* The slices of a run as tracks: per unit in order of time, free of overlaps.
 *
 * In a unit, an instruction's address set-up runs under the end of the one before it, and its last
 * results leave the pipeline under the beginning of the next. A track shows from `busy`, when the
 * unit has turned to the instruction, to its end or to the next one's `busy`, whichever is first:
 * every cycle belongs to at most one instruction, and no instruction is left out (some have
 * length 0). */
#ifndef WEFT_TIMELINE_H
#define WEFT_TIMELINE_H

#include "err.h"
#include "result.h"

enum { WEFT_TRACKS = 6 }; /* WEFT_UNIT_*, FETCH included */

typedef struct {
  const weft_slice *slice;
  uint64_t from, to; /* cycles */
} weft_piece;

typedef struct {
  size_t n[WEFT_TRACKS];
  weft_piece *piece[WEFT_TRACKS];
  uint64_t end; /* of the last piece, at least the run's cycles */
} weft_timeline;

/* Orders and cuts; slices of units that do not exist are left out. Free with
 * weft_timeline_free(), also after an error. */
weft_status weft_timeline_make(const weft_run_result *r, weft_timeline *out, weft_err *err);
void weft_timeline_free(weft_timeline *t);

#endif

/* How LOAD and STORE cut their work: DRAM bursts on one side, words on the other.
 *
 * Both are small state machines that the timing walks in order; what they yield is exactly what
 * the hardware's address generators yield (docs/microarchitecture.md, "DMA"). */
#ifndef WEFT_SIM_DMA_H
#define WEFT_SIM_DMA_H

#include "dram.h"
#include "state.h"

/* Contiguous byte runs of a LOAD: rows, or pixels where the source has gaps, merged when adjacent;
 * cut into bursts. */
typedef struct {
  const weft_insn_LOAD *in;
  uint64_t base;       /* address of row 0's valid byte 0 */
  uint32_t row, pixel; /* next run to fetch */
  uint64_t addr, left; /* the run being cut */
} weft_load_bursts;
void weft_load_bursts_begin(weft_load_bursts *it, const weft_sim *s, const weft_insn_LOAD *in);
bool weft_load_bursts_next(weft_load_bursts *it, weft_burst *out);

/* Words that a LOAD writes, one per cycle: each yields how many stream bytes (bytes of all runs so
 * far) must have arrived before it can be written. */
typedef struct {
  const weft_insn_LOAD *in;
  uint32_t row, pixel, word, words; /* word of the pixel */
  uint32_t unit;                    /* bytes per memory word */
  uint64_t row_start;               /* stream bytes before this row's run(s) */
  uint64_t need;                    /* never decreases */
} weft_load_words;
void weft_load_words_begin(weft_load_words *it, const weft_sim *s, const weft_insn_LOAD *in);
bool weft_load_words_next(weft_load_words *it, uint64_t *need);

/* Words that a STORE reads, one per cycle, and the DRAM bytes each one yields. */
typedef struct {
  const weft_insn_STORE *in;
  uint64_t base;
  uint32_t row, pixel, byte; /* next byte of the pixel */
  uint32_t w;
} weft_store_words;
void weft_store_words_begin(weft_store_words *it, const weft_sim *s, const weft_insn_STORE *in);
bool weft_store_words_next(weft_store_words *it, uint64_t *addr, uint32_t *bytes);

#endif

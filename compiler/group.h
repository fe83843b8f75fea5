/* Groups of layers that are computed together, tensor rows (or channels) streaming through ring
 * buffers in the scratchpad.
 *
 *   group_plan.c   is a run of nodes a group, what buffers does it need, where do they lie
 *   group_emit.c   its instructions, in the order of the data
 *   groups.c       which runs of the network become groups; what stays in the scratchpad between
 *
 * Streamed by rows: all weights of the group are in the weight buffer; producing a row of the last
 * layer asks for the rows that it needs of the layer before, and so on up to the first; each tensor
 * is a ring of as many rows as are needed at once plus some to run ahead. Streamed by channels: one
 * convolution whose weights are too large to stay, followed by layers that keep channels apart
 * (depthwise, elementwise, pools): chunk by chunk of column blocks through all of them, the input
 * whole in the scratchpad, the result as well or its chunks on their way to DRAM. At the end there
 * may be a second convolution, which adds every chunk of channels to sums in the accumulators as
 * soon as it is there.
 *
 * Every buffer has scratchpad banks of its own, so that no two units meet at a port except where
 * two units read the same tensor. */
#ifndef WEFT_GROUP_H
#define WEFT_GROUP_H

#include "conv.h"
#include "lower.h"

enum { GROUP_STAGES = 48, GROUP_BUFFERS = 2 * GROUP_STAGES, MAX_BANKS = 64 };

typedef enum { STAGE_CONV, STAGE_DW, STAGE_VECTOR } stage_kind;
typedef enum { BY_STAGE, BY_LOAD, BY_WINDOWS, RESIDENT } buffer_source;

/* A tensor, or its last rows, in the scratchpad. */
typedef struct {
  buffer_source source;
  int stage;  /* BY_STAGE: who produces it; BY_WINDOWS: for whom LOAD packs windows */
  int tensor; /* owner in the arena */
  view v;
  uint32_t h, w, words; /* rows, pixels, words per pixel of the tensor */
  uint32_t x, strip;    /* columns at hand: first, how many */
  uint32_t covered;     /* columns below are in earlier strips */
  uint32_t width;       /* pixels that a row in the scratchpad has room for */
  uint32_t ring, need;  /* rows it holds; rows it must hold */
  uint32_t slots;       /* streamed by channels: chunk buffers; 0: the tensor itself */
  uint32_t slot_words;
  uint32_t bank, banks, base;
  uint32_t produced; /* rows so far */
  bool store;        /* goes to DRAM as well */
  bool stays;        /* whole in the scratchpad, for later groups */
} group_buffer;

typedef struct {
  stage_kind kind;
  int node, layer;
  conv v;
  vector_layer vec;
  int in[2], n_in, out; /* buffers */
  window k;             /* on the input buffer: 1x1 when LOAD packs windows */
  uint32_t h;           /* output rows */
  uint32_t rows;        /* per step */
  uint32_t next;        /* first row not computed */
  bool prepared;
  chunk *chunks;
  piece *pieces;
  int n_chunks;
  int *weights_at, *params_at; /* per chunk */
  uint32_t dw_at, dw_word;     /* in the depthwise buffer: where, from which channel word on */
  uint64_t dw_constants;
  bool sums; /* adds chunks of input channels up */
  conv_slices slices;
  int next_chunk, next_piece;
} group_stage;

/* How a group goes through its tensors. */
typedef struct {
  bool by_channels;
  bool chunks_leave; /* by channels: for DRAM, each when it is computed; no whole result */
  uint32_t strips;   /* the last stage's columns, in so many parts */
} group_form;

typedef struct {
  lowering *l;
  int first, end; /* nodes */
  group_form form;
  uint32_t per;        /* by channels: channel words of a chunk (of a convolution: column blocks) */
  uint32_t chunk_rows; /* of the leading convolution's weights */
  uint32_t work_rows;  /* accumulators that hold no sums of other instructions */
  bool dw_streams;     /* the depthwise buffer holds the parameters of single chunks */
  int n_stages, n_buffers;
  group_stage stage[GROUP_STAGES];
  group_buffer buffer[GROUP_BUFFERS];
} group;

/* A tensor that stays in the scratchpad after its group. */
typedef struct {
  group_buffer b;
  int last_use; /* node */
  bool in_dram;
} resident;

typedef struct {
  lowering *l;
  int n_residents;
  resident resident[MAX_BANKS];
  uint64_t used_banks;
  uint32_t next_bank;
  const int *last_use; /* per owner tensor: last node that reads it; n_nodes for outputs */
} residency;

/* Plans nodes [first, end) as a group, in vertical strips whose borders are computed twice; false
 * when they are not one or do not fit. Emits nothing. */
bool group_plan(residency *r, int first, int end, group_form form, group *g);
/* Sets the columns of every buffer for strip `i`; strips are set in order. */
void group_set_strip(group *g, uint32_t i);
/* Emits a planned group: one layer of the report per node. */
void group_emit(residency *r, group *g);
void group_free(group *g);
/* STOREs rows [y, y + h) of a buffer to the tensor's place in DRAM. */
void store_buffer_rows(lowering *l, const group_buffer *b, uint32_t y, uint32_t h);
/* Bits of banks [first, first + n), n >= 1. */
static inline uint64_t bank_mask(uint32_t first, uint32_t n) {
  return UINT64_MAX >> (MAX_BANKS - n) << first;
}
static inline uint32_t row_words(const group_buffer *b) {
  return b->width * b->words;
}
/* The tensor column that lies at the beginning of a row in the scratchpad. */
static inline uint32_t origin(const group_buffer *b) {
  return b->width == b->w ? 0 : b->x;
}

/* groups.c: lowers as many nodes from `node` on as make a group; returns how many (0: none). */
int groups_lower(residency *r, int node);
/* Writes resident tensors that later nodes need to DRAM and gives their banks up. */
void groups_spill(residency *r, int node);
/* Begins the layer of node `i` in the report. */
void begin_layer(lowering *l, int i);

#endif

/* Inside lower_conv*: a convolution, its weights cut into tiles, and how it is tiled. */
#ifndef WEFT_CONV_H
#define WEFT_CONV_H

#include "lower.h"

/* The layer: every convolution-like operator (CONV_2D, grouped or not, FULLY_CONNECTED,
 * DEPTHWISE_CONV_2D on the array) is out[oc] = sum over window and input channels of its group. */
typedef struct {
  const weft_node *node;
  view x, y;
  window k;
  uint32_t group_in, group_out; /* input and output channels per group */
  const void *weights;
  bool weights_uint8, depthwise; /* layout OHWI, or 1HWO */
  const int32_t *bias;           /* or NULL */
  bool packed;                   /* K packed across taps: LOAD builds pixels of kh*kw*C channels */
} conv;

/* The K range of blocks that one column block needs from one weight component. Weights of old
 * uint8 models leave int8 by at most a factor of two: w = w0 + w1 + w2, each int8; the few blocks
 * where w1 or w2 is not zero are passes of their own. */
typedef struct {
  uint32_t nb, n_count; /* column blocks (several only when they need the same) */
  uint32_t kb, k_count; /* channel blocks */
  int component;
  bool first, last; /* of the column block's sums */
  uint32_t row;     /* of the tiles, within the chunk */
} piece;

/* What is loaded into the weight buffer at once. */
typedef struct {
  uint32_t nb, n_count; /* column blocks */
  uint32_t kb, k_count; /* slice of the channel blocks: what the input tile must hold */
  bool last_slice;
  int first_piece, n_pieces;
  uint32_t rows;
  uint64_t offset, param_offset; /* constants */
} chunk;

typedef struct {
  uint32_t th, tw;
  bool weights_outer;  /* loop order: weight chunks outside, tiles inside */
  bool resident;       /* all weights stay in the buffer for the whole layer */
  uint32_t in_banks;   /* split of the scratchpad */
  uint32_t k_slice;    /* channel blocks per slice of the weights */
  bool input_whole;    /* an input tile holds all channels, even where the weights are sliced */
  uint32_t chunk_rows; /* at most, per chunk */
} conv_plan;

/* conv_weights.c */
int32_t conv_weight(const conv *v, uint32_t oc, uint32_t ky, uint32_t kx, uint32_t ic);
uint32_t conv_taps(const conv *v);     /* per pass: 1 when packed */
uint32_t conv_channels(const conv *v); /* K per tap, as the array sees it */
/* Channel blocks that column block nb needs. */
void conv_k_range(const conv *v, const lowering *l, uint32_t nb, uint32_t *kb, uint32_t *count);
/* Output-stage parameters of channels [first, first + n), 12 bytes each; zero past the last. */
void conv_params(const conv *v, const lowering *l, uint32_t first, uint32_t n, uint8_t *out);
/* Cuts the layer into chunks and pieces, and appends tiles and parameters to the constants. Returns
 * the number of chunks; the caller frees both arrays. */
int conv_build_chunks(conv *v, lowering *l, const conv_plan *plan, chunk **chunks, piece **pieces);
/* The same for sums that grow slice by slice of k_slice channel blocks: `online` column blocks at a
 * time through all slices, a piece for every slice of at most `most` of them; slices share a chunk
 * of up to chunk_rows. For convolutions of one piece a column block. */
typedef struct {
  uint32_t k_slice, online, most, chunk_rows;
} conv_slices;
int conv_build_slices(conv *v, lowering *l, const conv_slices *how, chunk **chunks, piece **pieces);
/* All column blocks need all channel blocks, once. */
static inline bool conv_is_dense(const conv *v) {
  return !v->weights_uint8 && v->group_in == v->x.c;
}
/* Int8 components that a weight minus its zero point may need: three for uint8 weights. */
enum { CONV_COMPONENTS = 3 };
static inline uint32_t conv_components(const conv *v) {
  return v->weights_uint8 ? CONV_COMPONENTS : 1;
}
/* Rows of the weight buffer that all of it needs: the first component; all of them, at most. */
uint64_t conv_weight_rows(const conv *v, const lowering *l);
static inline uint64_t conv_most_rows(const conv *v, const lowering *l) {
  return conv_weight_rows(v, l) * conv_components(v);
}
/* Rows of the largest column block's first component. */
uint32_t conv_column_rows(const conv *v, const lowering *l);

/* lower_conv.c: what a node is as a convolution; NULL, or why the array cannot do it. */
const char *conv_describe(lowering *l, int node, conv *out);
/* Accounts for its multiplications and array cycles. */
void conv_account(lowering *l, const conv *v);

/* lower_depthwise.c: the same for a depthwise convolution on the depthwise engine. */
const char *depthwise_describe(lowering *l, int node, conv *out);
void depthwise_account(lowering *l, const conv *v);
/* Appends parameters and taps of channel words [first, first + n) to the constants. */
uint64_t depthwise_constants(lowering *l, const conv *v, uint32_t first, uint32_t n);
/* Depthwise buffer words per channel word. */
static inline uint32_t depthwise_block(const conv *v) {
  return WEFT_PARAM_BYTES + v->k.kh * v->k.kw;
}

/* --- conv_emit.c ------------------------------------------------------------------------------ */
/* Where a GEMM finds its operands. */
typedef struct {
  weft_operand in;     /* the tile's first input row, at channel 0 of the buffer */
  uint32_t in_w;       /* pixels per row */
  uint32_t in_channel; /* added to the input channel */
  uint32_t kb;
  uint32_t weights_row, params_block; /* of the chunk */
  uint32_t chunk_nb;                  /* first column block of the chunk */
  weft_operand out;                   /* the tile's first row, at column block nb */
  uint32_t nb;
  uint32_t acc_base; /* first accumulator row */
  bool sums;         /* which hold sums between instructions, others of the array in between */
} gemm_place;
/* The instruction of one piece on one tile; scratchpad accesses are the caller's to declare. */
emitted *gemm_emit(lowering *l, const conv *v, const gemm_place *at, const piece *p, const tile *t);
/* The instruction of channel words [word, word + words) on one tile; likewise. */
emitted *depthwise_emit(lowering *l, const conv *v, const tile *t, weft_operand a, uint32_t in_w,
                        weft_operand o, uint32_t word, uint32_t words, uint32_t params);
/* LOADs windows: the pixel of output (y, x) in the buffer is the whole kernel window it needs.
 * operand_at says where row y goes, touch declares the access of rows [y, y + h). */
void windows_load(lowering *l, const conv *v, const tile *t,
                  weft_operand (*operand_at)(void *user, uint32_t y),
                  void (*touch)(emitted *e, void *user, uint32_t y, uint32_t h), void *user);

/* conv_plan.c: NULL, or why no tiling fits this configuration. */
const char *conv_choose_plan(const conv *v, const lowering *l, conv_plan *plan);

#endif

/* Inside the compiler: how layers become instructions.
 *
 *   plan.c       where tensors lie in the arena, by lifetime
 *   emit.c       the instruction list, constants, on-chip allocation; sync.c adds the tokens
 *   tiles.c      windows, tile loads and stores shared by all layers
 *   lower_*.c    one family of operators each
 *   compile.c    decides what runs where, walks the graph, puts the program together
 *
 * A layer declares for every instruction which on-chip memory and DRAM it touches; sync.c turns
 * these declarations into semaphores, so lowering code only thinks in program order. */
#ifndef WEFT_LOWER_H
#define WEFT_LOWER_H

#include "params.h"
#include "program.h"

/* --- what an instruction touches -------------------------------------------------------------- */
typedef enum {
  SPACE_SPAD,   /* scratchpad words */
  SPACE_WEIGHT, /* weight buffer rows */
  SPACE_PARAM,  /* parameter blocks */
  SPACE_DWBUF,  /* depthwise buffer words */
  SPACE_LUT,    /* slots */
  SPACE_EXP,    /* slots */
  SPACE_ACC,    /* accumulator rows; written: sums stay in them, read: work for one instruction */
  SPACE_ARENA,  /* DRAM bytes of region 2 */
  SPACES
} space;

typedef struct {
  space where;
  bool write;
  uint64_t first, count;
} access;

/* Rows that the scheduler and the semaphores tell apart. */
enum { WEIGHT_GRAIN = 16, ACC_GRAIN = 4 };

enum { MAX_ACCESS = 16 };

typedef struct {
  weft_insn insn;
  weft_result result;
  int layer;
  bool glued; /* must follow the unit's previous instruction directly (sums in accumulators) */
  int n_access;
  access access[MAX_ACCESS];
} emitted;

/* A region of an on-chip memory handed out round and round: what was handed out longest ago is
 * reused first, and sync.c orders the reuse after its last reader. */
typedef struct {
  uint32_t base, size, next;
} ring;

/* What the compiler tries several values of; the fewest cycles decide. */
typedef struct {
  uint32_t pixels;       /* of output per instruction, about, in units of array rows */
  uint32_t cycles;       /* of its unit per instruction, at least about */
  uint32_t ahead;        /* steps that a producer may run ahead of need */
  uint32_t weight_share; /* of the weight buffer that a group may fill, in eighths */
  uint32_t stay_share;   /* of the banks that a tensor between groups may take, in eighths */
  uint32_t small;        /* convolutions of up to so many pixels are streamed by channels */
  uint32_t strips;       /* vertical strips that a group may be cut into */
  uint32_t chunk;        /* by channels: pixels times column blocks of a chunk, at most about */
  bool longest_first;    /* of instructions that can start, the one with the longest way to go */
  bool sums;             /* by channels: a second convolution adds the chunks up */
  bool groups;           /* off: layer by layer */
} strategy;

typedef struct {
  const weft_graph *graph;
  const weft_config *cfg;
  strategy how;
  bool in_order;     /* leave the instructions in the order of the data */
  uint64_t estimate; /* cycles, by the scheduler */
  weft_program *prog;
  weft_err *err;
  uint32_t w, r, c; /* word bytes, array rows, array columns */
  emitted *insn;
  size_t n_insns, size_insns;
  size_t size_constants;
  int layer; /* being lowered */
  ring weights, params, dwbuf, luts, exps;
  ring in, out;        /* the scratchpad's halves: what LOAD fills, what results go to */
  uint64_t dram_bytes; /* of the layer: what its LOADs and STOREs move */
  int *owner;          /* per tensor: the one whose bytes it shows (views), itself otherwise */
  int *begins, *ends;  /* per node: first and last node of its group; they are computed together */
  FILE *dump;          /* passes say here what they did, or NULL */
  bool rehearsal;      /* only find the groups */
  int *pad_of;         /* per tensor: the PAD that makes it and is folded into its readers, or -1 */
  bool no_shortcuts;   /* neither take a QUANTIZE for a view nor fold a PAD: some reader needs it */
} lowering;

/* --- emit.c ----------------------------------------------------------------------------------- */
/* Appends an instruction; the caller fills in the rest. Never NULL (out of memory aborts). The
 * pointer is valid until the next append. */
emitted *emit(lowering *l, weft_insn_code opcode);
void emit_access(emitted *e, space where, bool write, uint64_t first, uint64_t count);
/* Appends constants; returns their byte offset in region 1 (64-byte aligned). */
uint64_t emit_constants(lowering *l, const void *bytes, size_t n);
/* Hands out `n` consecutive units of a ring; n must not exceed its size. */
uint32_t ring_take(ring *r, uint32_t n);
/* LOADs constants flat into an on-chip memory (WEFT_MEM_*); `where` and `count` in its units. */
void emit_flat_load(lowering *l, unsigned mem, space where, uint32_t first, uint32_t count,
                    uint64_t offset, size_t bytes);

/* schedule.c: reorders the instructions [first, end) for the units to work side by side; what
 * depends on what, by the declared accesses, keeps its order. */
void schedule_instructions(lowering *l, size_t first, size_t end);

/* sync.c: sets wait and post of all instructions from their accesses. */
void sync_instructions(lowering *l);

/* --- plan.c ----------------------------------------------------------------------------------- */
/* The operator needs no instructions: same bytes under another shape, a uint8 to int8 QUANTIZE that
 * only inverts bit 7, which LOAD does on the way, or a PAD folded into its readers. */
bool is_view(const lowering *l, const weft_node *n);
/* Places every activation in the arena; views share their source's place. */
void plan_arena(lowering *l);

/* --- tiles.c ---------------------------------------------------------------------------------- */
/* A tensor as images: rank 4 as it is; ranks 3, 2, 1 get leading ones. */
typedef struct {
  int tensor;
  uint32_t n, h, w, c;
  bool uint8;      /* DRAM holds uint8: flipped on the way in and out */
  int32_t zp;      /* zero point of the int8 codes on the chip */
  uint32_t region; /* constants: 1, arena: 2 */
  uint64_t offset;
} view;
/* False when the tensor is not an 8-bit tensor of at most four dimensions. */
bool view_of(lowering *l, int tensor, view *out);
/* True when the DMA's strides reach all of the tensor. */
bool dma_reaches(const view *v);

/* Codes of a tensor's type as they are on the chip, and the ones that an activation lets through.
 */
weft_range chip_codes(weft_range codes, weft_dtype dtype);
weft_range chip_range(weft_activation act, const weft_tensor *out);

/* Kernel, stride, dilation and padding of a window operator. */
typedef struct {
  uint32_t kh, kw, sy, sx, dy, dx;
  uint32_t pad_top, pad_left;
} window;

/* The input of a convolution: where it comes from a folded PAD, the PAD's input, and the window's
 * padding grows instead. False when it is not an 8-bit tensor of at most four dimensions. */
bool input_view(lowering *l, int tensor, view *out, window *k);

/* A tile of an output image and, along one axis each, the input it needs. */
typedef struct {
  uint32_t n, y, x, h, w;     /* output */
  uint32_t iy, ix, ih, iw;    /* input, clipped to the image */
  uint32_t pad_top, pad_left; /* of the clipped input */
} tile;
tile tile_at(const view *in, const window *k, uint32_t n, uint32_t y, uint32_t x, uint32_t h,
             uint32_t w);

/* A tile in the scratchpad. */
typedef struct {
  uint32_t base, words; /* words per pixel */
  uint32_t h, w;
} buffer;
weft_operand operand_of(const buffer *b);
static inline uint32_t buffer_words(const buffer *b) {
  return b->h * b->w * b->words;
}
static inline uint32_t ceil_div(uint32_t a, uint32_t b) {
  return (a + b - 1) / b;
}

/* LOADs rows [y, y+h), pixels [x, x+w), channels [c, c+n) of image `image` into a new buffer. */
buffer load_tile(lowering *l, const view *v, uint32_t image, uint32_t y, uint32_t x, uint32_t h,
                 uint32_t w, uint32_t c, uint32_t n);
/* A new buffer for results. */
buffer result_buffer(lowering *l, uint32_t h, uint32_t w, uint32_t channels);
/* STOREs a result buffer as channels [c, c+n) of a tile of an output tensor. */
void store_tile(lowering *l, const view *v, const buffer *b, uint32_t image, uint32_t y, uint32_t x,
                uint32_t c, uint32_t n);
/* Declares that an instruction reads or writes a buffer. */
void touch_buffer(emitted *e, const buffer *b, bool write);
/* Says what an instruction's result is: channels [c, c+n) of a tile of a tensor. */
void set_result(emitted *e, const view *v, uint32_t image, uint32_t y, uint32_t x, uint32_t h,
                uint32_t w, uint32_t c, uint32_t n, bool flip);

/* Splits an h x w output into equal tiles that fit: calls fits() with shrinking tiles, rows first,
 * then columns. False when not even 1 x 1 fits. */
bool choose_tile(uint32_t h, uint32_t w, bool (*fits)(void *, uint32_t th, uint32_t tw), void *user,
                 uint32_t *th, uint32_t *tw);

/* --- vector unit (lower_vector.c) ------------------------------------------------------------- */
/* A node as the vector unit does it: a prototype instruction, operands, window, table. */
typedef struct {
  weft_insn_code opcode; /* VEW, VPOOL or VROW */
  weft_insn_VEW vew;
  weft_insn_VPOOL vpool;
  weft_insn_VROW vrow;
  view a, b, y;
  window k;
  bool broadcast;    /* b is one value per channel */
  bool scalar;       /* and all of them are the same constant */
  uint32_t operands; /* 1 or 2 */
  uint64_t cycles_per_word;
  unsigned table_mem; /* WEFT_MEM_LUT, WEFT_MEM_EXP */
  size_t table_bytes; /* 0: none */
  uint8_t table[WEFT_EXP_BYTES];
} vector_layer;
/* True for operators that the vector unit may be able to do. */
bool on_vector_unit(const weft_graph *g, const weft_node *n);
/* NULL, or why the vector unit cannot do the node. */
const char *vector_describe(lowering *l, int node, vector_layer *v);
void vector_account(lowering *l, const vector_layer *v);
/* LOADs its table, if it has one, and notes the slot. */
void vector_load_table(lowering *l, vector_layer *v);
/* Emits the instruction for a tile and channels [c, c+n); the caller declares the accesses to the
 * scratchpad. */
emitted *vector_emit(lowering *l, const vector_layer *v, const tile *t, weft_operand a,
                     weft_operand b, weft_operand o, uint32_t c, uint32_t n);

/* --- lowering --------------------------------------------------------------------------------- */
/* Each returns NULL when the layer was lowered, else why the device cannot do it (static text), and
 * then nothing has been emitted. They also fill in the layer's unit and bounds. */
const char *lower_conv(lowering *l, int node);
const char *lower_depthwise(lowering *l, int node);
const char *lower_vector(lowering *l, int node);
const char *lower_copy(lowering *l, int node);

/* Adds to the layer's account: cycles that the unit cannot do without. */
typedef enum { BOUND_ARRAY, BOUND_DW, BOUND_VEC } bound_kind;
void account(lowering *l, bound_kind kind, uint64_t cycles, uint64_t macs);

#endif

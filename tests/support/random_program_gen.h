/* What the files of random_program.h share: the program under construction. */
#ifndef WEFT_TEST_RANDOM_PROGRAM_GEN_H
#define WEFT_TEST_RANDOM_PROGRAM_GEN_H

#include "random_program.h"

/* What kind of program, and how often which motif (weights). */
typedef struct {
  const char *name;
  int insns_lo, insns_hi; /* before END */
  int size;               /* most rows and pixels of an operand */
  int load, flat, store, gemm, dw, vew, vpool, vrow, fence, sums, ring, queue, joined;
  int chain; /* percent of inputs that are an earlier instruction's result */
  random_tokens tokens;
  bool apart; /* each unit reads and writes banks of its own */
} random_profile;

/* A result that later instructions may read. */
typedef struct {
  weft_operand at;
  uint32_t rows, pixels, words;
} random_tensor_place;

enum { RANDOM_PLACES = 8 };
typedef struct {
  random_program *p;
  random_order *order;
  random_source r;
  const random_profile *profile;
  random_tensor_place place[RANDOM_PLACES]; /* the newest ones, a ring */
  int n_places;
  uint32_t w;
} random_maker;

static inline uint32_t pick(random_maker *g, uint32_t lo, uint32_t hi) {
  return (uint32_t)random_range(&g->r, (int)lo, (int)(hi < lo ? lo : hi));
}
static inline bool chance(random_maker *g, int percent) {
  return random_chance(&g->r, percent);
}
static inline uint32_t least(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* An instruction with every field at its smallest accepted value (signed: 0). */
weft_insn random_blank(int opcode);
/* Appends an instruction, after LOADs of what it reads and nobody wrote. False when it writes over
 * its own input, the program is full, or the device has no such unit. */
bool random_emit(random_maker *g, weft_insn *insn);
/* A place for rows x pixels of `words` words that unit `unit` writes or reads; the sizes may come
 * back smaller. */
weft_operand random_place(random_maker *g, int unit, bool write, uint32_t *rows, uint32_t *pixels,
                          uint32_t *words);
/* An input of at most these sizes: an earlier result, or a new place. */
weft_operand random_input_place(random_maker *g, int unit, uint32_t *rows, uint32_t *pixels,
                                uint32_t *words);
void random_result(random_maker *g, weft_operand at, uint32_t rows, uint32_t pixels,
                   uint32_t words);

/* Each appends one instruction and what it needs. */
void random_load(random_maker *g);
void random_flat(random_maker *g);
void random_store(random_maker *g);
void random_gemm(random_maker *g);
void random_dw(random_maker *g);
void random_vew(random_maker *g);
void random_vpool(random_maker *g);
void random_vrow(random_maker *g);
/* GEMMs that hand on their sums. */
void random_sums(random_maker *g);
/* A LOAD whose rows follow each other in DRAM, more than one burst. */
void random_joined(random_maker *g);

/* A program of one purpose with END: `build` appends its instructions. */
void random_program_build(random_program *p, const weft_config *cfg, uint64_t seed,
                          const char *name, void (*build)(random_maker *g, int variant),
                          int variant);

/* LOADs that bring bytes [first, last] of a memory. */
bool random_fill_memory(random_maker *g, int memory, size_t first, size_t last);

#endif

/* Random programs for a device: valid, free of races and complete by construction, the same for the
 * same configuration and seed.
 *
 * random_program_make() writes instructions one by one; random_order (random_program_order.c) knows
 * for every word who wrote and read it last and adds the tokens that each instruction needs, so
 * instructions are chosen freely. The C model's own proof (check_races) is the judge.
 * random_program_shrink() makes a failing program smaller. */
#ifndef WEFT_TEST_RANDOM_PROGRAM_H
#define WEFT_TEST_RANDOM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "device_compare.h"
#include "isa.h"
#include "random_graph.h"

enum {
  PROGRAM_INSNS = 128,
  PROGRAM_CONSTANTS = 32 * 1024, /* region 1; its zones follow */
  PROGRAM_PARAMS = 16 * 1024,    /* from here, 12 bytes each: parameters that make sense */
  PROGRAM_EXPS = 24 * 1024,      /* from here, 1 KiB each: softmax tables */
  PROGRAM_N_EXPS = 4,
  PROGRAM_ARENA = 16 * 1024 /* regions 2 to 7, each from another byte on (device_region_skew) */
};

typedef struct {
  weft_config cfg;
  uint64_t seed; /* of the memory images too */
  const char *profile;
  int n;
  weft_insn insn[PROGRAM_INSNS];
  uint32_t offset; /* of the first instruction in region 0 */
} random_program;

/* A random program with END; profile < 0: any of random_profiles(). */
void random_program_make(random_program *p, const weft_config *cfg, uint64_t seed, int profile);
int random_profiles(void);

/* The program as bytes, with its memory images, for device_run(). */
typedef struct {
  uint8_t code[1024 + PROGRAM_INSNS * WEFT_INSN_BYTES];
  uint8_t constants[PROGRAM_CONSTANTS], arena[PROGRAM_ARENA];
  device_job job;
} random_job;
random_job *random_job_new(const random_program *p); /* free() it */

/* A line of assembly for each instruction, with its index, to standard error. */
void random_program_print(const random_program *p);
/* Keeps a program in a file, and reads it back; false when that fails. */
bool random_program_save(const random_program *p, const char *path);
bool random_program_read(random_program *p, const char *path);

/* --- order ------------------------------------------------------------------------------------ */
typedef struct random_order random_order;

/* Follows the instructions p->insn[0], [1], ... in order. */
random_order *random_order_new(random_program *p);
void random_order_free(random_order *o);

/* What stands in the way of an instruction. */
typedef struct {
  bool overlap; /* it writes over its own input */
  int memory;   /* WEFT_MEM_*, or -1: bytes [first, last] of it are read and not written yet */
  size_t first, last;
  bool sums; /* accumulators that hold no sums are read */
} random_obstacle;
random_obstacle random_order_look(random_order *o, const weft_insn *insn);

/* How generous with tokens, in percent. */
typedef struct {
  int extra; /* tokens that nothing needs */
  int late;  /* tokens from a later instruction than needed */
} random_tokens;
/* The next instruction, p->insn[p->n], comes to the program: tokens are put into it and into
 * earlier ones. False, and nothing done, when something stands in its way. */
bool random_order_add(random_order *o, random_source *r, random_tokens tokens);
/* Takes all tokens away and puts in those that are needed; false: reads what nobody wrote. */
bool random_program_order_again(random_program *p);

/* Calls `fn` for everything that an instruction reads and writes: bytes of WEFT_MEM_*, rows of the
 * accumulators, bytes of the arena. */
enum { ACCESS_ACC = 6, ACCESS_ARENA };
typedef void (*access_fn)(void *user, int memory, size_t first, size_t n, bool write);
void random_accesses(const weft_config *cfg, const weft_insn *insn, access_fn fn, void *user);

/* --- shrinking -------------------------------------------------------------------------------- */
/* Whether the program still shows the failure that is looked for. */
typedef bool (*random_fails)(void *user, const random_program *p);
/* Makes `p` smaller while it fails: fewer instructions, then smaller fields. Every candidate is
 * proved by the C model first. Returns how many candidates were tried. */
int random_program_shrink(random_program *p, random_fails fails, void *user);
/* The C model accepts it, with check_races; otherwise `why` says what it found. */
bool random_program_valid(const random_program *p, char *why, size_t size);

#endif

/* Random small networks for adversarial tests: valid by construction, the same for the same seed.
 *
 * random_graph() builds one of 1 to 8 operators; random_graph_part() cuts a run of operators out of
 * it, for shrinking a failure; random_inputs() makes values, random_config() a device. */
#ifndef WEFT_TEST_RANDOM_GRAPH_H
#define WEFT_TEST_RANDOM_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "graph.h"

/* A sequence of random numbers (splitmix64). */
typedef struct {
  uint64_t state;
} random_source;

uint64_t random_next(random_source *r);
/* In [lo, hi]. */
int random_range(random_source *r, int lo, int hi);
/* True in `percent` of all cases. */
bool random_chance(random_source *r, int percent);
/* In [lo, hi), evenly. */
double random_real(random_source *r, double lo, double hi);
/* Codes: anything, all the same extreme, extremes mixed, or mostly `zero`. */
void random_codes(random_source *r, uint8_t *out, size_t n, uint8_t zero);

/* What kind of network; zero-initialized is everything. */
typedef struct {
  int nodes;        /* 0: random, 1 to 8 */
  bool simple;      /* int8; convolutions and additions; all values and scales moderate */
  bool bottlenecks; /* 1x1 and depthwise convolutions in turn, with many channels between them */
  int channels;     /* 0: random, up to 80 */
} random_graph_options;

weft_graph *random_graph(uint64_t seed, const random_graph_options *options);

/* Nodes [first, last) of `g` with the same tensor numbers: what earlier nodes wrote becomes an
 * input, what no node of the part reads an output. NULL when nothing is left to feed it. */
weft_graph *random_graph_part(const weft_graph *g, int first, int last);

/* Values for every graph input; the caller frees each and the list. */
void **random_inputs(const weft_graph *g, uint64_t seed);
void random_inputs_free(const weft_graph *g, void **input);

/* A device: with `preset` 0 to 3 one of the four presets, otherwise one with odd sizes. `text` says
 * which keys differ from the defaults. */
void random_config(uint64_t seed, int preset, weft_config *out, char *text, size_t size);
/* A device of the smallest preset's kind, whose memories hold hardly anything whole. */
void random_small_config(uint64_t seed, weft_config *out, char *text, size_t size);

#endif

/* Functional coverage of programs: named bins, one per instruction, mode and corner, with how often
 * a run met them. A bin that a configuration cannot reach (a_block where rows = W) is not there. */
#ifndef WEFT_TEST_COVERAGE_H
#define WEFT_TEST_COVERAGE_H

#include "device_compare.h"
#include "random_program.h"

enum { COVERAGE_BINS = 400 };

typedef struct {
  const char *group, *name;
  uint64_t hits;
} coverage_bin;

typedef struct {
  weft_config cfg;
  int n;
  coverage_bin bin[COVERAGE_BINS];
  bool counting;
} coverage;

/* Every bin that the configuration can reach, with no hits. */
void coverage_init(coverage *c, const weft_config *cfg);
/* What a program and its run (of the model: it has arrive and busy) met. */
void coverage_add(coverage *c, const random_program *p, const device_result *run);
/* Prints the table, bin and hits; returns how many bins have none. */
int coverage_print(const coverage *c);

#endif

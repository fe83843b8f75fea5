/* A device that is only a record: every register access is written down, registers read back what
 * the test put there, memory is an array. */
#ifndef WEFT_TEST_SEAM_H
#define WEFT_TEST_SEAM_H

#include "driver.h"

enum { SEAM_LOG = 256, SEAM_REGISTERS = 0x400, SEAM_MEMORY = 1 << 16 };

typedef struct {
  uint32_t offset, value;
} seam_write;

typedef struct {
  uint32_t reg[SEAM_REGISTERS / 4];
  uint8_t memory[SEAM_MEMORY];
  int n_writes;
  seam_write write[SEAM_LOG];
  int polls_left;        /* RUNNING for that many polls after a doorbell; < 0: for ever */
  uint32_t final_status; /* STATUS after them */
  const char *error;
  bool broken_memory; /* every access fails */
  int *closed;        /* counts calls of close */
} seam;

extern const weft_device_ops seam_ops;

/* A seam that looks like a device of that configuration and finishes at once; it is freed when the
 * driver closes it. */
seam *seam_new(const weft_config *config);

#endif

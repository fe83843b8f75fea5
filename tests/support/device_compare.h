/* One program on one device, and what two devices made of it, side by side. */
#ifndef WEFT_TEST_DEVICE_COMPARE_H
#define WEFT_TEST_DEVICE_COMPARE_H

#include "driver.h"

/* What runs: region 0 code, 1 constants, 2 arena; regions 3 to 7 are the arena as well, each from
 * byte device_region_skew() on, so that bases are odd. */
typedef struct {
  const weft_config *cfg;
  const uint8_t *code;
  size_t code_bytes;
  uint32_t offset, count; /* of the doorbell */
  const uint8_t *constants, *arena;
  size_t constant_bytes, arena_bytes;
  uint32_t watchdog;
  bool check_races; /* of the model */
  bool fails_read;  /* memory answers constant byte `fail_at` with an error (RTL only) */
  uint32_t fail_at;
} device_job;
uint32_t device_region_skew(uint32_t region);

/* How a device is opened. */
typedef struct {
  const char *name;
  weft_status (*open)(void *user, const weft_config *cfg, size_t dram_bytes, weft_device **out,
                      weft_err *err);
  void *user;
} device_kind;
extern const device_kind device_model, device_rtl;
/* Whether the RTL of a configuration can be opened; otherwise `why` says why not. */
bool device_rtl_exists(const weft_config *cfg, char *why, size_t size);

/* What a run left behind. */
typedef struct {
  char opened[256]; /* "" or why the device did not open or load */
  weft_status status;
  weft_err err;
  uint32_t cause, insn;
  uint64_t addr;
  weft_device_counters counters;
  weft_device_time *time; /* per instruction */
  size_t n_times;
  uint8_t *dram, *spad;
  size_t dram_bytes, spad_bytes;
  uint64_t arena_addr, constant_addr;
} device_result;

/* Opens a device, runs the job, closes it. device_result_free() in any case. */
void device_run(const device_kind *kind, const device_job *job, device_result *out);
/* The same on an open device, without opening it; the result's memories belong to the caller. */
void device_run_on(weft_device *dev, const device_job *job, device_result *out);
void device_result_free(device_result *r);

/* What is compared. */
typedef enum {
  COMPARE_ALL,   /* everything */
  COMPARE_DATA,  /* status, cause, memories: a memory of other times */
  COMPARE_CAUSE, /* status, cause, instruction: where a device may see an error later */
} device_compare_what;
/* Compares two runs; true when equal. Otherwise `text` says in which way they are not: first the
 * earliest instruction with other times, as assembly, then bytes, then counters. */
bool device_compare(const device_job *job, const device_result *a, const device_result *b,
                    device_compare_what what, char *text, size_t size);

#endif

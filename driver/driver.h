/* The driver: one header for every kind of device.
 *
 * A device is opened by name: "model", the C model in this process, or "rtl", the Verilated
 * hardware (a shared object per configuration, `make rtl`), "rtl-waves" if it shall write waves.
 * Everything above the seam (weft_device_ops: registers and memory) is common, so tests can replace
 * the seam and assert which registers are written in which order. */
#ifndef WEFT_DRIVER_H
#define WEFT_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "err.h"
#include "isa.h"
#include "regs.h"

typedef struct weft_device weft_device;
struct weft_device_options;
struct weft_sim;

/* Times of one instruction in cycles after the doorbell (docs/microarchitecture.md); `arrive` and
 * `busy` equal `start` where a device does not show them. */
typedef struct {
  uint64_t arrive, start, busy, end;
} weft_device_time;

/* Called when instruction `index` (since the doorbell) has written its results. */
typedef void (*weft_device_observer)(void *user, size_t index);

/* What a device's back end provides. All offsets are bytes; `self` is the back end's own. */
typedef struct {
  uint32_t (*read32)(void *self, uint32_t offset);
  void (*write32)(void *self, uint32_t offset, uint32_t value);
  /* DRAM of the device; false when the range is outside it. */
  bool (*mem_read)(void *self, uint64_t addr, void *dst, size_t n);
  bool (*mem_write)(void *self, uint64_t addr, const void *src, size_t n);
  uint64_t (*mem_size)(void *self);
  /* Lets the device run for a while (a model: until its interrupt); called while waiting. */
  void (*poll)(void *self);
  /* Text of the last device error beyond what the registers say, or NULL. */
  const char *(*error_text)(void *self);
  void (*close)(void *self);
  /* Simulated devices have these; NULL otherwise. See weft_device_time_of() and following. */
  size_t (*n_times)(void *self);
  weft_device_time (*time)(void *self, size_t index);
  const uint8_t *(*memory)(void *self, int mem, size_t *bytes);
  void (*observe)(void *self, weft_device_observer observer, void *user);
  /* Only models have these two; NULL otherwise. */
  void (*set_options)(void *self, const struct weft_device_options *options);
  struct weft_sim *(*model)(void *self);
} weft_device_ops;

/* How the model behaves; other devices ignore it. Mirrors the options of the C model. */
typedef struct weft_device_options {
  bool timing_only; /* time without function */
  bool no_timing;   /* function without time */
  bool check_races;
  bool record;
  bool portable;
} weft_device_options;

/* Opens device `name` with a configuration and that many bytes of DRAM. Checks identity, version
 * and, by reading it back, the configuration. On failure *out is untouched. */
weft_status weft_device_open(const char *name, const weft_config *config, size_t dram_bytes,
                             weft_device **out, weft_err *err);
/* Opens a device on a given seam; takes ownership of `self`. */
weft_status weft_device_attach(const weft_device_ops *ops, void *self, const weft_config *config,
                               weft_device **out, weft_err *err);
void weft_device_close(weft_device *dev);
void weft_device_set_options(weft_device *dev, const weft_device_options *options);

/* Allocates device memory (bump allocation, `align` a power of two); 0 bytes are allowed. */
weft_status weft_device_alloc(weft_device *dev, size_t bytes, size_t align, uint64_t *addr,
                              weft_err *err);
/* Forgets all allocations. */
void weft_device_reset_memory(weft_device *dev);
weft_status weft_device_write(weft_device *dev, uint64_t addr, const void *src, size_t n,
                              weft_err *err);
weft_status weft_device_read(weft_device *dev, uint64_t addr, void *dst, size_t n, weft_err *err);

/* A loaded program's three regions (0 code, 1 constants, 2 arena); addresses in device memory. */
enum { WEFT_REGION_CODE, WEFT_REGION_CONST, WEFT_REGION_ARENA };
typedef struct {
  uint64_t addr[3], bytes[3];
} weft_loaded;
/* Allocates the regions (each at a multiple of WEFT_REGION_ALIGN), copies code and constants, sets
 * the region registers: regions 0 to 2, each base low, base high, size low, size high. The arena is
 * left as it is. On failure nothing stays allocated and no register is written. */
enum { WEFT_REGION_ALIGN = 4096 };
weft_status weft_device_load(weft_device *dev, const void *code, size_t code_bytes,
                             const void *constants, size_t constant_bytes, size_t arena_bytes,
                             weft_loaded *out, weft_err *err);

/* Device memory that a program with these regions needs. */
uint64_t weft_device_load_bytes(size_t code_bytes, size_t constant_bytes, size_t arena_bytes);

/* Rings the doorbell for `count` instructions at byte `offset` (multiple of 256) of region 0.
 * Registers are written in this order: PROGRAM_OFFSET, PROGRAM_COUNT, WATCHDOG, CONTROL (interrupt
 * enable), DOORBELL. */
weft_status weft_device_submit(weft_device *dev, uint32_t offset, uint32_t count, weft_err *err);
/* Waits for the interrupt; clears it. `timeout_cycles` (0: none) goes into the watchdog at the
 * next submit; see weft_device_set_timeout. Fails with WEFT_EDEVICE or WEFT_ETIMEOUT and one line
 * that names cause, instruction and address. */
weft_status weft_device_wait(weft_device *dev, weft_err *err);
void weft_device_set_timeout(weft_device *dev, uint32_t cycles);
/* Gives up waiting (WEFT_ETIMEOUT) when that many polls saw the device running; 0: never. For a
 * device that may hang without its watchdog noticing. */
void weft_device_set_poll_limit(weft_device *dev, uint64_t polls);
/* Soft reset: on-chip state is lost, DRAM is kept. */
void weft_device_reset(weft_device *dev);

/* Counters of the last run, read from the registers. */
typedef struct {
  uint64_t busy, idle, stall_operand, stall_dram, stall_queue;
} weft_device_unit;
typedef struct {
  uint64_t cycles, read_bytes, write_bytes;
  weft_device_unit unit[WEFT_UNITS + 1]; /* by WEFT_UNIT_*, FETCH last */
} weft_device_counters;
void weft_device_read_counters(weft_device *dev, weft_device_counters *out);

/* A look inside a simulated device; a device without one has no times, no memory, and its observer
 * is never called (false).
 *   n_times, time_of: the instructions of the last run, with the model's option `record`
 *   memory: the scratchpad (WEFT_MEM_SPAD), or the DRAM (WEFT_DEVICE_DRAM), as it is now
 *   observe: calls `observer` after each instruction; NULL ends it */
enum { WEFT_DEVICE_DRAM = -1 };
size_t weft_device_n_times(weft_device *dev);
weft_device_time weft_device_time_of(weft_device *dev, size_t index);
const uint8_t *weft_device_memory(weft_device *dev, int mem, size_t *bytes);
bool weft_device_observe(weft_device *dev, weft_device_observer observer, void *user);

/* The environment variable that gives devices opened as "rtl" an unfriendly memory: random
 * latencies and gaps, reads of different IDs that overtake each other, drawn from its value. */
#define WEFT_RTL_JITTER "WEFT_RTL_JITTER"

/* Opened as "rtl-waves": writes FST waves of the cycles [from, to) of every run into `path`, which
 * is overwritten. Fails when the device is another one. */
weft_status weft_device_waves(weft_device *dev, const char *path, uint64_t from, uint64_t to,
                              weft_err *err);

/* The C model behind a device opened as "model", for reports, checks and fault injection; NULL for
 * other devices. (struct weft_sim: see sim/sim.h.) */
struct weft_sim *weft_device_model(weft_device *dev);

#endif

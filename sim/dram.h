/* The DRAM behind the AXI port, as time: when which burst has the data bus.
 *
 * One bus for both directions, served burst by burst; reads in the order of their addresses, each
 * ready `latency` after its address; writes in the order in which they were announced. The rule of
 * arbitration is in docs/microarchitecture.md, "DRAM port". Used by the C model's timing and as the
 * memory of the Verilated RTL, so that the two cannot differ in it. */
#ifndef WEFT_SIM_DRAM_H
#define WEFT_SIM_DRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One AXI burst: never crosses a 256-byte boundary, so never a 4 KiB one. */
typedef struct {
  uint64_t addr;
  uint32_t bytes;
} weft_burst;

static inline uint32_t weft_burst_beats(weft_burst b, uint32_t bus) {
  return (uint32_t)((b.addr + b.bytes + bus - 1) / bus - b.addr / bus);
}

#define WEFT_NEVER UINT64_MAX
enum { WEFT_DRAM_READS = 128, WEFT_DRAM_WRITES = 32 };

/* A burst that waits; `owner` and `tag` are the caller's and come back with the grant. */
typedef struct {
  uint64_t ready; /* may be served from this cycle on */
  weft_burst burst;
  size_t tag;
  unsigned owner;
} weft_dram_request;

/* A burst that has the bus: beats in cycles start to start + beats - 1. */
typedef struct {
  weft_dram_request request;
  uint64_t start;
  uint32_t beats;
  bool write;
} weft_dram_grant;

typedef struct {
  uint32_t bus, latency, turnaround;
  uint64_t free; /* next cycle in which the bus may be granted */
  bool used, last_write;
  weft_dram_request read[WEFT_DRAM_READS], write[WEFT_DRAM_WRITES];
  size_t read_head, read_count, write_head, write_count;
} weft_dram;

/* `bus` in bytes per cycle; `latency`, `turnaround` in cycles. */
void weft_dram_init(weft_dram *d, uint32_t bus, uint32_t latency, uint32_t turnaround);
/* A read address in cycle `now`. At most WEFT_DRAM_READS wait. */
void weft_dram_read(weft_dram *d, uint64_t now, weft_burst burst, unsigned owner, size_t tag);
/* A write burst whose data are there in cycle `ready`. At most WEFT_DRAM_WRITES wait. */
void weft_dram_write(weft_dram *d, uint64_t ready, weft_burst burst, unsigned owner, size_t tag);
/* The cycle of the next grant as far as it is known now; WEFT_NEVER with nothing waiting. */
uint64_t weft_dram_next(const weft_dram *d);
/* Grants the bus in cycle `now` >= weft_dram_next(). */
weft_dram_grant weft_dram_serve(weft_dram *d, uint64_t now);

#endif

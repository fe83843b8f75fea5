/* Arbitration of the data bus. */
#include "dram.h"

#include <assert.h>

void weft_dram_init(weft_dram *d, uint32_t bus, uint32_t latency, uint32_t turnaround) {
  *d = (weft_dram){.bus = bus, .latency = latency, .turnaround = turnaround};
}

void weft_dram_read(weft_dram *d, uint64_t now, weft_burst burst, unsigned owner, size_t tag) {
  assert(d->read_count < WEFT_DRAM_READS);
  d->read[(d->read_head + d->read_count++) % WEFT_DRAM_READS] =
      (weft_dram_request){now + d->latency, burst, tag, owner};
}

void weft_dram_write(weft_dram *d, uint64_t ready, weft_burst burst, unsigned owner, size_t tag) {
  assert(d->write_count < WEFT_DRAM_WRITES);
  d->write[(d->write_head + d->write_count++) % WEFT_DRAM_WRITES] =
      (weft_dram_request){ready, burst, tag, owner};
}

uint64_t weft_dram_next(const weft_dram *d) {
  uint64_t r = d->read_count ? d->read[d->read_head].ready : WEFT_NEVER;
  uint64_t w = d->write_count ? d->write[d->write_head].ready : WEFT_NEVER;
  uint64_t first = r < w ? r : w;
  if (first == WEFT_NEVER) return WEFT_NEVER;
  return first > d->free ? first : d->free;
}

weft_dram_grant weft_dram_serve(weft_dram *d, uint64_t now) {
  bool read_ready = d->read_count && d->read[d->read_head].ready <= now;
  bool write_ready = d->write_count && d->write[d->write_head].ready <= now;
  bool write = write_ready && (!read_ready || !d->last_write);
  weft_dram_grant g = {.write = write, .start = now};
  if (d->used && write != d->last_write) g.start += d->turnaround;
  if (write) {
    g.request = d->write[d->write_head];
    d->write_head = (d->write_head + 1) % WEFT_DRAM_WRITES;
    d->write_count--;
  } else {
    g.request = d->read[d->read_head];
    d->read_head = (d->read_head + 1) % WEFT_DRAM_READS;
    d->read_count--;
  }
  g.beats = weft_burst_beats(g.request.burst, d->bus);
  d->free = g.start + g.beats;
  d->last_write = write;
  d->used = true;
  return g;
}

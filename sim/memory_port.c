/* The DRAM port: one read address channel shared by LOAD and the instruction fetch, one data bus
 * shared by reads and writes, and the engines that hang on it. docs/microarchitecture.md, "DMA". */
#include "timing.h"

static uint32_t bus(const timing *t) {
  return t->s->cfg.dram_bytes;
}
static uint64_t max2(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

/* --- read addresses ------------------------------------------------------------------------- */
static uint64_t load_address_time(const timing *t) {
  if (!t->ar_active) return WEFT_NEVER;
  uint64_t slot = t->slot_free[t->bursts_issued % t->s->cfg.dma_slots];
  if (slot == WEFT_NEVER) return WEFT_NEVER;
  return max2(max2(t->ar_begin, slot), t->ar_free);
}

static uint64_t fetch_address_time(const timing *t) {
  if (t->fetched == t->n) return WEFT_NEVER;
  uint64_t slot = t->fetch_free[t->fetch_bursts % t->s->cfg.fetch_slots];
  return slot == WEFT_NEVER ? WEFT_NEVER : max2(slot, t->ar_free);
}

uint64_t port_address_time(const timing *t) {
  uint64_t a = load_address_time(t), b = fetch_address_time(t);
  return a < b ? a : b;
}

static void issue_fetch(timing *t, uint64_t now) {
  const weft_sim *s = t->s;
  uint64_t addr = s->base[0] + s->program_offset + (uint64_t)t->fetched * WEFT_INSN_BYTES;
  uint64_t room = WEFT_BURST_BYTES - addr % WEFT_BURST_BYTES;
  uint64_t left = (uint64_t)(t->n - t->fetched) * WEFT_INSN_BYTES;
  weft_burst b = {addr, (uint32_t)(left < room ? left : room)};
  weft_dram_read(&t->dram, now, b, BURST_FETCH, t->fetched);
  t->fetch_free[t->fetch_bursts++ % s->cfg.fetch_slots] = WEFT_NEVER;
  t->fetched += b.bytes / WEFT_INSN_BYTES;
}

static load_context *newest_context(timing *t) {
  return &t->context[(t->context_head + t->context_count - 1) % WEFT_LOAD_CONTEXTS];
}

static void issue_load(timing *t, uint64_t now) {
  weft_dram_read(&t->dram, now, t->ar_burst, BURST_LOAD, t->ar_insn);
  t->slot_free[t->bursts_issued++ % t->s->cfg.dma_slots] = WEFT_NEVER;
  newest_context(t)->bytes += t->ar_burst.bytes;
  t->stream_issued += t->ar_burst.bytes;
  if (!weft_load_bursts_next(&t->ar_bursts, &t->ar_burst)) {
    t->ar_active = false;
    t->unit[WEFT_UNIT_LOAD].free = now + 1;
  }
}

void port_issue_address(timing *t, uint64_t now) {
  uint64_t a = load_address_time(t), b = fetch_address_time(t);
  bool fetch = b <= now && (a > now || !t->ar_last_fetch); /* both: not the last one again */
  if (fetch)
    issue_fetch(t, now);
  else
    issue_load(t, now);
  t->ar_last_fetch = fetch;
  t->ar_free = now + 1;
}

/* --- LOAD ----------------------------------------------------------------------------------- */
uint64_t load_may_start(const timing *t) {
  if (t->ar_active) return WEFT_NEVER;
  if (t->loads_started < WEFT_LOAD_CONTEXTS) return 0;
  if (t->loads_started - t->loads_done >= WEFT_LOAD_CONTEXTS) return WEFT_NEVER;
  return t->context_end[t->loads_started % WEFT_LOAD_CONTEXTS];
}

/* When stream byte `need` - 1 can be unpacked: the cycle after its beat. */
static uint64_t arrival(timing *t, uint64_t need) {
  uint64_t j = t->bursts_consumed;
  while (t->arrived[j % t->s->cfg.dma_slots].stream_end < need) j++;
  uint64_t at = t->arrived[j % t->s->cfg.dma_slots].stream_end;
  weft_burst b = t->arrived[j % t->s->cfg.dma_slots].burst;
  uint64_t byte = b.addr + b.bytes - 1 - (at - need);
  return t->arrived[j % t->s->cfg.dma_slots].start + byte / bus(t) - b.addr / bus(t) + 1;
}

/* Frees the slots whose last byte the word written at `now` took. */
static void consume(timing *t, uint64_t upto, uint64_t now) {
  while (t->bursts_consumed < t->bursts_arrived &&
         t->arrived[t->bursts_consumed % t->s->cfg.dma_slots].stream_end <= upto) {
    t->slot_free[t->bursts_consumed % t->s->cfg.dma_slots] = now + 1;
    t->bursts_consumed++;
  }
}

/* Writes words as far as the bytes that have arrived allow, instruction after instruction. */
static void unpack(timing *t) {
  while (t->context_count) {
    load_context *x = &t->context[t->context_head];
    while (x->has_word) {
      uint64_t need = x->need ? x->stream + x->need : 0, when = max2(t->word_free, x->begin);
      if (need > t->stream_arrived) return;
      if (x->need && need > 0) {
        if (t->bursts_consumed < t->bursts_arrived &&
            need > t->arrived[t->bursts_consumed % t->s->cfg.dma_slots].stream_end -
                       t->arrived[t->bursts_consumed % t->s->cfg.dma_slots].burst.bytes)
          when = max2(when, arrival(t, need));
        consume(t, need, when);
      }
      t->word_free = when + 1;
      t->s->counter[WEFT_UNIT_LOAD].busy++;
      x->has_word = weft_load_words_next(&x->words, &x->need);
    }
    if (t->ar_active && t->ar_insn == x->insn) return; /* trailing bytes nobody needs: none today */
    t->time[x->insn].busy = x->begin;
    t->context_end[t->loads_done++ % WEFT_LOAD_CONTEXTS] = t->word_free;
    timing_account(t, WEFT_UNIT_LOAD, x->insn, t->word_free);
    timing_complete(t, x->insn, t->word_free + WEFT_T_DMA_WRITE);
    t->context_head = (t->context_head + 1) % WEFT_LOAD_CONTEXTS;
    t->context_count--;
  }
}

void load_start(timing *t, size_t insn, uint64_t now) {
  const weft_insn_LOAD *in = &t->s->insn[insn].LOAD;
  t->loads_started++;
  t->context_count++;
  load_context *x = newest_context(t);
  *x = (load_context){.insn = insn, .begin = now + WEFT_T_ISSUE, .stream = t->stream_issued};
  weft_load_words_begin(&x->words, t->s, in);
  x->has_word = weft_load_words_next(&x->words, &x->need);
  weft_load_bursts_begin(&t->ar_bursts, t->s, in);
  t->ar_active = weft_load_bursts_next(&t->ar_bursts, &t->ar_burst);
  t->ar_insn = insn;
  t->ar_begin = now + WEFT_T_ISSUE + WEFT_T_DMA_ADDR;
  if (!t->ar_active) t->unit[WEFT_UNIT_LOAD].free = now + WEFT_T_ISSUE;
  unpack(t);
}

/* --- STORE ---------------------------------------------------------------------------------- */
static void close_slot(timing *t, bool last) {
  weft_dram_write(&t->dram, t->open_last + WEFT_T_DMA_PACK, t->open,
                  last ? BURST_STORE_LAST : BURST_STORE, t->pack_insn);
  t->open.bytes = 0;
}

/* Packs words while slots are free; stops at a slot whose burst is still to be served. */
static void pack(timing *t) {
  while (t->pack_active) {
    if (!t->pack_has_word) {
      close_slot(t, true);
      t->pack_active = false;
      t->unit[WEFT_UNIT_STORE].free = t->pack_free;
      return;
    }
    uint64_t end = t->open.addr + t->open.bytes;
    if (t->open.bytes && (t->pack_addr != end || end % WEFT_BURST_BYTES == 0)) close_slot(t, false);
    bool fresh = !t->open.bytes;
    uint64_t first = fresh ? t->pack_addr : t->open.addr;
    uint64_t edge = first - first % WEFT_BURST_BYTES + WEFT_BURST_BYTES;
    uint32_t bytes = t->pack_bytes;
    if (t->pack_addr + bytes > edge) bytes = (uint32_t)(edge - t->pack_addr);
    if (fresh) {
      uint64_t slot = t->store_slot_free[t->slots_opened % t->s->cfg.store_slots];
      if (slot == WEFT_NEVER) return;
      t->pack_free = max2(t->pack_free, slot);
      t->store_slot_free[t->slots_opened++ % t->s->cfg.store_slots] = WEFT_NEVER;
      t->open = (weft_burst){t->pack_addr, 0};
    }
    t->open.bytes += bytes;
    t->open_last = t->pack_free;
    if (bytes < t->pack_bytes) { /* the word goes on in the next slot: a cycle of its own */
      t->pack_addr += bytes;
      t->pack_bytes -= bytes;
    } else {
      t->s->counter[WEFT_UNIT_STORE].busy++;
      t->pack_has_word = weft_store_words_next(&t->pack_words, &t->pack_addr, &t->pack_bytes);
    }
    t->pack_free++;
  }
}

void store_start(timing *t, size_t insn, uint64_t now) {
  weft_store_words_begin(&t->pack_words, t->s, &t->s->insn[insn].STORE);
  t->pack_has_word = weft_store_words_next(&t->pack_words, &t->pack_addr, &t->pack_bytes);
  t->pack_active = true;
  t->pack_insn = insn;
  t->pack_free = max2(t->pack_free, now + WEFT_T_ISSUE + WEFT_T_SPAD_READ);
  t->time[insn].busy = t->pack_free;
  t->unit[WEFT_UNIT_STORE].free = WEFT_NEVER;
  pack(t);
}

/* --- the data bus --------------------------------------------------------------------------- */
uint64_t port_grant_time(const timing *t) {
  return weft_dram_next(&t->dram);
}

static void fetch_arrived(timing *t, const weft_dram_grant *g) {
  const weft_burst *b = &g->request.burst;
  for (size_t i = 0; i < b->bytes / WEFT_INSN_BYTES; i++) {
    uint64_t last = b->addr + (i + 1) * WEFT_INSN_BYTES - 1;
    t->available[g->request.tag + i] = g->start + last / bus(t) - b->addr / bus(t) + 1;
  }
}

static void store_served(timing *t, const weft_dram_grant *g) {
  uint64_t left = g->start + g->beats;
  t->s->write_bytes += (uint64_t)g->beats * bus(t);
  t->store_slot_free[t->slots_served++ % t->s->cfg.store_slots] = left;
  if (g->request.owner == BURST_STORE_LAST) {
    uint64_t end = left + WEFT_T_DRAM_WRITE;
    timing_account(t, WEFT_UNIT_STORE, g->request.tag, end);
    timing_complete(t, g->request.tag, end);
  }
  pack(t);
}

static void load_arrived(timing *t, const weft_dram_grant *g) {
  t->stream_arrived += g->request.burst.bytes;
  uint64_t slot = t->bursts_arrived++ % t->s->cfg.dma_slots;
  t->arrived[slot].stream_end = t->stream_arrived;
  t->arrived[slot].start = g->start;
  t->arrived[slot].burst = g->request.burst;
  unpack(t);
}

void port_grant(timing *t, uint64_t now) {
  weft_dram_grant g = weft_dram_serve(&t->dram, now);
  if (g.write) {
    store_served(t, &g);
    return;
  }
  t->s->read_bytes += (uint64_t)g.beats * bus(t);
  if (g.request.owner == BURST_FETCH)
    fetch_arrived(t, &g);
  else
    load_arrived(t, &g);
}

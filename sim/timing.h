/* Inside the timing: the state of one run. timing.c holds the loop, memory_port.c the DRAM, LOAD's
 * and STORE's engines and the fetch buffers' share of the port. */
#ifndef WEFT_SIM_TIMING_H
#define WEFT_SIM_TIMING_H

#include "dma.h"
#include "occupancy.h"
#include "state.h"

enum { MAX_SLOTS = 64 };
/* Whose burst it is (weft_dram_request.owner). */
enum { BURST_LOAD, BURST_FETCH, BURST_STORE, BURST_STORE_LAST };

/* A queue of times: tokens of one semaphore. */
typedef struct {
  uint64_t *time;
  size_t head, count, size;
} token_fifo;

/* A LOAD between its start and its last write. */
typedef struct {
  size_t insn;
  uint64_t begin;  /* first cycle a word may be written */
  uint64_t stream; /* LOAD's stream bytes before this instruction */
  uint64_t bytes;  /* stream bytes requested so far */
  weft_load_words words;
  bool has_word;
  uint64_t need; /* of the pending word */
} load_context;

typedef struct {
  size_t *insn; /* the unit's instructions in order */
  size_t n, pushed, started;
  uint64_t free;       /* next start, as far as the unit's own stages allow */
  uint64_t stream_end; /* stage 2 */
  uint64_t last_end;   /* completions stay in order */
  uint64_t active_end; /* for the counters */
  size_t blocked_at;   /* position in the list of blocked intervals */
} unit_state;

typedef struct {
  weft_sim *s;
  size_t n; /* instructions */
  weft_insn_time *time;
  uint64_t *available; /* when the instruction's bytes have arrived */
  unit_state unit[WEFT_UNITS];
  token_fifo token[WEFT_UNITS][WEFT_UNITS]; /* [poster][waiter] */
  weft_err *err;
  unsigned cause;
  size_t cause_insn;

  /* fetch and dispatch */
  size_t next; /* to dispatch */
  uint64_t dispatch_free;
  size_t fetched;                 /* instructions requested */
  uint64_t fetch_free[MAX_SLOTS]; /* per slot: its last instruction is dispatched */
  size_t fetch_bursts, fetch_released;
  struct {
    uint64_t from, to;
  } * blocked; /* dispatcher waits for a full queue */
  size_t n_blocked, size_blocked;
  uint64_t fetch_stall;

  /* the read address channel and the DRAM */
  uint64_t ar_free;
  bool ar_last_fetch;
  weft_dram dram;

  /* LOAD: address stage (one instruction), then contexts in order */
  bool ar_active;
  size_t ar_insn;
  weft_load_bursts ar_bursts;
  weft_burst ar_burst; /* next to issue */
  uint64_t ar_begin;
  load_context context[WEFT_LOAD_CONTEXTS];
  size_t context_head, context_count;
  uint64_t context_end[WEFT_LOAD_CONTEXTS]; /* unpack end of the last ones, a ring */
  size_t loads_started, loads_done;
  uint64_t slot_free[MAX_SLOTS];
  uint64_t bursts_issued;
  struct {
    uint64_t stream_end, start;
    weft_burst burst;
  } arrived[MAX_SLOTS];
  uint64_t bursts_arrived, bursts_consumed, stream_issued, stream_arrived;
  uint64_t word_free; /* next cycle a word may be written */

  /* STORE: packing stage (one instruction), then bursts in the write queue */
  bool pack_active;
  size_t pack_insn;
  weft_store_words pack_words;
  bool pack_has_word;
  uint64_t pack_addr;
  uint32_t pack_bytes;
  uint64_t pack_free; /* next cycle a word may be packed */
  weft_burst open;    /* the slot being filled; bytes == 0: none */
  uint64_t open_last; /* when its last word was packed */
  uint64_t store_slot_free[MAX_SLOTS];
  uint64_t slots_opened, slots_served;
} timing;

/* An instruction of unit u is complete at `end`: tokens. */
void timing_complete(timing *t, size_t insn, uint64_t end);
/* Counters: unit u was active on `insn` from its start to `to`. */
void timing_account(timing *t, int u, size_t insn, uint64_t to);

/* memory_port.c */
uint64_t port_address_time(const timing *t);
void port_issue_address(timing *t, uint64_t now);
uint64_t port_grant_time(const timing *t);
void port_grant(timing *t, uint64_t now);
void load_start(timing *t, size_t insn, uint64_t now);
uint64_t load_may_start(const timing *t);
void store_start(timing *t, size_t insn, uint64_t now);

#endif

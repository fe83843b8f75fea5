/* The Verilated RTL as a device: registers over AXI4-Lite, and behind its AXI4 master a memory
 * whose times are those of the C model's DRAM (sim/dram.h).
 *
 * The device is a shared object made for one configuration by `make rtl`; rtl_api.h is the seam. A
 * cycle is cycle() below: memory answers, the device settles, what happened is noted, the clock
 * ticks. With WEFT_RTL_JITTER=SEED in the environment the memory is unfriendly instead: random
 * latencies and gaps, and reads of different IDs overtake each other; results must not change. */
#include "device.h"
#include "dram.h"
#include "rtl_api.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  RESPONSES = 64,         /* write responses under way: more than any device has bursts */
  QUIET_CYCLES = 1 << 24, /* nothing started, ended or moved for so long: it hangs */
  REGISTER_CYCLES = 1000, /* an AXI4-Lite access takes at most that many */
  JITTER_READS = 64
};

typedef struct {
  uint64_t *start, *done; /* cycles, n-th instruction of the unit */
  size_t n_start, n_done, size;
  uint32_t *index; /* program index of the unit's n-th instruction */
  size_t n_index, size_index;
} unit_log;

/* The memory's transfer that has the data bus. */
typedef struct {
  bool active;
  weft_dram_grant grant;
} transfer;

/* A read burst of the unfriendly memory. */
typedef struct {
  uint64_t addr, ready;
  uint32_t beats, done;
  uint8_t id;
} jitter_read;

typedef struct {
  void *library;
  const weft_rtl_api *api;
  void *dut;
  weft_rtl_pins *pins;
  weft_config config;
  uint8_t *dram;
  size_t dram_bytes;
  uint64_t now; /* cycles since power-up */

  weft_dram memory;
  transfer transfer;
  uint64_t response[RESPONSES]; /* when write responses are due, a ring */
  size_t response_head, response_count;

  uint64_t jitter; /* state of the generator; 0: none */
  jitter_read read[JITTER_READS];
  size_t n_reads;
  uint64_t write_addr[WEFT_DRAM_WRITES];
  uint32_t write_beat;
  size_t write_head, write_count;

  uint64_t fault_read_at; /* answer this address with an error; UINT64_MAX: none */

  unit_log unit[WEFT_UNITS];
  uint64_t *dispatch, *end; /* of END and FENCE, in order */
  size_t n_dispatch, n_end, size_fetch;
  uint32_t *kind; /* unit of every instruction of the program that runs */
  size_t n_insns, size_insns;
  uint64_t last_event; /* cycle in which something was seen */
  bool hung;
  char error[160];

  uint8_t *spad; /* what the write ports have written; kept while observed */
  size_t spad_bytes;
  weft_device_observer observer;
  void *observer_user;

  char waves[PATH_MAX];
  uint64_t waves_from, waves_to;
  bool waves_on;
  uint32_t base_low, base_high, program_offset, program_count; /* as the host wrote them */
} rtl;

static void *grown(void *p, size_t *size, size_t need, size_t each) {
  if (need <= *size) return p;
  *size = need * 2 + 64;
  p = realloc(p, *size * each);
  if (!p) abort();
  return p;
}

/* --- the program, as far as the log needs it -------------------------------------------------- */
static void forget_log(rtl *r) {
  for (int u = 0; u < WEFT_UNITS; u++) r->unit[u].n_start = r->unit[u].n_done = 0;
  r->n_dispatch = r->n_end = 0;
  r->last_event = r->now;
}

/* Reads opcodes where the doorbell points, up to END: which unit gets which instruction. */
static void read_program(rtl *r) {
  const uint64_t at = (r->base_low | (uint64_t)r->base_high << 32) + r->program_offset;
  r->n_insns = 0;
  for (int u = 0; u < WEFT_UNITS; u++) r->unit[u].n_index = 0;
  for (uint32_t i = 0; i < r->program_count; i++) {
    uint64_t from = at + (uint64_t)i * WEFT_INSN_BYTES;
    if (from >= r->dram_bytes || r->dram_bytes - from < WEFT_INSN_BYTES) return;
    const weft_insn_info *info = weft_insn_lookup(r->dram[from] & 63); /* isa.def: opcode first */
    if (!info) return;
    r->kind = grown(r->kind, &r->size_insns, r->n_insns + 1, sizeof *r->kind);
    r->kind[r->n_insns++] = (uint32_t)info->unit;
    if (info->unit < WEFT_UNITS) {
      unit_log *l = &r->unit[info->unit];
      l->index = grown(l->index, &l->size_index, l->n_index + 1, sizeof *l->index);
      l->index[l->n_index++] = i;
    }
    if (info->opcode == WEFT_OP_CODE_END) return;
  }
}

/* --- the friendly memory ---------------------------------------------------------------------- */
static weft_burst burst_of(const rtl *r, uint64_t addr, uint8_t len) {
  uint32_t bus = r->config.dram_bytes;
  return (weft_burst){addr, (len + 1u) * bus - (uint32_t)(addr % bus)};
}

static void write_beat(rtl *r, uint64_t addr) {
  const uint32_t bus = r->config.dram_bytes;
  for (uint32_t i = 0; i < bus; i++)
    if (r->pins->wstrb >> i & 1 && addr + i < r->dram_bytes) r->dram[addr + i] = r->pins->wdata[i];
}

static void read_beat(rtl *r, uint64_t addr) {
  const uint32_t bus = r->config.dram_bytes;
  if (addr + bus <= r->dram_bytes)
    memcpy(r->pins->rdata, r->dram + addr, bus);
  else
    memset(r->pins->rdata, 0, bus);
  r->pins->rresp = addr <= r->fault_read_at && r->fault_read_at < addr + bus ? 2 : 0; /* SLVERR */
}

static void respond_at(rtl *r, uint64_t when) {
  if (r->response_count == RESPONSES) return;
  r->response[(r->response_head + r->response_count++) % RESPONSES] = when;
}

static void respond(rtl *r) {
  r->pins->bvalid = r->response_count && r->response[r->response_head] <= r->now;
  r->pins->bresp = 0;
  if (!r->pins->bvalid) return;
  r->response_head = (r->response_head + 1) % RESPONSES;
  r->response_count--;
}

/* Addresses of this cycle, then the beat of this cycle. What the device shows are registers. */
static void friendly_memory(rtl *r) {
  weft_rtl_pins *p = r->pins;
  const uint32_t bus = r->config.dram_bytes;
  p->arready = p->awready = true;
  p->rvalid = p->wready = false;
  if (p->arvalid) weft_dram_read(&r->memory, r->now, burst_of(r, p->araddr, p->arlen), p->arid, 0);
  if (p->awvalid) weft_dram_write(&r->memory, r->now, burst_of(r, p->awaddr, p->awlen), 0, 0);
  if (!r->transfer.active && weft_dram_next(&r->memory) <= r->now)
    r->transfer = (transfer){true, weft_dram_serve(&r->memory, r->now)};
  const weft_dram_grant *g = &r->transfer.grant;
  if (!r->transfer.active || r->now < g->start) return;
  const uint32_t beat = (uint32_t)(r->now - g->start);
  const uint64_t addr = g->request.burst.addr / bus * bus + (uint64_t)beat * bus;
  const bool last = beat + 1 == g->beats;
  if (g->write) {
    p->wready = true;
    write_beat(r, addr);
    if (!p->wvalid || p->wlast != last)
      (void)snprintf(r->error, sizeof r->error, "AXI: write data of 0x%llx are not there in time",
                     (unsigned long long)addr);
    if (last) respond_at(r, r->now + 1 + WEFT_T_DRAM_WRITE);
  } else {
    p->rvalid = true;
    p->rid = (uint8_t)g->request.owner;
    p->rlast = last;
    read_beat(r, addr);
  }
  if (last) r->transfer.active = false;
}

/* --- the unfriendly memory ---------------------------------------------------------------------
 */
static uint32_t draw(rtl *r, uint32_t n) { /* xorshift64* */
  r->jitter ^= r->jitter >> 12;
  r->jitter ^= r->jitter << 25;
  r->jitter ^= r->jitter >> 27;
  return (uint32_t)((r->jitter * 2685821657736338717u) >> 33) % n;
}

static void jitter_reads(rtl *r) {
  weft_rtl_pins *p = r->pins;
  const uint32_t bus = r->config.dram_bytes;
  p->arready = r->n_reads < JITTER_READS && draw(r, 3) != 0;
  if (p->arvalid && p->arready)
    r->read[r->n_reads++] = (jitter_read){.addr = p->araddr / bus * bus,
                                          .ready = r->now + 1 + draw(r, 150),
                                          .beats = p->arlen + 1u,
                                          .id = p->arid};
  p->rvalid = false;
  if (draw(r, 4) == 0) return;
  /* the oldest burst of a random ID: order holds within an ID alone; beats may interleave not */
  size_t pick = r->n_reads;
  for (size_t i = 0; i < r->n_reads; i++)
    if (r->read[i].done) pick = i; /* a burst that has begun goes on */
  if (pick == r->n_reads && r->n_reads) {
    uint8_t id = (uint8_t)draw(r, 2);
    for (size_t i = r->n_reads; i-- > 0;)
      if (r->read[i].id == id) pick = i;
    if (pick == r->n_reads) pick = 0;
  }
  if (pick == r->n_reads || r->read[pick].ready > r->now) return;
  jitter_read *x = &r->read[pick];
  p->rvalid = true;
  p->rid = x->id;
  read_beat(r, x->addr + (uint64_t)x->done * bus);
  p->rlast = ++x->done == x->beats;
  if (!p->rlast) return;
  memmove(x, x + 1, (r->n_reads - pick - 1) * sizeof *x);
  r->n_reads--;
}

static void jitter_writes(rtl *r) {
  weft_rtl_pins *p = r->pins;
  const uint32_t bus = r->config.dram_bytes;
  p->awready = r->write_count < WEFT_DRAM_WRITES && draw(r, 3) != 0;
  if (p->awvalid && p->awready)
    r->write_addr[(r->write_head + r->write_count++) % WEFT_DRAM_WRITES] = p->awaddr / bus * bus;
  p->wready = r->write_count && draw(r, 3) != 0;
  if (!p->wvalid || !p->wready) return;
  write_beat(r, r->write_addr[r->write_head] + (uint64_t)r->write_beat++ * bus);
  if (!p->wlast) return;
  r->write_beat = 0;
  r->write_head = (r->write_head + 1) % WEFT_DRAM_WRITES;
  r->write_count--;
  uint64_t due = r->now + 1 + draw(r, 40);
  size_t newest = (r->response_head + r->response_count + RESPONSES - 1) % RESPONSES;
  if (r->response_count && r->response[newest] > due) due = r->response[newest];
  respond_at(r, due);
}

/* --- one cycle ---------------------------------------------------------------------------------
 */
static void shadow_writes(rtl *r) {
  weft_rtl_write w[WEFT_RTL_WRITERS];
  const size_t word = r->api->word_bytes;
  r->api->writes(r->dut, w);
  for (int k = 0; k < WEFT_RTL_WRITERS; k++) {
    if (!w[k].enable || (w[k].addr + 1) * word > r->spad_bytes) continue;
    for (size_t i = 0; i < word; i++)
      if (w[k].be >> i & 1) r->spad[w[k].addr * word + i] = w[k].data[i];
  }
}

static void note_unit(rtl *r, int u, uint64_t cycle, bool start, bool done) {
  unit_log *l = &r->unit[u];
  if (start) {
    if (l->n_start == l->size) {
      size_t size = l->size;
      l->done = grown(l->done, &size, l->n_start + 1, sizeof *l->done);
      l->start = grown(l->start, &l->size, l->n_start + 1, sizeof *l->start);
    }
    l->start[l->n_start++] = cycle;
  }
  if (!done || l->n_done == l->n_start) return;
  l->done[l->n_done] = cycle;
  if (r->observer && l->n_done < l->n_index) r->observer(r->observer_user, l->index[l->n_done]);
  l->n_done++;
}

static void note(rtl *r) {
  const weft_rtl_pins *p = r->pins;
  if (p->rvalid || p->wready) r->last_event = r->now;
  if (!(p->start | p->done) && !p->dispatch && !p->end) return;
  r->last_event = r->now;
  for (int u = 0; u < WEFT_UNITS; u++)
    if ((p->start | p->done) >> u & 1)
      note_unit(r, u, p->cycle, p->start >> u & 1, p->done >> u & 1);
  if (r->n_end + 1 >= r->size_fetch) {
    size_t size = r->size_fetch;
    r->dispatch = grown(r->dispatch, &size, r->n_end + 2, sizeof *r->dispatch);
    r->end = grown(r->end, &r->size_fetch, r->n_end + 2, sizeof *r->end);
  }
  /* a FENCE may end in the cycle in which the next one or END is dispatched */
  if (p->end && r->n_end < r->n_dispatch) r->end[r->n_end++] = p->cycle;
  if (p->dispatch && r->n_dispatch == r->n_end) r->dispatch[r->n_dispatch++] = p->cycle;
}

static void gate_waves(rtl *r) {
  const bool want =
      r->pins->running && r->pins->cycle >= r->waves_from && r->pins->cycle < r->waves_to;
  if (want == r->waves_on) return;
  (void)r->api->waves(r->dut, want ? r->waves : NULL);
  r->waves_on = want;
}

static void cycle(rtl *r) {
  respond(r);
  if (r->jitter) {
    jitter_reads(r);
    jitter_writes(r);
  } else {
    friendly_memory(r);
  }
  if (r->waves[0]) gate_waves(r);
  r->api->settle(r->dut);
  note(r);
  if (r->observer && r->api->writes) shadow_writes(r);
  r->api->edge(r->dut);
  r->now++;
}

/* --- registers ---------------------------------------------------------------------------------
 */
static uint32_t rtl_read32(void *self, uint32_t offset) {
  rtl *r = self;
  weft_rtl_pins *p = r->pins;
  if (r->hung) return UINT32_MAX;
  p->s_araddr = (uint16_t)offset;
  p->s_arvalid = p->s_rready = true;
  for (int i = 0; i < REGISTER_CYCLES; i++) {
    bool taken = p->s_arvalid && p->s_arready, answered = p->s_rvalid;
    uint32_t value = p->s_rdata;
    cycle(r);
    if (taken) p->s_arvalid = false;
    if (answered) {
      p->s_rready = false;
      return value;
    }
  }
  r->hung = true;
  return UINT32_MAX;
}

static void remember(rtl *r, uint32_t offset, uint32_t value) {
  switch (offset) {
  case WEFT_REG_BASE: r->base_low = value; break;
  case WEFT_REG_BASE + 4: r->base_high = value; break;
  case WEFT_REG_PROGRAM_OFFSET: r->program_offset = value; break;
  case WEFT_REG_PROGRAM_COUNT: r->program_count = value; break;
  case WEFT_REG_DOORBELL:
    if (!(value & 1)) break;
    read_program(r);
    forget_log(r);
    weft_dram_init(&r->memory, r->config.dram_bytes, r->config.dram_latency,
                   r->config.dram_turnaround);
    break;
  default: break;
  }
}

static void rtl_write32(void *self, uint32_t offset, uint32_t value) {
  rtl *r = self;
  weft_rtl_pins *p = r->pins;
  if (r->hung) return;
  remember(r, offset, value);
  p->s_awaddr = (uint16_t)offset;
  p->s_wdata = value;
  p->s_awvalid = p->s_wvalid = p->s_bready = true;
  for (int i = 0; i < REGISTER_CYCLES; i++) {
    bool address = p->s_awvalid && p->s_awready, data = p->s_wvalid && p->s_wready;
    bool answered = p->s_bvalid;
    cycle(r);
    if (address) p->s_awvalid = false;
    if (data) p->s_wvalid = false;
    if (answered) {
      p->s_bready = false;
      return;
    }
  }
  r->hung = true;
}

static void rtl_poll(void *self) {
  rtl *r = self;
  while (!r->pins->irq && !r->hung) {
    cycle(r);
    if (r->now - r->last_event <= QUIET_CYCLES) continue;
    r->hung = true;
    (void)snprintf(r->error, sizeof r->error, "the device hangs: nothing happened for %d cycles",
                   QUIET_CYCLES);
  }
}

/* --- memory ------------------------------------------------------------------------------------
 */
static bool rtl_mem_read(void *self, uint64_t addr, void *dst, size_t n) {
  const rtl *r = self;
  if (addr > r->dram_bytes || n > r->dram_bytes - addr) return false;
  memcpy(dst, r->dram + addr, n);
  return true;
}

static bool rtl_mem_write(void *self, uint64_t addr, const void *src, size_t n) {
  rtl *r = self;
  if (addr > r->dram_bytes || n > r->dram_bytes - addr) return false;
  memcpy(r->dram + addr, src, n);
  return true;
}

static uint64_t rtl_mem_size(void *self) {
  return ((rtl *)self)->dram_bytes;
}

static const char *rtl_error_text(void *self) {
  return ((rtl *)self)->error;
}

/* --- a look inside ------------------------------------------------------------------------------
 */
static size_t rtl_n_times(void *self) {
  return ((rtl *)self)->n_insns;
}

/* The n-th instruction of its unit is found by counting: the log is in the unit's order. */
static weft_device_time rtl_time(void *self, size_t index) {
  const rtl *r = self;
  const uint32_t u = r->kind[index];
  uint64_t start = WEFT_NEVER, end = WEFT_NEVER;
  if (u < WEFT_UNITS) {
    const unit_log *l = &r->unit[u];
    size_t low = 0, high = l->n_index; /* of l->index, which ascends */
    while (low < high) {
      size_t middle = (low + high) / 2;
      if (l->index[middle] < index)
        low = middle + 1;
      else
        high = middle;
    }
    if (low < l->n_start) start = l->start[low];
    if (low < l->n_done) end = l->done[low];
  } else {
    size_t k = 0;
    for (size_t i = 0; i < index; i++) k += r->kind[i] >= WEFT_UNITS;
    if (k < r->n_dispatch) start = r->dispatch[k];
    if (k < r->n_end) end = r->end[k];
  }
  return (weft_device_time){start, start, start, end};
}

static const uint8_t *rtl_memory(void *self, int mem, size_t *bytes) {
  const rtl *r = self;
  if (mem == WEFT_DEVICE_DRAM) {
    *bytes = r->dram_bytes;
    return r->dram;
  }
  if (mem != WEFT_MEM_SPAD || !r->observer || !r->api->writes) return NULL;
  *bytes = r->spad_bytes;
  return r->spad;
}

static void rtl_observe(void *self, weft_device_observer observer, void *user) {
  rtl *r = self;
  r->observer = observer;
  r->observer_user = user;
}

void weft_rtl_fail_read(void *self, uint64_t addr) {
  ((rtl *)self)->fault_read_at = addr;
}

weft_status weft_rtl_waves(void *self, const char *path, uint64_t from, uint64_t to,
                           weft_err *err) {
  rtl *r = self;
  if (!r->api->waves)
    return weft_fail(err, WEFT_EUNSUPP,
                     "%s: this RTL was built without waves; make rtl PRESET=%s WAVES=1", path,
                     r->config.preset);
  (void)snprintf(r->waves, sizeof r->waves, "%s", path);
  r->waves_from = from;
  r->waves_to = to;
  return WEFT_OK;
}

/* --- opening ------------------------------------------------------------------------------------
 */
static void rtl_close(void *self) {
  rtl *r = self;
  if (r->dut) r->api->close(r->dut);
  if (r->dram) munmap(r->dram, r->dram_bytes ? r->dram_bytes : 1);
  for (int u = 0; u < WEFT_UNITS; u++) {
    free(r->unit[u].start);
    free(r->unit[u].done);
    free(r->unit[u].index);
  }
  free(r->dispatch);
  free(r->end);
  free(r->kind);
  free(r->spad);
  if (r->library) (void)dlclose(r->library);
  free(r);
}

const weft_device_ops weft_rtl_ops = {
    .read32 = rtl_read32,
    .write32 = rtl_write32,
    .mem_read = rtl_mem_read,
    .mem_write = rtl_mem_write,
    .mem_size = rtl_mem_size,
    .poll = rtl_poll,
    .error_text = rtl_error_text,
    .close = rtl_close,
    .n_times = rtl_n_times,
    .time = rtl_time,
    .memory = rtl_memory,
    .observe = rtl_observe,
};

/* WEFT_RTL_LIBRARY, or rtl/PRESET/libweft_rtl.so (libweft_rtl_waves.so) beside the running
 * program's folder or itself. */
static weft_status library_path(const weft_config *config, bool waves, char *path, size_t size,
                                weft_err *err) {
  const char *given = getenv("WEFT_RTL_LIBRARY");
  if (given && *given) {
    (void)snprintf(path, size, "%s", given);
    return WEFT_OK;
  }
  char self[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n < 0) return weft_fail(err, WEFT_EINTERNAL, "/proc/self/exe: cannot be read");
  self[n] = '\0';
  for (int up = 0; up < 3; up++) {
    char *slash = strrchr(self, '/');
    if (!slash) break;
    *slash = '\0';
    int length = snprintf(path, size, "%s/rtl/%s/libweft_rtl%s.so", self, config->preset,
                          waves ? "_waves" : "");
    if (length > 0 && (size_t)length < size && access(path, R_OK) == 0) return WEFT_OK;
  }
  const bool shipped = !strchr(config->preset, '*') && strcmp(config->preset, "custom") != 0;
  return shipped ? weft_fail(err, WEFT_EINPUT,
                             "device 'rtl': no library for preset %s: make rtl PRESET=%s%s",
                             config->preset, config->preset, waves ? " WAVES=1" : "")
                 : weft_fail(err, WEFT_EINPUT,
                             "device 'rtl': no library for these keys: make rtl CONFIG=FILE.ini"
                             " PRESET=NAME, then WEFT_RTL_LIBRARY=build/rtl/NAME/libweft_rtl.so");
}

static weft_status load_library(rtl *r, bool waves, weft_err *err) {
  char path[2 * PATH_MAX];
  weft_status status = library_path(&r->config, waves, path, sizeof path, err);
  if (status) return status;
  if (!(r->library = dlopen(path, RTLD_NOW | RTLD_LOCAL)))
    return weft_fail(err, WEFT_EINPUT, "%s: cannot be loaded: %.300s", path, dlerror());
  const weft_rtl_api *(*entry)(void);
  *(void **)&entry = dlsym(r->library, WEFT_RTL_ENTRY);
  if (!entry || !(r->api = entry()) || r->api->abi != WEFT_RTL_ABI)
    return weft_fail(err, WEFT_EINPUT, "%s: is not a Weft RTL library of this version", path);
  if (r->api->bus_bytes != r->config.dram_bytes ||
      r->api->word_bytes != weft_word_bytes(&r->config))
    return weft_fail(err, WEFT_EINPUT,
                     "%s: built with words of %u bytes and a bus of %u, the configuration has %u"
                     " and %u",
                     path, r->api->word_bytes, r->api->bus_bytes, weft_word_bytes(&r->config),
                     r->config.dram_bytes);
  return WEFT_OK;
}

/* Holds the device in reset for some cycles. */
static void power_up(rtl *r) {
  const char *seed = getenv(WEFT_RTL_JITTER);
  r->jitter = seed ? strtoull(seed, NULL, 0) * 2654435769u + 88172645463325252u : 0;
  r->dut = r->api->open(1);
  r->pins = r->api->pins(r->dut);
  r->pins->rst = true;
  r->api->settle(r->dut); /* outputs before the first cycle */
  for (int i = 0; i < 8; i++) {
    r->pins->arvalid = r->pins->awvalid = false; /* unknown until reset */
    r->api->edge(r->dut);
    r->api->settle(r->dut);
  }
  r->pins->rst = false;
  r->api->settle(r->dut);
}

weft_status weft_rtl_open(const weft_config *config, bool waves, size_t dram_bytes, void **self,
                          weft_err *err) {
  enum { POISON = 0xa5 };
  weft_status status = weft_config_check(config, err);
  if (status) return status;
  rtl *r = calloc(1, sizeof *r);
  if (!r) return weft_fail(err, WEFT_ENOMEM, "device 'rtl': out of memory");
  r->config = *config;
  r->fault_read_at = UINT64_MAX;
  status = load_library(r, waves, err);
  if (!status) {
    r->spad_bytes = (size_t)config->scratchpad_kib * 1024;
    r->spad = malloc(r->spad_bytes);
    r->dram = mmap(NULL, dram_bytes ? dram_bytes : 1, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r->dram == MAP_FAILED) r->dram = NULL;
    if (!r->spad || !r->dram)
      status =
          weft_fail(err, WEFT_ENOMEM, "no memory for a device with %zu bytes of DRAM", dram_bytes);
  }
  if (status) {
    rtl_close(r);
    return status;
  }
  r->dram_bytes = dram_bytes;
  memset(r->dram, POISON, dram_bytes);
  memset(r->spad, POISON, r->spad_bytes);
  weft_dram_init(&r->memory, config->dram_bytes, config->dram_latency, config->dram_turnaround);
  power_up(r);
  *self = r;
  return WEFT_OK;
}

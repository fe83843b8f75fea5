// A Verilated weft_top behind the C seam of rtl_api.h. Built once per configuration (mk/rtl.mk)
// into libweft_rtl.so; with WEFT_RTL_WAVES also able to write FST waves.
#include <cstring>

#include <Vweft_top.h>
#ifndef WEFT_RTL_NETLIST
#include <Vweft_top___024root.h>
#endif
#include "rtl_api.h"
#include <verilated.h>
#ifdef WEFT_RTL_WAVES
#include <verilated_fst_c.h>
#endif

namespace {

struct Device {
  VerilatedContext context;
  Vweft_top *top;
  weft_rtl_pins pins;
  uint64_t time = 0;
#ifdef WEFT_RTL_WAVES
  VerilatedFstC *fst = nullptr;
#endif
};

Device &device(void *self) {
  return *static_cast<Device *>(self);
}

void dump(Device &d) {
#ifdef WEFT_RTL_WAVES
  if (d.fst) d.fst->dump(d.time);
#endif
  d.time++;
}

void outputs(Device &d) {
  weft_rtl_pins &p = d.pins;
  const Vweft_top &t = *d.top;
  p.s_awready = t.s_awready;
  p.s_wready = t.s_wready;
  p.s_bvalid = t.s_bvalid;
  p.s_arready = t.s_arready;
  p.s_rvalid = t.s_rvalid;
  p.s_rdata = t.s_rdata;
  p.irq = t.irq;
  p.arvalid = t.m_arvalid;
  p.arid = t.m_arid;
  p.araddr = t.m_araddr;
  p.arlen = t.m_arlen;
  p.rready = t.m_rready;
  p.awvalid = t.m_awvalid;
  p.awaddr = t.m_awaddr;
  p.awlen = t.m_awlen;
  p.wvalid = t.m_wvalid;
  if (p.wvalid) {
    p.wlast = t.m_wlast;
    p.wstrb = t.m_wstrb;
    std::memcpy(p.wdata, &t.m_wdata, sizeof t.m_wdata);
  }
  p.bready = t.m_bready;
  p.running = t.trace_running;
  p.cycle = t.trace_cycle;
  p.start = t.trace_start;
  p.done = t.trace_done;
  p.dispatch = t.trace_dispatch;
  p.end = t.trace_end;
}

void inputs(Device &d) {
  const weft_rtl_pins &p = d.pins;
  Vweft_top &t = *d.top;
  t.rst = p.rst;
  t.s_awaddr = p.s_awaddr;
  t.s_awvalid = p.s_awvalid;
  t.s_wdata = p.s_wdata;
  t.s_wstrb = 0xf;
  t.s_wvalid = p.s_wvalid;
  t.s_bready = p.s_bready;
  t.s_araddr = p.s_araddr;
  t.s_arvalid = p.s_arvalid;
  t.s_rready = p.s_rready;
  t.m_arready = p.arready;
  t.m_rvalid = p.rvalid;
  if (p.rvalid) {
    t.m_rid = p.rid;
    t.m_rlast = p.rlast;
    t.m_rresp = p.rresp;
    std::memcpy(&t.m_rdata, p.rdata, sizeof t.m_rdata);
  }
  t.m_awready = p.awready;
  t.m_wready = p.wready;
  t.m_bvalid = p.bvalid;
  t.m_bresp = p.bresp;
}

void *open_device(uint32_t seed) {
  Device *d = new Device();
  d->context.randReset(2);
  d->context.randSeed(static_cast<int>(seed & 0x7fffffff) + 1);
#ifdef WEFT_RTL_WAVES
  d->context.traceEverOn(true);
#endif
  d->top = new Vweft_top(&d->context);
  std::memset(&d->pins, 0, sizeof d->pins);
  d->top->clk = 0;
  return d;
}

void close_device(void *self) {
  Device *d = &device(self);
#ifdef WEFT_RTL_WAVES
  if (d->fst) {
    d->fst->close();
    delete d->fst;
  }
#endif
  d->top->final();
  delete d->top;
  delete d;
}

weft_rtl_pins *pins(void *self) {
  return &device(self).pins;
}

void settle(void *self) {
  Device &d = device(self);
  inputs(d);
  d.top->clk = 0;
  d.top->eval();
  dump(d);
  outputs(d);
}

void edge(void *self) {
  Device &d = device(self);
  d.top->clk = 1;
  d.top->eval();
  dump(d);
  outputs(d);
}

#ifndef WEFT_RTL_NETLIST // a netlist has no names to look at
void writes(void *self, weft_rtl_write out[WEFT_RTL_WRITERS]) {
  const Vweft_top___024root &r = *device(self).top->rootp;
  constexpr int addr_bits = WEFT_RTL_ADDR_BITS, word = WEFT_RTL_WORD_BYTES;
  const uint8_t *data = reinterpret_cast<const uint8_t *>(&r.weft_top__DOT__wr_data);
  const uint8_t *addr = reinterpret_cast<const uint8_t *>(&r.weft_top__DOT__wr_addr);
  const uint8_t *be = reinterpret_cast<const uint8_t *>(&r.weft_top__DOT__wr_be);
  for (int k = 0; k < WEFT_RTL_WRITERS; k++) {
    out[k].enable = r.weft_top__DOT__wr_en >> k & 1;
    if (!out[k].enable) continue;
    uint32_t a;
    std::memcpy(&a, addr + addr_bits * k / 8, sizeof a); /* 20 bits: at bit 0 or 4 of a byte */
    out[k].addr = a >> addr_bits * k % 8 & ((1u << addr_bits) - 1);
    out[k].be = 0;
    if (word >= 8)
      std::memcpy(&out[k].be, be + word / 8 * k, word / 8);
    else
      out[k].be = be[word * k / 8] >> word * k % 8 & ((1u << word) - 1);
    std::memcpy(out[k].data, data + word * k, word);
  }
}

#endif

#ifdef WEFT_RTL_WAVES
bool waves(void *self, const char *path) {
  Device &d = device(self);
  if (d.fst) {
    d.fst->close();
    delete d.fst;
    d.fst = nullptr;
  }
  if (!path) return true;
  d.fst = new VerilatedFstC;
  d.top->trace(d.fst, 99);
  d.fst->open(path);
  return d.fst->isOpen();
}
#endif

const weft_rtl_api api = {
    WEFT_RTL_ABI, WEFT_RTL_BUS_BYTES, WEFT_RTL_WORD_BYTES, open_device, close_device, pins, settle,
    edge,
#ifdef WEFT_RTL_NETLIST
    nullptr,
#else
    writes,
#endif
#ifdef WEFT_RTL_WAVES
    waves,
#else
    nullptr,
#endif
};

} // namespace

extern "C" const weft_rtl_api *weft_rtl_entry(void) {
  return &api;
}

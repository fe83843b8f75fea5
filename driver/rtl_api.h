/* The seam between the driver's RTL back end (rtl.c) and a Verilated device (rtl_shim.cc), which is
 * a shared object of its own for every configuration: the pins of weft_top, a clock, and a look at
 * the scratchpad's write ports. Everything that is not Verilog stays on the C side. */
#ifndef WEFT_RTL_API_H
#define WEFT_RTL_API_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WEFT_RTL_ABI = 1, WEFT_RTL_WRITERS = 4, WEFT_RTL_MAX_BYTES = 64 };

/* Pins of weft_top, named as there (without m_). */
typedef struct {
  /* in */
  bool rst;
  bool s_awvalid, s_wvalid, s_bready, s_arvalid, s_rready;
  uint16_t s_awaddr, s_araddr;
  uint32_t s_wdata;
  bool arready, rvalid, rlast, awready, wready, bvalid;
  uint8_t rid, rresp, bresp;
  uint8_t rdata[WEFT_RTL_MAX_BYTES];
  /* out */
  bool s_awready, s_wready, s_bvalid, s_arready, s_rvalid, irq;
  uint32_t s_rdata;
  bool arvalid, rready, awvalid, wvalid, wlast, bready;
  uint8_t arid, arlen, awlen;
  uint64_t araddr, awaddr, wstrb;
  uint8_t wdata[WEFT_RTL_MAX_BYTES]; /* valid with wvalid */
  bool running, dispatch, end;       /* trace_* */
  uint64_t cycle;
  uint8_t start, done; /* trace_*: bit per unit */
} weft_rtl_pins;

/* A write into the scratchpad in this cycle; byte enables as a mask. */
typedef struct {
  bool enable;
  uint32_t addr; /* word */
  uint64_t be;
  uint8_t data[WEFT_RTL_MAX_BYTES];
} weft_rtl_write;

typedef struct {
  uint32_t abi, bus_bytes, word_bytes;
  /* A device in an arbitrary state; registers begin with values drawn from `seed`. */
  void *(*open)(uint32_t seed);
  void (*close)(void *self);
  /* The pins; the caller writes the inputs. */
  weft_rtl_pins *(*pins)(void *self);
  /* One cycle: first half, outputs follow the inputs; second half, the clock's edge, after which
   * the outputs show the next cycle's registers with this cycle's inputs. */
  void (*settle)(void *self);
  void (*edge)(void *self);
  /* The scratchpad's write ports, after settle(). NULL: a netlist, without names. */
  void (*writes)(void *self, weft_rtl_write out[WEFT_RTL_WRITERS]);
  /* Starts an FST file, with all signals from now on; ends it with NULL. NULL: built without. */
  bool (*waves)(void *self, const char *path);
} weft_rtl_api;

/* The shared object's only symbol. */
const weft_rtl_api *weft_rtl_entry(void);
#define WEFT_RTL_ENTRY "weft_rtl_entry"

#ifdef __cplusplus
}
#endif
#endif

/* Inside the driver: the device behind the handle, and its back ends. */
#ifndef WEFT_DEVICE_H
#define WEFT_DEVICE_H

#include "driver.h"

struct weft_device {
  weft_device_ops ops;
  void *self;
  weft_config config;
  uint64_t next; /* first byte of device memory that nobody has */
  uint32_t watchdog;
  uint64_t max_polls; /* 0: no limit */
};

/* The C model as a back end (model.c). On failure *self is untouched. */
extern const weft_device_ops weft_model_ops;
weft_status weft_model_open(const weft_config *config, size_t dram_bytes, void **self,
                            weft_err *err);

/* The Verilated RTL as a back end (rtl.c): loads the shared object of the configuration. */
extern const weft_device_ops weft_rtl_ops;
/* `waves`: the variant of the library that can write waves. */
weft_status weft_rtl_open(const weft_config *config, bool waves, size_t dram_bytes, void **self,
                          weft_err *err);
/* From now on memory answers reads of the byte at `addr` with SLVERR; UINT64_MAX ends it. */
void weft_rtl_fail_read(void *self, uint64_t addr);
weft_status weft_rtl_waves(void *self, const char *path, uint64_t from, uint64_t to, weft_err *err);

#endif

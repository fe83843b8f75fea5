/* The driver above the seam: what every device has in common. Start at weft_device_attach. */
#include "device.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ID = 0x57454654 };

static uint32_t get(weft_device *dev, uint32_t offset) {
  return dev->ops.read32(dev->self, offset);
}

static uint64_t get64(weft_device *dev, uint32_t offset) {
  uint64_t low = get(dev, offset);
  return low | (uint64_t)get(dev, offset + 4) << 32;
}

static void put(weft_device *dev, uint32_t offset, uint32_t value) {
  dev->ops.write32(dev->self, offset, value);
}

static void put64(weft_device *dev, uint32_t offset, uint64_t value) {
  put(dev, offset, (uint32_t)value);
  put(dev, offset + 4, (uint32_t)(value >> 32));
}

/* --- opening --------------------------------------------------------------------------------- */
static weft_status check_identity(weft_device *dev, weft_err *err) {
  uint32_t id = get(dev, WEFT_REG_ID), version = get(dev, WEFT_REG_VERSION);
  if (id != ID)
    return weft_fail(err, WEFT_EDEVICE, "device: register ID reads 0x%08x, accepted 0x%08x", id,
                     (unsigned)ID);
  if (version != WEFT_ISA_VERSION)
    return weft_fail(err, WEFT_EDEVICE, "device: register VERSION reads %u, accepted %d", version,
                     WEFT_ISA_VERSION);
  return WEFT_OK;
}

/* Key by key first, because that says what differs; the hash covers what has no key. */
static weft_status check_config(weft_device *dev, weft_err *err) {
  int n;
  const weft_key *key = weft_config_keys(&n);
  for (int i = 0; i < n; i++) {
    uint32_t want = *(const uint32_t *)((const char *)&dev->config + key[i].offset);
    uint32_t found = get(dev, WEFT_REG_CONFIG + 4 * (uint32_t)i);
    if (found != want)
      return weft_fail(err, WEFT_EDEVICE, "device: built with %s = %u, the program needs %u",
                       key[i].name, found, want);
  }
  uint64_t want = weft_config_hash(&dev->config), found = get64(dev, WEFT_REG_CONFIG_HASH_LO);
  if (found != want)
    return weft_fail(err, WEFT_EDEVICE,
                     "device: configuration hash reads %016llx, accepted %016llx",
                     (unsigned long long)found, (unsigned long long)want);
  return WEFT_OK;
}

weft_status weft_device_attach(const weft_device_ops *ops, void *self, const weft_config *config,
                               weft_device **out, weft_err *err) {
  weft_device *dev = calloc(1, sizeof *dev);
  if (!dev) {
    ops->close(self);
    return weft_fail(err, WEFT_ENOMEM, "device: out of memory");
  }
  dev->ops = *ops;
  dev->self = self;
  dev->config = *config;
  weft_status status = check_identity(dev, err);
  if (!status) status = check_config(dev, err);
  if (status) {
    weft_device_close(dev);
    return status;
  }
  *out = dev;
  return WEFT_OK;
}

weft_status weft_device_open(const char *name, const weft_config *config, size_t dram_bytes,
                             weft_device **out, weft_err *err) {
  const bool waves = strcmp(name, "rtl-waves") == 0, rtl = waves || strcmp(name, "rtl") == 0;
  if (!rtl && strcmp(name, "model") != 0)
    return weft_fail(err, WEFT_EINPUT, "unknown device '%s', accepted: model, rtl, rtl-waves",
                     name);
  void *self;
  weft_status status = rtl ? weft_rtl_open(config, waves, dram_bytes, &self, err)
                           : weft_model_open(config, dram_bytes, &self, err);
  return status ? status
                : weft_device_attach(rtl ? &weft_rtl_ops : &weft_model_ops, self, config, out, err);
}

void weft_device_close(weft_device *dev) {
  if (!dev) return;
  dev->ops.close(dev->self);
  free(dev);
}

void weft_device_set_options(weft_device *dev, const weft_device_options *options) {
  if (dev->ops.set_options) dev->ops.set_options(dev->self, options);
}

struct weft_sim *weft_device_model(weft_device *dev) {
  return dev->ops.model ? dev->ops.model(dev->self) : NULL;
}

/* --- a look inside --------------------------------------------------------------------------- */
size_t weft_device_n_times(weft_device *dev) {
  return dev->ops.n_times ? dev->ops.n_times(dev->self) : 0;
}

weft_device_time weft_device_time_of(weft_device *dev, size_t index) {
  return dev->ops.time(dev->self, index);
}

const uint8_t *weft_device_memory(weft_device *dev, int mem, size_t *bytes) {
  *bytes = 0;
  return dev->ops.memory ? dev->ops.memory(dev->self, mem, bytes) : NULL;
}

bool weft_device_observe(weft_device *dev, weft_device_observer observer, void *user) {
  if (dev->ops.observe) dev->ops.observe(dev->self, observer, user);
  return dev->ops.observe != NULL;
}

weft_status weft_device_waves(weft_device *dev, const char *path, uint64_t from, uint64_t to,
                              weft_err *err) {
  if (dev->ops.read32 != weft_rtl_ops.read32)
    return weft_fail(err, WEFT_EUNSUPP, "%s: only the RTL has waves", path);
  return weft_rtl_waves(dev->self, path, from, to, err);
}

/* --- memory ---------------------------------------------------------------------------------- */
weft_status weft_device_alloc(weft_device *dev, size_t bytes, size_t align, uint64_t *addr,
                              weft_err *err) {
  assert(align && (align & (align - 1)) == 0);
  uint64_t size = dev->ops.mem_size(dev->self), pad = -dev->next & (align - 1);
  if (pad > size - dev->next || bytes > size - dev->next - pad)
    return weft_fail(err, WEFT_ENOMEM, "device: %zu bytes asked for, %llu of %llu are free", bytes,
                     (unsigned long long)(size - dev->next), (unsigned long long)size);
  *addr = dev->next + pad;
  dev->next += pad + bytes;
  return WEFT_OK;
}

void weft_device_reset_memory(weft_device *dev) {
  dev->next = 0;
}

static weft_status check_range(weft_device *dev, uint64_t addr, size_t n, weft_err *err) {
  uint64_t size = dev->ops.mem_size(dev->self);
  if (addr <= size && n <= size - addr) return WEFT_OK;
  return weft_fail(err, WEFT_EINPUT, "device: %zu bytes at 0x%llx, the device has %llu bytes", n,
                   (unsigned long long)addr, (unsigned long long)size);
}

weft_status weft_device_write(weft_device *dev, uint64_t addr, const void *src, size_t n,
                              weft_err *err) {
  weft_status status = check_range(dev, addr, n, err);
  if (status || n == 0) return status;
  if (dev->ops.mem_write(dev->self, addr, src, n)) return WEFT_OK;
  return weft_fail(err, WEFT_EDEVICE, "device: cannot write %zu bytes at 0x%llx", n,
                   (unsigned long long)addr);
}

weft_status weft_device_read(weft_device *dev, uint64_t addr, void *dst, size_t n, weft_err *err) {
  weft_status status = check_range(dev, addr, n, err);
  if (status || n == 0) return status;
  if (dev->ops.mem_read(dev->self, addr, dst, n)) return WEFT_OK;
  return weft_fail(err, WEFT_EDEVICE, "device: cannot read %zu bytes at 0x%llx", n,
                   (unsigned long long)addr);
}

/* --- programs -------------------------------------------------------------------------------- */
uint64_t weft_device_load_bytes(size_t code_bytes, size_t constant_bytes, size_t arena_bytes) {
  const uint64_t mask = WEFT_REGION_ALIGN - 1;
  return ((code_bytes + mask) & ~mask) + ((constant_bytes + mask) & ~mask) + arena_bytes;
}

weft_status weft_device_load(weft_device *dev, const void *code, size_t code_bytes,
                             const void *constants, size_t constant_bytes, size_t arena_bytes,
                             weft_loaded *out, weft_err *err) {
  const uint64_t before = dev->next;
  weft_loaded image = {.bytes = {code_bytes, constant_bytes, arena_bytes}};
  weft_status status = WEFT_OK;
  for (int r = 0; r < 3 && !status; r++)
    status = weft_device_alloc(dev, image.bytes[r], WEFT_REGION_ALIGN, &image.addr[r], err);
  if (!status) status = weft_device_write(dev, image.addr[0], code, code_bytes, err);
  if (!status) status = weft_device_write(dev, image.addr[1], constants, constant_bytes, err);
  if (status) {
    dev->next = before;
    return status;
  }
  for (uint32_t r = 0; r < 3; r++) {
    put64(dev, WEFT_REG_BASE + 16 * r, image.addr[r]);
    put64(dev, WEFT_REG_BASE + 16 * r + 8, image.bytes[r]);
  }
  *out = image;
  return WEFT_OK;
}

void weft_device_set_timeout(weft_device *dev, uint32_t cycles) {
  dev->watchdog = cycles;
}

void weft_device_set_poll_limit(weft_device *dev, uint64_t polls) {
  dev->max_polls = polls;
}

weft_status weft_device_submit(weft_device *dev, uint32_t offset, uint32_t count, weft_err *err) {
  if (offset % WEFT_BURST_BYTES)
    return weft_fail(err, WEFT_EINPUT, "device: program offset %u, accepted multiples of %d",
                     offset, WEFT_BURST_BYTES);
  if (count == 0) return weft_fail(err, WEFT_EINPUT, "device: a program of 0 instructions");
  if (get(dev, WEFT_REG_STATUS) & WEFT_STATUS_RUNNING)
    return weft_fail(err, WEFT_EDEVICE, "device: still running the program before");
  put(dev, WEFT_REG_PROGRAM_OFFSET, offset);
  put(dev, WEFT_REG_PROGRAM_COUNT, count);
  put(dev, WEFT_REG_WATCHDOG, dev->watchdog);
  put(dev, WEFT_REG_CONTROL, WEFT_CONTROL_IRQ_ENABLE);
  put(dev, WEFT_REG_DOORBELL, 1);
  return WEFT_OK;
}

/* The back end's text without the instruction and the cause that it may repeat. */
static void trim_detail(const char *detail, uint32_t insn, const char *cause, char *out,
                        size_t size) {
  char head[40], tail[128];
  int n = snprintf(head, sizeof head, "instruction %u: ", insn);
  if (strncmp(detail, head, (size_t)n) == 0) detail += n;
  (void)snprintf(out, size, ": %s", detail);
  n = snprintf(tail, sizeof tail, " (%s)", cause);
  size_t length = strlen(out);
  if (length > (size_t)n && strcmp(out + length - n, tail) == 0) out[length - n] = '\0';
}

static weft_status device_error(weft_device *dev, weft_err *err) {
  uint32_t cause = get(dev, WEFT_REG_ERROR_CAUSE), insn = get(dev, WEFT_REG_ERROR_INSN);
  uint64_t addr = get64(dev, WEFT_REG_ERROR_ADDR_LO);
  const char *detail = dev->ops.error_text ? dev->ops.error_text(dev->self) : NULL;
  char at[40] = "", more[320] = "";
  if (addr) (void)snprintf(at, sizeof at, ", address 0x%llx", (unsigned long long)addr);
  if (detail && *detail) trim_detail(detail, insn, weft_error_text(cause), more, sizeof more);
  return weft_fail(err, cause == WEFT_ERROR_WATCHDOG ? WEFT_ETIMEOUT : WEFT_EDEVICE,
                   "device stopped at instruction %u%s: %s%s", insn, at, weft_error_text(cause),
                   more);
}

weft_status weft_device_wait(weft_device *dev, weft_err *err) {
  const uint32_t known =
      WEFT_STATUS_RUNNING | WEFT_STATUS_DONE | WEFT_STATUS_ERROR | WEFT_STATUS_IRQ;
  uint32_t status = get(dev, WEFT_REG_STATUS);
  for (uint64_t polls = 0; (status & ~known) == 0 && (status & WEFT_STATUS_RUNNING); polls++) {
    if (dev->max_polls && polls == dev->max_polls)
      return weft_fail(err, WEFT_ETIMEOUT, "device: no interrupt after %llu polls",
                       (unsigned long long)polls);
    dev->ops.poll(dev->self);
    status = get(dev, WEFT_REG_STATUS);
  }
  if ((status & ~known) || !(status & (WEFT_STATUS_DONE | WEFT_STATUS_ERROR)))
    return weft_fail(err, WEFT_EDEVICE, "device: register STATUS reads 0x%08x, no program ended",
                     status);
  weft_status result = status & WEFT_STATUS_ERROR ? device_error(dev, err) : WEFT_OK;
  put(dev, WEFT_REG_IRQ_CLEAR, 1);
  return result;
}

void weft_device_reset(weft_device *dev) {
  put(dev, WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
}

void weft_device_read_counters(weft_device *dev, weft_device_counters *out) {
  out->cycles = get64(dev, WEFT_REG_CYCLES_LO);
  out->read_bytes = get64(dev, WEFT_REG_READ_BYTES_LO);
  out->write_bytes = get64(dev, WEFT_REG_WRITE_BYTES_LO);
  for (uint32_t u = 0; u <= WEFT_UNITS; u++) {
    uint32_t at = WEFT_REG_COUNTER + 32 * u;
    weft_device_unit *c = &out->unit[u];
    c->busy = get64(dev, at);
    c->stall_operand = get64(dev, at + 8);
    c->stall_dram = get64(dev, at + 16);
    c->stall_queue = get64(dev, at + 24);
    c->idle = out->cycles - c->busy - c->stall_operand - c->stall_dram - c->stall_queue;
  }
}

/* Register map and error causes in C, expanded from regs.def. */
#ifndef WEFT_REGS_H
#define WEFT_REGS_H

enum {
#define WEFT_REG(name, offset, access, reset, doc) WEFT_REG_##name = offset,
#define WEFT_ERROR(name, value, doc) WEFT_ERROR_##name = value,
#include "regs.def"
#undef WEFT_REG
#undef WEFT_ERROR
};

enum {
  WEFT_REGIONS = 8,
  WEFT_STATUS_RUNNING = 1,
  WEFT_STATUS_DONE = 2,
  WEFT_STATUS_ERROR = 4,
  WEFT_STATUS_IRQ = 8,
  WEFT_CONTROL_RESET = 1,
  WEFT_CONTROL_IRQ_ENABLE = 2,
};

/* Text of an error cause. */
const char *weft_error_text(unsigned cause);

#endif

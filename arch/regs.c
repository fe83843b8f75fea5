/* Texts of the error causes. */
#include "regs.h"

const char *weft_error_text(unsigned cause) {
  switch (cause) {
#define WEFT_REG(name, offset, access, reset, doc)
#define WEFT_ERROR(name, value, doc)                                                               \
  case value:                                                                                      \
    return doc;
#include "regs.def"
#undef WEFT_REG
#undef WEFT_ERROR
  }
  return "unknown cause";
}

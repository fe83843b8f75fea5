/* Names of operators, from the table. */
#include "op.h"

const char *weft_op_name(weft_opcode op) {
  static const char *const name[] = {
#define WEFT_OP(name, min_in, max_in) #name,
#include "ops.def"
#undef WEFT_OP
  };
  return (unsigned)op < WEFT_OP_COUNT ? name[op] : "?";
}

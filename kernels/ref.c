/* Dispatch through the operator table. */
#include "ref.h"

const char *weft_ref_run(weft_opcode op, const weft_attr *attr, int n_in,
                         const weft_tensor *const *in, int n_out, weft_tensor *const *out) {
  static const struct {
    weft_kernel *run;
    int min_in, max_in;
  } table[] = {
#define WEFT_OP(name, min_in, max_in) {weft_ref_##name, min_in, max_in},
#include "ops.def"
#undef WEFT_OP
  };
  if ((unsigned)op >= WEFT_OP_COUNT) return "unknown operator";
  if (n_in < table[op].min_in || n_in > table[op].max_in) return "wrong number of inputs";
  if (n_out < 1 || (n_out > 1 && op != WEFT_OP_SPLIT)) return "wrong number of outputs";
  for (int i = 0; i < n_in; i++) {
    if (!in[i] && i < table[op].min_in) return "a required input is absent";
    if (in[i] && !in[i]->data && weft_tensor_elements(in[i])) return "an input has no data";
  }
  for (int i = 0; i < n_out; i++)
    if (!out[i] || (!out[i]->data && weft_tensor_elements(out[i]))) return "an output has no room";
  return table[op].run(op, attr, n_in, in, n_out, out);
}

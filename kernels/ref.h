/* The reference kernels: what each operator computes, bit for bit.
 *
 * weft_ref_run runs one operator; ops.def lists them. Results are those of TFLite's reference
 * kernels: for int8 as in TFLite Micro with TFLITE_SINGLE_ROUNDING=0, for uint8 reference_ops.
 * docs/numerics.md gives the definition of each in words; params.h derives the integer parameters.
 * Each kernel is a plain loop over dense row-major (NHWC) tensors and allocates nothing. Shapes,
 * types and quantization are checked before the first element is read, so that a kernel never reads
 * or writes outside its tensors, whatever the model says.
 */
#ifndef WEFT_REF_H
#define WEFT_REF_H

#include "op.h"
#include "tensor.h"

/* Runs `op`. Every tensor in `in` has data (an absent optional input is NULL), every tensor in
 * `out` has room for its shape; outputs must not overlap inputs. Returns NULL, or one line of
 * static text that says what is not supported or does not fit; then the outputs are undefined. */
const char *weft_ref_run(weft_opcode op, const weft_attr *attr, int n_in,
                         const weft_tensor *const *in, int n_out, weft_tensor *const *out);

/* One kernel: the operands as above; the number of inputs has been checked against ops.def. */
typedef const char *weft_kernel(weft_opcode op, const weft_attr *attr, int n_in,
                                const weft_tensor *const *in, int n_out, weft_tensor *const *out);

/* weft_ref_CONV_2D, weft_ref_DEPTHWISE_CONV_2D, ...: one per line of ops.def. */
#define WEFT_OP(name, min_in, max_in) weft_kernel weft_ref_##name;
#include "ops.def"
#undef WEFT_OP

#endif

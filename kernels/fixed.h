/* Fixed-point functions of the quantized SOFTMAX, LOGISTIC, TANH and RSQRT.
 *
 * "Qm" is a signed 32-bit number with m integer bits and 31 - m fraction bits. The definitions are
 * those of gemmlowp's fixedpoint.h (exp_on_negative_values, one_over_one_plus_x_for_x_in_0_1,
 * one_minus_x_over_one_plus_x_for_x_in_0_1) and TFLite's GetReciprocal and
 * GetInvSqrtQuantizedMultiplierExp; docs/numerics.md spells them out in integer steps.
 */
#ifndef WEFT_FIXED_H
#define WEFT_FIXED_H

#include "requant.h"

/* exp(a) as Q0 for a <= 0 given as Q`int_bits`, int_bits 4 or 5; exp(0) is 2^31 - 1. */
int32_t weft_fixed_exp(int32_t a, int int_bits);
/* 1 / (1 + a) as Q0, for a in [0, 1] given as Q0. */
int32_t weft_fixed_one_over_one_plus(int32_t a);
/* 1 / (1 + exp(-a)) as Q0, a given as Q4. */
int32_t weft_fixed_logistic(int32_t a);
/* tanh(a) as Q0, a given as Q4. */
int32_t weft_fixed_tanh(int32_t a);
/* 1 / x for x > 0 given as Q`int_bits`: returns a mantissa in Q0 (in [0.5, 1]); the reciprocal is
 * mantissa * 2^-over_unit. */
int32_t weft_fixed_reciprocal(int32_t x, int int_bits, int *over_unit);
/* 1 / sqrt(x) for an integer x >= 0 (0 counts as 1) as a multiplier. */
weft_multiplier weft_fixed_inv_sqrt(int32_t x);

#endif

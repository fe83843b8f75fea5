/* Fixed-point exp, reciprocal, logistic, tanh and 1/sqrt. Start at weft_fixed_exp. */
#include "fixed.h"

enum { Q2_ONE = 1 << 29, Q3_ONE = 1 << 28 };
static const int32_t Q0_ONE = INT32_MAX;

/* exp(a) for a in [-1/4, 0) as Q0: a Taylor polynomial of degree 4 around -1/8. */
static int32_t exp_quarter(int32_t a) {
  const int32_t exp_minus_eighth = 1895147668, third = 715827883;
  int32_t x = weft_wrap_add(a, 1 << 28);
  int32_t x2 = weft_high_mul(x, x);
  int32_t x3 = weft_high_mul(x2, x);
  int32_t x4 = weft_high_mul(x2, x2);
  int32_t x4_4 = weft_round_shift(x4, 2);
  int32_t cubic = weft_high_mul(weft_wrap_add(x4_4, x3), third);
  int32_t tail = weft_round_shift(weft_wrap_add(cubic, x2), 1);
  return weft_wrap_add(exp_minus_eighth, weft_high_mul(exp_minus_eighth, weft_wrap_add(x, tail)));
}

int32_t weft_fixed_exp(int32_t a, int int_bits) {
  /* exp(-2^e) as Q0 for e = -2, -1, ... 4 */
  static const int32_t power[] = {1672461947, 1302514674, 790015084, 290630308,
                                  39332535,   720401,     242};
  if (a == 0) return Q0_ONE;
  int fraction = 31 - int_bits;
  int32_t quarter = 1 << (fraction - 2);
  int32_t mod = (a & (quarter - 1)) - quarter; /* in [-1/4, 0) */
  int32_t result = exp_quarter(weft_sat_shl(mod, int_bits));
  int32_t rest = weft_wrap_sub(mod, a); /* a multiple of 1/4 */
  for (int e = -2; e < int_bits; e++)
    if (rest & (1 << (fraction + e))) result = weft_high_mul(result, power[e + 2]);
  return result;
}

/* Newton-Raphson for 1/d, d = (1 + a)/2 in [0.5, 1] as Q0; the result is Q2. */
static int32_t newton_reciprocal(int32_t a) {
  const int32_t c48_17 = 1515870810, c32_17 = -1010580540;
  int64_t sum = (int64_t)a + Q0_ONE;
  int32_t d = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
  int32_t x = weft_wrap_add(c48_17, weft_high_mul(d, c32_17));
  for (int i = 0; i < 3; i++) {
    int32_t error = weft_wrap_sub(Q2_ONE, weft_high_mul(d, x));
    x = weft_wrap_add(x, weft_sat_shl(weft_high_mul(x, error), 2));
  }
  return x;
}

/* 1/d is 2/(1 + a): reading the Q2 as a Q1 halves it. */
int32_t weft_fixed_one_over_one_plus(int32_t a) {
  return weft_sat_shl(newton_reciprocal(a), 1);
}

int32_t weft_fixed_logistic(int32_t a) {
  if (a == 0) return 1 << 30;
  int32_t positive = weft_fixed_one_over_one_plus(weft_fixed_exp(a > 0 ? -a : a, 4));
  return a > 0 ? positive : weft_wrap_sub(Q0_ONE, positive);
}

int32_t weft_fixed_tanh(int32_t a) {
  if (a == 0) return 0;
  /* (1 - e)/(1 + e) = 2/(1 + e) - 1 with e = exp(-2|a|): a Q4 read as a Q5 is doubled */
  int32_t e = weft_fixed_exp(a > 0 ? -a : a, 5);
  int32_t t = weft_sat_shl(weft_wrap_sub(newton_reciprocal(e), Q2_ONE), 2);
  return a > 0 ? t : weft_wrap_sub(0, t);
}

int32_t weft_fixed_reciprocal(int32_t x, int int_bits, int *over_unit) {
  int zeros = x ? __builtin_clz((uint32_t)x) : 32;
  *over_unit = int_bits - zeros;
  uint32_t top = zeros < 32 ? (uint32_t)x << zeros : 0;
  return weft_fixed_one_over_one_plus((int32_t)(top - (UINT32_C(1) << 31)));
}

weft_multiplier weft_fixed_inv_sqrt(int32_t x) {
  if (x <= 1) return (weft_multiplier){INT32_MAX, 0};
  int right = 11;
  while (x >= 1 << 29) {
    x /= 4;
    right++;
  }
  int pairs = (__builtin_clz((uint32_t)x) - 1) / 2 - 1;
  right -= pairs;
  x = weft_wrap_shl(x, 2 * pairs); /* now in [2^27, 2^29) */
  int32_t half = weft_round_shift(x >> 1, 1);
  int32_t y = Q3_ONE;
  for (int i = 0; i < 5; i++) { /* y = 1.5 y - x/2 y^3, in Q3 */
    int32_t y3 = weft_sat_shl(weft_high_mul(weft_high_mul(y, y), y), 6);
    y = weft_sat_shl(
        weft_wrap_sub(weft_high_mul((1 << 28) + (1 << 27), y), weft_high_mul(half, y3)), 3);
  }
  y = weft_high_mul(y, 1518500250); /* sqrt(1/2) */
  if (right < 0) {
    y = weft_wrap_shl(y, -right);
    right = 0;
  }
  return (weft_multiplier){y, -right};
}

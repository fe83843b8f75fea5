/* Three versions of one inner product: AVX-512 VNNI, AVX2, portable C. All give the same sums.
 *
 * The dot-product instruction multiplies unsigned by signed bytes, so weights are stored plus 128
 * and 128 times the sum of the pixel's activations is taken off at the end. */
#include "gemm_kernel.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { LANES = WEFT_GEMM_LANES };

/* Sum of a pixel's activations over all taps. */
static int32_t activation_sum(const int8_t *const *ptr, size_t taps, size_t channels) {
  int32_t sum = 0;
  for (size_t t = 0; t < taps; t++)
    for (size_t k = 0; k < channels; k++) sum += ptr[t][k];
  return sum;
}

static void portable(const int8_t *const *ptr, size_t pixels, size_t taps, size_t channels,
                     const uint8_t *packed, size_t chunks, int32_t *sum) {
  for (size_t m = 0; m < pixels; m++, ptr += taps) {
    uint32_t off = 128u * (uint32_t)activation_sum(ptr, taps, channels);
    const uint8_t *w = packed;
    for (size_t j = 0; j < chunks; j++) {
      uint32_t acc[LANES] = {0};
      for (size_t t = 0; t < taps; t++)
        for (size_t k = 0; k < channels; k += 4, w += 4 * LANES)
          for (int l = 0; l < LANES; l++)
            for (int q = 0; q < 4; q++)
              acc[l] += (uint32_t)((int32_t)w[4 * l + q] * ptr[t][k + (size_t)q]);
      for (int l = 0; l < LANES; l++) *sum++ = (int32_t)(acc[l] - off);
    }
  }
}

#if defined(__x86_64__)

enum { GROUP = 8 }; /* pixels that share a load of weights */

__attribute__((target("avx512f,avx512bw,avx512vnni"))) static void
vnni_group(const int8_t *const *ptr, size_t n, size_t taps, size_t channels, const uint8_t *packed,
           size_t chunks, const int32_t *off, int32_t *sum) {
  const __m512i zero = _mm512_setzero_si512();
  for (size_t j = 0; j < chunks; j++) {
    __m512i acc[GROUP] = {zero, zero, zero, zero, zero, zero, zero, zero};
    for (size_t t = 0; t < taps; t++) {
      const int8_t *a[GROUP];
      for (size_t m = 0; m < GROUP; m++) a[m] = ptr[(m < n ? m : 0) * taps + t];
      for (size_t k = 0; k < channels; k += 4, packed += 4 * LANES) {
        __m512i w = _mm512_loadu_si512(packed);
        for (int m = 0; m < GROUP; m++) {
          int32_t four;
          memcpy(&four, a[m] + k, 4);
          acc[m] = _mm512_dpbusd_epi32(acc[m], w, _mm512_set1_epi32(four));
        }
      }
    }
    for (size_t m = 0; m < n; m++)
      _mm512_storeu_si512(sum + (m * chunks + j) * LANES,
                          _mm512_sub_epi32(acc[m], _mm512_set1_epi32(off[m])));
  }
}

static void vnni(const int8_t *const *ptr, size_t pixels, size_t taps, size_t channels,
                 const uint8_t *packed, size_t chunks, int32_t *sum) {
  for (size_t m = 0; m < pixels; m += GROUP) {
    size_t n = pixels - m < GROUP ? pixels - m : GROUP;
    int32_t off[GROUP];
    for (size_t i = 0; i < n; i++)
      off[i] = (int32_t)(128u * (uint32_t)activation_sum(ptr + (m + i) * taps, taps, channels));
    vnni_group(ptr + m * taps, n, taps, channels, packed, chunks, off, sum + m * chunks * LANES);
  }
}

/* AVX2 has no exact dot product of bytes (the pairwise one saturates): widen to 16 bits. */
__attribute__((target("avx2"))) static void avx2(const int8_t *const *ptr, size_t pixels,
                                                 size_t taps, size_t channels,
                                                 const uint8_t *packed, size_t chunks,
                                                 int32_t *sum) {
  const __m256i bias = _mm256_set1_epi16(128);
  for (size_t m = 0; m < pixels; m++, ptr += taps) {
    const uint8_t *w = packed;
    for (size_t j = 0; j < chunks; j++, sum += LANES) {
      __m256i acc[4]; /* two 32-bit partial sums per column, 4 columns each */
      for (int i = 0; i < 4; i++) acc[i] = _mm256_setzero_si256();
      for (size_t t = 0; t < taps; t++)
        for (size_t k = 0; k < channels; k += 4, w += 4 * LANES) {
          int32_t four;
          memcpy(&four, ptr[t] + k, 4);
          __m256i a = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
          for (int i = 0; i < 4; i++) {
            __m256i b = _mm256_sub_epi16(
                _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(w + 16 * i))), bias);
            acc[i] = _mm256_add_epi32(acc[i], _mm256_madd_epi16(a, b));
          }
        }
      for (int i = 0; i < 4; i++) {
        int32_t pair[8];
        _mm256_storeu_si256((__m256i *)pair, acc[i]);
        for (int l = 0; l < 4; l++) sum[4 * i + l] = pair[2 * l] + pair[2 * l + 1];
      }
    }
  }
}

#endif

weft_gemm_fn weft_gemm_kernel(bool fast) {
#if defined(__x86_64__)
  if (fast && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw"))
    return vnni;
  if (fast && __builtin_cpu_supports("avx2")) return avx2;
#else
  (void)fast;
#endif
  return portable;
}

/* Function multi-versioning for loops that the C compiler vectorizes by itself: the best version
 * for the machine is chosen when the program loads. Off under sanitizers, which do not get along
 * with resolvers. */
#ifndef WEFT_SIM_SIMD_H
#define WEFT_SIM_SIMD_H

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__)
#define WEFT_CLONES __attribute__((target_clones("arch=skylake-avx512", "avx2", "default")))
#else
#define WEFT_CLONES
#endif

#endif

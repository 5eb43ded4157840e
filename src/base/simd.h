/* 64-byte byte-class masks at four levels: portable C, SSE2, AVX2 and AVX-512, chosen at run time; all give the same bits.
 *
 * How a kernel uses it: the kernel's body is in NAME.inc.h and names its functions SIMD(name). NAME.c includes it once per level:
 *
 *     #define SIMD_BODY "codec/csv_scan.inc.h"
 *     #include "base/simd_levels.h"
 *     ...
 *     static csv_scan_fn *const csv_scan[SIMD_LEVELS] = SIMD_TABLE(csv_scan);
 *     ... csv_scan[simd_level()](...)
 *
 * In the body these are available, each `static inline`, bit i of a mask speaks of byte p[i] (64 bytes are read):
 *     uint64_t SIMD(eq)(const char *p, char c)         bytes equal to c
 *     uint64_t SIMD(space)(const char *p)              ASCII white space: 9..13 and 32
 *     uint64_t SIMD(below)(const char *p, uint8_t c)   unsigned bytes < c
 *     uint64_t SIMD(high)(const char *p)               bytes >= 0x80
 *     uint64_t SIMD(prefix_xor)(uint64_t m)            bit i = parity of bits 0..i
 *     uint32_t *SIMD(index)(uint32_t *out, uint32_t base, uint64_t m)  base + position of each set bit, ascending; may write up to
 *                                                       64 entries past; returns out + popcount
 *     unsigned SIMD(count)(uint64_t m), SIMD(first)(uint64_t m)  (m != 0)
 */
#ifndef STRM_BASE_SIMD_H
#define STRM_BASE_SIMD_H
#include <stdint.h>

enum simd_level { SIMD_PORTABLE, SIMD_SSE2, SIMD_AVX2, SIMD_AVX512, SIMD_LEVELS };

/* The level of this machine; STRM_TEST_SIMD=portable|sse2|avx2|avx512 in the environment lowers it (tests). Cached; thread-safe. */
enum simd_level simd_level(void);

#endif

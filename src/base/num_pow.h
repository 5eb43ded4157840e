/* Powers of ten as 128-bit mantissas, shared by number parsing and printing. Constant; internal to base/num_*.c. */
#ifndef STRM_BASE_NUM_POW_H
#define STRM_BASE_NUM_POW_H
#include <stdint.h>

#define NUM_POW_MIN (-342)
#define NUM_POW_MAX 324
#define NUM_POW_EXACT 55

extern const uint64_t num_pow[NUM_POW_MAX - NUM_POW_MIN + 1][2];

#endif

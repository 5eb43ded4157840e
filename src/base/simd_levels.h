/* Includes SIMD_BODY once for each level of base/simd.h. No include guard on purpose. */
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define SIMD_X86 1
#endif
#ifndef SIMD_CAT
#define SIMD_CAT_(a, b) a##_##b
#define SIMD_CAT(a, b) SIMD_CAT_(a, b)
#define SIMD(name) SIMD_CAT(name, SIMD_NAME)
#ifdef SIMD_X86
#define SIMD_TABLE(f) { f##_portable, f##_sse2, f##_avx2, f##_avx512 }
#else
#define SIMD_TABLE(f) { f##_portable, f##_portable, f##_portable, f##_portable }
#endif
#endif

#define SIMD_NAME portable
#define SIMD_LEVEL 0
#include "base/simd_ops.h"
#include SIMD_BODY
#undef SIMD_NAME
#undef SIMD_LEVEL

#ifdef SIMD_X86
#define SIMD_NAME sse2
#define SIMD_LEVEL 1
#include "base/simd_ops.h"
#include SIMD_BODY
#undef SIMD_NAME
#undef SIMD_LEVEL

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,pclmul"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,lzcnt,popcnt,pclmul")
#endif
#define SIMD_NAME avx2
#define SIMD_LEVEL 2
#include "base/simd_ops.h"
#include SIMD_BODY
#undef SIMD_NAME
#undef SIMD_LEVEL
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi,bmi2,lzcnt,popcnt,pclmul"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi,bmi2,lzcnt,popcnt,pclmul")
#endif
#define SIMD_NAME avx512
#define SIMD_LEVEL 3
#include "base/simd_ops.h"
#include SIMD_BODY
#undef SIMD_NAME
#undef SIMD_LEVEL
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
#undef SIMD_BODY

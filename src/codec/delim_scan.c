#include "codec/delim_scan.h"

#define SIMD_BODY "codec/delim_scan.inc.h"
#include "base/simd_levels.h"

delim_scan_fn *csv_scan_fn(enum simd_level level)
{
	static delim_scan_fn *const fn[SIMD_LEVELS] = SIMD_TABLE(csv_scan);

	return fn[level];
}

delim_scan_fn *tsv_scan_fn(enum simd_level level)
{
	static delim_scan_fn *const fn[SIMD_LEVELS] = SIMD_TABLE(tsv_scan);

	return fn[level];
}

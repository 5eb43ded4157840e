/* The separator index of csv and tsv: 64 bytes at a time, with one bit for each quote, delimiter, line feed and carriage return.
 *
 * For csv the parity of the quotes before a byte (prefix XOR) tells whether it is inside quotes. That agrees with libcsv as long
 * as every opening quote stands at the start of a field, every closing quote at the end of one or before another quote, and every
 * carriage return outside quotes before a line feed. The first place where that does not hold is an oddity: the index stops
 * before it, and the record it is in goes to libcsv. Method: Langdale and Lemire, "Parsing gigabytes of JSON per second" (2019),
 * section 3.1, applied to CSV. */
#ifndef STRM_CODEC_DELIM_SCAN_H
#define STRM_CODEC_DELIM_SCAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/simd.h"

struct delim_scan {
	char delim;
	/* between steps; zero except `before`, which is 1, at the start of a record */
	uint64_t inside; /* all ones inside quotes */
	uint64_t before; /* bit 0: an opening quote may follow */
	uint64_t closed; /* bit 0: the byte before is a closing quote */
	uint64_t cr;	 /* bit 0: the byte before is a carriage return outside quotes */
	/* found so far */
	uint64_t quotes;  /* not zero: csv, there are some */
	uint64_t escapes; /* not zero: csv, somewhere two quotes in a row; tsv, somewhere a backslash */
	uint64_t inner;	  /* newlines inside quotes */
	bool odd;	  /* stopped at an oddity */
	uint32_t n_sep, n_nl;
	uint32_t *sep; /* offsets of the delimiters and line feeds outside quotes; sep[-1] exists and is (uint32_t)-1 */
	uint32_t *nl;  /* of the line feeds only */
};

/* Index p[from..to), offsets relative to p; from is where the step before ended. sep and nl have room for to - from + 64 more.
 * Reads up to MEM_SLACK bytes past `to`. */
typedef void delim_scan_fn(struct delim_scan *s, const char *p, size_t from, size_t to);
delim_scan_fn *csv_scan_fn(enum simd_level level);
delim_scan_fn *tsv_scan_fn(enum simd_level level);

#endif

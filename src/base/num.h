/* Numbers as text, exactly: parsing, shortest printing, comparison of int64 with double.
 * No locale, no allocation, thread-safe. */
#ifndef STRM_BASE_NUM_H
#define STRM_BASE_NUM_H
#include <stddef.h>
#include <stdint.h>

enum num_kind { NUM_NOT, NUM_INT, NUM_FLOAT };

struct num {
	enum num_kind kind;
	int64_t i; /* NUM_INT */
	double f;  /* NUM_FLOAT */
};

/* Longest output of num_format_*: bytes, without a NUL. */
#define NUM_MAX 32

/* Does the whole text look like a number? Grammar: blanks* [+-]? (digits [. digits*]? | . digits) ([eE][+-]?digits)? blanks*,
 * where blank is space or tab. An integer spelling that fits int64 is NUM_INT; every other number is NUM_FLOAT, correctly
 * rounded (1e400 is inf, a 30-digit integer is the nearest double; algorithm of Eisel and Lemire, exact comparison of big
 * integers where more than 19 digits leave it open). No hex, no inf, no nan. Returns the kind (also in out->kind). */
enum num_kind num_parse(const char *p, size_t n, struct num *out);
/* Is the text, byte for byte, a number of the JSON grammar (RFC 8259)? So 007, +1, .5, 1. and " 1" are not. */
int num_is_json(const char *p, size_t n);
/* Decimal digits of v into out (NUM_MAX bytes); returns the length. */
size_t num_format_int(int64_t v, char *out);
size_t num_format_uint(uint64_t v, char *out);
/* Shortest decimal text that reads back as v, the nearest of several (R. Giulietti's Schubfach). Plain notation for
 * 1e-7 <= |v| < 1e21 ("0.1", "6", "123456789012345680000"), else "1e+21", "1.5e-9"; "nan", "inf", "-inf"; -0 prints "-0".
 * An integral value has no ".0". Returns the length. */
size_t num_format_double(double v, char *out);
/* Exact comparison: <0, 0, >0. A NaN is larger than everything and equal to itself. */
int num_cmp(const struct num *a, const struct num *b);
int num_cmp_int_double(int64_t a, double b);
/* double -> int64 if v is integral and in range: 1, else 0. */
int num_double_to_int(double v, int64_t *out);

#endif

/* UTF-8. Strings are bytes; only functions that speak of characters look at the encoding. Thread-safe, no locale. */
#ifndef STRM_BASE_UTF8_H
#define STRM_BASE_UTF8_H
#include <stddef.h>
#include <stdint.h>

/* Is all of it well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms)? ASCII runs go 8 or more bytes at a time. */
int utf8_valid(const char *p, size_t n);
/* Decode one character at p (n > 0 bytes left); returns its length and *cp. A malformed byte is one character of length 1
 * with *cp = 0xDC00 + byte, which utf8_put turns back. */
unsigned utf8_decode(const char *p, size_t n, uint32_t *cp);
/* cp as UTF-8 (up to 4 bytes) into out; what is no character (other surrogates, above 0x10FFFF) becomes U+FFFD. Returns the length. */
unsigned utf8_put(uint32_t cp, char *out);
/* Characters in it; a malformed byte counts as one. */
size_t utf8_length(const char *p, size_t n);
/* Byte offset of character k (or n when k >= length). */
size_t utf8_offset(const char *p, size_t n, size_t k);
/* Terminal columns: 0 combining, 2 wide (East Asian Width W and F, emoji), else 1; control characters 0;
 * a malformed byte 1. The parts of a joined emoji or a flag count each by itself. */
size_t utf8_width(const char *p, size_t n);
unsigned utf8_char_width(uint32_t cp);
/* Simple case mapping, Latin, Greek, Cyrillic, Armenian, Georgian and the like (one to one,
 * so that ß stays), of Unicode 14. */
uint32_t utf8_upper(uint32_t cp);
uint32_t utf8_lower(uint32_t cp);

#endif

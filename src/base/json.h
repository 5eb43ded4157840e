/* The one door to jansson: the full JSON grammar, for what the fast path of codec/json hands over, for nested documents in
 * functions, and for metadata. Numbers are never read through jansson's own number types: callers slice raw text. */
#ifndef STRM_BASE_JSON_H
#define STRM_BASE_JSON_H
#include <stddef.h>

/* Is it one JSON text by jansson (JSON_DECODE_ANY: any value at the top; duplicate keys allowed; NUL in strings allowed)?
 * Numbers that overflow a double are accepted all the same. Nesting deeper than JSON_DEPTH_MAX is refused.
 * 1, or 0 with *why (static or in `buf`, at most 160 bytes) and *at, the byte offset. */
#define JSON_DEPTH_MAX 512
int json_check(const char *p, size_t n, char *buf, size_t *at);

#endif

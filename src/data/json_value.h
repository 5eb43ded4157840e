/* JSON text to a value: the full grammar of RFC 8259, strict, without a library in the way (numbers keep their spelling).
 * Thread-safe. */
#ifndef STRM_DATA_JSON_VALUE_H
#define STRM_DATA_JSON_VALUE_H
#include "data/value.h"

/* Read one JSON text of n bytes, white space around it allowed. Numbers become T_NUM and strings T_STR; both point into p
 * where nothing had to be unescaped, so p must live as long as the value; lists, fields and unescaped strings are in the arena.
 * Of equal keys the last value wins, at the place of the first. Accepts what json_check (base/json.h) accepts: nesting up to
 * JSON_DEPTH_MAX, \u0000 in strings but not in keys; refuses malformed UTF-8, lone surrogates, bare control characters.
 * 0; or -1 with *why (static text) and *out null. */
int value_from_json(const char *p, size_t n, struct arena *a, struct value *out, const char **why);
/* Make the names of n fields unique, in place: of equal ones the last value, at the place of the first. Returns how many are
 * left. */
size_t fields_unique(struct field *f, size_t n);

#endif

/* The one door to PCRE2: compile once, match often. JIT where there is one. Patterns and subjects are bytes; a pattern
 * that is valid UTF-8 with a character over 0x7F is compiled in UTF mode that accepts invalid subjects (PCRE2_MATCH_INVALID_UTF). */
#ifndef STRM_BASE_REGEX_H
#define STRM_BASE_REGEX_H
#include <stddef.h>

#include "base/err.h"

struct regex; /* immutable after compile; matching uses scratch inside: one thread at a time */

#define REGEX_GROUPS_MAX 64

struct regex_span {
	size_t at, end; /* bytes; at == (size_t)-1: the group did not take part */
};

/* Compile n bytes. NULL and err (ERR_PROGRAM, message with PCRE2's words and the offset) when malformed or with too many groups. */
struct regex *regex_compile(const char *p, size_t n, struct err *e);
void regex_free(struct regex *re);
/* Groups, without group 0. */
unsigned regex_groups(const struct regex *re);
/* Name of group g (1..), or NULL. */
const char *regex_group_name(const struct regex *re, unsigned g);
/* First match at or after `from`. spans: room for groups + 1. 1 match, 0 none, -1 the match limit was hit (counted as no match). */
int regex_match(struct regex *re, const char *p, size_t n, size_t from, struct regex_span *spans);

#endif

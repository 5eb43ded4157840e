/* The one door to PCRE2: compile once, match often, JIT where there is one. Nothing of PCRE2 is touched before the first
 * compile, and machine code is made only once a pattern has been matched a few times.
 *
 * Patterns and subjects are bytes. A pattern is compiled for UTF-8 when bytes and characters could give different answers: it has a
 * character over 0x7F, \p{...}, \x{...}, a dot or a negated class that may stand for one byte, and the like; then no match
 * takes part of a character, and malformed subjects are allowed but slow. All other patterns run on bytes, which is faster. \d \w \s and \b speak of ASCII. */
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
/* First match at or after `from`, the start of a character. spans: room for groups + 1. A call with from > 0 and the subject of the
 * call before goes on in it: its bytes must not have changed. 1 match, 0 none, -1 the match limit was hit (counted as no match). */
int regex_match(struct regex *re, const char *p, size_t n, size_t from, struct regex_span *spans);

#endif

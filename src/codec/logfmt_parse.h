/* The grammar of logfmt, one pair at a time.
 *
 *   line  = blanks { pair blanks }        blank: space, tab
 *   pair  = key [ "=" value ]             a key alone is true
 *   key   = bytes but blank, "=" and "\""
 *   value = bytes but blank               nothing: null
 *         | "\"" { byte | "\" escape } "\""      followed by a blank or the end
 *   escape: n t r b f " \ / uXXXX; a backslash before anything else is itself */
#ifndef STRM_CODEC_LOGFMT_PARSE_H
#define STRM_CODEC_LOGFMT_PARSE_H
#include "data/value.h"

struct logfmt_pair {
	const char *key;
	uint32_t key_n;
	struct value v; /* T_TEXT (a view, or unescaped in the arena), T_NULL, or T_BOOL true */
};

/* The next pair of *p..end; moves *p behind it. 1, 0 at the end, -1 when malformed: then *why says how (static). */
int logfmt_next(const char **p, const char *end, struct arena *a, struct logfmt_pair *out, const char **why);

#endif

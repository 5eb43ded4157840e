/* What the files of the patterns share: the entry of a named format and the head of every compiled pattern. */
#ifndef STRM_CODEC_PATTERN_IMPL_H
#define STRM_CODEC_PATTERN_IMPL_H
#include "codec/pattern.h"

struct pattern_def {
	struct doc doc;
	const char *const *fields; /* names, NULL: the rows have their own */
	uint8_t n_fields, n_default;
	struct pattern *(*open)(void);	  /* allocates; the struct begins with struct pattern */
	void (*begin)(struct pattern *p); /* before the rows of a pattern_parse; may be NULL */
	/* One row: NULL and the fields in slot[], or the reason why it does not match (static text, or in p->arena). Patterns
	 * with a list of fields fill slot[field]; where p->want lacks the field's bit the slot may be left alone. The others fill
	 * slot[k] for p->need[k], or slot[0] with an object when p->need is NULL. */
	const char *(*row)(struct pattern *p, const char *s, size_t n, struct value *slot);
	void (*free)(struct pattern *p); /* releases what open made, not the struct; may be NULL */
};

struct pattern {
	const struct pattern_def *def;
	const char *const *fields;
	uint32_t n_fields, n_default;
	struct arena keep; /* lives as long as the pattern: names */
	/* of the pattern_parse under way */
	uint64_t want; /* bit per field that has a column */
	const char *const *need;
	uint32_t n_need;
	struct arena *arena;
};

extern const struct pattern_def pattern_combined, pattern_common, pattern_syslog, pattern_logfmt, pattern_json, pattern_csv;

/* The compiled pattern takes the names: at most PATTERN_FIELDS_MAX, in p->keep. */
void pattern_set_fields(struct pattern *p, const char *const *names, uint32_t n);

/* Marks of a text: its quotes that no backslash escapes, and the blanks of its first 64 bytes. */
struct pattern_marks {
	unsigned n;		 /* quotes found: all there are, or at least as many as were asked for */
	uint64_t blanks;	 /* bit i: byte i is a blank */
	uint32_t quote[8 + 128]; /* positions, ascending; the rest is room that the search overwrites */
};

/* The first max (at most 8) or more quotes of s[0..n), n < 4 GiB. Reads only s[0..n). */
typedef void pattern_quotes_fn(const char *s, size_t n, unsigned max, struct pattern_marks *out);
pattern_quotes_fn *pattern_quotes(void);

#endif

/* The formats of the `parse` stage: a column of text -> columns of fields. A pattern is a named format (combined, syslog, json ...), a
 * brace pattern ("{ip} - {user} [{ts}]") or a regular expression with named groups. Fields come out as T_TEXT views into the text
 * (json: the values of the document), a field that a row lacks is null. Rows that do not match are told apart, never dropped; which rows
 * match does not depend on which fields are asked for. A pattern holds scratch memory: one thread at a time. */
#ifndef STRM_CODEC_PATTERN_H
#define STRM_CODEC_PATTERN_H
#include "base/doc.h"
#include "base/err.h"
#include "data/batch.h"

#define PATTERN_FIELDS_MAX 64 /* fields of a brace pattern or regular expression */

struct pattern;
struct pattern_def; /* a named format: begins with struct doc */

/* Compile. NULL and err (ERR_PROGRAM; pos.at and pos.n are bytes of the text given here, pos.unit is -1: the caller moves it to its place;
 * an unknown name has the nearest one as hint). The text need not outlive the call. */
struct pattern *pattern_named(const char *name, size_t n, struct err *e);
struct pattern *pattern_brace(const char *p, size_t n, struct err *e);
struct pattern *pattern_regex(const char *p, size_t n, struct err *e);
void pattern_free(struct pattern *p);

/* Names of the fields, in order: *n in all, of which the first *n_default are what `*` means (the others are made only when named).
 * NULL (and zeros) when the fields are the rows' own: json, logfmt, csv. Live as long as the pattern. */
const char *const *pattern_fields(const struct pattern *p, uint32_t *n, uint32_t *n_default);

struct pattern_in {
	const struct column *text; /* null rows and rows that are lists or objects do not match; other scalars match by their output text */
	const uint32_t *sel;       /* rows to look at, NULL: all */
	uint32_t n_sel, n_rows;
	/* Fields wanted, one output column each; a name the pattern does not know is null. For json a dotted name is looked up as it is, then as a
	 * path. NULL: all fields, that is one column for each default field, or for the formats with fields of their own one
	 * column whose rows are objects. */
	const char *const *need;
	uint32_t n_need;
	struct arena *arena; /* for the columns and for what is not a view */
};

struct pattern_out {
	struct column *cols; /* room for n_need (with need NULL: n_default or 1); n_rows rows, set only where the row matched */
	uint32_t *ok;        /* room for n_sel: the rows that match, ascending */
	uint32_t *bad;       /* room for n_sel: the other rows, ascending */
	const char **why;    /* room for n_sel: the reason of each bad row, static or in the arena; may be NULL */
	uint32_t n_ok, n_bad;
};

void pattern_parse(struct pattern *p, const struct pattern_in *in, struct pattern_out *out);

/* The registry of named formats: by name or alias; by number from 0, NULL ends; a "did you mean" search. */
const struct pattern_def *pattern_find(const char *name, size_t n);
const struct pattern_def *pattern_at(unsigned i);
const struct doc *pattern_doc(const struct pattern_def *d);
struct nearest;
void pattern_nearest(struct nearest *s);

#endif

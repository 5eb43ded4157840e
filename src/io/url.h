/* What --from, --to and `to` name: SCHEME:REST?key=value&flag, a plain path, or "-". Percent escapes are decoded in the rest and
 * in the options of a URL; a plain path is taken as it is (and has options only when what follows its last '?' looks like some
 * and no file has the whole name). No global state; thread-safe. */
#ifndef STRM_IO_URL_H
#define STRM_IO_URL_H
#include <stdbool.h>

#include "base/doc.h"
#include "base/err.h"
#include "base/mem.h"

#define URL_OPTIONS_MAX 32

struct url_option {
	const char *key, *value; /* value "" for a bare key */
};

/* Zeroed memory is a valid empty url; the owner calls url_release. */
struct url {
	const char *spec;   /* as it was given */
	const char *scheme; /* "file", "values", "-" ...; "" for a plain path */
	const char *raw;    /* behind the scheme and before the query, escapes as written */
	const char *rest;   /* the same, decoded */
	struct url_option options[URL_OPTIONS_MAX];
	unsigned n_options;
	struct arena mem;
};

/* What follows the scheme. */
enum url_form {
	URL_REST,     /* REST[?OPTIONS], escapes decoded */
	URL_OPTIONS,  /* OPTIONS alone: gen:rate=10&rows=5 */
	URL_VERBATIM, /* REST as it stands, without escapes; options only where all behind the last ? are known ones:
			 exec:CMD?restart=always */
};

/* The schemes there are: those of the sources or those of the sinks. */
struct nearest;
struct url_names {
	const char *what, *other; /* "source", "sink" or the other way round */
	bool (*known)(const char *scheme);
	bool (*known_other)(const char *scheme);
	void (*nearest)(struct nearest *s);
	/* The form of a known scheme, and the documentation of its options. */
	enum url_form (*form)(const char *scheme, const struct doc **d);
};

/* 0, or -1 and err (ERR_USAGE): unknown scheme (with the nearest), a kind that this build lacks, a malformed escape or option. */
int url_parse(struct url *u, const char *spec, const struct url_names *names, struct err *e);
/* Are all its options among the doc's parameters, those of type "flag" without a value and the others with one? 0, or -1 and err.
 */
int url_check(const struct url *u, const struct doc *d, struct err *e);
/* Value of an option ("" for a bare one), NULL when it is not given. */
const char *url_option(const struct url *u, const char *key);
/* An option's whole number in range[0]..range[1], its duration in ms or its size in bytes ("64K"), likewise; *v stays when it is
 * not given. 0, or -1 and err (ERR_USAGE). */
int url_option_int(const struct url *u, const char *key, const int64_t range[2], int64_t *v, struct err *e);
int url_option_ms(const struct url *u, const char *key, const int64_t range[2], int64_t *v, struct err *e);
int url_option_size(const struct url *u, const char *key, const int64_t range[2], int64_t *v, struct err *e);
/* The URL without its options, for messages; the caller frees it. */
char *url_label(const struct url *u);
/* The rest as a file's path: file:///a is /a. */
const char *url_path(const struct url *u);
void url_release(struct url *u);

#endif

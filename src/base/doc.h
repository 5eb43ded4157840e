/* Documentation of one registry entry: the first member of every KIND_def. `strm help NAME`, the man pages, the shell
 * completions, the reference tables and the examples that run as tests all come from it; there is no second list. */
#ifndef STRM_BASE_DOC_H
#define STRM_BASE_DOC_H

#define DOC_EXAMPLES_MAX 6
#define DOC_PARAMS_MAX 16

/* One example, runnable. For stages, formats, sources, sinks: `args` is a shell command line after the word strm
 * ("words 'count by word'"), `in` its stdin (NULL: none), `out` its exact stdout. For functions: `args` is an expression and
 * `out` what it prints in `-n -o json 'map v = EXPR'` as a JSON value. For aggregates: `args` is an aggregate expression over
 * the field x of `in` (one value a line, as -i lines with x = line), `out` as for functions. */
struct doc_example {
	const char *args, *in, *out;
	const char *note; /* a few words on what it shows, or NULL */
};

struct doc_param {
	const char *name;
	const char *type; /* "int", "duration", "expr", "field", "keys", "name", "size", "text" ... */
	const char *dflt; /* printed default, NULL: required */
	const char *range; /* "1..2^31", "> 0", NULL: any */
	const char *help; /* one line */
};

struct doc {
	const char *name;
	const char *aliases;  /* blank-separated, or NULL */
	const char *synopsis; /* "top N by E [asc] [per KEYS]", "substr(S, FROM [, LEN])" */
	const char *summary;  /* one line, lower case, no full stop */
	const char *text;     /* paragraphs, or NULL */
	const char *group;    /* section of the reference: "strings", "math", "shape", ... */
	struct doc_param params[DOC_PARAMS_MAX];
	struct doc_example examples[DOC_EXAMPLES_MAX];
};

#endif

/* All registries side by side: what help, the man pages, the completions and the tests of the examples go through. */
#ifndef STRM_CLI_CATALOG_H
#define STRM_CLI_CATALOG_H
#include <stdbool.h>

#include "base/doc.h"

/* How the examples of a kind are run: see struct doc_example. */
enum example_form {
	EXAMPLE_COMMAND,   /* args follow the word strm */
	EXAMPLE_FUNCTION,  /* args is an expression */
	EXAMPLE_AGGREGATE, /* args is an aggregate expression over the field x */
};

struct kind {
	const char *name;    /* "stage" */
	const char *list;    /* `strm help LIST` names all of the kind */
	const char *summary; /* of the list */
	enum example_form form;
	/* By number from 0, NULL ends. */
	const struct doc *(*at)(unsigned i);
};

/* By number from 0, NULL ends; in the order of the reference. */
const struct kind *kind_at(unsigned i);
const struct kind *kind_of_list(const char *list);
/* The entry of a kind with this name or alias, NULL without. Options are found by `--name` and `-x` too, percentile aggregates by
 * any of their names (p95). */
const struct doc *kind_find(const struct kind *k, const char *name);
bool is_option_kind(const struct kind *k);
bool is_topic_kind(const struct kind *k);
bool same_group(const struct doc *a, const struct doc *b);
/* Is it the first entry of its group? */
bool begins_group(const struct kind *k, const struct doc *d);

#endif

/* What other stream processors call things, and what that is here: the reference strm-semantics(7), `strm help semantics`,
 * `strm help reduceByKey`. A row for each transform, window, trigger, source, sink and operation on state of the models; also for
 * what strm does not have. The examples run as tests, as those of the registries do (tests/examples-run). */
#ifndef STRM_CLI_PARALLELS_H
#define STRM_CLI_PARALLELS_H
#include <stdbool.h>

#include "base/nearest.h"
#include "cli/page.h"

struct parallel {
	const char *theirs; /* their name; several with ", " between them */
	const char *ours;   /* what to write; NULL: strm does not have it */
	const char *note;   /* how it differs; or the reason, and what comes nearest */
	/* An example of ours, as in struct doc_example: args follow the word strm, in is its stdin (or NULL), out its stdout. */
	const char *args, *in, *out;
};

struct parallel_part {
	const char *title;
	const struct parallel *rows; /* theirs NULL ends */
};

struct parallel_model {
	const char *name; /* as in `strm help NAME` */
	const char *title;
	const struct parallel_part *parts; /* title NULL ends */
};

/* The tables, a file each. */
extern const struct parallel_model parallels_dstream, parallels_structured, parallels_millwheel, parallels_beam;

/* By number from 0, NULL ends. */
const struct parallel_model *parallel_model_at(unsigned i);
/* The names, a line each, of one model, or of all when `name` is "semantics"; false when it is neither. */
bool parallels_list(struct page *p, const char *name);
/* The rows of this name in full (case ignored; Mean finds Mean.globally); how many there are. */
int parallels_show(struct page *p, const char *name);
void parallels_offer(struct nearest *s);
/* The page strm-semantics(7) without its head. */
void parallels_page(struct page *p);
/* For tests/examples-run, as examples_list. */
void parallels_examples(struct buf *b);

#endif

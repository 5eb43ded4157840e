/* One entry of a registry as text: for `strm help NAME` and for the man pages; its examples as commands. */
#ifndef STRM_CLI_ENTRY_H
#define STRM_CLI_ENTRY_H
#include "cli/catalog.h"
#include "cli/page.h"

/* All of it: synopsis, summary, text, parameters, examples. `label` (the kind's name) may be NULL. */
void entry_show(struct page *p, const struct kind *k, const struct doc *d, const char *label);
/* The shell command of an example ("strm words 'count by word'"), appended to b. */
void example_command(struct buf *b, const struct kind *k, const struct doc_example *x);
/* What it prints. */
void example_output(struct buf *b, const struct kind *k, const struct doc_example *x);
/* An example that is a command: as a reader would type it, with input and output; and what it shows ("quotes only where
 * needed:"). */
void example_typed(struct buf *b, const struct page *p, const struct doc_example *x);
void example_note(struct buf *b, const struct doc_example *x);
/* All examples of the registries, a line each, for tests/examples-run; and such a line behind its first field, of an example that is
 * a command. */
void examples_list(struct buf *b);
void example_line(struct buf *b, const struct doc_example *x);

#endif

/* strm checkpoint SUB ...: a checkpoint for people and for their programs (state/inspect.h), read beside the job that uses it.
 *
 * inspect.c takes the arguments and finds the subcommand; inspect_list.c has ls, verify and diff, inspect_keys.c get, top and export. What they show goes
 * through inspect_rows.c to the encoders, and inspect_layout.c makes records of entries. */
#ifndef STRM_CLI_INSPECT_H
#define STRM_CLI_INSPECT_H
#include "cli/options.h"
#include "op/op.h"
#include "state/inspect.h"

/* ---- rows ---- */

struct shown {
	const struct codec_def *codec;
	struct encode_opts opts;
	struct encoder *enc;
	struct arena arena;          /* of the rows that wait */
	const struct schema *schema; /* of those; NULL: none wait */
	struct value *values;        /* schema->n for each row, n rows */
	uint32_t n;
	size_t cap, bytes;
	struct buf out;
};

/* Rows to standard output: by -o, else in `codec`. `columns`: of formats with a header; NULL: of the first row. 0 or -1. */
int shown_open(struct shown *r, const struct options *o, const char *codec, const char *const *columns, uint32_t n, struct err *e);
/* The record with these fields; values are copied. */
int shown_put(struct shown *r, const struct field *fields, size_t n, struct err *e);
/* The last of them. */
int shown_end(struct shown *r, struct err *e);
void shown_close(struct shown *r);

/* ---- entries ---- */

/* How the entries of a stage of the store are read. */
struct inspect_layout {
	const struct store_stage *stage;
	char *title;                  /* its name for people */
	const struct plan_node *node; /* the stage of the stored program; NULL: not known */
	bool inputs;                  /* where inputs stand */
};

struct inspect_layouts {
	struct arena arena;
	struct plan plan;            /* of the stored program, after plan_times() */
	bool compiled;               /* it is there */
	struct value_format format;
	struct fn_env env;           /* of run */
	struct run run;              /* of operators that are looked into */
	struct inspect_layout *at; /* by number in the stored program */
	uint32_t n;
};

/* Of the program that the checkpoint remembers. What does not compile any more (a variable that is not given) leaves its stages without a node. */
void layouts_open(struct inspect_layouts *l, const struct store *s, const struct options *o);
void layouts_close(struct inspect_layouts *l);
const struct inspect_layout *layout_of(const struct inspect_layouts *l, uint32_t id);

/* An entry as values, in an arena. */
struct inspect_view {
	bool own;             /* it is what the stage keeps beside its keys (watermarks, counters): no key */
	struct value key;     /* object, fields by name; without names an object of 1, 2 ... */
	struct value state;   /* object of the variables; null: not known */
	struct value timers;  /* object of times by name; null: none is set */
};

void layout_view(const struct inspect_layout *l, const struct store_entry *entry, struct arena *a, struct inspect_view *out);
/* What takes longer: the results of aggregates as the state. */
void layout_fill(struct inspect_layouts *all, const struct inspect_layout *l, const struct store_entry *entry, struct arena *a, struct inspect_view *out);

/* ---- the command ---- */

struct inspect_run {
	struct options *opts;
	const char *dir;
	const char *const *args; /* between the subcommand and DIR */
	unsigned n_args;
	const char *stage;       /* --stage, NULL: all */
	struct store *store;
	struct inspect_layouts layouts;
};

int inspect_ls(struct inspect_run *r, struct err *e);
int inspect_verify(struct inspect_run *r, struct err *e);
int inspect_diff_with(struct inspect_run *r, struct err *e);
int inspect_get(struct inspect_run *r, struct err *e);
int inspect_fattest(struct inspect_run *r, struct err *e);
int inspect_to_lines(struct inspect_run *r, struct err *e);
/* The store's id of --stage, 0: all. 0 or -1. */
int inspect_stage_wanted(const struct inspect_run *r, uint32_t *id, struct err *e);

/* `strm checkpoint`, argv behind that word. The exit status. */
int inspect_command(int argc, char **argv);
/* For help and the manual. */
struct doc;
const struct doc *inspect_doc(unsigned i);

#endif

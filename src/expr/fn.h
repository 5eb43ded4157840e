/* Scalar functions: the registry and its contract. A function is one row at the foot of its family's file (fn_string.c, fn_math.c ...),
 * named, documented and with a tested example; fn_registry.c only strings the families together. */
#ifndef STRM_EXPR_FN_H
#define STRM_EXPR_FN_H
#include "base/doc.h"
#include "base/regex.h"
#include "base/time.h"
#include "data/batch.h"

/* What a program's expressions share; immutable during a run. */
struct fn_env {
	struct time_opts time;             /* --tz, and the clock's now for syslog years */
	const struct value_format *format; /* --ofmt, --times */
};

struct fn_def;

/* One call site. */
struct fn_call {
	const struct fn_def *def;
	const struct fn_env *env;
	struct arena *arena; /* for result bytes; lives as long as the batch */
	void *state;         /* what prepare() made, NULL without */
	const char *fail;    /* set by the function when null is its answer because of bad input ("not a number"): counted. Static text */
};

enum fn_flags {
	FN_NULLS = 1,    /* sees null arguments; without it any null argument gives null and the function is not called */
	FN_VOLATILE = 2, /* not a function of its arguments alone (now, random): never folded */
	FN_SPECIAL = 4,  /* a form of the evaluator (each, keep, if ...): row and vec are NULL, documented here all the same */
};

#define FN_ARGS_MAX 64

struct fn_def {
	struct doc doc; /* doc.name is the name; doc.aliases further names */
	uint8_t min_args, max_args; /* max 255: any number up to FN_ARGS_MAX */
	uint8_t flags;
	/* One row. Arguments are any type; use the fn_arg_* helpers to read them. *out is v_null() on entry. */
	void (*row)(struct fn_call *c, const struct value *args, uint32_t n, struct value *out);
	/* Optional: a whole batch, for hot functions. args[i] may be constant columns; only rows of sel (n_sel; NULL = 0..n_sel-1) are
	 * asked for; nulls are the function's business here. Fills *out (storage from c->arena, n_rows rows). Returns false to decline
	 * (types it has no kernel for): then row() runs. */
	bool (*vec)(struct fn_call *c, const struct column *args, uint32_t n_args, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows,
		    struct column *out);
	/* Optional: at bind time, with the arguments that are literals (NULL where they are not). 0 and c->state, or -1 and err (message
	 * only; the binder adds the place). unprepare frees c->state. */
	int (*prepare)(struct fn_call *c, const struct value *const *lits, uint32_t n, struct err *e);
	void (*unprepare)(struct fn_call *c);
};

/* By name or alias; NULL when unknown. */
const struct fn_def *fn_find(const char *name);
/* Offer every name to a "did you mean" search. */
struct nearest;
void fn_nearest(struct nearest *s);
/* All functions, in registry order; NULL ends. i from 0. */
const struct fn_def *fn_at(unsigned i);

/* Reading arguments. Each returns false after setting c->fail when the value is not usable. */
/* Text of a value: bytes as they are; numbers, times, durations and booleans as their output text (in the arena). Not lists, objects. */
bool fn_arg_str(struct fn_call *c, const struct value *v, const char **p, size_t *n);
/* A number in a numeric context (value_num). T_STR is not one: the reason says to use number(). */
bool fn_arg_num(struct fn_call *c, const struct value *v, struct num *out);
bool fn_arg_double(struct fn_call *c, const struct value *v, double *out);
/* A whole number: ints, and floats that are whole. */
bool fn_arg_int(struct fn_call *c, const struct value *v, int64_t *out);
/* A time: T_TIME, a number by magnitude, or text that time_parse takes. */
bool fn_arg_time(struct fn_call *c, const struct value *v, int64_t *ns);
/* A duration: T_DUR, or text that dur_parse takes. */
bool fn_arg_dur(struct fn_call *c, const struct value *v, int64_t *ns);
/* A list. */
bool fn_arg_list(struct fn_call *c, const struct value *v, const struct value **items, uint32_t *n);
/* A compiled pattern: from prepare()'s state when argument `i` was a literal, else compiled and cached at the call site. */
struct regex *fn_arg_regex(struct fn_call *c, const struct value *v);
/* The usual prepare/unprepare of functions whose only state is the regex cache of fn_arg_regex. */
int fn_prepare_regex(struct fn_call *c, const struct value *const *lits, uint32_t n, struct err *e);
void fn_unprepare_regex(struct fn_call *c);

#endif

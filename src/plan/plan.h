/* The plan: what a program means, as a graph without cycles. Chains of nodes of few kinds lead from point to point; a point is where the
 * inputs' records enter, or where a chain ends that others read. A stage `as NAME` in the middle of a chain as written makes two of it.
 * Stages (stage/) make nodes from syntax; plan_link puts chains behind those they read; rules rewrite them; lowering makes operators (op/).
 * A plan is immutable after plan_rules and lives in its arena. */
#ifndef STRM_PLAN_PLAN_H
#define STRM_PLAN_PLAN_H
#include "codec/codec.h"
#include "expr/eval.h"
#include "expr/parse.h"
#include "op/op_dedup.h"
#include "window/trigger.h"
#include "window/window.h"

enum plan_kind {
	PLAN_MAP,     /* items, drop: map set select drop rename */
	PLAN_FILTER,  /* expr */
	PLAN_FLATMAP, /* items; element: which of them is the list */
	PLAN_WORDS,   /* expr: the text */
	PLAN_PARSE,   /* format, expr: the text */
	PLAN_REDUCE,  /* items: aggregates; keys */
	PLAN_SORT,    /* orders */
	PLAN_TOP,     /* n, orders[0], keys: per */
	PLAN_LIMIT,   /* n */
	PLAN_SKIP,    /* n */
	PLAN_SAMPLE,  /* p, n: seed */
	PLAN_DEDUP,   /* keys; none: the whole record */
	PLAN_WATERMARK, /* expr: the time; delay_ns, idle_ns, by_marks */
	PLAN_WINDOW,  /* assigner; on, gap */
	PLAN_TRIGGER, /* trigger: of the window before it */
	PLAN_EXEC,    /* text: the command; each, patience_ns */
	PLAN_STATE,   /* state; keys */
	PLAN_SINK,    /* text: where to */
	PLAN_UNION,   /* others: after its own records, theirs */
	PLAN_JOIN,    /* join; others[0]: the right side */
	PLAN_COGROUP, /* cogroup; others: the sides behind the left one */
	PLAN_LOOKUP,  /* lookup */
	PLAN_GROUP_ROWS, /* n; items: collect, as PLAN_REDUCE; keys; delay_ns: within, 0: for good */
	PLAN_ABSENT,  /* delay_ns; keys */
	PLAN_FILL,    /* expr */
	PLAN_SPLIT,   /* items: to the first stream whose expr is true; ends its chain */
	/* Only between parsing and plan_link: they make points and chains. */
	PLAN_FROM,    /* others */
	PLAN_AS,      /* text: the name */
	PLAN_KINDS_,
};

enum output_mode { MODE_DEFAULT, MODE_APPEND, MODE_UPDATE, MODE_COMPLETE };

enum plan_closing { CLOSES_NEVER, CLOSES_BY_CLOCK, CLOSES_BY_EVENT };

/* A reduce over windows of event time, or the whole stream: when and how its panes come out. */
struct plan_panes {
	const struct plan_node *window;
	const struct trigger_spec *trigger;
	bool inherits;   /* rows carry their windows */
	bool merges;     /* sessions */
	bool windowed;   /* results begin with window_start and window_end */
	bool complete, as_touched;
	bool by_instant; /* over the whole stream: event time is among the keys, and the watermark ends them */
};

struct plan_order {
	struct node *expr;
	bool desc;
};

/* A point as a stage names it. */
struct plan_ref {
	const char *name; /* NULL: the end of the chain in place `inner` */
	struct pos pos;
	struct plan_node **inner; /* its stages, as parsed */
	uint32_t n_inner;
	size_t inner_cap;
	struct plan_point *point; /* by plan_link */
};

struct plan_node {
	enum plan_kind kind;
	int stage;              /* 1-based number in the program as written */
	const char *word;       /* the stage's word */
	struct pos pos;         /* of the word */
	const char *canonical;  /* the stage with its defaults made explicit; made by the stage */
	const char *keeps;      /* what it keeps in memory, for --explain; NULL: nothing */
	struct items items;
	const char **at;        /* PLAN_MAP of rename: per item the field whose place it takes; the items do not see each other */
	const char **drop;
	uint32_t n_drop;
	uint32_t element;
	struct items keys;
	struct node *expr;
	struct plan_order *orders;
	uint32_t n_orders;
	uint64_t n;
	double p;
	struct value format;    /* PLAN_PARSE: T_STR a brace pattern, T_REGEX, or T_TEXT a format's name */
	struct pos format_pos;
	const char *text;       /* PLAN_SINK, PLAN_EXEC */
	bool each;              /* PLAN_EXEC: one child that answers line by line, */
	int64_t patience_ns;    /* and how long it may be silent */
	const char **fields;    /* PLAN_SINK: the columns, where the program fixes them */
	uint32_t n_fields;
	int64_t delay_ns, idle_ns;      /* PLAN_WATERMARK; idle_ns 0: never. delay_ns: within of PLAN_DEDUP too, 0: none */
	bool by_marks;                  /* PLAN_WATERMARK: explicit */
	const struct window *assigner;  /* PLAN_WINDOW */
	struct node *on;                /* PLAN_WINDOW: the time, NULL: the watermark's */
	struct node *gap;               /* PLAN_WINDOW of sessions: the gap where it is no literal */
	const struct trigger_spec *trigger; /* PLAN_TRIGGER */
	struct state_spec *state;       /* PLAN_STATE (plan/state_spec.h) */
	struct plan_join *join;         /* PLAN_JOIN (plan/join.h) */
	struct plan_cogroup *cogroup;   /* PLAN_COGROUP (plan/cogroup.h) */
	struct plan_lookup *lookup;     /* PLAN_LOOKUP (plan/lookup.h) */
	struct plan_ref *others;        /* points that it reads beside its chain: its ports 1, 2 ... */
	uint32_t n_others;
	/* by the rules */
	struct field_set needs; /* fields wanted of its input; needs.all */
	struct field_set after; /* fields wanted of its output */
	bool moved;             /* a filter that runs earlier than written */
	/* by plan_times */
	enum op_scope scope;    /* sort, top, limit, skip */
	bool holds;             /* they wait for the end of the window */
	enum dedup_kind dedup;  /* PLAN_DEDUP */
	const struct plan_node *merges; /* with holds: the window of sessions, which merge for the keys of the stage */
	bool in_window;         /* PLAN_DEDUP: the window is part of the key */
	bool in_reduce;         /* PLAN_WINDOW: the reduce that follows keeps the panes */
	enum plan_closing closing;      /* PLAN_GROUP_ROWS, PLAN_ABSENT, PLAN_FILL: what ends their windows */
	int64_t lateness_ns;            /* PLAN_GROUP_ROWS, PLAN_FILL: how long after it a window takes records, or brings rows */
	const struct plan_node *filled; /* PLAN_FILL: the aggregate */
	bool whole;             /* without a window: what it says of a finite input is about all of it */
	bool takes_back;        /* PLAN_REDUCE: rows may take back earlier ones */
	int64_t clock_ns;       /* how long the window of processing time is that holds for its records, 0: none */
	bool in_clock_window;   /* PLAN_REDUCE: over the results of another, in the same window of processing time */
	const struct plan_node *window; /* PLAN_REDUCE: its window of processing time or rows */
	const struct plan_panes *panes; /* PLAN_REDUCE: over event time or the whole stream */
};

struct known;

/* Where the records of inputs enter, or where a chain ends. */
struct plan_point {
	const char *name;         /* NULL: the inputs without a name, or the end of a chain in place */
	struct pos pos;           /* of the name; unit -1: not in the program */
	uint32_t id;              /* its place in plan->points */
	struct plan_chain *maker; /* the chain that ends here; NULL: inputs do */
	uint32_t branch;          /* which stream of a chain that ends in `split` */
	bool used;                /* somebody names it */
	/* by the rules */
	struct known *known;      /* fields of its records */
	struct field_set needs;   /* fields wanted of its records, by any reader */
	struct time_flow *time;   /* which window and watermark hold there (times.c) */
};

struct plan_chain {
	struct plan_point *from;
	struct plan_node **nodes; /* in the order they run */
	uint32_t n;
	size_t cap;
	struct plan_point *to;    /* NULL: it ends in the job's sinks, or its last node is a sink or a split */
	bool ends;                /* in the job's sinks */
	/* between parsing and plan_link */
	struct plan_ref start;    /* name and point NULL: the inputs without a name */
	bool goes_on;             /* behind an `as` */
	int mark;                 /* of the search for cycles */
};

struct plan {
	struct arena *arena;
	struct plan_chain **chains; /* after plan_link each behind those it reads */
	uint32_t n;
	size_t cap;
	struct plan_point **points;
	uint32_t n_points;
	size_t points_cap;
	int n_stages;             /* as written */
	const char *canonical;    /* the program as written, a stage a line */
	/* by the rules */
	const struct plan_node *windowed; /* the first window of processing time, NULL: none */
	bool closes;              /* an aggregate or ordering stage: output comes at the end of the micro-batch */
	bool whole;               /* one of them has no window */
	bool forgets;             /* a join forgets rows at the end of a micro-batch: the whole of a long input had better be several */
	bool changes;             /* some stage makes other records than it got */
	bool keeps_late;          /* --late, set before plan_rules: every stage gets whole records */
	const char **fields;      /* the output's fields in order where the program fixes them, else NULL */
	uint32_t n_fields;
};

struct plan_input {
	const char *name;         /* NULL: none */
	const struct codec_def *codec;
	const char *const *names; /* --header, NULL: none */
	uint32_t n_names;
	bool no_header;
	bool nothing;             /* -n: one record without fields */
	bool all;                 /* the names are all the fields that there are */
	struct plan_point *point; /* by plan_link: where it enters; NULL: nothing reads it */
};

/* An empty chain that starts at `start`, NULL: at the inputs. */
struct plan_chain *plan_add_chain(struct plan *p, const struct plan_ref *start);
/* A node behind the last of the chain. PLAN_FROM and PLAN_AS are not added: they make the next chain, which is returned; else it is the one
 * given. Chains in place become chains of the plan. NULL and err. */
struct plan_chain *plan_add(struct plan *p, struct plan_chain *c, struct plan_node *n, struct err *e);
/* The program is whole: names become points, chains come behind those they read. Names that nobody made or reads, cycles and inputs without
 * a reader are errors. 0 or -1. */
int plan_link(struct plan *p, struct plan_input *in, uint32_t n_in, struct err *e);
/* Does the chain's last node take its records away, so that nothing is printed? */
bool plan_chain_closed(const struct plan_chain *c);
/* Call fn for every node, chain by chain, until it returns non-zero, which is returned. */
int plan_each(const struct plan *p, int (*fn)(struct plan_node *n, void *ctx), void *ctx);
/* Does every record take one way, from the inputs through one chain? */
bool plan_is_line(const struct plan *p);

/* Check the fields that stages read against what is known of the records, and find the output's fields. After plan_link, before plan_rules.
 * 0 or -1. */
int plan_known(struct plan *p, const struct plan_input *in, uint32_t n_in, struct err *e);
/* The columns that the fields in->names have become at the end of a plan that is a line, when they are all there are; NULL: unknown. After
 * plan_rules. */
const struct schema *plan_columns(const struct plan *p, const struct plan_input *in);
/* Move filters early, push projections down. `verbatim`: the output copies records as they were read if no stage changes them, so it
 * needs no field decoded. */
void plan_rules(struct plan *p, bool verbatim);
/* Does this kind of node make other records than it gets? */
bool plan_changes(enum plan_kind k);
/* Frees what is not in the arena. */
void plan_release(struct plan *p);
/* --explain: the program, the plan with what was pushed down, what is kept in memory. */
void plan_explain(const struct plan *p, const struct plan_input *in, uint32_t n_in, struct buf *out);
/* --explain=dot: points and chains in Graphviz's language. */
void plan_dot(const struct plan *p, struct buf *out);
/* The compiled pattern of a PLAN_PARSE node, the caller's; NULL and err with its place. */
struct pattern;
struct pattern *plan_pattern(const struct plan_node *n, struct err *e);
/* Do the results of the aggregate begin with window_start and window_end? */
bool plan_is_windowed(const struct plan_node *n);
const char *plan_kind_name(enum plan_kind k);

#endif

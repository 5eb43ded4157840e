#include "window/trigger.h"

/* Loosest to tightest; what is looser than its place stands in parentheses. */
enum level { LEVEL_THEN, LEVEL_UNTIL, LEVEL_OR, LEVEL_AND, LEVEL_ONE };

struct infix {
	enum trigger_kind kind;
	enum level level;
	const char *word;
};

static const struct infix infixes[] = {
	{ TRIGGER_THEN, LEVEL_THEN, " then " },
	{ TRIGGER_UNTIL, LEVEL_UNTIL, " until " },
	{ TRIGGER_OR, LEVEL_OR, " or " },
	{ TRIGGER_AND, LEVEL_AND, " and " },
};

static const struct infix *infix_of(enum trigger_kind k)
{
	for (unsigned i = 0; i < ARRAY_LEN(infixes); i++)
		if (infixes[i].kind == k)
			return &infixes[i];
	return NULL;
}

static void print_node(struct buf *b, const struct trigger_node *n, enum level at_least);

static void print_duration(struct buf *b, const char *before, int64_t ns)
{
	buf_str(b, before);
	buf_took(b, dur_format(ns, buf_room(b, TIME_MAX)));
}

static void print_prefix(struct buf *b, const char *word, const struct trigger_node *n)
{
	buf_str(b, word);
	print_node(b, n, LEVEL_ONE);
}

static void print_one(struct buf *b, const struct trigger_node *n)
{
	switch (n->kind) {
	case TRIGGER_EVERY:
		print_duration(b, "every ", n->delay_ns);
		print_duration(b, " offset ", n->offset_ns);
		return;
	case TRIGGER_AFTER:
		print_duration(b, "after ", n->delay_ns);
		return;
	case TRIGGER_COUNT:
		buf_printf(b, "count %llu", (unsigned long long)n->count);
		return;
	case TRIGGER_NEVER:
		buf_str(b, "never");
		return;
	case TRIGGER_ONCE:
		print_prefix(b, "once ", n->kids[0]);
		return;
	case TRIGGER_REPEAT:
		print_prefix(b, "repeat ", n->kids[0]);
		return;
	default:
		buf_str(b, "watermark");
		if (n->kids[0])
			print_prefix(b, " early ", n->kids[0]);
		if (n->kids[1])
			print_prefix(b, " late ", n->kids[1]);
	}
}

static void print_node(struct buf *b, const struct trigger_node *n, enum level at_least)
{
	const struct infix *x = infix_of(n->kind);

	if (!x) {
		print_one(b, n);
		return;
	}
	if (x->level < at_least)
		buf_char(b, '(');
	print_node(b, n->kids[0], x->level);
	buf_str(b, x->word);
	print_node(b, n->kids[1], x->level + 1);
	if (x->level < at_least)
		buf_char(b, ')');
}

void trigger_print(const struct trigger_spec *s, struct buf *out)
{
	static const struct trigger_node end_of_window = { .kind = TRIGGER_WATERMARK };
	static const char *const accumulation[] = { [PANES_DISCARDING] = "discarding",
						    [PANES_ACCUMULATING] = "accumulating",
						    [PANES_RETRACTING] = "retracting" };
	static const char *const stamp[] = { [STAMP_END] = "end", [STAMP_EARLIEST] = "earliest", [STAMP_LATEST] = "latest" };
	bool repeats = trigger_repeats(s);

	buf_str(out, repeats ? "trigger repeat " : "trigger ");
	print_node(out, s->root ? s->root : &end_of_window, repeats ? LEVEL_ONE : LEVEL_THEN);
	buf_printf(out, ", %s, ", accumulation[s->accumulation]);
	if (s->lateness_ns == INT64_MAX)
		buf_str(out, "lateness forever");
	else
		print_duration(out, "lateness ", s->lateness_ns);
	buf_printf(out, ", ontime %s, closing %s, stamp %s", s->ontime_if_new ? "ifnew" : "always", s->closing_always ? "always" : "ifnew",
		   stamp[s->stamp]);
}

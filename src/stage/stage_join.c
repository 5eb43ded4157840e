#include "base/time.h"
#include "plan/join.h"
#include "stage/canon.h"
#include "stage/join_keys.h"
#include "stage/points.h"
#include "stage/stage_list.h"

static const char *const kinds[] = { "inner", "left", "right", "full", "semi", "anti" };

static int parse_on(struct parser *p, struct plan_join *j, struct err *e)
{
	if (!parser_accept_word(p, "on")) {
		parser_expected(p, NULL, e);
		return err_hint(e, "say what must be equal: on id, or on id = user_id");
	}
	return parse_join_keys(p, &j->keys, &j->n_keys, e);
}

/* A bound of `within A to B`; `inf` is none. */
static int parse_bound(struct parser *p, int64_t none, int64_t *out, struct err *e)
{
	*out = none;
	if (parser_accept_word(p, "inf"))
		return 0;
	if (none < 0 && parser_accept(p, "-")) {
		if (parser_accept_word(p, "inf"))
			return 0;
		if (parser_duration(p, "a duration", out, NULL, e))
			return -1;
		*out = -*out;
		return 0;
	}
	return parser_duration_signed(p, "a duration, as 1h", out, NULL, e);
}

static int parse_within(struct parser *p, struct plan_join *j, struct err *e)
{
	struct pos pos = parser_pos(p);

	j->within = true;
	if (parse_bound(p, INT64_MIN, &j->from, e))
		return -1;
	if (parser_accept_word(p, "to")) {
		if (parse_bound(p, INT64_MAX, &j->to, e))
			return -1;
		return j->from <= j->to ? 0 : err_at(e, pos, "`within` goes from the smaller to the larger difference");
	}
	if (j->from == INT64_MIN) {
		j->to = INT64_MAX;
		return 0;
	}
	if (j->from < 0)
		return err_at(e, pos, "`within D` is a distance either way, and not negative");
	j->to = j->from;
	j->from = -j->to;
	return 0;
}

static bool parse_kind(struct parser *p, struct plan_join *j)
{
	for (int k = JOIN_LEFT; k <= JOIN_ANTI; k++)
		if (parser_accept_word(p, kinds[k])) {
			j->kind = (enum join_kind)k;
			return true;
		}
	return false;
}

static int parse_clauses(struct parser *p, struct plan_join *j, struct err *e)
{
	bool kind = false;

	for (;;) {
		if (!j->where && parser_accept_word(p, "where")) {
			j->where = parser_expr(p, e);
			if (!j->where)
				return -1;
		} else if (!j->within && parser_accept_word(p, "within")) {
			if (parse_within(p, j, e))
				return -1;
		} else if (kind || !parse_kind(p, j)) {
			return 0;
		} else {
			kind = true;
		}
	}
}

static void print_bound(struct buf *b, int64_t ns)
{
	if (ns == INT64_MIN || ns == INT64_MAX) {
		buf_str(b, ns < 0 ? "-inf" : "inf");
		return;
	}
	buf_took(b, dur_format(ns, buf_room(b, TIME_MAX)));
}

static const char *canonical(struct parser *p, const struct plan_node *n)
{
	const struct plan_join *j = n->join;
	struct buf b = { 0 };

	buf_str(&b, "join ");
	canon_points(&b, n);
	canon_join_keys(&b, j->keys, j->n_keys);
	if (j->where) {
		buf_str(&b, " where ");
		node_print(&b, j->where);
	}
	if (j->within) {
		buf_str(&b, " within ");
		print_bound(&b, j->from);
		buf_str(&b, " to ");
		print_bound(&b, j->to);
	}
	if (j->kind != JOIN_INNER)
		buf_printf(&b, " %s", kinds[j->kind]);
	return canon_done(parser_arena(p), &b);
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct plan_join *j = arena_new(parser_arena(p), struct plan_join);

	n->kind = PLAN_JOIN;
	n->join = j;
	if (parse_point(p, n, true, e) || parse_on(p, j, e) || parse_clauses(p, j, e))
		return -1;
	n->canonical = canonical(p, n);
	return 0;
}

const struct stage_def stage_join = {
	.doc = {
		.name = "join",
		.synopsis = "join NAME on k [= k2], ... [where E] [within DUR | within A to B] [left|right|full|semi|anti]",
		.summary = "pairs of records of two streams, by key",
		.text = "The records of this chain are the left side, those of NAME (a point, an input, or a chain in parentheses) the right one. A pair has the "
			"fields of both: `on k` gives one k, `on a = b` keeps both, and another right field whose name the left has too is called NAME.field. A null "
			"key matches nothing; `on a <=> b` lets null match null. `where` is a condition on pairs.\n\n"
			"In it and in the stages behind the join, NAME.field means that field of the side NAME, whoever else has one; what the right side "
			"gives may then go by that name.\n\n"
			"left, right and full keep the records without a match of that side, or of both, with null for what is missing; semi gives the left records "
			"that have a match, anti those that have none, as they are.\n\n"
			"Without a window a join sees one micro-batch: of finite input, all of it. With `window all` in both sides everything is kept, without bound. "
			"With windows of event time in both sides, key and window must be equal, and a record is kept until the watermark reaches the window's "
			"end. `within D` goes by event time, which both sides need a watermark for: right time - left time lies in [-D, D], or with `within A to B` in "
			"[A, B], where `inf` is no bound; a record is kept until the watermark says that no match can come any more. "
			"Pairs come out at once, records without a match when their window closes or their time is over, or at once where a condition on their own "
			"side fails. Records that come after that are late and counted.",
		.group = "graph",
		.params = { { "NAME", "name", NULL, NULL, "the right side" },
			    { "on", "keys", NULL, NULL, "what must be equal" },
			    { "where", "expr", "true", NULL, "a condition on pairs" },
			    { "within", "duration", "none", NULL, "how far apart in event time" },
			    { "kind", "word", "inner", NULL, "left right full semi anti" } },
		.examples = {
			{ "-i csv -o csv 'as all' 'from all | filter price != null | select id, price' 'as prices' 'from all | filter price == null | select id, n' 'join prices on id'",
			  "id,n,price\n1,2,\n2,5,\n1,,10\n", "id,n,price\n1,2,10\n", "by one key" },
			{ "-i csv -o csv 'as all | filter n != null | select id, n' "
			  "'join (from all | filter price != null | select id, price) on id left'",
			  "id,n,price\n1,2,\n2,5,\n1,,10\n", "id,n,price\n1,2,10\n2,5,\n", "a chain in place; records without a match are kept" },
			{ "-i csv -o csv 'as all | filter n != null | select id, n' "
			  "'join (from all | filter price != null) on id anti'",
			  "id,n,price\n1,2,\n2,5,\n1,,10\n", "id,n\n2,5\n", "records without a match alone" },
		},
	},
	.words = "on where within to inf left right full semi anti",
	.parse = parse,
};

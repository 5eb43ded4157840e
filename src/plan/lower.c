#include "plan/lower.h"

#include "plan/cogroup.h"
#include "plan/lookup.h"

#include "agg/agg.h"
#include "base/nearest.h"
#include "op/op_dedup.h"
#include "op/op_exec.h"
#include "op/op_filter.h"
#include "op/op_flatmap.h"
#include "op/op_limit.h"
#include "op/op_map.h"
#include "op/op_point.h"
#include "op/op_sort.h"
#include "op/op_window.h"
#include "op/op_words.h"

static int misplaced_aggregate(struct node *n, void *ctx)
{
	if (n->kind != N_CALL || fn_find(n->name) || !agg_find(n->name, NULL))
		return 0;
	err_at(ctx, n->pos, "`%s` is an aggregate: it needs many records", n->name);
	err_hint(ctx, "use it in reduce, as in 'reduce x = %s(...) by k'; for the elements of a list there are list_sum, list_min and the like",
		 n->name);
	return 1;
}

struct expr *lower_expr_vars(const struct plan *p, const struct node *n, const struct lower_opts *o, const char *const *vars,
			     uint32_t n_vars, struct err *e)
{
	if (node_walk((struct node *)(uintptr_t)n, misplaced_aggregate, e))
		return NULL;
	return expr_bind_vars(n, o->run->env, vars, n_vars, p->arena, e);
}

struct expr *lower_expr(const struct plan *p, const struct node *n, const struct lower_opts *o, struct err *e)
{
	return lower_expr_vars(p, n, o, NULL, 0, e);
}

int lower_items(const struct plan *p, const struct items *items, const struct lower_opts *o, struct expr **out, struct err *e)
{
	for (uint32_t i = 0; i < items->n; i++) {
		out[i] = lower_expr(p, items->at[i].expr, o, e);
		if (out[i])
			continue;
		while (i-- > 0)
			expr_release(out[i]);
		return -1;
	}
	return 0;
}

static int lower_project(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct project *to, struct err *e)
{
	project_init(to, p->arena, n->items.n, n->n_drop);
	to->at_once = n->at != NULL;
	for (uint32_t i = 0; i < n->items.n; i++) {
		const struct item *it = &n->items.at[i];

		to->items[i].name = it->expr ? it->name : NULL;
		to->items[i].at = n->at && n->at[i] ? n->at[i] : to->items[i].name;
		if (it->expr && !(to->items[i].expr = lower_expr(p, it->expr, o, e))) {
			to->n = i;
			return -1;
		}
	}
	for (uint32_t i = 0; i < n->n_drop; i++)
		to->drop[i] = n->drop[i];
	return 0;
}

static struct op *lower_map(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct project *to;
	struct op *op = n->kind == PLAN_MAP ? op_map(o->run, n->stage, n->word, &to)
					    : op_flatmap(o->run, n->stage, n->word, &to, n->element);

	if (!lower_project(p, n, o, to, e))
		return op;
	op_free(op);
	return NULL;
}

static struct op *lower_words(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct expr *text;

	if (o->scanner && n == p->chains[0]->nodes[0])
		return op_words_scanned(o->run, n->stage, n->word, o->scanner);
	text = lower_expr(p, n->expr, o, e);
	return text ? op_words(o->run, n->stage, n->word, text) : NULL;
}

/* The fields of the pattern that the stages behind it want; all of them where any may be asked for. */
static void parse_needs(const struct plan *p, const struct plan_node *n, struct parse_spec *s)
{
	const char **need = arena_array(p->arena, const char *, n->after.n + 1);
	uint32_t n_names = 0, n_default = 0;
	const char *const *names = pattern_fields(s->pattern, &n_names, &n_default);

	s->rest = true;
	if (n->after.all)
		return;
	s->need = need;
	for (uint32_t k = 0; k < n->after.n; k++) {
		size_t root = strcspn(n->after.names[k], ".");
		bool own = !names;

		for (uint32_t j = 0; j < n_names; j++)
			own |= strlen(names[j]) == root && !memcmp(names[j], n->after.names[k], root);
		if (own)
			need[s->n_need++] = n->after.names[k];
	}
}

static struct op *lower_parse(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct parse_spec s = { .bad = o->bad, .ctx = o->ctx };

	s.pattern = plan_pattern(n, e);
	if (!s.pattern)
		return NULL;
	s.text = lower_expr(p, n->expr, o, e);
	if (!s.text) {
		pattern_free(s.pattern);
		return NULL;
	}
	s.field = n->expr->kind == N_FIELD ? n->expr->name : NULL;
	parse_needs(p, n, &s);
	return op_parse(o->run, n->stage, n->word, &s);
}

static struct op *lower_sort(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct sort_key *keys = arena_array(p->arena, struct sort_key, n->n_orders);
	struct expr **per = arena_array(p->arena, struct expr *, n->keys.n + 1);

	for (uint32_t i = 0; i < n->n_orders; i++) {
		keys[i] = (struct sort_key){ lower_expr(p, n->orders[i].expr, o, e), n->orders[i].desc };
		if (keys[i].expr)
			continue;
		while (i-- > 0)
			expr_release(keys[i].expr);
		return NULL;
	}
	if (n->kind == PLAN_SORT)
		return op_sort(o->run, n->stage, n->word, keys, n->n_orders, n->scope);
	if (lower_items(p, &n->keys, o, per, e)) {
		expr_release(keys[0].expr);
		return NULL;
	}
	return op_top(o->run, n->stage, n->word, n->n, &keys[0], &(struct top_per){ per, n->keys.n, n->scope });
}

static struct op *lower_dedup(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct expr **keys = arena_array(p->arena, struct expr *, n->keys.n + 1);

	if (lower_items(p, &n->keys, o, keys, e))
		return NULL;
	return op_dedup(o->run, n->stage, n->word,
			&(struct dedup_spec){ .keys_take = keys, .n_keys = n->keys.n, .kind = n->dedup, .by_window = n->in_window, .within_ns = n->delay_ns });
}

struct op *lower_sink(const struct lower_opts *o, int stage, const char *word, const char *spec, struct err *e)
{
	struct sink_spec s = { .codec = o->to, .opts = o->encode, .live = o->live, .marks = o->marks && !stage };
	struct nearest near;
	const struct codec_def *by_name;
	const char *format;

	s.sink_take = sink_open(spec, e);
	if (!s.sink_take)
		return NULL;
	if (o->opened ? o->opened(o->opened_ctx, s.sink_take, e) : sink_alone(s.sink_take, e)) {
		sink_abandon(s.sink_take);
		return NULL;
	}
	format = sink_option(s.sink_take, "format");
	by_name = format || o->to_given || !strcmp(spec, "-") ? NULL : codec_by_file(sink_name(s.sink_take));
	if (by_name && by_name->encode && (by_name != o->to || o->encode.plain)) {
		s.codec = by_name;
		s.opts.delimiter = 0;
		s.opts.no_header = false;
		s.opts.plain = false;
	}
	if (format) {
		s.codec = codec_find(format);
		s.opts.delimiter = 0;
		if (!s.codec || !s.codec->encode) {
			nearest_init(&near, format, strlen(format));
			codec_nearest(&near);
			err_set(e, ERR_USAGE, "%s: unknown format \"%s\"", spec, format);
			if (near.best)
				err_hint(e, "did you mean %s?", near.best);
			sink_abandon(s.sink_take);
			return NULL;
		}
	}
	s.opts.verbatim &= s.codec == o->to;
	if (!sink_empty(s.sink_take))
		s.opts.no_header = true;
	return op_sink(o->run, stage, word, &s, e);
}

/* A sink within the chain: the columns of its place. */
static struct op *lower_to(const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct lower_opts own = *o;

	own.encode.fields = n->fields;
	own.encode.n_fields = n->n_fields;
	return lower_sink(&own, n->stage, n->word, n->text, e);
}

static struct op *lower_split(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct expr **conditions = arena_array(p->arena, struct expr *, n->items.n);

	if (lower_items(p, &n->items, o, conditions, e))
		return NULL;
	return op_split(o->run, n->stage, n->word, conditions, n->items.n);
}

static struct op *lower_node(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct expr *x;

	switch (n->kind) {
	case PLAN_MAP:
	case PLAN_FLATMAP:
		return lower_map(p, n, o, e);
	case PLAN_FILTER:
		x = lower_expr(p, n->expr, o, e);
		return x ? op_filter(o->run, n->stage, n->word, x) : NULL;
	case PLAN_WORDS:
		return lower_words(p, n, o, e);
	case PLAN_PARSE:
		return lower_parse(p, n, o, e);
	case PLAN_REDUCE:
	case PLAN_GROUP_ROWS:
		return lower_reduce(p, n, o, e);
	case PLAN_ABSENT:
		return lower_absent(p, n, o, e);
	case PLAN_FILL:
		return lower_fill(p, n, o, e);
	case PLAN_SORT:
	case PLAN_TOP:
		return lower_sort(p, n, o, e);
	case PLAN_LIMIT:
		return op_limit(o->run, n->stage, n->word, n->n, n->scope);
	case PLAN_SKIP:
		return op_skip(o->run, n->stage, n->word, n->n, n->scope);
	case PLAN_SAMPLE:
		return op_sample(o->run, n->stage, n->word, n->p, n->n);
	case PLAN_DEDUP:
		return lower_dedup(p, n, o, e);
	case PLAN_WATERMARK:
		return lower_watermark(p, n, o, e);
	case PLAN_STATE:
		return lower_state(p, n, o, e);
	case PLAN_WINDOW:
		return lower_window(p, n, o, e);
	case PLAN_EXEC:
		return n->each ? op_exec_each(o->run, n->stage, n->word, n->text, n->patience_ns)
			       : op_exec(o->run, n->stage, n->word, n->text);
	case PLAN_UNION:
		return op_union(o->run, n->stage, n->word, n->n_others + 1);
	case PLAN_COGROUP:
		return lower_cogroup(p, n, o, e);
	case PLAN_LOOKUP:
		return lower_lookup(p, n, o, e);
	case PLAN_JOIN:
		return lower_join(p, n, o, e);
	case PLAN_SPLIT:
		return lower_split(p, n, o, e);
	default:
		return lower_to(n, o, e);
	}
}

/* The streams of a split, in order, and the end of any other chain that ends in a point. */
static void lower_ends(struct lower_graph *l, const struct plan_chain *c, struct op *last)
{
	for (uint32_t i = 0; i < l->plan->n_points; i++) {
		const struct plan_point *at = l->plan->points[i];

		if (at->maker != c)
			continue;
		l->points[i] = last;
		if (at == c->to)
			continue;
		l->points[i] = graph_add(l->graph, op_point(l->opts->run, last->stage, last->word));
		op_connect(last, l->points[i], 0);
	}
}

int plan_lower(struct lower_graph *l, const struct plan_chain *c, struct op **last, struct err *e)
{
	*last = l->points[c->from->id];
	for (uint32_t i = 0; i < c->n; i++) {
		const struct plan_node *n = c->nodes[i];
		struct op *op;

		if (n->in_reduce || n->kind == PLAN_TRIGGER)
			continue;
		if (n->holds) {
			op = lower_hold(l->plan, n, l->opts, e);
			if (!op)
				return -1;
			lower_append(l->graph, last, op);
		}
		op = lower_node(l->plan, n, l->opts, e);
		if (!op)
			return -1;
		op->whole = n->whole;
		op->window_ns = n->clock_ns;
		lower_append(l->graph, last, op);
		for (uint32_t k = 0; k < n->n_others; k++)
			op_connect(l->points[n->others[k].point->id], op, (int)k + 1);
	}
	lower_ends(l, c, *last);
	return 0;
}

void lower_append(struct graph *g, struct op **last, struct op *op_take)
{
	graph_add(g, op_take);
	if (*last)
		op_connect(*last, op_take, 0);
	else
		graph_enter(g, op_take);
	*last = op_take;
}

#include "op/op.h"

#include <stdlib.h>

#include "op/keep.h"

void *op_make(const struct op_class *cls, size_t size, struct run *run, int stage, const char *word)
{
	struct op *op = xcalloc(1, size);

	op->cls = cls;
	op->run = run;
	op->stage = stage;
	op->word = word;
	op->eval = (struct eval){ .env = run->env, .special = run->special, .fails = &op->fails };
	op->watermark = op->passes = WATERMARK_NONE;
	op->reads_input = true;
	op->n_ports = 1;
	op->port_watermark = xgrow(NULL, &op->ports_cap, 1, sizeof *op->port_watermark);
	op->port_watermark[0] = WATERMARK_NONE;
	return op;
}

/* Special values that are an operator's own. */
struct own {
	struct value watermark, window_start, window_end;
};

static struct own enter(const struct op *op)
{
	struct value *special = op->run->special;
	struct own outer = { special[SP_WATERMARK], special[SP_WINDOW_START], special[SP_WINDOW_END] };

	special[SP_WATERMARK] = op->watermark == WATERMARK_NONE ? v_null() : v_time(op->watermark);
	special[SP_WINDOW_START] = op->window_ns ? v_time(op->run->now - op->window_ns) : v_null();
	special[SP_WINDOW_END] = op->window_ns ? v_time(op->run->now) : v_null();
	return outer;
}

static void leave(const struct op *op, const struct own *outer)
{
	op->run->special[SP_WATERMARK] = outer->watermark;
	op->run->special[SP_WINDOW_START] = outer->window_start;
	op->run->special[SP_WINDOW_END] = outer->window_end;
}

/* Event times enter where a batch has them and the one it was made of had none. */
static void note_events(struct op *op, const struct batch *b)
{
	const struct column *c = b->hidden[HIDDEN_EVENT];
	struct event_times *t = op->run->events;

	if (!c || op->had_event)
		return;
	BATCH_EACH(b->sel, b->n_sel, i)
	{
		struct value v = column_get(c, i);

		if (v.type != T_TIME)
			continue;
		if (!t->n++ || v.i < t->min)
			t->min = v.i;
		if (t->n == 1 || v.i > t->max)
			t->max = v.i;
		t->sum += v.i;
	}
}

int op_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct own outer = enter(op);
	int verdict;

	op->in += b->n_sel;
	if (op->run->events)
		op->had_event = b->hidden[HIDDEN_EVENT] != NULL;
	verdict = op->cls->process(op, port, b, e);
	leave(op, &outer);
	return verdict;
}

static int push_edge(struct op_edge *out, const struct batch *b, struct err *e)
{
	int verdict = out->done || !b->n_sel ? out->done : op_process(out->op, out->port, b, e);

	if (verdict > 0)
		out->done = true;
	return verdict;
}

int op_push_to(struct op *op, uint32_t end, const struct batch *b, struct err *e)
{
	op->out += b->n_sel;
	if (b->n_sel && op->run->events)
		note_events(op, b);
	return push_edge(&op->outs[end], b, e);
}

int op_push(struct op *op, const struct batch *b, struct err *e)
{
	uint32_t done = 0;

	op->out += b->n_sel;
	if (!b->n_sel)
		return 0;
	if (op->run->events)
		note_events(op, b);
	for (uint32_t i = 0; i < op->n_outs; i++) {
		int verdict = push_edge(&op->outs[i], b, e);

		if (verdict < 0)
			return -1;
		done += verdict > 0;
	}
	return op->n_outs && done == op->n_outs;
}

int op_batch_end(struct op *op, struct err *e)
{
	struct own outer = enter(op);
	int verdict = op->cls->on_batch_end ? op->cls->on_batch_end(op, e) : 0;

	leave(op, &outer);
	return verdict;
}

void op_free(struct op *op)
{
	if (!op)
		return;
	if (op->cls->free)
		op->cls->free(op);
	arena_release(&op->arena);
	free(op->outs);
	free(op->ins);
	free(op->port_watermark);
	buf_release(&op->kept);
	free(op);
}

/* Which inputs reach it is known once all edges are there. */
static void spread_inputs(struct op *from)
{
	for (uint32_t i = 0; i < from->n_outs; i++)
		from->outs[i].op->inputs |= from->inputs;
}

void op_connect(struct op *from, struct op *to, int port)
{
	from->outs = xgrow(from->outs, &from->outs_cap, from->n_outs + 1, sizeof *from->outs);
	from->outs[from->n_outs++] = (struct op_edge){ .op = to, .port = port };
	to->ins = xgrow(to->ins, &to->ins_cap, to->n_ins + 1, sizeof *to->ins);
	to->ins[to->n_ins++] = (struct op_edge){ .op = from, .port = port };
	to->port_watermark = xgrow(to->port_watermark, &to->ports_cap, (size_t)port + 1, sizeof *to->port_watermark);
	for (; to->n_ports <= (uint32_t)port; to->n_ports++)
		to->port_watermark[to->n_ports] = WATERMARK_NONE;
	to->reads_input &= from->reads_input && op_keeps_fields(from);
}

/* ---- graphs ---- */

struct op *graph_add(struct graph *g, struct op *op_take)
{
	g->ops = xgrow(g->ops, &g->cap, g->n + 1, sizeof *g->ops);
	g->ops[g->n++] = op_take;
	return op_take;
}

void graph_enter(struct graph *g, struct op *op)
{
	g->entries = xgrow(g->entries, &g->entries_cap, g->n_entries + 1, sizeof *g->entries);
	op->inputs |= (uint64_t)1 << (g->n_entries & 63);
	g->entries[g->n_entries++] = op;
}

/* Of one port (-1: of all): the least that those in front pass on, of the idle ones or of the others; WATERMARK_END where there are none. */
static int64_t least_passed(const struct op *op, int port, bool idle)
{
	int64_t w = WATERMARK_END;

	for (uint32_t i = 0; i < op->n_ins; i++) {
		const struct op *in = op->ins[i].op;

		if ((port < 0 || op->ins[i].port == port) && in->idle == idle && in->passes < w)
			w = in->passes;
	}
	return w;
}

static bool any_busy(const struct op *op, int port)
{
	for (uint32_t i = 0; i < op->n_ins; i++)
		if ((port < 0 || op->ins[i].port == port) && !op->ins[i].op->idle)
			return true;
	return false;
}

/* What has come to a port, as of now. */
static int64_t port_now(const struct op *op, int port)
{
	if (!op->n_ins)
		return op->run->last && op->run->ends ? WATERMARK_END : WATERMARK_NONE;
	if (any_busy(op, port))
		return least_passed(op, port, false);
	return any_busy(op, -1) && least_passed(op, -1, false) > least_passed(op, port, true) ? least_passed(op, -1, false) : least_passed(op, port, true);
}

/* It never goes back. */
static void advance(struct op *op)
{
	int64_t all = WATERMARK_END;

	for (uint32_t p = 0; p < op->n_ports; p++) {
		int64_t w = port_now(op, (int)p);

		if (w > op->port_watermark[p])
			op->port_watermark[p] = w;
		if (op->port_watermark[p] < all)
			all = op->port_watermark[p];
	}
	op->watermark = all;
	op->idle = op->n_ins && !any_busy(op, -1);
}

static bool all_held(const struct op *op)
{
	for (uint32_t i = 0; i < op->n_ins; i++)
		if (!op->ins[i].op->held)
			return false;
	return op->n_ins;
}

/* Its watermarks, and its own end of the micro-batch unless it is a sink. */
static int end_of_one(struct op *op, struct err *e)
{
	int64_t passed = op->passes;
	int verdict;

	spread_inputs(op);
	op->held = all_held(op) || (op->whole && op->run->to_end && !op->run->last);
	if (op->held)
		return 0;
	advance(op);
	op->passes = op->watermark;
	verdict = op->cls->delivers ? 0 : op_batch_end(op, e);
	op->held = verdict == OP_HOLD;
	if (op->passes < passed)
		op->passes = passed;
	return verdict < 0 ? -1 : 0;
}

int graph_batch_end(struct graph *g, struct err *e)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (end_of_one(g->ops[i], e))
			return -1;
	g->delivering = true;
	for (uint32_t i = 0; i < g->n; i++)
		if (g->ops[i]->cls->delivers && !g->ops[i]->held && op_batch_end(g->ops[i], e) < 0)
			return -1;
	g->delivering = false;
	return 0;
}

int graph_finish(struct graph *g, struct err *e)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (g->ops[i]->cls->finish && g->ops[i]->cls->finish(g->ops[i], e) < 0)
			return -1;
	return 0;
}

void graph_free(struct graph *g)
{
	for (uint32_t i = 0; i < g->n; i++)
		op_free(g->ops[i]);
	free(g->ops);
	free(g->entries);
	*g = (struct graph){ 0 };
}

/* ---- what survives a restart ---- */

#define BASE_VERSION 1

static void commit_base(struct op *op, struct keep *k)
{
	keep_start(k, KEEP_BASE, BASE_VERSION);
	keep_int(&k->value, op->watermark);
	keep_int(&k->value, op->passes);
	put_varint(&k->value, op->n_ports);
	for (uint32_t p = 0; p < op->n_ports; p++)
		keep_int(&k->value, op->port_watermark[p]);
	if (k->value.n == op->kept.n && !memcmp(k->value.p, op->kept.p, op->kept.n))
		return;
	op->kept.n = 0;
	buf_add(&op->kept, k->value.p, k->value.n);
	keep_put(k, &op->kept_mark);
}

/* Has anything been said of time yet? */
static bool has_watermark(const struct op *op)
{
	for (uint32_t p = 0; p < op->n_ports; p++)
		if (op->port_watermark[p] != WATERMARK_NONE)
			return true;
	return op->passes != WATERMARK_NONE;
}

void graph_commit(struct graph *g, struct keeper *(*of)(void *ctx, uint32_t i), void *ctx)
{
	struct keep k = { 0 };

	for (uint32_t i = 0; i < g->n; i++) {
		struct op *op = g->ops[i];

		k.to = of(ctx, i);
		if (!k.to)
			continue;
		if (has_watermark(op))
			commit_base(op, &k);
		if (op->cls->commit)
			op->cls->commit(op, k.to);
	}
	keep_release(&k);
}

static int restore_base(struct op *op, const struct kept_entry *entry, struct err *e)
{
	struct bytes_in in = keep_open(entry->value, entry->n, BASE_VERSION);
	int64_t watermark = keep_get_int(&in), passes = keep_get_int(&in);

	if (get_varint(&in) != op->n_ports)
		return keep_refuse(op, e);
	for (uint32_t p = 0; p < op->n_ports; p++)
		op->port_watermark[p] = keep_get_int(&in);
	if (!keep_over(&in))
		return keep_refuse(op, e);
	op->watermark = watermark;
	op->passes = passes;
	op->kept_mark = entry->mark;
	op->kept.n = 0;
	buf_add(&op->kept, entry->value, entry->n);
	return 0;
}

int graph_restore(struct graph *g, uint32_t i, const struct kept_entry *entry, struct err *e)
{
	static const struct kept_entry end = { 0 };
	struct op *op = g->ops[i];

	if (entry && entry->key_n == 1 && entry->key[0] == KEEP_BASE)
		return restore_base(op, entry, e);
	if (!op->cls->restore)
		return entry ? keep_refuse(op, e) : 0;
	if (!entry)
		entry = &end;
	return op->cls->restore(op, entry->key, entry->key_n, entry->value, entry->n, entry->mark, e);
}

int64_t graph_wakes(const struct graph *g, bool slides)
{
	int64_t first = INT64_MAX;

	for (uint32_t i = 0; i < g->n; i++) {
		struct op *op = g->ops[i];
		int64_t at = op->cls->wakes && (op->cls->slides || !slides) ? op->cls->wakes(op) : INT64_MAX;

		first = at < first ? at : first;
	}
	return first;
}

bool op_balanced(const struct op *op)
{
	uint64_t sum = op->unwanted;

	for (int i = 0; op->cls->counters[i]; i++)
		sum += op->count[i];
	return sum == op->in;
}

size_t op_memory(const struct op *op)
{
	return op->cls->memory ? op->cls->memory(op) : 0;
}

int op_check_memory(const struct op *op, uint64_t keys, struct err *e)
{
	size_t held;

	if (!op->run->mem_max)
		return 0;
	held = op_memory(op);
	if (held <= op->run->mem_max)
		return 0;
	err_set(e, ERR_IO, "stage %d: %s: holds %zu bytes for %llu keys, over --mem %llu", op->stage, op->word, held,
		(unsigned long long)keys, (unsigned long long)op->run->mem_max);
	if (op->run->fetch && op->cls->leaves && !op->stays)
		return err_hint(e, "give it more with --mem; what a micro-batch touches or changes and what is due in it stays in memory");
	if (op->run->fetch)
		return err_hint(e, "give it more with --mem, or narrow the keys; what this stage holds stays in memory, with a checkpoint too");
	return err_hint(e, "give it more with --mem, or narrow the keys");
}

bool op_keeps_fields(const struct op *op) { return !op->cls->makes_fields; }

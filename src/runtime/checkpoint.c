#include "runtime/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/ckpt_impl.h"

/* ---- opening ---- */

static void copy_point(struct buf *to, const struct store_point *from)
{
	to->n = 0;
	buf_add(to, from->data.p, from->data.n);
}

static int unknown(const struct checkpoint *c, const char *what, struct err *e)
{
	return err_set(e, ERR_IO, "%s: its %s is of a kind that this strm does not know", c->opts.dir, what);
}

static int load_points(struct checkpoint *c, struct err *e)
{
	const struct store_point *commit = store_last_commit(c->store), *cut = store_open_cut(c->store);

	if (commit) {
		c->has_commit = true;
		c->committed = commit->batch;
		copy_point(&c->commit_bytes, commit);
		if (commit_get((struct store_bytes){ c->commit_bytes.p, c->commit_bytes.n }, &c->commit))
			return unknown(c, "last commit", e);
	}
	if (!cut)
		return 0;
	copy_point(&c->cut_bytes, cut);
	if (cut_get((struct store_bytes){ c->cut_bytes.p, c->cut_bytes.n }, &c->cut))
		return unknown(c, "open cut", e);
	c->rerun = (struct rerun){ true, cut->batch, cut->time };
	return 0;
}

/* A fold changes a page of LMDB for each entry of the log, at worst: some 60 times the log's bytes, while it lasts. */
#define SEGMENT_SHARE 64
#define SEGMENT_MIN ((uint64_t)256 << 10)

/* With a bound of memory, how long a piece of the log may become before it is folded. */
static size_t segment_of(uint64_t mem_max)
{
	uint64_t n = mem_max / SEGMENT_SHARE;

	return (size_t)(n < SEGMENT_MIN ? SEGMENT_MIN : n > STORE_SEGMENT_BYTES ? STORE_SEGMENT_BYTES : n);
}

struct checkpoint *checkpoint_open(const struct checkpoint_opts *o, struct err *e)
{
	struct checkpoint *c = xcalloc(1, sizeof *c);
	struct store_opts so = { .command = o->command, .no_sync = getenv("STRM_TEST_NOSYNC") != NULL };

	so.segment_bytes = o->mem_max ? segment_of(o->mem_max) : 0;
	c->opts = *o;
	c->all_sends = getenv("STRM_TEST_OVERLAP") != NULL;
	c->store = store_open(o->dir, &so, e);
	if (c->store && !load_points(c, e))
		return c;
	checkpoint_close(c);
	return NULL;
}

void checkpoint_close(struct checkpoint *c)
{
	if (!c)
		return;
	ckpt_read_free(c);
	places_free(c);
	point_release(&c->commit);
	point_release(&c->cut);
	buf_release(&c->fetched.value);
	buf_release(&c->commit_bytes);
	buf_release(&c->cut_bytes);
	free(c->sinks);
	free(c->op_stage);
	free(c->restores);
	store_close(c->store);
	free(c);
}

/* ---- sinks ---- */

static size_t count_before(const struct checkpoint *c, const char *name)
{
	size_t k = 0;

	for (size_t i = 0; i < c->n_sinks; i++)
		k += !strcmp(sink_key(c->sinks[i].sink), name);
	return k;
}

/* The micro-batch to be run again began at the file's start: its header is part of it. */
static int find_start(struct checkpoint *c, struct kept_sink *k, size_t twin, struct err *e)
{
	const struct point_sink *cut;
	struct sink_place now;

	if (!c->rerun.is)
		return 0;
	if (sink_place(k->sink, &now, e))
		return -1;
	cut = sink_of_cut(c, k->sink, twin, &now);
	if (!cut)
		return 0;
	k->from = cut->place;
	k->has_from = true;
	if (cut->place.file)
		k->sink->empty = !cut->place.offset;
	return 0;
}

int checkpoint_sink(void *checkpoint, struct sink *s, struct err *e)
{
	struct checkpoint *c = checkpoint;
	size_t k = count_before(c, sink_key(s));
	const struct point_sink *commit = sink_of_point(&c->commit, sink_key(s), k);
	struct kept_sink kept = { .sink = s };

	if (commit)
		kept.columns = commit->columns;
	if (sink_keep(s, c->opts.dir, (unsigned)k, e) || (commit && sink_recover(s, commit->rest.p, commit->rest.n, e)))
		return -1;
	if (sink_is_alone(c, s, e) || find_start(c, &kept, k, e))
		return -1;
	c->sinks = xgrow(c->sinks, &c->sinks_cap, c->n_sinks + 1, sizeof *c->sinks);
	c->sinks[c->n_sinks++] = kept;
	return 0;
}

static void find_op(struct checkpoint *c, struct op *op)
{
	for (size_t i = 0; op && i < c->n_sinks; i++)
		if (op_sink_sink(op) == c->sinks[i].sink)
			c->sinks[i].op = op;
}

static int load_columns(const struct checkpoint *c, struct err *e)
{
	for (size_t i = 0; i < c->n_sinks; i++) {
		struct kept_sink *k = &c->sinks[i];

		if (op_sink_load(k->op, k->columns.p, k->columns.n))
			return unknown(c, "output", e);
	}
	return 0;
}

/* ---- clocks ---- */

static void restore_mark(struct job *j, const struct point_mark *m)
{
	j->marked = xgrow(j->marked, &j->marked_cap, (size_t)j->n_marked + 1, sizeof *j->marked);
	j->marked[j->n_marked++] = (struct marked_watermark){ m->named ? arena_str(&j->arena, m->name.p, m->name.n) : NULL, m->at };
}

/* What the marks of an input have said last. */
static void restore_spoken(struct checkpoint *c)
{
	struct job *j = c->job;

	for (unsigned i = 0; j->marks && c->has_commit && i < j->opts.n_sources; i++) {
		const char *key = place_key_of(c, i);

		for (size_t k = 0; k < c->commit.n_spoken; k++) {
			const struct point_mark *m = &c->commit.spoken[k];

			if (strlen(key) == m->name.n && !memcmp(key, m->name.p, m->name.n))
				j->marks[i] = (struct marked_input){ .spoken = true, .watermark = m->at };
		}
	}
}

/* Has it event time? */
static bool has_times(const struct graph *g)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (!strcmp(g->ops[i]->word, "watermark") || !strcmp(g->ops[i]->word, "window"))
			return true;
	return false;
}

static void restore_clock(struct checkpoint *c)
{
	struct job *j = c->job;
	const struct point *p = &c->commit;

	if (!c->has_commit)
		return;
	j->run->batch = c->committed + 1;
	clock_set(&j->clock, p->clock);
	j->run->start = p->start;
	j->run->over = p->finished;
	j->goes_on = true;
	if (j->replay && p->timed) {
		j->timed = true;
		j->cut_end = p->cut_end;
		j->cut_over = p->over;
	}
	for (size_t i = 0; i < p->n_marks; i++)
		restore_mark(j, &p->marks[i]);
	if (p->drained && c->opts.note && has_times(&j->graph))
		c->opts.note(c->opts.ctx, "the checkpoint was drained: its windows are closed, and a record with an event time comes late");
	job_set_now(j, clock_now(&j->clock));
}

/* While a micro-batch is run again, now() is what it was. */
static void set_env(struct checkpoint *c)
{
	c->env_now = c->opts.env->time.now_ns;
	if (!c->rerun.is)
		return;
	c->opts.env->time.now_ns = c->cut.env_now;
	c->job->run->batch = c->rerun.batch;
	c->job->run->start = c->cut.start;
	c->job->goes_on = true;
	for (unsigned i = 0; c->job->marks && i < c->job->opts.n_sources && i < 64; i++)
		c->job->marks[i].ended = c->cut.ended >> i & 1;
	job_set_now(c->job, c->cut.seen);
}

static uint32_t stage_of(const struct checkpoint *c, const struct op *op)
{
	const struct graph *g = &c->job->graph;
	uint32_t i = 0;

	while (i < g->n && g->ops[i] != op)
		i++;
	return c->op_stage[i];
}

/* Of fetch in struct run. */
static int fetch_entry(void *ctx, const struct op *op, const struct kept_entry *key, struct kept_entry *out, struct err *e)
{
	struct checkpoint *c = ctx;
	int r = store_get(c->store, stage_of(c, op), (struct store_bytes){ key->key, key->key_n }, &c->fetched, e);

	*out = (struct kept_entry){ key->key, c->fetched.value.p, key->key_n, c->fetched.value.n, c->fetched.mark };
	return r;
}

static int give_entry(void *ctx, const struct store_entry *entry)
{
	const struct kept_walk *w = ctx;
	struct kept_entry own = { entry->key.p, entry->value.p, entry->key.n, entry->value.n, entry->mark };

	return w->fn(w->ctx, &own);
}

/* Of walk in struct run. */
static int walk_entries(void *ctx, const struct op *op, const struct kept_walk *w, struct err *e)
{
	struct checkpoint *c = ctx;
	struct store_walk all = { { w->from, w->from_n }, give_entry, (void *)(uintptr_t)w };

	return store_walk(c->store, stage_of(c, op), &all, e);
}

int ckpt_begin(struct job *j, struct err *e)
{
	struct checkpoint *c = j->opts.checkpoint;

	c->job = j;
	j->run->fetch = fetch_entry;
	j->run->walk = walk_entries;
	j->run->fetch_ctx = c;
	c->next_wal = CKPT_LIVE_WAL + 1;
	for (uint32_t i = 0; i < j->graph.n; i++)
		find_op(c, op_is_sink(j->graph.ops[i]) ? j->graph.ops[i] : NULL);
	find_op(c, j->bad_sink);
	find_op(c, j->late_sink);
	restore_clock(c);
	set_env(c);
	if (sinks_gone(c, e) || ckpt_take_program(c, e) || load_columns(c, e) || places_load(c, e))
		return -1;
	restore_spoken(c);
	if (c->rerun.is && places_aim(c, e))
		return -1;
	return places_check_logs(c, e);
}

/* ---- cut, delivery, commit ---- */

static void fill_clock(const struct checkpoint *c, struct point *p)
{
	const struct job *j = c->job;

	p->clock = j->clock.manual ? j->clock.now_ns : 0;
	p->cut_end = j->cut_end;
	p->timed = j->timed;
	p->over = j->cut_over;
}

/* Of live input, as bits. */
static uint64_t ended_inputs(const struct job *j)
{
	uint64_t all = 0;

	for (unsigned i = 0; j->live_sources && i < j->n_live && i < 64; i++)
		all |= (uint64_t)(j->run->inputs[i] == INPUT_ENDED) << i;
	return all;
}

/* Less is written and synced at once: that is over before a thread is there. */
#define SEND_BYTES ((uint64_t)1 << 20)

/* May the sinks write while the next micro-batch is read and run? Its cut waits for them, and so does the commit of this one, which goes to the disk with
 * that. */
static bool may_overlap(const struct checkpoint *c)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < c->n_sinks; i++) {
		if (!sink_may_overlap(c->sinks[i].sink))
			return false;
		bytes += held_bytes(c->sinks[i].sink->held);
	}
	return !c->rerun.is && !live_acks(c->job) && !c->job->run->last && bytes >= (c->all_sends ? 1 : SEND_BYTES);
}

static int begin_sending(struct checkpoint *c, struct err *e)
{
	int r = 0;

	c->sending = true;
	for (size_t i = 0; i < c->n_sinks && !r; i++)
		r = op_sink_deliver_begin(c->sinks[i].op, e);
	return r;
}

/* All that is on its way has arrived. What has failed fails again whenever it is asked for. */
static int end_sending(struct checkpoint *c, struct err *e)
{
	for (size_t i = 0; i < c->n_sinks && c->sending; i++) {
		struct err failed = { 0 };

		if (op_sink_deliver_end(c->sinks[i].op, &failed) && !c->undelivered.kind)
			c->undelivered = failed;
	}
	c->sending = false;
	if (!c->undelivered.kind)
		return 0;
	*e = c->undelivered;
	return -1;
}

static int write_cut(struct checkpoint *c, struct err *e)
{
	const struct run *run = c->job->run;
	struct point p = { .env_now = c->opts.env->time.now_ns, .seen = c->job->seen_now, .last = run->last,
			   .start = run->start, .ended = ended_inputs(c->job) };
	struct store_point at = { .batch = run->batch, .time = run->now };
	struct buf b = { 0 };
	int r = end_sending(c, e);

	fill_clock(c, &p);
	p.sinks = xcalloc(c->n_sinks + 1, sizeof *p.sinks);
	for (; p.n_sinks < c->n_sinks && !r; p.n_sinks++) {
		const struct sink *s = c->sinks[p.n_sinks].sink;

		p.sinks[p.n_sinks].name = (struct store_bytes){ sink_key(s), strlen(sink_key(s)) };
		r = sink_place(s, &p.sinks[p.n_sinks].place, e);
	}
	if (!r) {
		places_legs(c, &p);
		cut_put(&b, &p);
		at.data = (struct store_bytes){ b.p, b.n };
		r = places_sync(c, e) || store_cut(c->store, &at, false, e) ? -1 : 0;
	}
	if (!r && c->unsynced) /* the commit before is on the disk with it */
		r = places_trim(c, e);
	c->unsynced &= r != 0;
	point_release(&p);
	buf_release(&b);
	return r;
}

static int deliver(struct checkpoint *c, struct err *e)
{
	if (may_overlap(c))
		return begin_sending(c, e);
	for (size_t i = 0; i < c->n_sinks; i++) {
		struct kept_sink *k = &c->sinks[i];
		int r = op_sink_deliver(k->op, k->has_from && c->rerun.is ? &k->from : NULL, e);

		if (r < 0)
			return -1;
		c->closed |= r > 0;
	}
	return 0;
}

/* Of the operator whose entries are put just now. */
struct op_keeper {
	struct keeper keeper;
	struct checkpoint *c;
	uint32_t stage;
};

static void put_entry(struct keeper *k, const char *key, size_t key_n, const char *value, size_t n, uint32_t *mark)
{
	struct op_keeper *own = (struct op_keeper *)k;
	struct store_bytes kv[2] = { { key, key_n }, { value, n } };

	if (!own->c->failed.kind)
		store_put(own->c->store, own->stage, kv, mark, &own->c->failed);
}

static void drop_entry(struct keeper *k, const char *key, size_t key_n, uint32_t *mark)
{
	struct op_keeper *own = (struct op_keeper *)k;

	if (!own->c->failed.kind)
		store_delete(own->c->store, own->stage, (struct store_bytes){ key, key_n }, mark, &own->c->failed);
}

static struct keeper *keeper_of(void *ctx, uint32_t i)
{
	struct op_keeper *k = ctx;

	k->stage = k->c->op_stage[i];
	return &k->keeper;
}

/* What is done behind the commit is remembered with it: *rest holds all of it, the sinks' parts one behind the other. */
static int prepare_sinks(struct checkpoint *c, struct point *p, struct buf *rest, struct err *e)
{
	size_t *ends = xcalloc(c->n_sinks + 1, sizeof *ends);
	int r = 0;

	for (size_t i = 0; i < c->n_sinks && !r; i++) {
		r = sink_prepare(c->sinks[i].sink, rest, e);
		ends[i] = rest->n;
	}
	for (size_t i = 0, from = 0; i < c->n_sinks && !r; from = ends[i++])
		p->sinks[i].rest = (struct store_bytes){ rest->p + from, ends[i] - from };
	free(ends);
	return r;
}

static void save_columns(const struct checkpoint *c, struct point *p, struct buf *columns)
{
	size_t *ends = xcalloc(c->n_sinks + 1, sizeof *ends);

	for (size_t i = 0; i < c->n_sinks; i++) {
		op_sink_save(c->sinks[i].op, columns);
		ends[i] = columns->n;
	}
	for (size_t i = 0, from = 0; i < c->n_sinks; from = ends[i++])
		p->sinks[i].columns = (struct store_bytes){ columns->p + from, ends[i] - from };
	free(ends);
}

static void fill_marks(struct checkpoint *c, struct point *p)
{
	const struct job *j = c->job;

	p->marks = xcalloc(j->n_marked + 1, sizeof *p->marks);
	for (; p->n_marks < j->n_marked; p->n_marks++) {
		const char *name = j->marked[p->n_marks].name;

		p->marks[p->n_marks] = (struct point_mark){ { name, name ? strlen(name) : 0 }, name != NULL, j->marked[p->n_marks].at };
	}
	p->spoken = xcalloc(j->opts.n_sources + 1, sizeof *p->spoken);
	for (unsigned i = 0; j->marks && i < j->opts.n_sources; i++) {
		const char *key = place_key_of(c, i);

		if (j->marks[i].spoken)
			p->spoken[p->n_spoken++] = (struct point_mark){ { key, strlen(key) }, true, j->marks[i].watermark };
	}
}

/* *waits: something is to be done behind it, so it must be on the disk first. */
static int write_commit(struct checkpoint *c, struct store_point at, bool *waits, struct err *e)
{
	struct point p = { .n_sinks = c->n_sinks, .sinks = xcalloc(c->n_sinks + 1, sizeof *p.sinks) };
	struct buf b = { 0 }, rest = { 0 }, columns = { 0 };
	int r = prepare_sinks(c, &p, &rest, e);

	for (size_t i = 0; i < c->n_sinks; i++) {
		p.sinks[i].name = (struct store_bytes){ sink_key(c->sinks[i].sink), strlen(sink_key(c->sinks[i].sink)) };
		p.sinks[i].acks = c->sinks[i].sink->acks;
	}
	save_columns(c, &p, &columns);
	fill_clock(c, &p);
	fill_marks(c, &p);
	p.start = c->job->run->start;
	p.wakes = ckpt_wakes(c);
	p.finished = c->job->run->over || (c->job->run->last && c->job->run->ends);
	p.drained = c->commit.drained || p.finished;
	commit_put(&b, &p);
	at.data = (struct store_bytes){ b.p, b.n };
	*waits = rest.n > 0 || live_acks(c->job);
	if (!r)
		r = places_commit(c, e) || store_commit(c->store, &at, !*waits, e) ? -1 : 0;
	c->unsynced = !*waits;
	point_release(&p);
	buf_release(&b);
	buf_release(&rest);
	buf_release(&columns);
	return r;
}

static int commit(struct checkpoint *c, struct err *e)
{
	struct op_keeper k = { { put_entry, drop_entry }, c, 0 };
	bool waits;

	graph_commit(&c->job->graph, keeper_of, &k);
	if (c->failed.kind) {
		*e = c->failed;
		return -1;
	}
	if (write_commit(c, (struct store_point){ .batch = c->job->run->batch, .time = c->job->run->now }, &waits, e))
		return -1;
	live_committed(c->job);
	if (waits)
		sinks_sweep(c);
	for (size_t i = 0; i < c->n_sinks; i++)
		if (op_sink_committed(c->sinks[i].op, e))
			return -1;
	return waits ? places_trim(c, e) : 0;
}

bool ckpt_reruns(const struct job *j) { return j->opts.checkpoint && j->opts.checkpoint->rerun.is; }

int ckpt_end_rerun(struct job *j, struct err *e)
{
	const struct checkpoint *c = j->opts.checkpoint;
	enum input_state *inputs = j->run->inputs;
	bool ends = j->run->ends;
	int r;

	if (j->replay) {
		clock_set(&j->clock, c->cut.clock);
		j->cut_end = c->cut.cut_end;
		j->timed = c->cut.timed;
		j->cut_over = c->cut.over;
	}
	j->run->ends |= c->cut.last;
	if (j->live_sources)
		j->run->inputs = arena_zero(&j->arena, j->run->n_inputs * sizeof *j->run->inputs);
	for (unsigned i = 0; j->live_sources && i < j->n_live && i < 64; i++)
		j->run->inputs[i] = c->cut.ended >> i & 1 ? INPUT_ENDED : INPUT_OPEN;
	r = job_end_batch(j, c->rerun.time, c->cut.last, e);
	j->run->ends = ends;
	j->run->inputs = inputs;
	if (!r && job_cuts_by_clock(j))
		job_begin_interval(j, clock_now(&j->clock));
	return r ? r : job_catch_up(j, e);
}

/* The one that was run again is over. */
static void rerun_over(struct checkpoint *c)
{
	c->rerun.is = false;
	for (unsigned i = 0; c->job->marks && i < c->job->opts.n_sources; i++)
		c->job->marks[i].ended = false;
	c->opts.env->time.now_ns = c->env_now;
}

int ckpt_end_batch(struct job *j, struct err *e)
{
	struct checkpoint *c = j->opts.checkpoint;

	if (c->closed)
		return 1;
	if (!c->rerun.is && write_cut(c, e))
		return -1;
	if (c->rerun.is)
		places_settle(c);
	if (deliver(c, e))
		return -1;
	if (c->closed)
		return 1;
	if (commit(c, e))
		return -1;
	c->has_commit = true;
	c->committed = j->run->batch;
	if (c->rerun.is)
		rerun_over(c);
	return 0;
}

/* Places that changed though nothing was consumed: an empty file began, one that was read to its end is over. */
static bool has_dirty(const struct checkpoint *c)
{
	for (size_t i = 0; i < c->n_places; i++)
		if (c->places[i]->dirty && (c->places[i]->now.kind == PLACE_FILE || c->places[i]->gone))
			return true;
	return false;
}

bool ckpt_moved(const struct checkpoint *c)
{
	for (size_t i = 0; i < c->n_places; i++)
		if (c->places[i]->moved)
			return true;
	return !c->has_commit && has_dirty(c);
}

int ckpt_note(struct checkpoint *c, struct err *e)
{
	bool waits;

	if (!c->has_commit || c->closed)
		return 0;
	if (end_sending(c, e))
		return -1;
	places_settle(c);
	return write_commit(c, (struct store_point){ .batch = c->committed, .time = store_last_commit(c->store)->time }, &waits, e);
}

int ckpt_note_places(struct checkpoint *c, struct err *e) { return has_dirty(c) ? ckpt_note(c, e) : 0; }

int ckpt_finish(struct checkpoint *c, struct err *e)
{
	if (end_sending(c, e))
		return -1;
	if (sinks_settle(c, e))
		return -1;
	if (c->unsynced && (store_sync(c->store, e) || places_trim(c, e)))
		return -1;
	c->unsynced = false;
	if (c->has_commit && !c->closed)
		sinks_sweep(c);
	return 0;
}

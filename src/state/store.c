#include "state/store_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

struct segment *segment_new(const struct log_head *h)
{
	struct segment *g = xcalloc(1, sizeof *g);

	g->head = *h;
	return g;
}

void segment_free(struct segment *g)
{
	if (!g)
		return;
	memtab_release(&g->tab);
	buf_release(&g->meta);
	free(g->live);
	free(g);
}

void segment_fill(struct segment *g, const struct saved *now, uint64_t last_seq)
{
	mdb_meta(&g->meta, now, last_seq);
	g->live = xmalloc((now->n_stages + 1) * sizeof *g->live);
	for (g->n_live = 0; g->n_live < now->n_stages; g->n_live++)
		g->live[g->n_live] = now->stages[g->n_live].id;
}

struct store *store_open(const char *dir, const struct store_opts *opts, struct err *e)
{
	struct store *s = xcalloc(1, sizeof *s);

	s->opts = *opts;
	s->path = xstrdup(dir);
	s->command = opts->command ? xstrdup(opts->command) : NULL;
	s->opts.command = s->command;
	s->dir = (struct log_dir){ .fd = -1, .path = s->path, .no_sync = opts->no_sync };
	s->fd = s->lock_fd = s->end_fd = -1;
	if (!s->opts.segment_bytes)
		s->opts.segment_bytes = STORE_SEGMENT_BYTES;
	folder_init(&s->fold);
	if (store_open_dir(s, e) < 0 || store_recover(s, e) < 0) {
		store_close(s);
		return NULL;
	}
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	folder_stop(s);
	mdbfile_free(s->mdb);
	for (size_t i = 0; i < s->n_wals; i++)
		wal_free(s->wals[i]);
	free(s->wals);
	segment_free(s->active);
	memtab_release(&s->pending);
	saved_release(&s->now);
	free(s->program.stages);
	if (s->fd >= 0)
		close(s->fd);
	if (s->dir.fd >= 0)
		close(s->dir.fd);
	if (s->end_fd >= 0)
		close(s->end_fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->path);
	free(s->command);
	free(s);
}

/* Writing */

static int fail(struct store *s, struct err *e)
{
	s->failed = *e;
	return -1;
}

static int usable(const struct store *s, struct err *e)
{
	if (s->failed.kind) {
		*e = s->failed;
		return -1;
	}
	if (s->opts.read_only)
		return err_set(e, ERR_IO, "%s: the checkpoint is open for reading only", s->path);
	return 0;
}

static void open_frame(struct store *s)
{
	if (!s->in_frame)
		s->frame_at = frame_open(&s->active->tab.b, 0);
	s->in_frame = true;
}

/* The frame that is open gets whole and written. */
static int write_frame(struct store *s, struct err *e)
{
	struct buf *b = &s->active->tab.b;

	if (!s->in_frame)
		return 0;
	frame_close(b, s->frame_at, ++s->seq, log_seed(&s->active->head));
	s->in_frame = false;
	if (log_append(&s->dir, s->fd, &s->name, (struct store_bytes){ b->p + s->written, b->n - s->written }, e) < 0)
		return fail(s, e);
	if (log_sync(&s->dir, s->fd, &s->name, e) < 0) {
		log_unsynced(s->fd, s->written);
		return fail(s, e);
	}
	s->written = b->n;
	store_note_end(s);
	return 0;
}

static void use_segment(struct store *s, struct segment *g, int fd)
{
	if (s->fd >= 0)
		close(s->fd);
	s->active = g;
	s->fd = fd;
	s->name = log_file_name(&g->head);
	s->written = g->tab.b.n;
}

int store_carry_cut(struct store *s, struct err *e)
{
	if (!s->now.cut.is || s->opts.read_only || s->active->tab.b.n > LOG_HEAD)
		return 0;
	open_frame(s);
	item_put_cut(&s->active->tab.b, &s->now.cut.at);
	return write_frame(s, e);
}

/* The log goes on in a new file; the old one is sealed and goes to the fold. A cut that is open comes along first. */
static int rotate(struct store *s, struct err *e)
{
	struct log_head h = { LOG_COMMITS, s->active->head.number + 1, s->seq + 2 };
	struct segment *full = s->active, *g;
	int fd = log_create(&s->dir, &h, e);

	if (fd < 0)
		return fail(s, e);
	open_frame(s);
	item_put_seal(&full->tab.b);
	if (write_frame(s, e) < 0) {
		close(fd);
		return -1;
	}
	segment_fill(full, &s->now, s->seq);
	g = segment_new(&h);
	log_head_put(&g->tab.b, &h);
	use_segment(s, g, fd);
	if (store_carry_cut(s, e) < 0) {
		segment_free(full);
		return -1;
	}
	folder_push(s, full);
	return 0;
}

/* Frees what is folded and begins a new file if this one is full. Between frames only. */
static int make_room(struct store *s, struct err *e)
{
	size_t bytes = s->active->tab.b.n;
	int busy = folder_reap(s, false, e);

	if (busy > 0 && bytes >= s->opts.segment_bytes * STORE_SEGMENT_GROWTH)
		busy = folder_reap(s, true, e);
	if (busy < 0)
		return fail(s, e);
	return bytes < s->opts.segment_bytes || busy ? 0 : rotate(s, e);
}

static int begin_item(struct store *s, struct err *e)
{
	if (usable(s, e) < 0 || (!s->in_frame && make_room(s, e) < 0))
		return -1;
	open_frame(s);
	return 0;
}

int store_sync(struct store *s, struct err *e) { return usable(s, e) < 0 ? -1 : write_frame(s, e); }

int store_cut(struct store *s, const struct store_point *cut, bool later, struct err *e)
{
	if (begin_item(s, e) < 0)
		return -1;
	item_put_cut(&s->active->tab.b, cut);
	saved_set_point(&s->now.cut, cut);
	return later ? 0 : write_frame(s, e);
}

int store_commit(struct store *s, const struct store_point *commit, bool later, struct err *e)
{
	struct memtab *tab, *pending = &s->pending;
	struct store_bytes changes = { pending->b.p, pending->b.n };

	if (begin_item(s, e) < 0)
		return -1;
	tab = &s->active->tab;
	memtab_reserve(tab, changes.n);
	for (size_t i = 0; i < s->now.n_stages; i++) {
		s->now.stages[i].keys = s->now.stages[i].live_keys;
		s->now.stages[i].sum = s->now.stages[i].live_sum;
	}
	item_put_commit(&tab->b, &s->now, commit, changes);
	if (changes.n)
		memtab_region(tab, tab->b.n - changes.n, tab->b.n);
	memtab_clear(pending);
	saved_set_point(&s->now.commit, commit);
	s->now.cut.is = false;
	return later ? 0 : write_frame(s, e);
}

int store_fold(struct store *s, struct err *e)
{
	if (usable(s, e) < 0 || write_frame(s, e) < 0)
		return -1;
	if (s->active->tab.b.n > LOG_HEAD && rotate(s, e) < 0)
		return -1;
	return folder_reap(s, true, e) < 0 ? fail(s, e) : 0;
}

/* Changes */

size_t store_pending_bytes(const struct store *s) { return s->pending.b.n; }

/* The latest change of a key that is in memory. */
static bool find_change(struct store *s, uint32_t stage, struct store_bytes key, struct change *c)
{
	if (memtab_find(&s->pending, stage, key, c) || memtab_find(&s->active->tab, stage, key, c))
		return true;
	for (size_t i = s->fold.n; i--;)
		if (memtab_find(&s->fold.full[i]->tab, stage, key, c))
			return true;
	return false;
}

int store_get(struct store *s, uint32_t stage, struct store_bytes key, struct store_found *found, struct err *e)
{
	struct change c;

	found->value.n = 0;
	found->mark = 0;
	if (!saved_find(&s->now, stage))
		return 0;
	if (!find_change(s, stage, key, &c))
		return mdbfile_get(s->mdb, stage, key, found, e);
	found->mark = c.mark;
	if (c.mark)
		buf_add(&found->value, c.value.p, c.value.n);
	return c.mark != 0;
}

static int old_mark(struct store *s, uint32_t stage, struct store_bytes key, uint32_t *mark, struct err *e)
{
	struct store_found found = { 0 };
	struct change c;
	int status = 0;

	if (find_change(s, stage, key, &c)) {
		*mark = c.mark;
		return 0;
	}
	status = mdbfile_get(s->mdb, stage, key, &found, e);
	*mark = found.mark;
	buf_release(&found.value);
	return status < 0 ? -1 : 0;
}

/* An entry with mark `was` gets c's. */
static void change(struct store *s, struct saved_stage *stage, uint32_t was, const struct change *c)
{
	struct memtab *p = &s->pending;

	stage->live_keys += (c->mark != 0) - (uint64_t)(was != 0);
	stage->live_sum += (uint64_t)c->mark - was;
	memtab_reserve(p, CHANGE_HEAD_MAX + c->key.n + c->value.n);
	change_put(&p->b, c);
	if (!p->n_regions)
		memtab_region(p, 0, 0);
	p->regions[0].end = p->b.n;
}

static struct saved_stage *stage_to_change(struct store *s, uint32_t id, struct err *e)
{
	struct saved_stage *stage = saved_find(&s->now, id);

	if (!stage)
		BUG("a change of stage %u, which is not in the program", id);
	return usable(s, e) < 0 ? NULL : stage;
}

int store_put(struct store *s, uint32_t stage, const struct store_bytes kv[2], uint32_t *mark, struct err *e)
{
	struct saved_stage *of = stage_to_change(s, stage, e);
	struct change c = { .stage = stage, .key = kv[0], .value = kv[1] };
	uint32_t was;

	if (!of)
		return -1;
	if (c.key.n > STORE_KEY_MAX || c.value.n > STORE_VALUE_MAX)
		return err_set(e, ERR_IO, "%s: stage \"%s\" has an entry of %zu bytes; the limit is %u for a key, %u for a value",
			       s->path, of->name, c.key.n > STORE_KEY_MAX ? c.key.n : c.value.n, STORE_KEY_MAX, STORE_VALUE_MAX);
	if (mark)
		was = *mark;
	else if (old_mark(s, stage, c.key, &was, e) < 0)
		return -1;
	c.mark = entry_mark(stage, c.key, c.value);
	change(s, of, was, &c);
	if (mark)
		*mark = c.mark;
	return 0;
}

int store_delete(struct store *s, uint32_t stage, struct store_bytes key, uint32_t *mark, struct err *e)
{
	struct saved_stage *of = stage_to_change(s, stage, e);
	struct change c = { .stage = stage, .key = key };
	uint32_t was;

	if (!of)
		return -1;
	if (mark)
		was = *mark;
	else if (old_mark(s, stage, key, &was, e) < 0)
		return -1;
	if (was)
		change(s, of, was, &c);
	if (mark)
		*mark = 0;
	return 0;
}

/* Reading it all */

const struct memtab **store_tables(const struct store *s, size_t *n)
{
	const struct memtab **tables = xmalloc((s->fold.n + 2) * sizeof *tables);

	for (*n = 0; *n < s->fold.n; ++*n)
		tables[*n] = &s->fold.full[*n]->tab;
	tables[(*n)++] = &s->active->tab;
	tables[(*n)++] = &s->pending;
	return tables;
}

/* Entries of LMDB and changes in memory, merged in order. */
struct merge {
	struct change_list list;
	size_t at;
	uint32_t stage;
	int (*fn)(void *ctx, const struct store_entry *entry);
	void *ctx;
};

static int give_change(struct merge *m)
{
	struct change c = change_at(&m->list, m->at++);
	struct store_entry entry = { c.key, c.value, c.mark };

	change_prefetch(&m->list, m->at + CHANGES_AHEAD);
	return c.mark ? m->fn(m->ctx, &entry) : 0;
}

static int merge_entry(void *ctx, const struct store_entry *entry, struct err *e)
{
	struct merge *m = ctx;
	struct change_ref r;

	(void)e;
	if (m->at < m->list.n)
		r = key_ref(m->stage, entry->key, m->list.weak_hash);
	while (m->at < m->list.n) {
		int order = change_list_compare(&m->list, &r, entry->key, m->at), status;

		if (order < 0)
			break;
		status = give_change(m);
		if (status || !order)
			return status;
	}
	return m->fn(m->ctx, entry);
}

int store_load(struct store *s, uint32_t stage, int (*fn)(void *ctx, const struct store_entry *entry), void *ctx, struct err *e)
{
	return store_walk(s, stage, &(struct store_walk){ .fn = fn, .ctx = ctx }, e);
}

static_assert(STORE_FROM_MAX <= SHORT_KEY_MAX, "a walk begins at a short key");

int store_walk(struct store *s, uint32_t stage, const struct store_walk *w, struct err *e)
{
	const struct saved_stage *of = saved_find(&s->now, stage);
	size_t n;
	const struct memtab **tables = store_tables(s, &n);
	struct merge m = { .list = { .tables = tables, .weak_hash = s->opts.weak_hash, .begin = w->from }, .stage = stage, .fn = w->fn, .ctx = w->ctx };
	struct mdb_visit v = { merge_entry, &m, w->from };
	int status = 0;

	if (of && of->live_keys) {
		for (size_t i = 0; i < n; i++)
			change_list_add(&m.list, (uint32_t)i, stage);
		change_list_sort(&m.list);
		status = mdbfile_walk(s->mdb, stage, &v, e);
		while (!status && m.at < m.list.n)
			status = give_change(&m);
	}
	change_list_release(&m.list);
	free(tables);
	return status;
}

/* The active file against what was written to it. */
static int verify_log(struct store *s, struct err *e)
{
	const struct buf *want = &s->active->tab.b;
	struct buf b = { 0 };
	int status = file_read(&s->dir, s->name.s, &b, e);
	size_t at = 0;

	while (!status && at < s->written && at < b.n && b.p[at] == want->p[at])
		at++;
	if (status > 0)
		status = err_set(e, ERR_IO, "%s/%s: the file is missing", s->path, s->name.s);
	else if (!status && at < s->written)
		status = err_set(e, ERR_IO, "%s/%s: damaged at offset %zu", s->path, s->name.s, at);
	buf_release(&b);
	return status;
}

int store_verify(struct store *s, struct err *e)
{
	if (!s->opts.read_only && (verify_log(s, e) < 0 || folder_reap(s, true, e) < 0))
		return -1;
	return mdbfile_verify(s->mdb, e);
}

/* The program */

const struct store_program *store_program(const struct store *s)
{
	for (size_t i = 0; i < s->now.n_stages; i++)
		s->program.stages[i].keys = s->now.stages[i].live_keys;
	return s->now.has_program ? &s->program : NULL;
}

const struct store_point *store_last_commit(const struct store *s) { return s->now.commit.is ? &s->now.commit.at : NULL; }

const struct store_point *store_open_cut(const struct store *s) { return s->now.cut.is ? &s->now.cut.at : NULL; }

void store_view_program(struct store *s)
{
	struct store_program *p = &s->program;

	free(p->stages);
	p->text = (struct store_bytes){ s->now.text.p, s->now.text.n };
	p->n_stages = (uint32_t)s->now.n_stages;
	p->stages = xcalloc(s->now.n_stages + 1, sizeof *p->stages);
	for (size_t i = 0; i < s->now.n_stages; i++) {
		const struct saved_stage *from = &s->now.stages[i];

		p->stages[i] = (struct store_stage){
			.name = from->name, .fingerprint = from->fingerprint, .id = from->id, .keys = from->keys
		};
	}
}

static void match_one(const struct store *s, struct store_stage *stage, bool *taken)
{
	stage->id = 0;
	stage->fate = STORE_ANEW;
	stage->keys = 0;
	for (size_t i = 0; i < s->now.n_stages; i++) {
		const struct saved_stage *old = &s->now.stages[i];

		if (taken[i] || old->fingerprint != stage->fingerprint || strcmp(old->name, stage->name))
			continue;
		taken[i] = true;
		stage->id = old->id;
		stage->fate = STORE_KEPT;
		stage->keys = old->live_keys;
		return;
	}
}

void store_match(const struct store *s, struct store_program *p, bool *kept)
{
	bool *taken = xcalloc(s->now.n_stages + 1, sizeof *taken);

	for (uint32_t i = 0; i < p->n_stages; i++)
		match_one(s, &p->stages[i], taken);
	if (kept)
		memcpy(kept, taken, s->now.n_stages * sizeof *taken);
	free(taken);
}

static bool same_program(const struct store *s, const struct store_program *p)
{
	bool same = s->now.has_program && p->n_stages == s->now.n_stages && p->text.n == s->now.text.n &&
		    (!p->text.n || !memcmp(p->text.p, s->now.text.p, p->text.n));

	for (uint32_t i = 0; same && i < p->n_stages; i++)
		same = p->stages[i].id == s->now.stages[i].id;
	return same;
}

static void remember(struct store *s, struct store_program *p)
{
	struct saved old = s->now;

	s->now.stages = NULL;
	s->now.n_stages = s->now.cap = 0;
	s->now.text = (struct buf){ 0 };
	buf_add(&s->now.text, p->text.p, p->text.n);
	s->now.has_program = true;
	if (!s->now.next_id)
		s->now.next_id = 1;
	for (uint32_t i = 0; i < p->n_stages; i++) {
		struct store_stage *from = &p->stages[i];
		const struct saved_stage *was = from->id ? saved_find(&old, from->id) : NULL;
		struct saved_stage *to;

		if (!from->id)
			from->id = s->now.next_id++;
		to = saved_add(&s->now, from->id, (struct store_bytes){ from->name, strlen(from->name) }, from->fingerprint);
		to->keys = to->live_keys = was ? was->keys : 0;
		to->sum = to->live_sum = was ? was->sum : 0;
	}
	saved_clear_program(&old);
	free(old.stages);
	buf_release(&old.text);
}

int store_set_program(struct store *s, struct store_program *p, struct err *e)
{
	store_match(s, p, NULL);
	if (same_program(s, p))
		return 0;
	if (s->pending.b.n)
		BUG("a new program while a commit is being made");
	if (begin_item(s, e) < 0)
		return -1;
	remember(s, p);
	item_put_program(&s->active->tab.b, &s->now);
	store_view_program(s);
	return write_frame(s, e);
}

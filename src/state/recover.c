#include "state/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SNAPSHOT_TRIES 8

/* The files of the log as they are read. */
struct replay {
	struct store *s;
	uint64_t *numbers;
	size_t n;
	struct segment **files; /* taken over by the store */
	int *sealed;
	bool all_in_log;	  /* nothing is in LMDB that is not in the log: it may be half made, and is made anew */
	uint64_t folded;	  /* LMDB has all frames up to this one */
	uint64_t known_end;	  /* the log had all frames up to this one */
	struct saved_stage *base; /* counts and sums in LMDB */
	size_t n_base;
};

static const char *where(struct store *s, const struct log_head *h, struct buf *b)
{
	struct log_name name = log_file_name(h);

	b->n = 0;
	buf_printf(b, "%s/%s", s->path, name.s);
	return buf_cstr(b);
}

static int file_error(struct store *s, const struct log_head *h, struct err *e, const char *what)
{
	struct buf b = { 0 };

	err_set(e, ERR_IO, "%s: %s", where(s, h, &b), what);
	buf_release(&b);
	return -1;
}

static int damaged_at(struct store *s, const struct log_head *h, size_t at, struct err *e)
{
	struct buf b = { 0 };

	err_set(e, ERR_IO, "%s: damaged at offset %zu", where(s, h, &b), at);
	buf_release(&b);
	return -1;
}

/* Reads the i-th file and checks its head. */
static int load_file(struct replay *r, size_t i, struct err *e)
{
	struct log_head want = { .kind = LOG_COMMITS, .number = r->numbers[i] };
	struct segment *g = r->files[i] = segment_new(&want);
	struct log_name name = log_file_name(&want);
	struct buf b = { 0 };
	int status = file_read(&r->s->dir, name.s, &g->tab.b, e);

	if (status > 0)
		return file_error(r->s, &want, e, "the file is missing");
	if (!status)
		status = log_head_read((struct store_bytes){ g->tab.b.p, g->tab.b.n }, &g->head, where(r->s, &want, &b), e);
	buf_release(&b);
	if (!status && (g->head.kind != want.kind || g->head.number != want.number))
		return file_error(r->s, &want, e, "it is another file of the log under this name");
	return status;
}

static int list_files(struct replay *r, struct err *e)
{
	if (log_list(&r->s->dir, LOG_COMMITS, &r->numbers, &r->n, e) < 0)
		return -1;
	if (!r->n)
		return err_set(e, ERR_IO, "%s: the log is missing", r->s->path);
	r->files = xcalloc(r->n, sizeof *r->files);
	r->sealed = xcalloc(r->n, sizeof *r->sealed);
	for (size_t i = 0; i < r->n; i++) {
		struct log_head missing = { LOG_COMMITS, r->numbers[i] - 1, 0 };

		if (i && r->numbers[i] != r->numbers[i - 1] + 1)
			return file_error(r->s, &missing, e, "the file is missing");
		if (load_file(r, i, e) < 0)
			return -1;
	}
	return 0;
}

/* One frame's items into what is saved and the file's regions. */
static int apply_frame(struct replay *r, size_t i, const struct frame *f, size_t at, struct err *e)
{
	struct segment *g = r->files[i];
	struct bytes_in in = { f->body.p, f->body.p + f->body.n, false };
	struct item item;
	int status;

	while ((status = item_next(&in, &item)) > 0) {
		struct store_bytes changes;

		if (f->seq <= r->folded)
			changes.n = 0;
		else if (saved_apply(&r->s->now, &item, &changes) < 0)
			return damaged_at(r->s, &g->head, at, e);
		if (changes.n)
			memtab_region(&g->tab, (size_t)(changes.p - g->tab.b.p), (size_t)(changes.p - g->tab.b.p) + changes.n);
		r->sealed[i] = item.type == ITEM_SEAL;
	}
	return status < 0 ? damaged_at(r->s, &g->head, at, e) : 0;
}

/* What stands at `at` is no frame: the torn end of the log, or damage. */
static int torn_end(struct replay *r, size_t i, size_t at, struct err *e)
{
	struct segment *g = r->files[i];

	if (i + 1 < r->n && r->files[i + 1]->tab.b.n > LOG_HEAD)
		return damaged_at(r->s, &g->head, at, e);
	if (r->s->seq < r->known_end || frame_behind((struct store_bytes){ g->tab.b.p, g->tab.b.n }, at, log_seed(&g->head)))
		return damaged_at(r->s, &g->head, at, e);
	g->tab.b.n = at;
	return 0;
}

static int replay_file(struct replay *r, size_t i, struct err *e)
{
	struct segment *g = r->files[i];
	struct store_bytes file = { g->tab.b.p, g->tab.b.n };
	uint64_t seed = log_seed(&g->head);
	size_t at = LOG_HEAD;
	struct frame f;

	if (g->head.first != r->s->seq + 1)
		return file_error(r->s, &g->head, e, "the file before it is not whole");
	for (;; at = f.next) {
		enum frame_found found = frame_read(file, at, seed, &f);

		if (found == FRAME_END)
			return 0;
		if (found == FRAME_BAD || r->sealed[i])
			return torn_end(r, i, at, e);
		if (f.seq != r->s->seq + 1 || apply_frame(r, i, &f, at, e) < 0)
			return e->kind ? -1 : damaged_at(r->s, &g->head, at, e);
		r->s->seq = f.seq;
	}
}

/* LMDB first, then the log from where it was folded. */
static int load_data(struct replay *r, struct err *e)
{
	struct store *s = r->s;
	struct mdb_found found = { 0 };
	int status;

	r->all_in_log = r->files[0]->head.first == 1;
	status = r->all_in_log ? 0 : mdbfile_check(s->mdb, &found, e);
	if (status < 0) {
		saved_release(&found.saved);
		return -1;
	}
	s->now = found.saved;
	r->folded = found.folded;
	r->n_base = s->now.n_stages;
	r->base = xcalloc(r->n_base + 1, sizeof *r->base);
	for (size_t i = 0; i < r->n_base; i++)
		r->base[i] = s->now.stages[i];
	if (!r->all_in_log && !status)
		return err_set(e, ERR_IO, "%s/data.mdb: the file is missing", s->path);
	if (r->files[0]->head.first > r->folded + 1)
		return err_set(e, ERR_IO, "%s/data.mdb: the file is older than the log", s->path);
	s->seq = r->files[0]->head.first - 1;
	return 0;
}

/* A file after the last one that was sealed; without frames if the one before was not sealed yet. */
static int check_ends(struct replay *r, struct err *e)
{
	struct log_head next = { LOG_COMMITS, r->numbers[r->n - 1] + 1, 0 };

	for (size_t i = 0; i + 1 < r->n; i++)
		if (!r->sealed[i])
			return file_error(r->s, &r->files[i]->head, e, "its end is missing");
	if (r->sealed[r->n - 1])
		return file_error(r->s, &next, e, "the file is missing");
	if (r->s->seq < r->folded || r->s->seq < r->known_end)
		return file_error(r->s, &r->files[r->n - 1]->head, e, "its end is missing");
	return 0;
}

/* A new file that the process did not live to use. */
static void drop_unused(struct replay *r)
{
	struct segment *last = r->files[r->n - 1];
	struct log_name name = log_file_name(&last->head);

	if (r->n < 2 || r->sealed[r->n - 2] || last->tab.b.n > LOG_HEAD)
		return;
	if (!r->s->opts.read_only)
		unlinkat(r->s->dir.fd, name.s, 0);
	segment_free(last);
	r->n--;
}

static int replay_all(struct replay *r, struct err *e)
{
	for (size_t i = 0; i < r->n; i++) {
		/* One that was made and not used begins after a seal that is not there. */
		if (i && i + 1 == r->n && !r->sealed[i - 1] && r->files[i]->tab.b.n == LOG_HEAD)
			break;
		if (replay_file(r, i, e) < 0)
			return -1;
		if (r->sealed[i])
			segment_fill(r->files[i], &r->s->now, r->s->seq);
	}
	drop_unused(r);
	return check_ends(r, e);
}

struct counting {
	const struct saved *now;
	const struct change_list *list; /* the changes that are in force: of each key the latest */
	struct saved_stage *found;	/* beside the stages */
};

static void count_change(void *ctx, size_t i, uint32_t was)
{
	struct counting *of = ctx;
	struct change c = change_at(of->list, i);
	const struct saved_stage *stage = saved_find(of->now, c.stage);

	if (!stage)
		return;
	of->found[stage - of->now->stages].keys += (c.mark != 0) - (uint64_t)(was != 0);
	of->found[stage - of->now->stages].sum += (uint64_t)c.mark - was;
}

static void base_counts(const struct replay *r, uint32_t id, struct saved_stage *out)
{
	for (size_t i = 0; i < r->n_base; i++)
		if (r->base[i].id == id) {
			out->keys = r->base[i].keys;
			out->sum = r->base[i].sum;
		}
}

/* Counts and sums as they come out of LMDB and the log, against the last commit. */
static int check_counts(struct replay *r, struct err *e)
{
	struct store *s = r->s;
	const struct memtab **tables = xcalloc(r->n, sizeof *tables);
	struct change_list list = { .tables = tables, .weak_hash = s->opts.weak_hash };
	struct saved_stage *found = xcalloc(s->now.n_stages + 1, sizeof *found);
	struct counting counting = { &s->now, &list, found };

	for (size_t i = 0; i < s->now.n_stages; i++)
		base_counts(r, s->now.stages[i].id, &found[i]);
	for (size_t i = 0; i < r->n; i++) {
		tables[i] = &r->files[i]->tab;
		change_list_add(&list, (uint32_t)i, 0);
	}
	change_list_sort(&list);
	mdbfile_marks(s->mdb, &(struct mdb_marks){ &list, count_change, &counting }, e);
	for (size_t i = 0; i < s->now.n_stages && !e->kind; i++) {
		const struct saved_stage *want = &s->now.stages[i];

		if (found[i].keys != want->keys || found[i].sum != want->sum)
			err_set(e, ERR_IO, "%s: damaged: stage \"%s\" has %llu entries, not the %llu that were committed",
				s->path, want->name, (unsigned long long)found[i].keys, (unsigned long long)want->keys);
	}
	free(found);
	change_list_release(&list);
	free(tables);
	return e->kind ? -1 : 0;
}

/* The last file takes frames again, without its torn end. */
static int open_active(struct store *s, struct segment *last, struct err *e)
{
	off_t end;

	s->active = last;
	s->name = log_file_name(&last->head);
	s->written = last->tab.b.n;
	if (s->opts.read_only)
		return 0;
	s->fd = openat(s->dir.fd, s->name.s, O_RDWR | O_CLOEXEC);
	end = s->fd < 0 ? -1 : lseek(s->fd, 0, SEEK_END);
	if (end < 0 || (end > (off_t)s->written && ftruncate(s->fd, (off_t)s->written) < 0)) {
		int code = errno;

		err_set(e, ERR_IO, "%s/%s: cannot write: %s", s->path, s->name.s, strerror(code));
		store_advise(s, code, e);
		return -1;
	}
	return end > (off_t)s->written ? log_sync(&s->dir, s->fd, &s->name, e) : 0;
}

/* The full files to the fold, the last one to the store. */
static int take_over(struct replay *r, struct err *e)
{
	struct store *s = r->s;
	size_t last = r->n - 1;

	if (open_active(s, r->files[last], e) < 0)
		s->active = NULL;
	else
		r->files[last] = NULL;
	if (!s->active || store_carry_cut(s, e) < 0)
		return -1;
	for (size_t i = 0; i < last; i++) {
		struct segment *g = r->files[i];

		r->files[i] = NULL;
		folder_push(s, g);
	}
	return 0;
}

static void end_replay(struct replay *r)
{
	for (size_t i = 0; i < r->n && r->files; i++)
		segment_free(r->files[i]);
	free(r->files);
	free(r->sealed);
	free(r->numbers);
	free(r->base);
}

/* Files that were folded and not dropped. */
static void drop_folded(struct replay *r)
{
	size_t gone = 0;

	while (gone + 1 < r->n && r->files[gone + 1]->head.first <= r->folded + 1) {
		struct log_name name = log_file_name(&r->files[gone]->head);

		if (!r->s->opts.read_only)
			unlinkat(r->s->dir.fd, name.s, 0);
		segment_free(r->files[gone++]);
	}
	r->n -= gone;
	memmove(r->files, r->files + gone, r->n * sizeof *r->files);
	memmove(r->sealed, r->sealed + gone, r->n * sizeof *r->sealed);
}

static int recover_once(struct store *s, struct err *e)
{
	struct replay r = { .s = s, .known_end = store_known_end(s) };
	int status = -1;

	s->mdb = mdbfile_new(&s->dir, &s->opts);
	if (!list_files(&r, e) && !load_data(&r, e) && !replay_all(&r, e)) {
		drop_folded(&r);
		status = check_counts(&r, e);
	}
	if (!status && r.all_in_log)
		status = mdbfile_restart(s->mdb, e);
	if (!status)
		status = take_over(&r, e);
	end_replay(&r);
	return status;
}

/* What a failed try leaves. */
static void forget(struct store *s)
{
	for (size_t i = 0; i < s->fold.n; i++)
		segment_free(s->fold.full[i]);
	s->fold.n = 0;
	segment_free(s->active);
	s->active = NULL;
	mdbfile_free(s->mdb);
	s->mdb = NULL;
	saved_release(&s->now);
	s->seq = 0;
}

int store_recover(struct store *s, struct err *e)
{
	/* Another process may write while a snapshot is taken: files go, LMDB moves on. */
	for (int i = s->opts.read_only ? SNAPSHOT_TRIES : 1; i; i--) {
		*e = (struct err){ 0 };
		if (recover_once(s, e) == 0) {
			for (size_t k = 0; k < s->now.n_stages; k++) {
				s->now.stages[k].live_keys = s->now.stages[k].keys;
				s->now.stages[k].live_sum = s->now.stages[k].sum;
			}
			store_view_program(s);
			return 0;
		}
		if (s->opts.read_only)
			forget(s);
	}
	return -1;
}

#include "state/store_impl.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

void folder_init(struct folder *f)
{
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->wake, NULL);
	pthread_cond_init(&f->done, NULL);
}

/* All full segments in one transaction: of a key in several only the latest counts. */
static int fold_segments(struct store *s, struct segment *const *full, size_t n, struct err *e)
{
	const struct memtab **tables = xmalloc(n * sizeof *tables);
	const struct segment *last = full[n - 1];
	struct fold_work w = { .list = { .tables = tables, .weak_hash = s->opts.weak_hash },
			       .meta = { last->meta.p, last->meta.n },
			       .live = last->live,
			       .n_live = last->n_live };
	int status;

	for (size_t i = 0; i < n; i++) {
		tables[i] = &full[i]->tab;
		change_list_add(&w.list, (uint32_t)i, 0);
	}
	change_list_sort(&w.list);
	status = mdbfile_fold(s->mdb, &w, e);
	change_list_release(&w.list);
	free(tables);
	/* In this order also after a power loss: only the last files may be there. */
	for (size_t i = 0; !status && i < n; i++) {
		struct log_name name = log_file_name(&full[i]->head);

		unlinkat(s->dir.fd, name.s, 0);
		status = dir_sync(&s->dir, e);
	}
	return status;
}

/* Folds what is full now. Called and left with the lock held. */
static void fold_some(struct store *s)
{
	struct folder *f = &s->fold;
	struct segment **full = xmalloc((f->n + 1) * sizeof *full);
	struct err e = { 0 };
	size_t n = 0;
	int status;

	for (size_t i = 0; i < f->n; i++)
		if (!f->full[i]->folded)
			full[n++] = f->full[i];
	pthread_mutex_unlock(&f->lock);
	status = fold_segments(s, full, n, &e);
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; !status && i < n; i++)
		full[i]->folded = true;
	if (status)
		f->err = e;
	free(full);
}

static bool has_work(const struct folder *f) { return !f->err.kind && f->n && !f->full[f->n - 1]->folded; }

static void *fold_thread(void *ctx)
{
	struct store *s = ctx;
	struct folder *f = &s->fold;

	pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		if (has_work(f))
			fold_some(s);
		else
			pthread_cond_wait(&f->wake, &f->lock);
		pthread_cond_broadcast(&f->done);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* Signals are the main thread's. */
static int start(struct store *s)
{
	sigset_t all, old;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	code = pthread_create(&s->fold.thread, NULL, fold_thread, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	s->fold.started = !code;
	return code;
}

void folder_push(struct store *s, struct segment *full_take)
{
	struct folder *f = &s->fold;

	pthread_mutex_lock(&f->lock);
	f->full = xgrow(f->full, &f->cap, f->n + 1, sizeof *f->full);
	f->full[f->n++] = full_take;
	if (!f->started && !s->opts.read_only) {
		int code = start(s);

		if (code)
			err_set(&f->err, ERR_IO, "%s: cannot start a thread: %s", s->path, strerror(code));
	}
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

int folder_reap(struct store *s, bool wait, struct err *e)
{
	struct folder *f = &s->fold;
	size_t kept = 0;
	int status;

	if (!f->n)
		return 0;
	pthread_mutex_lock(&f->lock);
	while (wait && has_work(f))
		pthread_cond_wait(&f->done, &f->lock);
	for (size_t i = 0; i < f->n; i++) {
		if (f->full[i]->folded)
			segment_free(f->full[i]);
		else
			f->full[kept++] = f->full[i];
	}
	f->n = kept;
	status = (int)kept;
	if (f->err.kind) {
		*e = f->err;
		status = -1;
	}
	pthread_mutex_unlock(&f->lock);
	return status;
}

void folder_stop(struct store *s)
{
	struct folder *f = &s->fold;

	if (f->started) {
		pthread_mutex_lock(&f->lock);
		f->stop = true;
		pthread_cond_signal(&f->wake);
		pthread_mutex_unlock(&f->lock);
		pthread_join(f->thread, NULL);
	}
	for (size_t i = 0; i < f->n; i++)
		segment_free(f->full[i]);
	free(f->full);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->wake);
	pthread_cond_destroy(&f->done);
}

#include "state/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The log of an input: files of frames, each frame a piece whose seq is the offset where it begins. */
struct wal {
	uint32_t input;
	struct log_head *files; /* those that are there, the last one is written to */
	size_t n, cap;
	int fd;	      /* of the last file, -1: none, or read only */
	uint64_t end; /* offset behind the last piece */
	size_t bytes, synced; /* of the last file */
	struct buf frame;
};

/* One file while it is read. */
struct wal_scan {
	struct buf file;
	struct log_head head;
	uint64_t end;
	size_t whole; /* bytes of it that are whole frames */
};

void wal_free(struct wal *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	buf_release(&w->frame);
	free(w->files);
	free(w);
}

static int wal_error(struct store *s, const struct log_head *h, struct err *e, const char *what)
{
	struct log_name name = log_file_name(h);

	return err_set(e, ERR_IO, "%s/%s: %s", s->path, name.s, what);
}

static int wal_damaged(struct store *s, const struct log_head *h, size_t at, struct err *e)
{
	struct log_name name = log_file_name(h);

	return err_set(e, ERR_IO, "%s/%s: damaged at offset %zu", s->path, name.s, at);
}

/* Reads a file and gives the part of its pieces behind r->from; r NULL: only looks where it ends. `last`: its end may be torn. */
static int scan_frames(struct store *s, struct wal_scan *c, const struct store_reader *r, bool last, struct err *e)
{
	struct store_bytes file = { c->file.p, c->file.n };
	uint64_t seed = log_seed(&c->head);
	size_t at = LOG_HEAD;
	struct frame f;

	c->end = c->head.first;
	for (;; at = f.next) {
		enum frame_found found = frame_read(file, at, seed, &f);
		int status;

		c->whole = at;
		if (found == FRAME_END)
			return 0;
		if (found == FRAME_BAD)
			return last && !frame_behind(file, at, seed) ? 0 : wal_damaged(s, &c->head, at, e);
		if (f.seq != c->end)
			return wal_damaged(s, &c->head, at, e);
		c->end += f.body.n;
		if (!r || c->end <= r->from)
			continue;
		if (f.seq < r->from) {
			f.body.p += r->from - f.seq;
			f.body.n = (size_t)(c->end - r->from);
		}
		status = r->fn(r->ctx, c->end - f.body.n, f.body);
		if (status)
			return status;
	}
}

static int load_wal_file(struct store *s, const struct log_head *want, struct wal_scan *c, struct err *e)
{
	struct log_name name = log_file_name(want);
	struct buf where = { 0 };
	int status;

	c->file.n = 0;
	status = file_read(&s->dir, name.s, &c->file, e);
	if (status > 0)
		return wal_error(s, want, e, "the file is missing");
	buf_printf(&where, "%s/%s", s->path, name.s);
	if (!status)
		status = log_head_read((struct store_bytes){ c->file.p, c->file.n }, &c->head, buf_cstr(&where), e);
	buf_release(&where);
	if (!status && (c->head.kind != want->kind || c->head.number != want->number))
		return wal_error(s, want, e, "it is another file under this name");
	return status;
}

/* Finds where the log ends and cuts off what is torn there. */
static int open_last(struct store *s, struct wal *w, struct wal_scan *c, struct err *e)
{
	struct log_name name = log_file_name(&c->head);

	if (scan_frames(s, c, NULL, true, e) < 0)
		return -1;
	w->end = c->end;
	w->bytes = w->synced = c->whole;
	if (s->opts.read_only)
		return 0;
	w->fd = openat(s->dir.fd, name.s, O_RDWR | O_CLOEXEC);
	if (w->fd < 0 || (c->whole < c->file.n && ftruncate(w->fd, (off_t)c->whole) < 0))
		return wal_error(s, &c->head, e, strerror(errno));
	return c->whole < c->file.n ? log_sync(&s->dir, w->fd, &name, e) : 0;
}

static int open_wal(struct store *s, struct wal *w, struct err *e)
{
	struct log_head h = { .kind = 1 + w->input };
	struct wal_scan c = { 0 };
	uint64_t *numbers;
	size_t n;
	int status = log_list(&s->dir, h.kind, &numbers, &n, e);

	for (size_t i = 0; !status && i < n; i++) {
		h.number = numbers[i];
		status = load_wal_file(s, &h, &c, e);
		if (!status && i && numbers[i] != numbers[i - 1] + 1) {
			h.number--;
			status = wal_error(s, &h, e, "the file is missing");
		}
		w->files = xgrow(w->files, &w->cap, w->n + 1, sizeof *w->files);
		w->files[w->n++] = c.head;
	}
	if (!status && n)
		status = open_last(s, w, &c, e);
	buf_release(&c.file);
	free(numbers);
	return status;
}

static struct wal *wal_of(struct store *s, uint32_t input, struct err *e)
{
	struct wal *w;

	for (size_t i = 0; i < s->n_wals; i++)
		if (s->wals[i]->input == input)
			return s->wals[i];
	w = xcalloc(1, sizeof *w);
	w->input = input;
	w->fd = -1;
	if (open_wal(s, w, e) < 0) {
		wal_free(w);
		return NULL;
	}
	s->wals = xgrow(s->wals, &s->wals_cap, s->n_wals + 1, sizeof *s->wals);
	s->wals[s->n_wals++] = w;
	return w;
}

static int wal_failed(struct store *s, const struct err *e)
{
	s->failed = *e;
	return -1;
}

static int sync_wal(struct store *s, struct wal *w, struct err *e)
{
	struct log_name name;

	if (w->synced == w->bytes)
		return 0;
	name = log_file_name(&w->files[w->n - 1]);
	if (log_sync(&s->dir, w->fd, &name, e) < 0) {
		log_unsynced(w->fd, w->synced);
		return wal_failed(s, e);
	}
	w->synced = w->bytes;
	return 0;
}

/* A new file once the last one is full. */
static int wal_room(struct store *s, struct wal *w, struct err *e)
{
	struct log_head h = { 1 + w->input, w->n ? w->files[w->n - 1].number + 1 : 1, w->end };
	int fd;

	if (w->n && w->bytes < s->opts.segment_bytes)
		return 0;
	if (sync_wal(s, w, e) < 0)
		return -1;
	fd = log_create(&s->dir, &h, e);
	if (fd < 0)
		return wal_failed(s, e);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
	w->bytes = w->synced = LOG_HEAD;
	w->files = xgrow(w->files, &w->cap, w->n + 1, sizeof *w->files);
	w->files[w->n++] = h;
	return 0;
}

static struct wal *wal_to_write(struct store *s, uint32_t input, struct err *e)
{
	if (s->failed.kind) {
		*e = s->failed;
		return NULL;
	}
	if (s->opts.read_only) {
		err_set(e, ERR_IO, "%s: the checkpoint is open for reading only", s->path);
		return NULL;
	}
	return wal_of(s, input, e);
}

int store_wal_append(struct store *s, uint32_t input, struct store_bytes bytes, bool later, struct err *e)
{
	struct wal *w = wal_to_write(s, input, e);
	struct log_name name;
	size_t at;

	if (!w || wal_room(s, w, e) < 0)
		return -1;
	w->frame.n = 0;
	at = frame_open(&w->frame, (uint32_t)(w->bytes - w->synced));
	buf_add(&w->frame, bytes.p, bytes.n);
	frame_close(&w->frame, at, w->end, log_seed(&w->files[w->n - 1]));
	name = log_file_name(&w->files[w->n - 1]);
	if (log_append(&s->dir, w->fd, &name, (struct store_bytes){ w->frame.p, w->frame.n }, e) < 0)
		return wal_failed(s, e);
	w->end += bytes.n;
	w->bytes += w->frame.n;
	return later ? 0 : sync_wal(s, w, e);
}

int store_wal_sync(struct store *s, uint32_t input, struct err *e)
{
	struct wal *w = wal_to_write(s, input, e);

	return w ? sync_wal(s, w, e) : -1;
}

int store_wal_end(struct store *s, uint32_t input, uint64_t *end, struct err *e)
{
	struct wal *w = wal_of(s, input, e);

	if (!w)
		return -1;
	*end = w->end;
	return 0;
}

int wal_list(struct store *s, uint32_t **inputs, size_t *n, struct err *e)
{
	if (log_kinds(&s->dir, inputs, n, e) < 0)
		return -1;
	for (size_t i = 0; i < *n; i++)
		(*inputs)[i]--;
	return 0;
}

int wal_range(struct store *s, uint32_t input, uint64_t *begin, uint64_t *end, struct err *e)
{
	struct wal *w = wal_of(s, input, e);

	if (!w)
		return -1;
	*begin = w->n ? w->files[0].first : 0;
	*end = w->end;
	return 0;
}

static int read_files(struct store *s, struct wal *w, const struct store_reader *r, struct err *e)
{
	struct wal_scan c = { 0 };
	int status = 0;

	for (size_t i = 0; !status && i < w->n; i++) {
		if (i + 1 < w->n && w->files[i + 1].first <= r->from)
			continue;
		status = load_wal_file(s, &w->files[i], &c, e);
		if (!status)
			status = scan_frames(s, &c, r, i + 1 == w->n, e);
		if (!status && c.end != (i + 1 < w->n ? w->files[i + 1].first : w->end))
			status = wal_error(s, &c.head, e, "its end is missing");
	}
	buf_release(&c.file);
	return status;
}

int store_wal_read(struct store *s, uint32_t input, const struct store_reader *r, struct err *e)
{
	struct wal *w = wal_of(s, input, e);
	uint64_t first;

	if (!w)
		return -1;
	first = w->n ? w->files[0].first : 0;
	if (r->from < first || r->from > w->end)
		return err_set(e, ERR_IO, "%s: the log of input %u has bytes %llu to %llu, not those from %llu on", s->path,
			       input, (unsigned long long)first, (unsigned long long)w->end, (unsigned long long)r->from);
	return read_files(s, w, r, e);
}

int store_wal_trim(struct store *s, uint32_t input, uint64_t offset, struct err *e)
{
	struct wal *w = wal_to_write(s, input, e);
	size_t gone = 0;

	if (!w)
		return -1;
	for (; gone + 1 < w->n && w->files[gone + 1].first <= offset; gone++) {
		struct log_name name = log_file_name(&w->files[gone]);

		if (unlinkat(s->dir.fd, name.s, 0) < 0 && errno != ENOENT)
			return wal_error(s, &w->files[gone], e, strerror(errno));
	}
	w->n -= gone;
	memmove(w->files, w->files + gone, w->n * sizeof *w->files);
	return 0;
}

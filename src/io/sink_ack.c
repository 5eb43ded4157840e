/* Sinks that are acknowledged (ack.h). What was not yet is in the checkpoint, in a file that only grows: the number of a byte is
 * its place there, and the front of it, once acknowledged, becomes a hole that takes no room. To the checkpoint it is an output
 * like any file. Commits remember the sums of what is in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/ack.h"
#include "io/ack_sender.h"
#include "io/fd.h"
#include "io/sink_ack.h"
#include "state/bytes.h"

#define REST_VERSION 1
#define LINGER_MS 10000
#define WAITING_MAX ((int64_t)256 << 20) /* bytes that wait to be acknowledged; then the job waits too */

/* A micro-batch that is not wholly acknowledged. */
struct sent {
	int64_t end;
	uint64_t sum;
};

struct ack_sink {
	struct sink base;
	struct addr addr;
	bool is_tcp;
	int64_t linger_ms;
	char id[ACK_ID + 1];
	char *label, *path;
	bool known;    /* a commit knows of it */
	int64_t start; /* where the first of `sent` begins */
	struct sent *sent;
	size_t n_sent, sent_cap;
	bool settled; /* it was waited for, */
	int silent;   /* and that said so */
	char why[160];
	struct ack_sender *sender;
};

static struct ack_sink *of(struct sink *s) { return (struct ack_sink *)s; }

static int64_t end_of(const struct ack_sink *a) { return a->n_sent ? a->sent[a->n_sent - 1].end : a->start; }

static int failed(const struct ack_sink *a, struct err *e) { return err_set(e, ERR_IO, "%s: %s", a->path, strerror(errno)); }

/* ---- the file ---- */

static int sync_name(const struct ack_sink *a, const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = fd < 0 || fsync(fd) ? failed(a, e) : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static int ack_keep(struct sink *s, const char *dir, unsigned twin, struct err *e)
{
	struct ack_sink *a = of(s);
	struct buf path = { 0 };
	struct stat st;

	buf_printf(&path, "%s/out.%016llx", dir, (unsigned long long)sum64(a->label, strlen(a->label), 0));
	if (twin)
		buf_printf(&path, ".%u", twin);
	a->path = (char *)buf_cstr(&path);
	s->fd = open(a->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (s->fd < 0 || fstat(s->fd, &st))
		return failed(a, e);
	s->empty = !st.st_size;
	return s->empty ? sync_name(a, dir, e) : 0;
}

/* The sum of the bytes from `from` to `to`. */
static int sum_of(const struct ack_sink *a, int64_t from, int64_t to, uint64_t *sum, struct err *e)
{
	char *p = xmalloc(65536);

	*sum = 0;
	while (from < to) {
		size_t want = to - from < 65536 ? (size_t)(to - from) : 65536;
		ssize_t n = pread(a->base.fd, p, want, from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)want) {
			free(p);
			return n < 0 ? failed(a, e)
				     : err_set(e, ERR_IO, "%s: is cut short, at byte %lld", a->path, (long long)(from + n));
		}
		*sum = sum64(p, want, *sum);
		from += n;
	}
	free(p);
	return 0;
}

static int check_sums(const struct ack_sink *a, struct err *e)
{
	int64_t from = a->start;
	uint64_t sum;

	for (size_t i = 0; i < a->n_sent; from = a->sent[i++].end) {
		if (sum_of(a, from, a->sent[i].end, &sum, e))
			return -1;
		if (sum != a->sent[i].sum)
			return err_set(e, ERR_IO, "%s: damaged between bytes %lld and %lld", a->path, (long long)from,
				       (long long)a->sent[i].end);
	}
	return 0;
}

/* ---- commits ---- */

static int make_id(struct ack_sink *a, struct err *e)
{
	unsigned char r[ACK_ID / 2];

	if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
		return err_set(e, ERR_IO, "%s: no random numbers: %s", a->label, strerror(errno));
	for (size_t i = 0; i < sizeof r; i++)
		snprintf(a->id + 2 * i, 3, "%02x", r[i]);
	return 0;
}

/* What is acknowledged as a whole is not remembered. */
static void forget_acked(struct ack_sink *a)
{
	int64_t acked = a->sender ? ack_sender_acked(a->sender) : a->start;
	size_t gone = 0;

	while (gone < a->n_sent && a->sent[gone].end <= acked)
		gone++;
	if (!gone)
		return;
	a->start = a->sent[gone - 1].end;
	a->n_sent -= gone;
	memmove(a->sent, a->sent + gone, a->n_sent * sizeof *a->sent);
}

static int add_batch(struct ack_sink *a, int64_t end, struct err *e)
{
	uint64_t sum;

	if (!a->known && (a->start = a->base.begins, make_id(a, e)))
		return -1;
	a->known = true;
	if (end_of(a) != a->base.begins || end < a->base.begins) {
		err_set(e, ERR_IO, "%s: ends at byte %lld, and what strm wrote at byte %lld", a->path, (long long)a->base.begins,
			(long long)end_of(a));
		return err_hint(e, "nobody but strm writes to it");
	}
	if (end == a->base.begins)
		return 0;
	if (sum_of(a, a->base.begins, end, &sum, e))
		return -1;
	a->sent = xgrow(a->sent, &a->sent_cap, a->n_sent + 1, sizeof *a->sent);
	a->sent[a->n_sent++] = (struct sent){ end, sum };
	return 0;
}

static int ack_prepare(struct sink *s, struct buf *rest, struct err *e)
{
	struct ack_sink *a = of(s);
	struct stat st;

	if (fstat(s->fd, &st))
		return failed(a, e);
	if ((!a->known || st.st_size != end_of(a)) && add_batch(a, st.st_size, e))
		return -1;
	forget_acked(a);
	put_varint(rest, REST_VERSION);
	buf_add(rest, a->id, ACK_ID);
	put_varint(rest, (uint64_t)a->start);
	put_varint(rest, a->n_sent);
	for (size_t i = 0; i < a->n_sent; i++) {
		put_varint(rest, (uint64_t)a->sent[i].end);
		put_le(rest, a->sent[i].sum, 8);
	}
	return 0;
}

static int read_rest(struct ack_sink *a, struct bytes_in *in)
{
	uint64_t n;

	if (get_varint(in) != REST_VERSION || in->end - in->p < ACK_ID)
		return -1;
	memcpy(a->id, in->p, ACK_ID);
	in->p += ACK_ID;
	a->start = (int64_t)get_varint(in);
	n = get_varint(in);
	for (uint64_t i = 0; i < n && !in->bad; i++) {
		int64_t end = (int64_t)get_varint(in);
		uint64_t sum = get_le(in, 8);

		in->bad |= end <= end_of(a);
		a->sent = xgrow(a->sent, &a->sent_cap, a->n_sent + 1, sizeof *a->sent);
		a->sent[a->n_sent++] = (struct sent){ end, sum };
	}
	return in->bad || in->p != in->end ? -1 : 0;
}

int64_t sink_ack_waiting(const char *p, size_t n)
{
	struct bytes_in in = { p, p + n, false };
	struct ack_sink a = { 0 };
	int64_t waiting = read_rest(&a, &in) ? -1 : end_of(&a) - a.start;

	free(a.sent);
	return waiting;
}

static bool is_kept(const char *name, struct sink *const *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i]->acks && !strcmp(strrchr(of(keep[i])->path, '/') + 1, name))
			return true;
	return false;
}

void sink_ack_sweep(const char *dir, struct sink *const *keep, size_t n)
{
	DIR *d = opendir(dir);
	const struct dirent *f;

	while (d && (f = readdir(d)))
		if (!strncmp(f->d_name, "out.", 4) && !is_kept(f->d_name, keep, n))
			unlinkat(dirfd(d), f->d_name, 0);
	if (d)
		closedir(d);
}

static int start_sender(struct ack_sink *a, struct err *e)
{
	struct ack_sender_opts o = { &a->base.url, a->is_tcp ? &a->addr : NULL, a->id, a->base.fd, a->start, end_of(a) };

	a->sender = ack_sender_start(&o, e);
	return a->sender ? 0 : -1;
}

static int ack_recover(struct sink *s, const char *p, size_t n, struct err *e)
{
	struct ack_sink *a = of(s);
	struct bytes_in in = { p, p + n, false };

	if (read_rest(a, &in))
		return err_set(e, ERR_IO, "%s: what the checkpoint says of it is of a kind that this strm does not know",
			       a->label);
	a->known = true;
	if (check_sums(a, e))
		return -1;
	return a->n_sent ? start_sender(a, e) : 0;
}

/* ---- delivery ---- */

static int ack_write(struct sink *s, const char *p, size_t n, struct err *e)
{
	return fd_write(s->fd, p, n) ? failed(of(s), e) : 0;
}

/* The checkpoint does not ask for it any more. Where the file system makes no holes, it stays. */
static void make_hole(const struct ack_sink *a)
{
	int64_t whole = a->start & ~INT64_C(4095);

	if (whole > 0)
		fallocate(a->base.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, whole);
}

static int silent(const struct ack_sink *a, const char *why, struct err *e)
{
	long long n = (long long)(end_of(a) - ack_sender_acked(a->sender));

	err_set(e, ERR_IO, "%s: %lld bytes were not acknowledged%s%s", a->label, n, *why ? ": " : "", why);
	return err_hint(e, "they are in the checkpoint, and the next run sends them");
}

static int ack_batch_end(struct sink *s, uint64_t batch, struct err *e)
{
	struct ack_sink *a = of(s);
	char why[160];

	(void)batch;
	if (!a->sender && !a->n_sent)
		return 0;
	if (!a->sender && start_sender(a, e))
		return -1;
	make_hole(a);
	ack_sender_more(a->sender, end_of(a));
	if (ack_sender_failed(a->sender, a->label, e))
		return -1;
	if (ack_sender_wait(a->sender, end_of(a) - WAITING_MAX, a->linger_ms, why) > 0)
		return silent(a, why, e);
	return ack_sender_failed(a->sender, a->label, e);
}

static bool ack_settle(struct sink *s)
{
	struct ack_sink *a = of(s);

	if (!a->sender)
		return false;
	a->silent = ack_sender_wait(a->sender, end_of(a), a->linger_ms, a->why);
	a->settled = true;
	return a->n_sent && a->sent[0].end <= ack_sender_acked(a->sender);
}

static void release(struct ack_sink *a)
{
	ack_sender_stop(a->sender);
	if (a->base.fd >= 0)
		close(a->base.fd);
	free(a->sent);
	free(a->path);
	free(a->label);
}

static int ack_close(struct sink *s, bool keep, struct err *e)
{
	struct ack_sink *a = of(s);
	int r = 0;

	if (keep && a->sender) {
		if (!a->settled)
			ack_settle(s);
		make_hole(a);
		if (a->silent)
			r = a->silent < 0 ? ack_sender_failed(a->sender, a->label, e) : silent(a, a->why, e);
	}
	release(a);
	s->name = NULL;
	return r;
}

static const struct sink_def ack_def = {
	.doc = { .name = "ack" },
	.write = ack_write,
	.close = ack_close,
	.batch_end = ack_batch_end,
	.prepare = ack_prepare,
	.recover = ack_recover,
	.settle = ack_settle,
	.keep = ack_keep,
};

struct sink *sink_ack_open(const struct url *u, const struct addr *addr, struct err *e)
{
	static const int64_t range[2] = { 0, 86400000 };
	int64_t linger_ms = LINGER_MS;
	struct ack_sink *a;

	if (url_option_ms(u, "linger", range, &linger_ms, e))
		return NULL;
	if (url_option(u, "retry")) {
		err_set(e, ERR_USAGE, "%s: with ack it connects again by itself, whatever happens: retry says nothing", u->spec);
		return NULL;
	}
	a = xcalloc(1, sizeof *a);
	a->linger_ms = linger_ms;
	a->is_tcp = addr != NULL;
	if (addr)
		a->addr = *addr;
	a->label = url_label(u);
	a->base.def = &ack_def;
	a->base.name = a->label;
	a->base.fd = -1;
	a->base.acks = true;
	return &a->base;
}

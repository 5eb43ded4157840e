#include "io/position.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- what was taken ---- */

void trace_took(struct trace *t, const char *p, size_t n)
{
	size_t head = POSITION_HEAD - t->n_head < n ? POSITION_HEAD - t->n_head : n;

	memcpy(t->head + t->n_head, p, head);
	t->n_head += (uint32_t)head;
	last_bytes_took(&t->last, p, n);
	t->offset += (int64_t)n;
}

void trace_note(const struct trace *t, struct position *p)
{
	p->offset = t->offset;
	p->head = sum64(t->head, t->n_head, 0);
	p->last = sum64(t->last.at, t->last.n, 0);
}

/* ---- positions ---- */

void position_release(struct position *p)
{
	free(p->path);
	*p = (struct position){ 0 };
}

void position_copy(struct position *to, const struct position *from)
{
	char *path = from->path ? xstrdup(from->path) : NULL;

	free(to->path);
	*to = *from;
	to->path = path;
}

/* What the name stands for, absolute, whether it is there or not. */
static char *absolute(const char *name)
{
	const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
	char *folder = slash ? xstrndup(name, slash == name ? 1 : (size_t)(slash - name)) : xstrdup(".");
	char *real = realpath(name, NULL), *in = real ? NULL : realpath(folder, NULL);
	struct buf b = { 0 };

	if (in)
		buf_printf(&b, "%s%s%s", in, in[1] ? "/" : "", last);
	else
		buf_str(&b, real ? real : name);
	free(folder);
	free(real);
	free(in);
	return (char *)buf_cstr(&b);
}

/* The path behind a descriptor; NULL: it has none. */
static char *path_of_fd(int fd)
{
	char self[32], path[4096];
	ssize_t n;

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof path);
	return n > 0 && n < (ssize_t)sizeof path ? xstrndup(path, (size_t)n) : NULL;
}

void position_name(struct position *p, int fd, const char *name)
{
	char *own = name ? NULL : path_of_fd(fd);

	free(p->path);
	p->path = own ? own : absolute(name ? name : "stdin");
}

void position_of_fd(struct position *p, int fd)
{
	struct file_id id = { 0 };

	file_id_of_fd(fd, &id);
	p->dev = id.dev;
	p->ino = id.ino;
	p->born_ns = id.born_ns;
	p->size = p->mtime_ns = 0;
	p->n_seen = 0;
	p->seen = 0;
}

bool position_is_of(const struct position *p, const struct file_id *id)
{
	return id->is_file && id->dev == p->dev && id->ino == p->ino && id->born_ns == p->born_ns;
}

void position_put(struct buf *b, const struct position *p)
{
	put_bytes(b, (struct store_bytes){ p->path, p->path ? strlen(p->path) : 0 });
	put_varint(b, p->dev);
	put_varint(b, p->ino);
	put_le(b, (uint64_t)p->born_ns, 8);
	put_varint(b, (uint64_t)p->offset);
	put_le(b, p->head, 8);
	put_le(b, p->last, 8);
	put_varint(b, (uint64_t)p->size);
	put_le(b, (uint64_t)p->mtime_ns, 8);
	put_varint(b, p->n_seen);
	put_le(b, p->seen, 8);
	put_varint(b, p->rotates);
	put_le(b, (uint64_t)p->beside_mtime_ns, 8);
	put_le(b, (uint64_t)p->beside_born_ns, 8);
}

void position_get(struct bytes_in *in, struct position *p)
{
	struct store_bytes path = get_bytes(in);

	p->path = xstrndup(path.p, path.n);
	p->dev = get_varint(in);
	p->ino = get_varint(in);
	p->born_ns = (int64_t)get_le(in, 8);
	p->offset = (int64_t)get_varint(in);
	p->head = get_le(in, 8);
	p->last = get_le(in, 8);
	p->size = (int64_t)get_varint(in);
	p->mtime_ns = (int64_t)get_le(in, 8);
	p->n_seen = (uint32_t)get_varint(in);
	p->seen = get_le(in, 8);
	p->rotates = get_varint(in);
	p->beside_mtime_ns = (int64_t)get_le(in, 8);
	p->beside_born_ns = (int64_t)get_le(in, 8);
	in->bad |= p->n_seen > POSITION_HEAD;
}

/* ---- going there ---- */

static ssize_t read_at(int fd, char *p, size_t n, int64_t at)
{
	ssize_t r;

	do
		r = pread(fd, p, n, at);
	while (r < 0 && errno == EINTR);
	return r;
}

static bool is_packed(int fd)
{
	char head[UNPACK_SNIFF];
	ssize_t n = read_at(fd, head, sizeof head, 0);
	bool more;

	return n > 0 && unpack_sniff(head, (size_t)n, &more);
}

static int seek_plain(struct fd_source *s, int64_t offset, struct trace *t)
{
	size_t head = offset < POSITION_HEAD ? (size_t)offset : POSITION_HEAD,
	       last = offset < LAST_BYTES ? (size_t)offset : LAST_BYTES;

	if (read_at(s->fd, t->head, head, 0) != (ssize_t)head ||
	    read_at(s->fd, t->last.at, last, offset - (int64_t)last) != (ssize_t)last)
		return 1;
	if (lseek(s->fd, offset, SEEK_SET) != offset)
		return 1;
	t->offset = offset;
	t->n_head = (uint32_t)head;
	t->last.n = (uint32_t)last;
	s->sniffed = true;
	return 0;
}

int position_seek(struct fd_source *s, int64_t offset, struct trace *t, struct err *e)
{
	char *p;
	int r = 0;

	*t = (struct trace){ 0 };
	if (!is_packed(s->fd))
		return seek_plain(s, offset, t);
	p = xmalloc(65536);
	while (!r && t->offset < offset) {
		size_t want = offset - t->offset < 65536 ? (size_t)(offset - t->offset) : 65536;
		ssize_t n = fd_source_read(&s->base, p, want, e);

		if (n > 0)
			trace_took(t, p, (size_t)n);
		else
			r = n < 0 ? -1 : 1;
	}
	free(p);
	return r;
}

int position_resume(struct fd_source *s, const struct position *p, struct trace *t, struct err *e)
{
	struct position now = { 0 };
	int r = position_seek(s, p->offset, t, e);

	if (r)
		return r;
	trace_note(t, &now);
	return now.head != p->head || now.last != p->last;
}

/* ---- what was seen ---- */

static void note_seen(struct position *p, int fd, const struct file_id *id, uint64_t ahead)
{
	char head[POSITION_HEAD];
	ssize_t n = read_at(fd, head, sizeof head, 0);
	int64_t had = p->offset + (int64_t)ahead;

	p->mtime_ns = id->mtime_ns;
	p->size = id->size > had ? id->size : had;
	p->n_seen = n > 0 ? (uint32_t)n : 0;
	p->seen = sum64(head, p->n_seen, 0);
}

void position_look(struct position *p, uint64_t ahead)
{
	int fd = p->path ? open(p->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	struct file_id id;

	if (fd < 0)
		return;
	if (!file_id_of_fd(fd, &id) && position_is_of(p, &id) && !is_packed(fd))
		note_seen(p, fd, &id, ahead);
	close(fd);
}

bool position_was_seen(const struct position *p, struct fd_source *s)
{
	struct err ignored = { 0 };
	char head[POSITION_HEAD];
	size_t n = 0;
	ssize_t r = 1;

	while (n < p->n_seen && r > 0) {
		r = fd_source_read(&s->base, head + n, p->n_seen - n, &ignored);
		n += r > 0 ? (size_t)r : 0;
	}
	return n == p->n_seen && (!n || sum64(head, n, 0) == p->seen);
}

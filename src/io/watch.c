#include "io/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

static void on_closed(uv_handle_t *h) { free(h); }

/* Hands on the events of p[0..n); they lie there aligned, one behind the other. */
static void tell(struct watch *w, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end && w->poll) {
		const struct inotify_event *ev = (const void *)p;

		p += sizeof *ev + ev->len;
		w->on_event(w, ev, ev->len ? ev->name : "");
	}
}

void watch_tell(struct watch *w)
{
	_Alignas(struct inotify_event) char p[16384];
	ssize_t n;

	while (w->poll && (n = read(w->fd, p, sizeof p)) > 0)
		tell(w, p, (size_t)n);
}

void watch_drain(struct watch *w)
{
	watch_tell(w);
	if (w->poll)
		w->on_drained(w);
}

static void on_ready(uv_poll_t *h, int status, int events)
{
	(void)status;
	(void)events;
	watch_drain(h->data);
}

int watch_open(struct watch *w, uv_loop_t *loop)
{
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		return -1;
	w->poll = xcalloc(1, sizeof *w->poll);
	if (uv_poll_init(loop, w->poll, w->fd)) {
		close(w->fd);
		free(w->poll);
		w->poll = NULL;
		return -1;
	}
	w->poll->data = w;
	uv_poll_start(w->poll, UV_READABLE, on_ready);
	return 0;
}

bool watch_is_open(const struct watch *w) { return w->poll != NULL; }

int watch_add(struct watch *w, const char *path, uint32_t mask)
{
	if (w->poll)
		return inotify_add_watch(w->fd, path, mask);
	errno = ENOSYS;
	return -1;
}

void watch_remove(struct watch *w, int wd)
{
	if (w->poll && wd >= 0)
		inotify_rm_watch(w->fd, wd);
}

void watch_close(struct watch *w)
{
	if (!w->poll)
		return;
	uv_close((uv_handle_t *)w->poll, on_closed);
	close(w->fd);
	w->poll = NULL;
}

/* inotify on the loop: what happens to watched files and directories, event by event. On the loop's thread. */
#ifndef STRM_IO_WATCH_H
#define STRM_IO_WATCH_H
#include <stdbool.h>
#include <sys/inotify.h>
#include <uv.h>

struct watch {
	/* One event; name is "" for the watched thing itself. watch_close may be called from within. */
	void (*on_event)(struct watch *w, const struct inotify_event *ev, const char *name);
	/* All that was there has been told. */
	void (*on_drained)(struct watch *w);
	void *data;
	uv_poll_t *poll; /* NULL: not open */
	int fd;
};

/* With the callbacks set. 0, or -1 and errno where the system has no inotify, or no more of it. */
int watch_open(struct watch *w, uv_loop_t *loop);
bool watch_is_open(const struct watch *w);
/* The number of the watch, or -1 and errno. */
int watch_add(struct watch *w, const char *path, uint32_t mask);
void watch_remove(struct watch *w, int wd);
/* Tell now what is there; watch_tell: without on_drained. */
void watch_drain(struct watch *w);
void watch_tell(struct watch *w);
/* Idempotent; zeroed memory is closed. */
void watch_close(struct watch *w);

#endif

/* A source that connects: tcp and unix have all but the connecting in common. It tries the addresses of a host one after the
 * other; when none answers, or when a connection ends, it waits (live_backoff) and tries again, as often in a row as the retry
 * option allows. */
#ifndef STRM_IO_DIALER_H
#define STRM_IO_DIALER_H
#include "io/addr.h"
#include "io/conn.h"

#define DIALER_FOREVER (-1)
#define DIALER_UNSAID (-2) /* forever; with --once not at all */
#define DIALER_RETRY_DOC \
	{ \
		"retry", "int", "forever", "0..1000000", \
			"how often in a row to try again, with waits of 0.1s to 10s, when nobody answers or the connection " \
			"ends; 0: the end of the connection " \
			"is the end of the input, as it is with --once, where nothing is tried again unless this is given" \
	}

enum dialer_state { DIALER_IDLE, DIALER_LOOKUP, DIALER_CONNECT, DIALER_OPEN, DIALER_WAIT, DIALER_OVER };

struct dialer {
	struct source base;
	char *label;
	struct addr addr; /* tcp */
	const char *path; /* unix; NULL: tcp */
	int64_t retry;	  /* how many tries in a row may fail, DIALER_FOREVER or DIALER_UNSAID */
	const struct intake *to;
	uv_loop_t *loop;
	enum dialer_state state;
	unsigned tries; /* in a row without a byte */
	bool noted;	/* it was said that something is wrong */
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} h;
	bool h_open;
	uv_timer_t timer;
	bool timer_open;
	uv_connect_t connect;
	uv_getaddrinfo_t lookup;
	struct addrinfo *found, *next;
	struct conn conn;
};

/* The retry option of u; allocates. NULL and err. */
struct dialer *dialer_new(const struct url *u, struct err *e);
void dialer_close(struct source *s);
extern const struct live_def dialer_live;

#endif

/* A libuv stream read into the intake: what sources over sockets and pipes have in common. The owner opens the libuv stream and
 * closes it; the conn holds the intake's stream. On the loop's thread. */
#ifndef STRM_IO_CONN_H
#define STRM_IO_CONN_H
#include "io/live.h"

struct conn {
	struct source *source; /* whose position counts the bytes */
	const struct intake *to;
	uv_stream_t *h;
	/* The other side ended the stream (0) or broke it (a libuv error). The owner calls conn_close. */
	void (*ended)(struct conn *c, int status);
	void *stream;	  /* NULL: none */
	uint64_t bytes;	  /* since conn_open */
	uint64_t last_ms; /* the loop's time of the last bytes, or of the last resume */
	bool paused;	  /* filled() said stop */
};

/* Begin to read h as a stream of this name. 0, or -1 and err. Sets h's data. */
int conn_open(struct conn *c, uv_stream_t *h, const char *name, struct err *e);
void conn_resume(struct conn *c);
/* Stop reading and end the intake's stream. Idempotent. */
void conn_close(struct conn *c, bool drop);

#endif

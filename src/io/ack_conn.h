/* The receiving side of ack.h, over a libuv stream that the owner opens and closes. What a sender gives is one stream of the
 * intake over all its connections, and over restarts: its name is "ID@FROM". On the loop's thread. */
#ifndef STRM_IO_ACK_CONN_H
#define STRM_IO_ACK_CONN_H
#include "base/buf.h"
#include "io/ack.h"
#include "io/live.h"

struct ack_conn {
	struct source *source; /* whose position counts the bytes */
	const struct intake *to;
	uv_stream_t *h; /* NULL: closed */
	/* The other side has gone, or does not keep to the protocol: why. The owner closes the connection. */
	void (*ended)(struct ack_conn *c, const char *why);
	/* It has said who it is: the owner closes older connections with the same stream. */
	void (*greeted)(struct ack_conn *c);
	void *stream;	    /* NULL: it has not said who it is */
	int64_t from;	    /* the number of the stream's first byte */
	int64_t have, told; /* bytes up to here are taken; are acknowledged */
	struct buf in;
	bool paused;
	char *room; /* bytes come in here; owned */
};

void ack_conn_open(struct ack_conn *c, uv_stream_t *h);
void ack_conn_resume(struct ack_conn *c);
/* Tells what is committed by now. */
void ack_conn_committed(struct ack_conn *c);
/* Nothing is read any more; the intake's stream stays. Idempotent. May come from within a call of the intake. */
void ack_conn_close(struct ack_conn *c);
/* When no call is under way. */
void ack_conn_release(struct ack_conn *c);

#endif

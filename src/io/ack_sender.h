/* The sending side of ack.h: a thread that sends what is in a file and hears what was acknowledged. It connects, and connects
 * again, by itself. The owner appends to the file and says how far it may send; calls are the owner's, on its thread. */
#ifndef STRM_IO_ACK_SENDER_H
#define STRM_IO_ACK_SENDER_H
#include <stdbool.h>
#include <stdint.h>

#include "io/addr.h"

struct ack_sender;

struct ack_sender_opts {
	const struct url *url;	 /* outlive it */
	const struct addr *addr; /* NULL: the path of a Unix socket */
	const char *id;
	int fd;		    /* of the file; read with pread, by the number of the byte */
	int64_t from, upto; /* not acknowledged: to be sent */
};

/* NULL and err: no thread. */
struct ack_sender *ack_sender_start(const struct ack_sender_opts *o, struct err *e);
/* All before `upto` may be sent. */
void ack_sender_more(struct ack_sender *s, int64_t upto);
/* The byte behind what is acknowledged. */
int64_t ack_sender_acked(struct ack_sender *s);
/* The receiver has refused, for good. 0, or -1 and err naming `name`. */
int ack_sender_failed(struct ack_sender *s, const char *name, struct err *e);
/* Waits until all before `upto` is acknowledged: 0. 1: nothing was for so long, *why says what is wrong, if anything. -1: it has
 * failed. */
int ack_sender_wait(struct ack_sender *s, int64_t upto, int64_t linger_ms, char why[160]);
/* Takes NULL. */
void ack_sender_stop(struct ack_sender *s);

#endif

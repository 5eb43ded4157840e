/* Sinks that are acknowledged: tcp://HOST:PORT?ack, unix:PATH?ack (see ack.h). Only with a checkpoint. */
#ifndef STRM_IO_SINK_ACK_H
#define STRM_IO_SINK_ACK_H
#include "io/addr.h"
#include "io/sink.h"

/* addr NULL: the path of a Unix socket. NULL and err. */
struct sink *sink_ack_open(const struct url *u, const struct addr *addr, struct err *e);
/* What `prepare` has said: bytes that were not acknowledged then; -1: it is of another kind. */
int64_t sink_ack_waiting(const char *p, size_t n);
/* Removes files of sinks from the checkpoint's directory that none of these n has: nobody asks for them any more. */
void sink_ack_sweep(const char *dir, struct sink *const *keep, size_t n);

#endif

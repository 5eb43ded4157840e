/* Sinks that are acknowledged: tcp://HOST:PORT?ack, unix:PATH?ack (see ack.h). Only with a checkpoint. */
#ifndef STRM_IO_SINK_ACK_H
#define STRM_IO_SINK_ACK_H
#include "io/addr.h"
#include "io/sink.h"

/* addr NULL: the path of a Unix socket. NULL and err. */
struct sink *sink_ack_open(const struct url *u, const struct addr *addr, struct err *e);

#endif

/* A source that is connected to: tcp-listen and unix-listen have all but the socket in common. Each client is a stream of its
 * own. */
#ifndef STRM_IO_LISTENER_H
#define STRM_IO_LISTENER_H
#include "io/addr.h"
#include "io/ack_conn.h"
#include "io/conn.h"

#define LISTENER_PARAMS_DOC \
	{ "ack", "flag", "off", NULL, "only from strm with ?ack: what is committed is acknowledged, and nothing comes twice; needs --checkpoint" }, \
	{ "max-clients", "int", "1024", "1..65536", "clients at a time; more of them wait until one has gone" }, \
	{ \
		"idle", "duration", "none", "1ms..1000d", \
			"hang up on a client that sent nothing for so long; an unfinished line is reported as a bad record" \
	}

struct client;

struct listener {
	struct source base;
	char *label;
	struct addr addr;	      /* tcp */
	const char *path;	      /* unix; NULL: tcp */
	int64_t max_clients, idle_ms; /* idle 0: none */
	const struct intake *to;
	uv_loop_t *loop;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} h;
	bool open;
	bool waiting; /* a client waits for its turn */
	bool noted_full;
	char bound[ADDR_TEXT_MAX];
	struct client *clients;
	int64_t n_clients;
	uint64_t n_ever;
};

/* The options of u; allocates. NULL and err. */
struct listener *listener_new(const struct url *u, struct err *e);
void listener_close(struct source *s);
extern const struct live_def listener_live;

#endif

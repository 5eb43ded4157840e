/* Triggers: when panes of a window come out. Beam's rules (org.apache.beam.sdk.transforms.windowing, runners-core TriggerStateMachine).
 *
 * A trigger is a tree, immutable after trigger_new; what it remembers of one cell (one key in one window) is a small flat state of trigger_state_size bytes,
 * zeroed at the start, copied with memcpy, its bytes what a checkpoint saves. A state machine never looks at a clock: the time of the micro-batch and the
 * watermark are given. Triggers are looked at once per micro-batch, after clock and watermark have both moved. */
#ifndef STRM_WINDOW_TRIGGER_H
#define STRM_WINDOW_TRIGGER_H
#include "base/buf.h"
#include "base/time.h"

enum trigger_kind {
	TRIGGER_WATERMARK, /* watermark [early T] [late T]: kids[0] early or NULL, kids[1] late or NULL */
	TRIGGER_EVERY,     /* every D [offset D]: the first multiple of D (plus offset) at or after the pane's first record */
	TRIGGER_AFTER,     /* after D: of processing time from the pane's first record */
	TRIGGER_COUNT,     /* count N */
	TRIGGER_NEVER,
	TRIGGER_ONCE,      /* once T: kids[0] */
	TRIGGER_REPEAT,    /* repeat T: kids[0] */
	TRIGGER_OR,        /* T or T: fires and ends with the first */
	TRIGGER_AND,       /* T and T: when all are ready */
	TRIGGER_THEN,      /* T then T */
	TRIGGER_UNTIL,     /* T until T: kids[0] until kids[1] fires */
};

/* As written, in the program's arena: made by the parser, see trigger_parse in stage/stage_trigger.c. */
struct trigger_node {
	enum trigger_kind kind;
	int64_t delay_ns, offset_ns; /* every, after */
	uint64_t count;
	struct trigger_node *kids[2];
	uint32_t n_kids;
};

enum accumulation { PANES_DISCARDING, PANES_ACCUMULATING, PANES_RETRACTING };
enum pane_stamp { STAMP_END, STAMP_EARLIEST, STAMP_LATEST };

/* The whole `trigger` stage. */
struct trigger_spec {
	struct trigger_node *root;
	enum accumulation accumulation;
	int64_t lateness_ns;   /* INT64_MAX: forever */
	bool ontime_if_new;    /* ontime ifnew: no empty on-time pane (default: always, Beam) */
	bool closing_always;   /* closing always: a last pane at expiry even if nothing new came (default: ifnew) */
	enum pane_stamp stamp;
	bool accumulation_given;
};

struct trigger;
struct trigger *trigger_new(const struct trigger_spec *s);
void trigger_free(struct trigger *t);
/* Canonical text of the stage, with defaults made explicit, from "trigger ". */
void trigger_print(const struct trigger_spec *s, struct buf *out);

struct trigger_view {
	int64_t now;       /* the clock, at the end of the micro-batch */
	int64_t watermark; /* after it; INT64_MIN: none yet */
	int64_t end;       /* end of the window, INT64_MAX: the whole stream */
};

/* Bytes of state of one cell; a multiple of 8. */
uint32_t trigger_state_size(const struct trigger *t);
/* n > 0 records of this micro-batch fell into the cell; `now` is the clock as they came. */
void trigger_add(const struct trigger *t, void *state, uint64_t n, int64_t now);
bool trigger_is_due(const struct trigger *t, const void *state, const struct trigger_view *v);
/* It fired: what it remembers of the pane starts anew, and parts end. Afterwards trigger_finished may be true: then no pane comes out of this cell any more. */
void trigger_fired(const struct trigger *t, void *state, const struct trigger_view *v);
bool trigger_finished(const struct trigger *t, const void *state);
/* A cell of a merged session out of n others (Beam's onMerge): dst is zeroed. */
void trigger_merge(const struct trigger *t, void *dst, const void *const *src, uint32_t n, const struct trigger_view *v);
/* Earliest processing time at which it may become due if nothing more comes; INT64_MAX: none. */
int64_t trigger_next_clock(const struct trigger *t, const void *state);
/* Does it fire by the watermark at all (so that the end of the window is a time to look)? */
bool trigger_sees_watermark(const struct trigger *t);

#endif

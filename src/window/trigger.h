/* Triggers: when panes of a window come out. Beam's rules (org.apache.beam.sdk.transforms.windowing, runners-core TriggerStateMachine).
 *
 * A trigger is a tree, immutable after trigger_new; what it remembers of one cell (one key in one window) is a small flat state of trigger_state_size bytes,
 * zeroed at the start, copied with memcpy, its bytes what a checkpoint saves. A state machine never looks at a clock: the time of the micro-batch and the
 * watermark are given. Triggers are looked at once per micro-batch, after clock and watermark have both moved. A tree may be used by several threads, a state
 * by one.
 *
 * A plain `trigger T` is `repeat T`; `once T` is T itself, which finishes or not. Where Beam asks for triggers that fire only once (in or,
 * and, early, late, until) any trigger may stand: or and and finish with their first firing, early and late repeat what finishes.
 * `watermark` at the root is Beam's default trigger: once the end has been passed it is due at every look, so whoever asks keeps panes with
 * nothing new to himself.
 *
 * Sessions: the parts of `T then T` and of early and late all count along, so that a merge can take a trigger back to an earlier part (Beam).
 */
#ifndef STRM_WINDOW_TRIGGER_H
#define STRM_WINDOW_TRIGGER_H
#include <stdbool.h>

#include "base/buf.h"
#include "base/time.h"

#define TRIGGER_PARTS_MAX 32 /* parts of a trigger as written, `once` and `repeat` among them */

enum trigger_kind {
	TRIGGER_WATERMARK, /* watermark [early T] [late T]: kids[0] early or NULL, kids[1] late or NULL */
	TRIGGER_EVERY,     /* every D [offset D]: the first multiple of D (plus offset) at or after the pane's first record */
	TRIGGER_AFTER,     /* after D: of processing time from the pane's first record */
	TRIGGER_COUNT,     /* count N: at least N records in the pane */
	TRIGGER_NEVER,
	TRIGGER_ONCE,      /* once T: kids[0] as it is */
	TRIGGER_REPEAT,    /* repeat T: kids[0] */
	TRIGGER_OR,        /* T or T: fires and ends with the first */
	TRIGGER_AND,       /* T and T: when all are ready */
	TRIGGER_THEN,      /* T then T */
	TRIGGER_UNTIL,     /* T until T: kids[0] until kids[1] fires, which fires too; what that counts runs across the firings of kids[0] */
};

/* As written, in the program's arena: made by the parser in stage/stage_trigger.c. Kids that a kind has must be there; delay_ns of
 * every > 0, of after >= 0, count > 0. */
struct trigger_node {
	enum trigger_kind kind;
	int64_t delay_ns, offset_ns; /* every, after */
	uint64_t count;
	struct trigger_node *kids[2];
};

enum accumulation { PANES_DISCARDING, PANES_ACCUMULATING, PANES_RETRACTING };
enum pane_stamp { STAMP_END, STAMP_EARLIEST, STAMP_LATEST };

/* The whole `trigger` stage. */
struct trigger_spec {
	struct trigger_node *root; /* NULL: `watermark` */
	enum accumulation accumulation;
	int64_t lateness_ns;   /* INT64_MAX: forever */
	bool ontime_if_new;    /* ontime ifnew: no empty on-time pane (default: always, Beam) */
	bool closing_always;   /* closing always: a last pane at expiry even if nothing new came (default: ifnew) */
	enum pane_stamp stamp;
	bool accumulation_given;
};

/* Is it repeated without saying so? All are but `once T` and `repeat T`. */
bool trigger_repeats(const struct trigger_spec *s);

struct trigger;
/* Keeps nothing of the spec. The caller frees it. */
struct trigger *trigger_new(const struct trigger_spec *s);
void trigger_free(struct trigger *t);
/* Canonical text of the stage, with defaults made explicit, from "trigger ". */
void trigger_print(const struct trigger_spec *s, struct buf *out);

/* The trigger of an aggregate behind one with this trigger, in the same window (Beam's continuation trigger): what waits for a count or for processing time
 * does not wait again. In the arena; the other parts of the spec are the same. */
struct arena;
struct trigger_spec *trigger_continued(const struct trigger_spec *s, struct arena *a);

struct trigger_view {
	int64_t now;       /* the clock, at the end of the micro-batch */
	int64_t watermark; /* after it; INT64_MIN: none yet */
	int64_t end;       /* end of the window, INT64_MAX: the whole stream */
};

/* Bytes of state of one cell; a multiple of 8, and so aligned. */
uint32_t trigger_state_size(const struct trigger *t);
/* n > 0 records of this micro-batch fell into the cell; `now` is the clock as they came. */
void trigger_add(const struct trigger *t, void *state, uint64_t n, int64_t now);
bool trigger_is_due(const struct trigger *t, const void *state, const struct trigger_view *v);
/* It fired: what it remembers of the pane starts anew, and parts end. Afterwards trigger_finished may be true: then no pane comes out of this cell any more.
 * Nothing happens if it was not due: an operator's own last pane ends nothing here. */
void trigger_fired(const struct trigger *t, void *state, const struct trigger_view *v);
bool trigger_finished(const struct trigger *t, const void *state);
/* A session that is new or longer, out of the n cells with state that it covers (Beam's onMerge, which sees active windows only): dst is zeroed
 * and none of them, v->end is the merged end. n is 1 where a session grew alone; a session that stays as it was needs no merge, and n = 0 leaves
 * dst as it is. The records that made it grow are added to dst afterwards and are no cell here: one that had no pane on time brings it back. */
void trigger_merge(const struct trigger *t, void *dst, const void *const *src, uint32_t n, const struct trigger_view *v);
/* Earliest processing time at which it may become due if nothing more comes but time, as early as a time that has passed; INT64_MAX: none. */
int64_t trigger_next_clock(const struct trigger *t, const void *state);
/* Does it fire by the watermark at all (so that the end of the window is a time to look)? */
bool trigger_sees_watermark(const struct trigger *t);

#endif

/* op_panes, shared by op_panes.c (records in), panes_cells.c (the cells of keys), panes_merge.c (sessions), panes_parts.c (their order of arrival), panes_fire.c
 * (panes out), panes_keep.c (checkpoints), panes_away.c (keys that leave memory for them) and panes_recall.c (their coming back when they are due). */
#ifndef STRM_OP_PANES_IMPL_H
#define STRM_OP_PANES_IMPL_H
#include "op/away.h"
#include "op/away_times.h"
#include "op/keep.h"
#include "op/op_panes.h"
#include "op/timers.h"

#define CELL_NONE UINT32_MAX

enum cell_flags {
	CELL_LIVE = 1,
	CELL_NEW = 2,      /* records since its last pane */
	CELL_TOUCHED = 4,  /* got records in this micro-batch */
	CELL_CLOSED = 8,   /* its trigger has finished; kept until it expires so that nothing opens it again */
	CELL_ON_TIME = 16, /* a pane that was not early came out */
	CELL_HOLDS = 32,   /* records came before p->out was at its end, and no pane has come out since */
	CELL_FRESH = 64,   /* made in this micro-batch */
	CELL_ENDED = 128,  /* the watermark was seen behind its end */
	CELL_RECENT = 512, /* changed since cells last left memory */
	CELL_LOOK = 256,   /* is looked at in this micro-batch */
};

/* A pane that came out and may have to be taken back. */
struct said {
	struct said *next;
	int64_t start, end, stamp;
	uint32_t n;
	char bytes[]; /* its results, value_save */
};

struct cell {
	int64_t start, end;
	uint32_t key;          /* number of the key's group; 0 without keys */
	uint32_t came;         /* records of this micro-batch */
	uint32_t pane, on_time;
	uint32_t gen;          /* of the slot: timers of an earlier owner are void */
	uint32_t merged_into;  /* CELL_NONE, or where it went within this batch of records */
	uint16_t flags;
	int64_t clock_timer;   /* when it is in the clock's heap; INT64_MAX: it is not */
	int64_t first, last;   /* with p->stamps: least and largest time that came since the last pane and was ahead of what those behind were told */
	struct said *said;
};

/* Windows of one key: cells by (start, end). */
struct key_cells {
	uint32_t n, cap;
	union {
		uint32_t one;   /* cap 0 */
		uint32_t *many;
	};
};

/* A slot, while its owner is this one. */
struct cell_visit {
	uint32_t cell, gen;
};

struct cell_list {
	uint32_t *at;
	size_t n, cap;
};

#define NEAR_WINDOWS 2

/* Why a key that is away is waited for. */
enum panes_due {
	DUE_WATERMARK, /* it has a cell that the watermark will want */
	DUE_CLOCK,     /* the clock, likewise */
	DUE_HOLD,      /* a cell of it holds the watermark back */
	DUE_COUNT,
};

/* Where a pane stands among others. */
struct panes_place {
	int64_t end, start;
	uint64_t born; /* its key */
};

/* What an entry says of a key beside its cells; INT64_MAX is never. */
struct panes_waits {
	int64_t at[DUE_COUNT];
	struct panes_place first; /* of its cells */
};

/* Cells of one window by key: epoch << 32 | cell; of another epoch: not known. */
struct near {
	struct interval window;
	uint64_t *cells;
	size_t n, cap;
	uint32_t epoch;
};

/* What the store knows of a cell. */
struct cell_kept {
	uint64_t id; /* of the cell, not of its slot */
	uint32_t mark;
};

/* How the rows of a slot came (panes_parts.c). */
struct arrival {
	uint64_t seq;           /* of its first row, from 1; 0: it has none */
	uint32_t newest;        /* of a cell: the slot that took its last row, CELL_NONE: none */
	struct cell_list parts; /* of a cell: slots beside its own */
};

struct panes {
	struct op op;
	struct reducer reducer;
	struct panes_spec spec;
	struct trigger *trigger;
	uint32_t trigger_size;
	struct groups groups;
	struct key_cells *keys;  /* by group */
	uint64_t *born;          /* by group: order of first appearance; 0: no cell */
	size_t keys_cap, born_cap;
	uint32_t n_keys, n_dead; /* groups known here; of them without a cell */
	uint64_t births;
	struct cell *cells;      /* by slot */
	size_t cells_cap;
	uint32_t n_cells, n_live;
	char *triggers;          /* trigger_size bytes a slot */
	size_t triggers_cap;
	struct agg_states *states;
	struct cell_list unused, going; /* free slots; slots merged away in this batch of records, or made for a pane */
	bool ordered;                   /* sessions, and the order of arrival matters */
	struct arrival *arrivals;       /* by slot, where it does */
	size_t arrivals_cap;
	uint64_t arrived;
	uint32_t *last_slot;            /* by group: of its last row */
	size_t last_slot_cap;
	uint32_t n_last;
	struct cell_list look;
	struct cell_visit *touched; /* in the order of the records */
	size_t n_touched, touched_cap;
	struct timers by_watermark, by_clock;
	bool stamps;             /* panes have the times of records, which hold the watermark back: */
	struct timers held;      /* where each cell holds it, or earlier; nothing where p->plain */
	bool recalls;            /* cells keep what they said last, to be silent where it is the same */
	bool plain;              /* each window comes out once, when the watermark passes it: nobody asks what came in a micro-batch */
	struct near near[NEAR_WINDOWS];
	unsigned near_last;
	uint32_t near_epoch;
	int64_t out;             /* when the micro-batch began: the watermark, or what cells hold it back to */
	uint64_t late_pairs;     /* of a row's windows, while others of it were open */
	struct said *free_said;
	size_t said_bytes;
	/* with run->durable */
	struct cell_kept *kept;  /* by slot */
	size_t kept_cap;
	uint64_t ids;
	struct keep_dirty dirty; /* slots */
	struct keep_gone gone;
	bool by_key;             /* of the whole stream, with keys: a key has one cell, its entry has no number, and it may leave memory */
	bool by_list;            /* of windows, with --mem: a key has one entry with all its cells, its mark is the table's, and it may leave memory */
	struct away away;
	struct away_times due[DUE_COUNT]; /* when those that are away are wanted */
	bool parted;             /* keys that are due are more than memory holds: they come in portions */
	size_t leave_at;         /* bytes from which on it is worth looking which cells do */
};

/* A pane on its way out. */
struct fired {
	uint32_t cell;
	uint8_t timing;
	bool last; /* nothing comes after it */
	bool guest; /* of a portion: its cell goes with it */
	bool gone; /* all its records have been taken back: only what it takes back itself comes out */
};

/* ---- panes_cells.c ---- */
struct key_cells *panes_key(struct panes *p, uint32_t key);
const uint32_t *key_cells_at(const struct key_cells *k);
/* First position whose window is not before (start, end). */
uint32_t key_cells_place(const struct panes *p, const struct key_cells *k, int64_t start, int64_t end);
/* The key's cell of exactly this window, or CELL_NONE. */
uint32_t panes_find(struct panes *p, uint32_t key, const struct interval *w);
uint32_t panes_open(struct panes *p, uint32_t key, const struct interval *w);
/* A free slot, with zeroed states; it belongs to no cell yet. */
uint32_t panes_slot(struct panes *p);
/* Puts the time at which the trigger is to be looked at next into the heap of the clock. */
void panes_set_clock(struct panes *p, uint32_t cell, int64_t at);
/* Out of its key's list; the slot stays. */
void panes_unlist(struct panes *p, uint32_t cell);
void panes_list(struct panes *p, uint32_t cell);
/* The slot is free again. The cell is out of the list. */
void panes_drop(struct panes *p, uint32_t cell);
/* Keys without cells make room when they are the most. Between micro-batches only. */
void panes_compact(struct panes *p);
/* Slots without cells make room, and keys too. The same. */
void panes_repack(struct panes *p);
void *panes_trigger(const struct panes *p, uint32_t cell);
void cell_list_add(struct cell_list *l, uint32_t cell);
/* It got records, or what others had: its trigger is told at the end of the micro-batch. */
void panes_touch(struct panes *p, uint32_t cell);
/* When the watermark ends the window for good. */
int64_t panes_expiry(const struct panes *p, const struct cell *c);
/* Puts its next time into the heap of the watermark. */
void panes_set_timer(struct panes *p, uint32_t cell);
void panes_forget_said(struct panes *p, struct cell *c);
/* Frees what was said, from this one on; takes NULL. */
void panes_forget(struct panes *p, struct said *s);

/* Where the cell holds the watermark back; INT64_MAX: nowhere. */
int64_t panes_hold(const struct panes *p, const struct cell *c);
/* A record of time t has come for the pane at hand. */
void panes_stamp(struct panes *p, uint32_t cell, int64_t t);
/* The cell has another hold than it had. */
void panes_set_hold(struct panes *p, uint32_t cell);

/* ---- panes_near.c ---- */
struct near *panes_near(struct panes *p, const struct interval *w);
void panes_near_set(struct near *n, uint32_t key, uint32_t cell);
/* It knows of n keys at least. */
void panes_near_reach(struct near *near, uint32_t n);
/* Cells have gone, or keys have new numbers. */
void panes_near_forget(struct panes *p);
void panes_near_free(struct panes *p);
size_t panes_near_memory(const struct panes *p);

static inline uint32_t panes_near_cell(const struct near *n, uint32_t key)
{
	return key < n->n && n->cells[key] >> 32 == n->epoch ? (uint32_t)n->cells[key] : CELL_NONE;
}

/* ---- panes_merge.c ---- */
/* The key's session that takes a record with window w: new, grown, or made of several. Whether that very window has finished is asked at
 * the end of the micro-batch: until then another record may bridge it to an open one. */
uint32_t panes_session(struct panes *p, uint32_t key, const struct interval *w);

/* ---- panes_parts.c: with p->ordered ---- */
/* A slot that is used from now on. */
void panes_parts_slot(struct panes *p, uint32_t slot);
/* The slot that takes the next row of the cell. */
uint32_t panes_part(struct panes *p, uint32_t cell);
/* What `from` holds becomes parts of `into`; its slot is one of them, or free. */
void panes_parts_take(struct panes *p, uint32_t into, uint32_t from);
/* The cell holds nothing any more beside its own state, which the caller resets. */
void panes_parts_forget(struct panes *p, uint32_t cell);
/* One part again, where no other session can come between. All rows are in. */
void panes_parts_settle(struct panes *p, uint32_t cell);
/* The slot with all that the cell holds, in the order of arrival, until panes_whole_done. `ends`: afterwards the cell holds nothing. */
uint32_t panes_whole(struct panes *p, uint32_t cell, bool ends);
void panes_whole_done(struct panes *p);
/* The parts of a cell in its entry, behind its own state. */
void panes_parts_save(struct panes *p, uint32_t cell, struct buf *out);
void panes_parts_load(struct panes *p, uint32_t cell, struct bytes_in *in);
/* Keys have new numbers. */
void panes_parts_renumbered(struct panes *p);
/* Slot i is called to[i] from now on, with n of them; CELL_NONE: it is free. */
void panes_parts_pack(struct panes *p, const uint32_t *to, uint32_t n);
void panes_parts_release(struct panes *p);
size_t panes_parts_memory(const struct panes *p);

/* ---- panes_keep.c ---- */
/* There is room for n slots. */
void panes_keep_reserve(struct panes *p, uint32_t n);
/* The slot has a new cell. */
void panes_keep_open(struct panes *p, uint32_t cell);
static inline void panes_keep_change(struct panes *p, uint32_t cell)
{
	if (p->op.run->durable)
		keep_dirty_add(&p->dirty, cell);
}
/* The cell goes; its key is still there. */
void panes_keep_drop(struct panes *p, uint32_t cell);
void panes_keep_release(struct panes *p);
size_t panes_keep_memory(const struct panes *p);
/* As in op_class. */
void panes_commit(struct op *op, struct keeper *k);
int panes_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e);

#define PANES_TAG_CELL 'c'
#define PANES_TAG_LIST 'k'
#define PANES_TAG_BORN 'o'
#define PANES_BORN_BYTES 9
/* With spec.complete and by_key, in the order in which keys were born: the entry's key for this birth; its value is a version and the values of the key. */
void panes_born_key(uint64_t born, char out[PANES_BORN_BYTES]);
struct bytes_in panes_born_value(struct store_bytes value);
struct bytes_in panes_cell_value(const struct panes *p, const struct kept_entry *entry);
/* A cell's entry into a fresh slot that belongs to the group; in no list. 0, or -1: it was not written here. */
int panes_load(struct panes *p, uint32_t slot, uint32_t group, struct bytes_in value, uint64_t *born);
/* The cells of an entry of the group are there again. */
int panes_revive(struct panes *p, uint32_t group, const struct kept_entry *entry);
/* Tag of the entries of keys that may leave memory. */
static inline char panes_tag(const struct panes *p) { return p->by_list ? PANES_TAG_LIST : PANES_TAG_CELL; }
/* The key of its entry. */
void panes_entry_key(const struct panes *p, uint32_t key, struct buf *out);
/* What the key waits for. Of an entry: 0 or -1. */
struct panes_waits panes_waits_of(const struct panes *p, uint32_t key);
int panes_entry_waits(const struct panes *p, const struct kept_entry *entry, struct panes_waits *out);

/* ---- panes_away.c ---- */
/* Cells that are not needed now leave memory when it gets short; between micro-batches. */
void panes_leave(struct panes *p);
/* Keys from `first` on are new: those that are away come back. 0 or -1. */
int panes_return(struct panes *p, uint32_t first, struct err *e);
/* The whole table in order, those that are away too. Verdict of the push. */
int panes_push_table(struct panes *p, struct err *e);

/* ---- panes_recall.c ---- */
/* The key is away from now on, and due at these times. */
void panes_note_due(struct panes *p, uint32_t key);
/* Those come back whose time the watermark or the clock has reached. 0 or -1. */
int panes_recall(struct panes *p, struct err *e);
/* Where not all have room they come in portions, in the order of their first cells: after each the panes up to `upto` may go out; 1: there are more, 0, or -1.
 * Keys that have been here in this micro-batch are not dropped before the last portion, but for those of portions themselves. */
#define PANES_PORTION_MIN 64 /* keys */
struct panes_portions;
struct panes_portions *panes_portions_new(struct panes *p, struct err *e);
int panes_portion(struct panes_portions *s, struct panes_place *upto);
void panes_portions_free(struct panes_portions *s);
int panes_place_cmp(const struct panes_place *a, const struct panes_place *b);
/* The first time at which one that is away holds the watermark back, if it is not behind `until`; INT64_MAX: none. 0 or -1. */
int panes_away_hold(struct panes *p, int64_t until, int64_t *hold, struct err *e);
void panes_due_release(struct panes *p);
size_t panes_due_memory(const struct panes *p);

/* ---- panes_fire.c ---- */
/* What comes out of a cell now; false: nothing. */
bool panes_fired(const struct panes *p, uint32_t cell, struct fired *out);
/* In the order in which panes come out. */
void panes_sort(const struct panes *p, struct fired *f, size_t n);
/* Keys of panes that are not the cells' own: keys[k] in groups is that of the k-th one. */
struct fired_keys {
	struct groups groups;
	uint32_t *keys;
};
/* The panes; `other` is NULL where the keys are the cells' own. Verdict of the push. */
int panes_push(struct panes *p, const struct fired_keys *other, const struct fired *f, uint32_t n, struct err *e);
/* Sets p->out; with p->stamps those behind are told of no time that a pane at hand may still have. 0 or -1. */
int panes_hold_back(struct panes *p, struct err *e);
/* Looks at what may be due, brings panes out. Verdict of the push. */
int panes_fire(struct panes *p, struct err *e);

#endif

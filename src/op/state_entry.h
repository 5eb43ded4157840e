/* Entries of keyed state (op_state.h) for those who look at a checkpoint without running the program. */
#ifndef STRM_OP_STATE_ENTRY_H
#define STRM_OP_STATE_ENTRY_H
#include "data/value.h"

/* How the entries of a state stage are laid out. */
struct state_layout {
	uint32_t n_keys;   /* its window's start and end come behind them */
	uint32_t n_timers, /* in the order of its slots, its window's left out */
		n_vars;
	bool windowed;
};

/* In an arena. */
struct state_entry {
	struct value *vars; /* n_vars */
	int64_t *timers;    /* n_timers; INT64_MAX: not set */
};

/* The value of an entry. 0, or -1: it is none of this layout. */
int state_entry_read(const char *p, size_t n, const struct state_layout *l, struct arena *a, struct state_entry *out);

#endif

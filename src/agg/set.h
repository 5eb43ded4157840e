/* Sets of values by key equality (data/rowkey.h), in order of first appearance: distinct, collect_set, mode, and the distinct
 * forms of count and sum. A state is a struct set *, NULL while empty. Nulls are not members.
 * Up to SET_SMALL members are found by looking at each, more through a table of 32-bit slots. */
#ifndef STRM_AGG_SET_H
#define STRM_AGG_SET_H
#include "agg/rows.h"

#define SET_SMALL 8
#define SET_MEMBERS_MAX ((uint32_t)1 << 30)

enum set_flags {
	SET_NUMBERS =
		1,	/* members are numbers (equal ones are one member, whatever their type or spelling), durations or times */
	SET_VALUES = 2, /* the first value of each key is kept, and the order saved */
	SET_COUNTS = 4, /* with SET_VALUES: how often each came */
};

struct set;
struct sum;

void set_update(const struct agg_in *in, enum set_flags flags);
/* dst becomes what it had been with src's values after its own. */
void set_merge(struct agg_call *c, void *dst, void *src, enum set_flags flags);
uint32_t set_count(const void *state);
/* Members in order of first appearance (SET_VALUES, SET_NUMBERS). */
struct value set_list(const void *state, struct arena *a);
/* The member that came most often, the first of equals; null if empty (SET_COUNTS). */
struct value set_mode(const void *state, struct arena *a);
/* Adds all members to an empty sum (SET_NUMBERS). */
void set_sum(struct agg_call *c, const void *state, struct sum *s);
/* Saved in order of keys, or of appearance with SET_VALUES. */
void set_save(const void *state, struct buf *b, enum set_flags flags);
int set_load(struct agg_call *c, void *state, const char **p, const char *end, enum set_flags flags);
void set_release(struct agg_call *c, void *state);
/* `count(distinct E)`: as distinct(E). */
extern const struct agg_def agg_count_distinct[];

#endif

/* As state_save.c writes them. */
#include "op/state_entry.h"

#include "op/keep.h"
#include "op/state_table.h"

static_assert(TIMER_NONE == INT64_MAX, "what a timer that is not set says");

int state_entry_read(const char *p, size_t n, const struct state_layout *l, struct arena *a, struct state_entry *out)
{
	struct bytes_in in = { .p = p, .end = p + n };

	get_varint(&in); /* birth */
	if (get_le(&in, 1) & STATE_AGED)
		keep_get_int(&in); /* the last record's clock */
	out->timers = arena_array(a, int64_t, l->n_timers + 1);
	for (uint32_t i = 0; i < l->n_timers; i++)
		out->timers[i] = keep_get_int(&in);
	if (l->windowed)
		keep_get_int(&in);
	out->vars = arena_array(a, struct value, l->n_vars + 1);
	for (uint32_t i = 0; i < l->n_vars; i++)
		out->vars[i] = keep_get_value(&in, a);
	return keep_over(&in) ? 0 : -1;
}

/* Event time of records: any text, number or time that strm takes for one. */
#ifndef STRM_OP_EVENT_TIME_H
#define STRM_OP_EVENT_TIME_H
#include "expr/eval.h"

/* The instant that a value stands for: a time, text (base/time.h), a number (s, ms, us or ns by its magnitude). */
bool value_is_time(const struct value *v, const struct fn_env *env, int64_t *t);
/* The selected rows as T_TIME; what is no time is null. *unusable (may be NULL) counts those. A column of times is returned as it is. */
struct column event_times(const struct column *c, const struct batch *b, const struct fn_env *env, uint64_t *unusable);

#endif

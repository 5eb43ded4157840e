#include "base/nearest.h"
#include "stage/stage_list.h"

static const struct stage_def *const stages[] = {
	&stage_map,    &stage_set,   &stage_select, &stage_drop,  &stage_rename, &stage_filter, &stage_flatmap,
	&stage_words,  &stage_parse, &stage_reduce, &stage_count, &stage_group,	 &stage_sort,	&stage_top,
	&stage_limit,  &stage_skip,  &stage_sample, &stage_dedup, &stage_window, &stage_watermark, &stage_trigger, &stage_state, &stage_exec, &stage_to,
	&stage_as,     &stage_from,  &stage_union,  &stage_split,  &stage_join,   &stage_cogroup, &stage_lookup, &stage_fill, &stage_absent,
};

const struct stage_def *stage_at(unsigned i)
{
	return i < ARRAY_LEN(stages) ? stages[i] : NULL;
}

const struct stage_def *stage_find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_LEN(stages); i++)
		if (!strcmp(stages[i]->doc.name, name))
			return stages[i];
	return NULL;
}

void stage_nearest(struct nearest *s)
{
	for (unsigned i = 0; i < ARRAY_LEN(stages); i++)
		nearest_offer(s, stages[i]->doc.name);
}

/* The stages there are; included by their files and by stage_registry.c only. */
#ifndef STRM_STAGE_LIST_H
#define STRM_STAGE_LIST_H
#include "stage/stage.h"

extern const struct stage_def stage_exec;
extern const struct stage_def stage_map, stage_set, stage_select, stage_drop, stage_rename, stage_filter, stage_flatmap, stage_words,
	stage_parse, stage_reduce, stage_count, stage_group, stage_sort, stage_top, stage_limit, stage_skip, stage_sample, stage_dedup, stage_to,
	stage_window, stage_state, stage_watermark, stage_trigger;
extern const struct stage_def stage_as, stage_from, stage_union, stage_split, stage_join, stage_cogroup, stage_lookup, stage_fill, stage_absent;

#endif

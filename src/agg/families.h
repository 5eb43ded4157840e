/* The rows of each family's file; a row without a name ends a family. Only agg_registry.c strings them together. */
#ifndef STRM_AGG_FAMILIES_H
#define STRM_AGG_FAMILIES_H
#include "agg/agg.h"

extern const struct agg_def agg_family_count[], agg_family_sum[], agg_family_var[], agg_family_extreme[], agg_family_order[],
	agg_family_quantile[], agg_family_set[], agg_family_sketch[], agg_family_list[], agg_family_bool[],
	agg_family_histogram[], agg_family_user[];

#endif

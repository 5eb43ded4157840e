/* dedup [by KEYS]: the first record of each key. */
#ifndef STRM_OP_DEDUP_H
#define STRM_OP_DEDUP_H
#include "op/op.h"

/* Takes the bound keys; n_keys 0: the whole record is the key (field names and values). per_batch: anew in each micro-batch. */
struct op *op_dedup(struct run *run, int stage, const char *word, struct expr **keys_take, uint32_t n_keys,
		    bool per_batch);

#endif

/* words [of FIELD]: one record with the field `word` for each run of bytes that are not ASCII white space. */
#ifndef STRM_OP_WORDS_H
#define STRM_OP_WORDS_H
#include "codec/words.h"
#include "op/op.h"

/* Takes the bound text expression. */
struct op *op_words(struct run *run, int stage, const char *word, struct expr *text_take);
/* What the word scanner read; kept up to date by who runs it. */
struct word_counts {
	uint64_t lines, empty;
};
/* The words come from the word scanner already (codec/words.h): only the ledger is kept here. */
struct op *op_words_scanned(struct run *run, int stage, const char *word, const struct word_counts *counts);

#endif

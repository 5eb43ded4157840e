/* Records of a sink by partition: a file for each combination of values of some fields, in the sub-directory a=x/b=y that names them. Each file has an
 * encoder of its own, without these fields. Memory grows with the partitions of a micro-batch, PARTITIONS_MAX of them; what is to be written is
 * gathered and goes out when it is much.
 *
 * Names as Hive and Spark write them (Spark's ExternalCatalogUtils.escapePathName): control characters and " # % ' * / : = ? \ { [ ] ^ as %XX;
 * null and the empty string are __HIVE_DEFAULT_PARTITION__. */
#ifndef STRM_OP_PARTITION_H
#define STRM_OP_PARTITION_H
#include "op/op_sink.h"

/* Partitions of one micro-batch. */
#define PARTITIONS_MAX 10000U
#define PARTITION_FIELDS_MAX 16U

struct partitions;

/* `fields`: their names, separated by commas. The spec and the sink outlive it. NULL and err when the names are no list, or not among the columns
 * that the program fixes. */
struct partitions *partitions_new(const struct sink_spec *spec, struct sink *sink, const char *fields, struct err *e);
/* 0 or -1. */
int partitions_encode(struct partitions *p, const struct batch *b, struct err *e);
/* The end of the micro-batch: the rest is written; the counters of the encoders are added to those of `sum`. 0 or -1. */
int partitions_end(struct partitions *p, struct encoder *sum, struct err *e);
/* The fields that no record had. */
void partitions_unseen(const struct partitions *p, void (*fn)(void *ctx, const char *name), void *ctx);
size_t partitions_memory(const struct partitions *p);
void partitions_free(struct partitions *p); /* takes NULL */

#endif

/* Records through a child process, as Spark's pipe has it: each record goes to the command as a line, each line that it prints is a record with the
 * field `line`. A record with the field `line` alone goes as its text (unless a line end is in it), any other as a line of JSON.
 *
 * op_exec: a child for each micro-batch with records, started by the first of them; it is fed and its output is taken as it comes, so that neither
 * waits for the other and memory does not grow with the micro-batch. At the end of the micro-batch its stdin is closed and its output read to the end.
 * op_exec_each: one child for the run, which answers each line with a line; the answer takes the record's place, its hidden columns included.
 *
 * A child that fails (another status than 0, a signal) ends the run. One that stops reading is not fed any more. The time it takes counts only
 * where it is silent: op_exec_each gives up on it then. */
#ifndef STRM_OP_EXEC_H
#define STRM_OP_EXEC_H
#include "op/op.h"

/* Longest line of an answer, in bytes. */
#define EXEC_LINE_MAX ((size_t)64 << 20)
/* How long `exec each` waits for a sign of life if the program does not say. */
#define EXEC_PATIENCE_NS (30 * TIME_NS)

/* The command outlives the operator. */
struct op *op_exec(struct run *run, int stage, const char *word, const char *command);
struct op *op_exec_each(struct run *run, int stage, const char *word, const char *command, int64_t patience_ns);

#endif

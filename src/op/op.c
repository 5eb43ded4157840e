#include "op/op.h"

#include <stdlib.h>

void *op_make(const struct op_class *cls, size_t size, struct run *run, int stage, const char *word)
{
	struct op *op = xcalloc(1, size);

	op->cls = cls;
	op->run = run;
	op->stage = stage;
	op->word = word;
	op->eval = (struct eval){ .env = run->env, .special = run->special, .fails = &op->fails };
	return op;
}

int op_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	op->in += b->n_sel;
	return op->cls->process(op, port, b, e);
}

int op_push(struct op *op, const struct batch *b, struct err *e)
{
	op->out += b->n_sel;
	if (!op->next || !b->n_sel)
		return 0;
	return op_process(op->next, 0, b, e);
}

int op_batch_end(struct op *op, struct err *e)
{
	for (; op; op = op->next) {
		int verdict = op->cls->on_batch_end ? op->cls->on_batch_end(op, e) : 0;

		if (verdict < 0)
			return -1;
		if (verdict == OP_HOLD)
			return 0;
	}
	return 0;
}

int op_finish(struct op *op, struct err *e)
{
	for (; op; op = op->next)
		if (op->cls->finish && op->cls->finish(op, e) < 0)
			return -1;
	return 0;
}

void op_free_chain(struct op *op)
{
	while (op) {
		struct op *next = op->next;

		if (op->cls->free)
			op->cls->free(op);
		arena_release(&op->arena);
		free(op);
		op = next;
	}
}

bool op_balanced(const struct op *op)
{
	uint64_t sum = op->unwanted;

	for (int i = 0; op->cls->counters[i]; i++)
		sum += op->count[i];
	return sum == op->in;
}

size_t op_memory(const struct op *op)
{
	return op->cls->memory ? op->cls->memory(op) : 0;
}

int op_check_memory(const struct op *op, uint64_t keys, struct err *e)
{
	size_t held;

	if (!op->run->mem_max)
		return 0;
	held = op_memory(op);
	if (held <= op->run->mem_max)
		return 0;
	err_set(e, ERR_IO, "stage %d: %s: holds %zu bytes for %llu keys, over --mem %llu", op->stage, op->word, held,
		(unsigned long long)keys, (unsigned long long)op->run->mem_max);
	return err_hint(e, "give it more with --mem, or narrow the keys");
}

bool op_keeps_fields(const struct op *op) { return !op->cls->makes_fields; }

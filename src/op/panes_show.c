/* What a cell holds, for people. */
#include "op/panes_impl.h"

int op_panes_show(struct op *op, struct batch *out)
{
	struct panes *p = (struct panes *)op;
	struct reduce_rows rows = { .n = 1 };
	struct column start, end;

	if (op->cls->restore != panes_restore || !p->n_cells || !(p->cells[0].flags & CELL_LIVE))
		return -1;
	start = column_const(&op->arena, &(struct value){ .i = p->cells[0].start, .type = T_TIME });
	end = column_const(&op->arena, &(struct value){ .i = p->cells[0].end, .type = T_TIME });
	rows.groups = &p->groups;
	rows.states = p->states;
	rows.key_list = &p->cells[0].key;
	rows.from = p->cells[0].key;
	rows.start = &start;
	rows.end = &end;
	rows.state_list = &(uint32_t){ 0 };
	reducer_batch(&p->reducer, &rows, out);
	return 0;
}

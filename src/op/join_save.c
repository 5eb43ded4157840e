/* What survives a restart of a join: its rows (join_keep.c), keys that are away (join_away.c), and
 * 'f' -> have rows times, the fields that came last on each side */
#include "data/rowstore.h"
#include "op/join_impl.h"

bool join_leaves(const struct join *j) { return j->spec.scope != JOIN_BATCH; }

#define TAG_FIELDS 'f'
#define FIELDS_VERSION 1

/* What has left is dead to the sides. */
static void leave(struct join *j)
{
	join_rebuild(j);
	for (int side = 0; side < 2; side++)
		j->side[side].fresh = j->side[side].n;
	join_away_settle(&j->away);
	j->away.leave_at = (op_memory(&j->op) - join_away_memory(&j->away) + keytab_leap(&j->keys)) / 8 * 9;
}

void join_save(struct op *op, struct keeper *to)
{
	struct join *j = (struct join *)op;
	struct keep k = { .to = to };

	join_away_commit(&j->away, to);
	for (int side = 0; side < 2 && j->spec.scope != JOIN_BATCH; side++)
		join_side_commit(&j->side[side], &j->keys, NULL, to);
	keep_start(&k, TAG_FIELDS, FIELDS_VERSION);
	buf_char(&k.value, j->timed);
	for (int side = 0; side < 2; side++) {
		buf_char(&k.value, j->side[side].seen != NULL);
		if (j->side[side].seen)
			schema_save(j->side[side].seen, &k.value);
	}
	if (k.value.n != j->kept.n || memcmp(k.value.p, j->kept.p, k.value.n)) {
		j->kept.n = 0;
		buf_add(&j->kept, k.value.p, k.value.n);
		keep_put(&k, &j->kept_mark);
	}
	keep_release(&k);
	if (op->run->mem_max && op->run->fetch && join_leaves(j) && join_away_leave(&j->away, to))
		leave(j);
}

static int restore_fields(struct join *j, const struct kept_entry *entry)
{
	struct bytes_in in = keep_open(entry->value, entry->n, FIELDS_VERSION);

	j->timed = get_le(&in, 1);
	for (int side = 0; side < 2; side++)
		if (get_le(&in, 1) && !in.bad && schema_load(&in.p, in.end, &j->side[side].seen))
			return -1;
	buf_add(&j->kept, entry->value, entry->n);
	j->kept_mark = entry->mark;
	return entry->key_n == 1 && keep_over(&in) ? 0 : -1;
}

static int restored(struct join *j)
{
	for (int side = 0; side < 2; side++) {
		struct join_side *s = &j->side[side];

		if (join_side_loaded(s))
			return -1;
		for (uint32_t i = 0; i < s->n; i++)
			join_wait_for(&j->op, side, i);
	}
	join_away_loaded(&j->away);
	join_away_settle(&j->away);
	return 0;
}

int join_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct join *j = (struct join *)op;
	struct kept_entry entry = { key, value, key_n, n, mark };
	struct join_loading rows = { .sides = j->side, .n = 2, .keys = &j->keys };
	int r;

	if (!key)
		r = restored(j);
	else if (key_n && *key == TAG_FIELDS)
		r = restore_fields(j, &entry);
	else
		r = join_away_load(&j->away, &entry);
	if (!r && key && *key != TAG_FIELDS)
		r = join_side_load(&rows, &entry);
	return r < 0 ? keep_refuse(op, e) : 0;
}

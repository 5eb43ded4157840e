#include "state/inspect.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "state/store_impl.h"

static int measure(void *ctx, const struct store_entry *entry)
{
	struct inspect_stage *stage = ctx;

	stage->key_bytes += entry->key.n;
	stage->value_bytes += entry->value.n;
	return 0;
}

static int open_stages(struct inspect *in, struct store *s, struct err *e)
{
	const struct store_program *p = store_program(s);

	if (!p)
		return 0;
	in->stages = xcalloc(p->n_stages + 1, sizeof *in->stages);
	for (; in->n_stages < p->n_stages; in->n_stages++) {
		const struct store_stage *from = &p->stages[in->n_stages];
		struct inspect_stage *to = &in->stages[in->n_stages];

		*to = (struct inspect_stage){
			.name = from->name, .id = from->id, .fingerprint = from->fingerprint, .keys = from->keys
		};
		if (store_load(s, from->id, measure, to, e) < 0)
			return -1;
	}
	return 0;
}

static int open_wals(struct inspect *in, struct store *s, struct err *e)
{
	uint32_t *inputs;
	size_t n;

	if (wal_list(s, &inputs, &n, e) < 0)
		return -1;
	in->wals = xcalloc(n + 1, sizeof *in->wals);
	for (size_t i = 0; i < n; i++) {
		struct inspect_wal *w = &in->wals[in->n_wals++];

		w->input = inputs[i];
		if (wal_range(s, w->input, &w->begin, &w->end, e) < 0) {
			free(inputs);
			return -1;
		}
	}
	free(inputs);
	return 0;
}

/* What stands in the file of the log behind what was read of it. */
static uint64_t torn_bytes(const struct store *s)
{
	struct stat st;

	if (fstatat(s->dir.fd, s->name.s, &st, 0) || st.st_size < 0 || (uint64_t)st.st_size < s->active->tab.b.n)
		return 0;
	return (uint64_t)st.st_size - s->active->tab.b.n;
}

int inspect_open(struct inspect *in, struct store *s, struct err *e)
{
	uint64_t used;

	*in = (struct inspect){ .commit = store_last_commit(s), .cut = store_open_cut(s), .frames = s->seq, .torn = torn_bytes(s) };
	mdbfile_size(s->mdb, &in->data_bytes, &used);
	in->log_bytes = s->active->tab.b.n;
	for (size_t i = 0; i < s->fold.n; i++)
		in->log_bytes += s->fold.full[i]->tab.b.n;
	if (open_stages(in, s, e) == 0 && open_wals(in, s, e) == 0)
		return 0;
	inspect_release(in);
	return -1;
}

void inspect_release(struct inspect *in)
{
	free(in->stages);
	free(in->wals);
	*in = (struct inspect){ 0 };
}

/* The fattest so far, in order. */
struct top {
	struct inspect_entry *rows;
	size_t n, max;
	uint32_t stage;
};

static size_t fat(const struct inspect_entry *row) { return row->key.n + row->value.n; }

/* Entries come in order, so one that is as fat as another belongs behind it. */
static int weigh(void *ctx, const struct store_entry *entry)
{
	struct top *t = ctx;
	struct inspect_entry row;
	size_t at = t->n, size = entry->key.n + entry->value.n;

	while (at && fat(&t->rows[at - 1]) < size)
		at--;
	if (at == t->max)
		return 0;
	if (t->n == t->max)
		inspect_entries_release(&t->rows[--t->n], 1);
	memmove(&t->rows[at + 1], &t->rows[at], (t->n++ - at) * sizeof *t->rows);
	row = (struct inspect_entry){ .stage = t->stage };
	buf_add(&row.key, entry->key.p, entry->key.n);
	buf_add(&row.value, entry->value.p, entry->value.n);
	t->rows[at] = row;
	return 0;
}

int inspect_top(struct store *s, uint32_t stage, struct inspect_entry *rows, size_t *n, struct err *e)
{
	const struct store_program *p = store_program(s);
	struct top t = { .rows = rows, .max = *n };
	int status = 0;

	for (uint32_t i = 0; p && !status && i < p->n_stages; i++) {
		t.stage = p->stages[i].id;
		if (!stage || stage == t.stage)
			status = store_load(s, t.stage, weigh, &t, e);
	}
	*n = t.n;
	if (!status)
		return 0;
	inspect_entries_release(rows, t.n);
	*n = 0;
	return -1;
}

void inspect_entries_release(struct inspect_entry *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_release(&rows[i].key);
		buf_release(&rows[i].value);
	}
}

struct exporting {
	const struct inspect_sink *out;
	struct inspect_stage stage;
};

static int export_entry(void *ctx, const struct store_entry *entry)
{
	struct exporting *x = ctx;

	return x->out->fn(x->out->ctx, &x->stage, entry);
}

int inspect_export(struct store *s, const struct inspect_sink *out, struct err *e)
{
	const struct store_program *p = store_program(s);
	int status = 0;

	for (uint32_t i = 0; p && !status && i < p->n_stages; i++) {
		const struct store_stage *from = &p->stages[i];
		struct exporting x = {
			out, { .name = from->name, .id = from->id, .fingerprint = from->fingerprint, .keys = from->keys }
		};

		status = store_load(s, from->id, export_entry, &x, e);
	}
	return status;
}

static bool has_name(const struct store_program *p, const char *name)
{
	for (uint32_t i = 0; p && i < p->n_stages; i++)
		if (!strcmp(p->stages[i].name, name))
			return true;
	return false;
}

void inspect_diff(const struct store *s, struct store_program *p, struct inspect_diff **rows, size_t *n)
{
	const struct store_program *old = store_program(s);
	uint32_t n_old = old ? old->n_stages : 0;
	bool *kept = xcalloc(n_old + 1, sizeof *kept);
	struct inspect_diff *row = *rows = xcalloc((size_t)p->n_stages + n_old + 1, sizeof *row);

	store_match(s, p, kept);
	for (uint32_t i = 0; i < p->n_stages; i++) {
		const struct store_stage *stage = &p->stages[i];
		bool anew = stage->fate == STORE_ANEW;

		*row++ = (struct inspect_diff){ stage->name, anew ? INSPECT_ANEW : INSPECT_KEPT,
						anew && has_name(old, stage->name), stage->keys };
	}
	for (uint32_t i = 0; i < n_old; i++)
		if (!kept[i])
			*row++ = (struct inspect_diff){ old->stages[i].name, INSPECT_DROPPED, false, old->stages[i].keys };
	*n = (size_t)(row - *rows);
	free(kept);
}

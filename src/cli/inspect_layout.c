/* Entries of a checkpoint as records, by the program that it remembers. */
#include <stdlib.h>
#include <string.h>

#include "cli/inspect.h"
#include "data/rowkey.h"
#include "op/keep.h"
#include "op/op_panes.h"
#include "op/sliding.h"
#include "op/state_entry.h"
#include "plan/lower.h"
#include "plan/state_spec.h"
#include "plan/times.h"
#include "runtime/checkpoint.h"
#include "stage/stage.h"

/* ---- the program ---- */

static bool has_point(const struct plan *p, const char *name)
{
	for (uint32_t i = 0; i < p->n_points; i++)
		if (p->points[i]->name && !strcmp(p->points[i]->name, name))
			return true;
	return false;
}

struct named_inputs {
	struct plan_input *at;
	uint32_t n;
	size_t cap;
	const struct codec_def *codec;
};

static void add_input(struct named_inputs *in, const char *name)
{
	for (uint32_t i = 0; i < in->n; i++)
		if (in->at[i].name == name || (name && in->at[i].name && !strcmp(in->at[i].name, name)))
			return;
	in->at = xgrow(in->at, &in->cap, (size_t)in->n + 1, sizeof *in->at);
	in->at[in->n++] = (struct plan_input){ .name = name, .codec = in->codec };
}

/* The inputs that the program's chains begin with. Their fields are not known, which JSON says. */
static void find_inputs(const struct plan *p, struct named_inputs *in)
{
	in->codec = codec_find("json");
	for (uint32_t i = 0; i < p->n; i++) {
		const struct plan_chain *c = p->chains[i];

		if (!c->start.name && !c->start.point && (c->n || p->n == 1))
			add_input(in, NULL);
		if (c->start.name && !has_point(p, c->start.name))
			add_input(in, c->start.name);
		for (uint32_t k = 0; k < c->n; k++)
			for (uint32_t j = 0; j < c->nodes[k]->n_others; j++)
				if (c->nodes[k]->others[j].name && !has_point(p, c->nodes[k]->others[j].name))
					add_input(in, c->nodes[k]->others[j].name);
	}
}

static int compile(struct inspect_layouts *l, const struct store_program *p, const struct options *o)
{
	struct source_unit unit = { .text = arena_str(&l->arena, p->text.p, p->text.n), .n = p->text.n, .arg = 1 };
	struct named_inputs in = { 0 };
	struct err e = { 0 };
	int r;

	l->plan.arena = &l->arena;
	r = program_parse(parser_new(&l->arena, &unit, 1, o->vars, o->n_vars), &unit, 1, &l->plan, &e);
	if (!r)
		find_inputs(&l->plan, &in);
	r = r || plan_link(&l->plan, in.at, in.n, &e) || plan_times(&l->plan, o->mode, &e);
	free(in.at);
	return r ? -1 : 0;
}

/* ---- stages ---- */

/* A stage's name, and which of several it is, on one line. */
static char *title_of(struct arena *a, const char *name)
{
	const char *number = strstr(name, "\n#");
	size_t n = number ? (size_t)(number - name) : strlen(name);
	char *title = number ? arena_printf(a, "%.*s (%s)", (int)n, name, number + 2) : arena_str(a, name, n);

	for (char *p = title; *p; p++)
		if (*p == '\n')
			*p = ' ';
	return title;
}

struct search {
	const char *name;
	size_t n;
	const struct plan_node *found;
};

static int is_named(struct plan_node *n, void *ctx)
{
	struct search *s = ctx;
	const char *own = n->canonical ? n->canonical : n->word;

	if (!s->found && strlen(own) == s->n && !memcmp(own, s->name, s->n))
		s->found = n;
	return 0;
}

static const struct plan_node *node_of(const struct plan *p, const char *name)
{
	const char *number = strstr(name, "\n#");
	struct search s = { .name = name, .n = number ? (size_t)(number - name) : strlen(name) };

	plan_each(p, is_named, &s);
	return s.found;
}

void layouts_open(struct inspect_layouts *l, const struct store *s, const struct options *o)
{
	const struct store_program *p = store_program(s);

	*l = (struct inspect_layouts){ 0 };
	if (!p)
		return;
	l->env = (struct fn_env){ .time = { .zone = o->zone }, .format = &l->format };
	l->run.env = &l->env;
	l->compiled = !compile(l, p, o);
	l->at = xcalloc(p->n_stages + 1, sizeof *l->at);
	for (; l->n < p->n_stages; l->n++) {
		struct inspect_layout *at = &l->at[l->n];

		at->stage = &p->stages[l->n];
		at->title = title_of(&l->arena, at->stage->name);
		at->node = l->compiled ? node_of(&l->plan, at->stage->name) : NULL;
		at->inputs = !strcmp(at->stage->name, checkpoint_inputs_stage);
	}
}

void layouts_close(struct inspect_layouts *l)
{
	free(l->at);
	if (l->plan.arena)
		plan_release(&l->plan);
	arena_release(&l->arena);
}

const struct inspect_layout *layout_of(const struct inspect_layouts *l, uint32_t id)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->at[i].stage->id == id)
			return &l->at[i];
	return NULL;
}

/* ---- entries ---- */

struct fields {
	struct field *at;
	size_t n, cap;
};

static void add_field(struct fields *f, struct arena *a, const char *name, struct value v)
{
	struct field *old = f->at;

	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 8;
		f->at = arena_array(a, struct field, f->cap);
		if (f->n)
			memcpy(f->at, old, f->n * sizeof *old);
	}
	f->at[f->n++] = (struct field){ .name = name, .name_n = (uint32_t)strlen(name), .v = v };
}

static struct value object(const struct fields *f) { return v_object(f->at, f->n); }

/* The name of the i-th value of a key, of n. */
static const char *key_name(const struct inspect_layout *l, struct arena *a, size_t i, size_t n)
{
	const struct items *keys = l->node ? &l->node->keys : NULL;

	if (keys && i < keys->n && n <= (size_t)keys->n + 2)
		return keys->at[i].name;
	if (keys && n == (size_t)keys->n + 2)
		return i == n - 1 ? "window_end" : "window_start";
	return arena_printf(a, "%zu", i + 1);
}

static struct value name_values(const struct inspect_layout *l, struct arena *a, const struct value *v, size_t n)
{
	struct fields f = { 0 };

	if (l->node && !l->node->keys.n && n == 1 && v[0].type == T_NULL)
		n = 0; /* all records are of one key */
	for (size_t i = 0; i < n; i++)
		add_field(&f, a, key_name(l, a, i, n), v[i]);
	return object(&f);
}

/* Values one behind the other, up to the end or what is none. */
static struct value *load_values(struct bytes_in *in, struct arena *a, size_t *n)
{
	struct value *v = NULL;
	size_t cap = 0;

	for (*n = 0; in->p < in->end; ++*n) {
		const char *p = in->p;
		struct value *old = v, one;

		if (value_load(&p, in->end, a, &one))
			break;
		in->p = p;
		if (*n == cap) {
			cap = cap ? 2 * cap : 4;
			v = arena_array(a, struct value, cap);
			if (*n)
				memcpy(v, old, *n * sizeof *v);
		}
		v[*n] = one;
	}
	return v;
}

static struct value key_part(struct arena *a, uint32_t kind, const char *p, size_t n);

/* Parts one behind the other, each with its kind and length (data/rowkey.h): of a list or a row; of an object a name stands before each. */
static void key_parts(struct arena *a, const char *p, size_t n, bool names, struct fields *out)
{
	const char *end = p + n;
	struct value last = v_text("", 0);
	uint32_t head[2];

	for (bool name = names; end - p >= (ptrdiff_t)sizeof head; name = names && !name) {
		struct value v;

		memcpy(head, p, sizeof head);
		p += sizeof head;
		if ((size_t)(end - p) < head[1])
			return;
		v = key_part(a, head[0], p, head[1]);
		p += head[1];
		if (!name)
			add_field(out, a, arena_str(a, last.s, last.n), v);
		else if (v.type == T_TEXT)
			last = v;
	}
}

static struct value key_list(struct arena *a, const struct fields *f)
{
	struct value *v = arena_array(a, struct value, f->n + 1);

	for (size_t i = 0; i < f->n; i++)
		v[i] = f->at[i].v;
	return v_list(v, f->n);
}

static struct value key_part(struct arena *a, uint32_t kind, const char *p, size_t n)
{
	struct fields f = { 0 };
	struct num at;

	if (kind == KEY_NULL)
		return v_null();
	if (kind == KEY_BOOL)
		return v_bool(n && *p == '1');
	if ((kind == KEY_TIME || kind == KEY_DUR) && num_parse(p, n, &at) == NUM_INT)
		return kind == KEY_TIME ? v_time(at.i) : v_dur(at.i);
	if (kind != KEY_LIST && kind != KEY_OBJECT)
		return v_text(p, n);
	key_parts(a, p, n, kind == KEY_OBJECT, &f);
	return kind == KEY_LIST ? key_list(a, &f) : object(&f);
}

/* The keys of dedup are kept as they are compared. Without keys they are whole records. */
static struct value dedup_key(const struct inspect_layout *l, struct arena *a, struct store_bytes key)
{
	uint32_t kind = (unsigned char)key.p[1];
	struct fields f = { 0 };
	struct value one;

	if (kind == KEY_ROW) {
		key_parts(a, key.p + 2, key.n - 2, false, &f);
		one = key_list(a, &f);
		return name_values(l, a, one.items, one.n);
	}
	one = key_part(a, kind, key.p + 2, key.n - 2);
	return one.type == T_OBJECT && !l->node->keys.n ? one : name_values(l, a, &one, 1);
}

/* Of windows that overlap each slice is kept once: its number, big-endian with its sign turned, comes before the keys. */
#define SLICE_BYTES 8

static bool is_slice(const struct inspect_layout *l, struct store_bytes key)
{
	unsigned char first = (unsigned char)key.p[0];

	return l->node && l->node->kind == PLAN_REDUCE && key.n >= SLICE_BYTES && first >= 0x7f;
}

static struct value slice_key(const struct inspect_layout *l, struct arena *a, struct store_bytes key)
{
	struct bytes_in in = { .p = key.p + SLICE_BYTES, .end = key.p + key.n };
	struct fields f = { 0 };
	struct value named, *v;
	uint64_t number = 0;
	size_t n;

	for (int i = 0; i < SLICE_BYTES; i++)
		number = number << 8 | (unsigned char)key.p[i];
	v = load_values(&in, a, &n);
	named = name_values(l, a, v, n);
	for (uint32_t i = 0; i < named.n; i++)
		add_field(&f, a, named.fields[i].name, named.fields[i].v);
	add_field(&f, a, "slice", v_int((int64_t)(number ^ (uint64_t)1 << 63)));
	return object(&f);
}

/* Of a key that was out of memory all slices are one entry, which holds the key. */
static bool is_roll(const struct inspect_layout *l, const struct store_entry *entry, struct store_bytes *values)
{
	return l->node && l->node->kind == PLAN_REDUCE && sliding_is_roll(entry->key, entry->value, values);
}

static struct value roll_key(const struct inspect_layout *l, struct arena *a, struct store_bytes values)
{
	struct bytes_in in = { .p = values.p, .end = values.p + values.n };
	size_t n;
	struct value *v = load_values(&in, a, &n);

	return name_values(l, a, v, n);
}

static struct value tagged_key(const struct inspect_layout *l, struct arena *a, struct store_bytes key)
{
	struct bytes_in in = { .p = key.p + 1, .end = key.p + key.n };
	struct value *v;
	size_t n;

	if (l->node && l->node->kind == PLAN_DEDUP && key.p[0] == 'k' && key.n >= 2)
		return dedup_key(l, a, key);
	if (is_slice(l, key))
		return slice_key(l, a, key);
	v = load_values(&in, a, &n);
	if (n && l->node && n == (size_t)l->node->keys.n + 1)
		n--; /* of what has several entries each has a number, which says nothing */
	return name_values(l, a, v, n);
}

static void state_layout_of(const struct plan_node *n, struct state_layout *out)
{
	const struct state_spec *s = n->state;

	*out = (struct state_layout){ .n_keys = n->keys.n, .n_vars = s->n_vars, .windowed = s->window != STATE_NO_WINDOW };
	for (uint32_t i = 0; i < s->n_timeouts; i++)
		out->n_timers += (s->timeouts[i].in || (s->timeouts[i].at && !s->event)) + (s->timeouts[i].at && s->event);
}

/* A timeout that is set in either time has a place for each. */
static struct value view_timers(const struct state_spec *s, const int64_t *at, struct arena *a)
{
	struct fields f = { 0 };

	for (uint32_t i = 0, slot = 0; i < s->n_timeouts; i++) {
		const struct state_timeout *t = &s->timeouts[i];
		uint32_t n = (t->in || (t->at && !s->event)) + (t->at && s->event);

		for (; n--; slot++)
			if (at[slot] != INT64_MAX)
				add_field(&f, a, t->name ? t->name : "timeout", v_time(at[slot]));
	}
	return f.n ? object(&f) : v_null();
}

static void view_state(const struct inspect_layout *l, const struct store_entry *entry, struct arena *a, struct inspect_view *out)
{
	struct state_layout shape;
	struct state_entry got;
	struct fields f = { 0 };

	state_layout_of(l->node, &shape);
	if (state_entry_read(entry->value.p, entry->value.n, &shape, a, &got))
		return;
	for (uint32_t i = 0; i < shape.n_vars; i++)
		add_field(&f, a, l->node->state->names[i], got.vars[i]);
	out->state = object(&f);
	out->timers = view_timers(l->node->state, got.timers, a);
}

/* Entries of operators that no key finds: rows that wait, which of them are out of memory, watermarks by input, counters, fields. */
static const char own_tags[] = "wrfnimtoh";

/* What a stage keeps beside its keys. */
static bool is_own(const struct inspect_layout *l, struct store_bytes key)
{
	const struct plan_node *n = l->node;

	if (!key.n || !key.p[0] || (unsigned char)key.p[0] == (unsigned char)KEEP_BASE || key.n == 1 || (key.p[0] && strchr(own_tags, key.p[0])))
		return true;
	return n && !n->keys.n && n->kind != PLAN_DEDUP && n->kind != PLAN_REDUCE;
}

/* Keys of `state` are values and nothing else; those of all others, and what every stage keeps, have a tag before them. */
static bool is_plain(const struct inspect_layout *l, struct store_bytes key)
{
	bool state = l->node ? l->node->kind == PLAN_STATE : !strncmp(l->title, "state ", strlen("state "));

	return state && (!key.n || key.p[0] != KEEP_BASE);
}

/* Behind the name there may be the number of a stream; `=` and a file that was read stay. Live input as a whole has no name. */
static size_t input_name_n(struct store_bytes key)
{
	const char *nl = memchr(key.p, '\n', key.n);

	return nl && nl > key.p && nl + 1 < key.p + key.n && nl[1] != '=' ? (size_t)(nl - key.p) : key.n;
}

void layout_view(const struct inspect_layout *l, const struct store_entry *entry, struct arena *a, struct inspect_view *out)
{
	struct bytes_in in = { .p = entry->key.p, .end = entry->key.p + entry->key.n };
	struct store_bytes rolled;
	struct value *v;
	size_t n;

	*out = (struct inspect_view){ 0 };
	if (l->inputs) {
		struct fields f = { 0 };

		add_field(&f, a, "input", v_text(entry->key.p, input_name_n(entry->key)));
		out->key = object(&f);
	} else if (is_roll(l, entry, &rolled)) {
		out->key = roll_key(l, a, rolled);
	} else if (!is_plain(l, entry->key)) {
		out->own = is_own(l, entry->key);
		out->key = out->own ? v_null() : tagged_key(l, a, entry->key);
	} else {
		v = load_values(&in, a, &n);
		out->key = name_values(l, a, v, n);
		if (l->node && l->node->kind == PLAN_STATE)
			view_state(l, entry, a, out);
	}
}

/* ---- aggregates ---- */

/* The operator that wrote the entry, holding nothing else. NULL: it is none that can be looked into. */
static struct op *operator_of(struct inspect_layouts *all, const struct inspect_layout *l, const struct store_entry *entry)
{
	struct lower_opts lo = { .run = &all->run };
	struct err e = { 0 };
	struct op *op = l->node && l->node->kind == PLAN_REDUCE && l->node->panes && entry->key.n > 1 ? lower_reduce(&all->plan, l->node, &lo, &e) : NULL;

	if (!op || !op->cls->restore || !op->cls->restore(op, entry->key.p, entry->key.n, entry->value.p, entry->value.n, entry->mark, &e))
		return op;
	op_free(op);
	return NULL;
}

static bool is_window(const char *name) { return !strcmp(name, "window_start") || !strcmp(name, "window_end"); }

void layout_fill(struct inspect_layouts *all, const struct inspect_layout *l, const struct store_entry *entry, struct arena *a, struct inspect_view *out)
{
	struct op *op = operator_of(all, l, entry);
	struct fields key = { 0 }, state = { 0 };
	struct batch b;

	if (!op)
		return;
	if (!op_panes_show(op, &b)) {
		for (uint32_t i = 0; i < out->key.n; i++)
			add_field(&key, a, out->key.fields[i].name, out->key.fields[i].v);
		for (uint32_t i = 0; i < b.schema->n; i++) {
			struct value v = column_get(&b.cols[i], 0);
			const char *name = b.schema->names[i];

			if (is_window(name) || !value_get(&out->key, name, strlen(name)))
				add_field(is_window(name) ? &key : &state, a, name, value_copy(a, &v));
		}
		out->key = object(&key);
		out->state = object(&state);
	}
	op_free(op);
}

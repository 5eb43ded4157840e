/* Which field has the time of the watermark, behind stages that may have given its name to something else. */
#include "plan/times_impl.h"

/* Is one of them the other, or a part of it? */
static bool overlaps(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), least = n < m ? n : m;

	return !memcmp(a, b, least) && (n == m || (n < m ? b : a)[least] == '.');
}

static bool is_field(const struct node *n, const char *name) { return n->kind == N_FIELD && !strcmp(n->name, name); }

/* Does the field come out of the projection as it went in? */
static bool survives(const struct plan_node *n, const char *name)
{
	bool kept = false;

	for (uint32_t i = 0; i < n->n_drop; i++)
		if (overlaps(n->drop[i], name))
			return false;
	for (uint32_t i = 0; i < n->items.n; i++) {
		const struct item *it = &n->items.at[i];

		if (n->at && n->at[i] && overlaps(n->at[i], name))
			return false;
		if (it->expr && overlaps(it->name, name) && !is_field(it->expr, it->name))
			return false;
		kept |= !it->expr || overlaps(it->name, name);
	}
	return kept;
}

/* The name that a projection gives to the field; NULL: none. Items of rename do not see each other, others see those in front of them. */
static const char *name_behind(const struct plan_node *n, const char *name)
{
	if (survives(n, name))
		return name;
	for (uint32_t i = 0; i < n->items.n; i++) {
		const struct item *it = &n->items.at[i];

		if (it->expr && is_field(it->expr, name))
			return it->name;
		if (it->expr && !n->at && overlaps(it->name, name))
			return NULL;
	}
	return NULL;
}

static void follow_projection(struct times *t, struct time_flow *f, const struct plan_node *n)
{
	struct field_set read = { .arena = t->p->arena };

	node_fields(f->watermark->expr, NULL, 0, &read);
	for (uint32_t i = 0; i < read.n; i++)
		f->time_kept &= survives(n, read.names[i]);
	f->time_kept &= !read.all;
	f->time_name = f->time_name ? name_behind(n, f->time_name) : NULL;
}

void times_follow_field(struct times *t, struct time_flow *f, const struct plan_node *n)
{
	if (n == f->watermark) {
		f->time_kept = true;
		f->time_name = n->expr->kind == N_FIELD ? n->expr->name : NULL;
	} else if (f->watermark && (n->kind == PLAN_MAP || n->kind == PLAN_FLATMAP)) {
		follow_projection(t, f, n);
	} else if (plan_changes(n->kind) && n->kind != PLAN_LOOKUP) {
		f->time_kept = false;
		f->time_name = NULL;
	}
}

bool times_is_event(const struct time_flow *f, const struct node *n)
{
	if (!f->watermark || f->merged)
		return false;
	return (f->time_kept && node_equal(n, f->watermark->expr)) || (f->time_name && is_field(n, f->time_name));
}

bool times_keyed_by_event(const struct time_flow *f, const struct plan_node *n)
{
	if (!f->watermark || f->aggregated || f->merged)
		return false;
	for (uint32_t i = 0; i < n->keys.n; i++)
		if (times_is_event(f, n->keys.at[i].expr) || is_special(n->keys.at[i].expr, "event"))
			return true;
	return !n->keys.n && f->time_name;
}

#include "base/mem.h"
#include "window/trigger.h"

static struct trigger_node *node_of(struct arena *a, enum trigger_kind kind, struct trigger_node *first,
				    struct trigger_node *second)
{
	struct trigger_node *n = arena_zero(a, sizeof *n);

	n->kind = kind;
	n->count = 1;
	n->kids[0] = first;
	n->kids[1] = second;
	return n;
}

static struct trigger_node *continued(const struct trigger_node *n, struct arena *a)
{
	struct trigger_node *kids[2] = { NULL, NULL };

	if (n->kind == TRIGGER_EVERY || n->kind == TRIGGER_AFTER || n->kind == TRIGGER_COUNT)
		return node_of(a, TRIGGER_COUNT, NULL, NULL);
	for (int i = 0; i < 2; i++)
		kids[i] = n->kids[i] ? continued(n->kids[i], a) : NULL;
	if (n->kind == TRIGGER_THEN)
		return node_of(a, TRIGGER_REPEAT, node_of(a, TRIGGER_OR, kids[0], kids[1]), NULL);
	return node_of(a, n->kind, kids[0], kids[1]);
}

struct trigger_spec *trigger_continued(const struct trigger_spec *s, struct arena *a)
{
	struct trigger_spec *c = arena_new(a, struct trigger_spec);

	*c = *s;
	c->root = s->root ? continued(s->root, a) : NULL;
	return c;
}

#include <stdlib.h>

#include "codec/json_decode.h"

static struct json_wanted *node_add(struct arena *a, struct json_node *node, const char *name, size_t n)
{
	struct json_wanted *w;

	for (uint32_t i = 0; i < node->n; i++)
		if (node->keys[i].n == n && !memcmp(node->keys[i].name, name, n))
			return &node->keys[i];
	if (node->n == node->cap) {
		struct json_wanted *old = node->keys;

		node->cap = node->cap ? node->cap * 2 : 8;
		node->keys = arena_array(a, struct json_wanted, node->cap);
		if (node->n)
			memcpy(node->keys, old, node->n * sizeof *old);
	}
	w = &node->keys[node->n++];
	*w = (struct json_wanted){ .name = name, .n = (uint32_t)n, .exact = -1, .path = -1 };
	return w;
}

static void add_path(struct arena *a, struct json_node *node, const char *path, int column)
{
	const char *dot = strchr(path, '.');
	struct json_wanted *w = node_add(a, node, path, dot ? (size_t)(dot - path) : strlen(path));

	if (!dot) {
		w->path = column;
		return;
	}
	if (!w->sub)
		w->sub = arena_new(a, struct json_node);
	add_path(a, w->sub, dot + 1, column);
}

static int by_length(const void *a, const void *b)
{
	const struct json_wanted *x = a, *y = b;

	return (x->n > y->n) - (x->n < y->n);
}

static void sort_keys(struct json_node *node)
{
	uint32_t i = 0;

	if (node->n)
		qsort(node->keys, node->n, sizeof *node->keys, by_length);
	for (uint32_t class = 0; class < JSON_LENGTHS; class ++) {
		node->first[class] = i;
		while (i < node->n && (node->keys[i].n == class || class == JSON_LENGTHS - 1))
			i++;
	}
	node->first[JSON_LENGTHS] = node->n;
	for (i = 0; i < node->n; i++)
		if (node->keys[i].sub)
			sort_keys(node->keys[i].sub);
}

struct json_node *json_plan(struct arena *a, const char *const *fields, uint32_t n)
{
	struct json_node *top = arena_new(a, struct json_node);

	for (uint32_t i = 0; i < n; i++) {
		node_add(a, top, fields[i], strlen(fields[i]))->exact = (int)i;
		if (strchr(fields[i], '.'))
			add_path(a, top, fields[i], (int)i);
	}
	sort_keys(top);
	return top;
}

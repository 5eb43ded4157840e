#include "io/dir_files.h"

#include <stdlib.h>

static size_t hash_name(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 32);
}

static size_t hash_inode(const struct file_id *id)
{
	return (size_t)((id->ino ^ id->dev << 40) * UINT64_C(0x9e3779b97f4a7c15) >> 20);
}

static void link_in(struct dir_files *d, struct dir_file *f)
{
	struct dir_file **name = &d->names[hash_name(f->path) & (d->cap - 1)],
			**inode = &d->inodes[hash_inode(&f->id) & (d->cap - 1)];

	f->next_name = *name;
	*name = f;
	f->next_inode = *inode;
	*inode = f;
}

static void grow(struct dir_files *d)
{
	size_t old_cap = d->cap;
	struct dir_file **old = d->names;

	d->cap = old_cap ? 2 * old_cap : 64;
	free(d->inodes);
	d->names = xcalloc(d->cap, sizeof *d->names);
	d->inodes = xcalloc(d->cap, sizeof *d->inodes);
	for (size_t i = 0; i < old_cap; i++) {
		for (struct dir_file *f = old[i], *next; f; f = next) {
			next = f->next_name;
			link_in(d, f);
		}
	}
	free(old);
}

struct dir_file *dir_files_find(const struct dir_files *d, const char *path)
{
	struct dir_file *f = d->n ? d->names[hash_name(path) & (d->cap - 1)] : NULL;

	while (f && (f->gone || strcmp(f->path, path) != 0))
		f = f->next_name;
	return f;
}

struct dir_file *dir_files_same(const struct dir_files *d, const struct file_id *id)
{
	struct dir_file *f = d->n ? d->inodes[hash_inode(id) & (d->cap - 1)] : NULL;

	while (f && (f->state == DIR_LOST || !file_id_equal(&f->id, id)))
		f = f->next_inode;
	return f;
}

struct dir_file *dir_files_add(struct dir_files *d, const char *path, const struct file_id *id)
{
	struct dir_file *f = xcalloc(1, sizeof *f);

	f->path = xstrdup(path);
	f->id = *id;
	if (d->n == d->cap)
		grow(d);
	d->n++;
	link_in(d, f);
	return f;
}

/* ---- the queue ---- */

static bool older(const struct dir_file *a, const struct dir_file *b)
{
	if (a->id.mtime_ns != b->id.mtime_ns)
		return a->id.mtime_ns < b->id.mtime_ns;
	return strcmp(a->path, b->path) < 0;
}

void dir_files_queue(struct dir_files *d, struct dir_file *f)
{
	size_t i = d->n_queue++;

	d->queue = xgrow(d->queue, &d->cap_queue, d->n_queue, sizeof *d->queue);
	for (; i && older(f, d->queue[(i - 1) / 2]); i = (i - 1) / 2)
		d->queue[i] = d->queue[(i - 1) / 2];
	d->queue[i] = f;
	f->state = DIR_QUEUED;
}

static struct dir_file *pop(struct dir_files *d)
{
	struct dir_file *top = d->queue[0], *last = d->queue[--d->n_queue];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < d->n_queue) {
		if (child + 1 < d->n_queue && older(d->queue[child + 1], d->queue[child]))
			child++;
		if (!older(d->queue[child], last))
			break;
		d->queue[i] = d->queue[child];
		i = child;
	}
	if (d->n_queue)
		d->queue[i] = last;
	top->state = DIR_DONE;
	return top;
}

struct dir_file *dir_files_next(struct dir_files *d)
{
	while (d->n_queue) {
		struct dir_file *f = pop(d);

		if (!f->gone)
			return f;
	}
	return NULL;
}

/* ---- forgetting ---- */

static void unlink_inode(struct dir_files *d, struct dir_file *f)
{
	struct dir_file **p = &d->inodes[hash_inode(&f->id) & (d->cap - 1)];

	while (*p != f)
		p = &(*p)->next_inode;
	*p = f->next_inode;
}

static void free_file(struct dir_file *f)
{
	free(f->path);
	free(f);
}

void dir_files_sweep(struct dir_files *d, uint64_t scan, void (*gone)(void *ctx, const struct file_id *id), void *ctx)
{
	for (size_t i = 0; i < d->cap; i++) {
		for (struct dir_file **p = &d->names[i], *f; (f = *p);) {
			if (f->scan == scan || f->state == DIR_QUEUED) {
				p = &f->next_name;
				continue;
			}
			*p = f->next_name;
			unlink_inode(d, f);
			if (gone && f->state == DIR_DONE && !dir_files_same(d, &f->id))
				gone(ctx, &f->id);
			free_file(f);
			d->n--;
		}
	}
}

void dir_files_release(struct dir_files *d)
{
	for (size_t i = 0; i < d->cap; i++) {
		for (struct dir_file *f = d->names[i], *next; f; f = next) {
			next = f->next_name;
			free_file(f);
		}
	}
	free(d->names);
	free(d->inodes);
	free(d->queue);
}

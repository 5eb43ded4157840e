#include "state/mdbcheck.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_HEAD 16
#define NODE_HEAD 8
#define DB_BYTES 48
#define META_BYTES 136
#define META_MAGIC 0xBEEFC0DEu
#define META_VERSION 1
#define DEPTH_MAX 32
#define NO_PAGE UINT64_MAX
#define PAGE_BYTES_MIN 512
#define PAGE_BYTES_MAX 32768
/* Pages at the end that were free before they were ever written are not in the file. */
#define UNWRITTEN_MAX ((uint64_t)1 << 24)

enum { P_BRANCH = 1, P_LEAF = 2, P_OVERFLOW = 4, P_META = 8, P_DIRTY = 16 };
enum { NODE_BIG = 1 };
enum { FREE_TREE_FLAGS = 0x4008 }; /* integer keys; of the file: no directory of its own */

struct tree {
	uint32_t flags, depth;
	uint64_t branch, leaf, overflow, entries, root;
};

struct meta {
	uint64_t last_page, txn;
	struct tree free, main;
	uint32_t page_bytes;
};

struct walk {
	struct mdbcheck *c;
	struct err *e;
	struct meta meta;
	uint64_t file_pages;
	unsigned char *seen;
	const struct tree *tree;
	struct tree found; /* counted */
	struct buf last;   /* the last key of the tree */
	bool has_last;
	struct buf value; /* on overflow pages */
	char *pages[DEPTH_MAX];
};

static int damaged(struct walk *w, uint64_t page, const char *what)
{
	return err_set(w->e, ERR_IO, "%s: damaged at offset %llu: %s", w->c->where, (unsigned long long)(page * w->c->page_bytes),
		       what);
}

/* n bytes at an offset of the file, all of them. */
static int read_at(struct walk *w, char *p, size_t n, uint64_t at)
{
	while (n) {
		ssize_t got = pread(w->c->fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(w->e, ERR_IO, "%s: cannot read: %s", w->c->where, strerror(errno));
		if (!got)
			return err_set(w->e, ERR_IO, "%s: the file is too short: it ends before offset %llu", w->c->where,
				       (unsigned long long)(at + n));
		p += got;
		n -= (size_t)got;
		at += (uint64_t)got;
	}
	return 0;
}

static struct tree tree_of(const char *p)
{
	return (struct tree){
		.flags = (uint32_t)load_le(p + 4, 2),
		.depth = (uint32_t)load_le(p + 6, 2),
		.branch = load_le(p + 8, 8),
		.leaf = load_le(p + 16, 8),
		.overflow = load_le(p + 24, 8),
		.entries = load_le(p + 32, 8),
		.root = load_le(p + 40, 8),
	};
}

static int read_meta(struct walk *w, uint64_t page, struct meta *m)
{
	char b[PAGE_HEAD + META_BYTES];
	const char *p = b + PAGE_HEAD;

	if (read_at(w, b, sizeof b, page * w->c->page_bytes) < 0)
		return -1;
	if (load_le(b, 8) != page || load_le(b + 10, 2) != P_META || load_le(p, 4) != META_MAGIC)
		return damaged(w, page, "not the head of an LMDB file");
	if (load_le(p + 4, 4) != META_VERSION)
		return damaged(w, page, "another version of LMDB");
	m->page_bytes = (uint32_t)load_le(p + 24, 4);
	m->free = tree_of(p + 24);
	m->main = tree_of(p + 24 + DB_BYTES);
	m->last_page = load_le(p + 24 + 2 * DB_BYTES, 8);
	m->txn = load_le(p + 32 + 2 * DB_BYTES, 8);
	if (m->page_bytes < PAGE_BYTES_MIN || m->page_bytes > PAGE_BYTES_MAX || m->page_bytes & (m->page_bytes - 1))
		return damaged(w, page, "an odd page size");
	if (m->free.flags != FREE_TREE_FLAGS || m->main.flags || m->free.depth > DEPTH_MAX || m->main.depth > DEPTH_MAX)
		return damaged(w, page, "odd trees");
	return 0;
}

/* Both heads; the one of the transaction into w->meta. */
static int read_metas(struct walk *w)
{
	struct meta m[2];
	struct stat st;
	int use;

	if (fstat(w->c->fd, &st) < 0)
		return err_set(w->e, ERR_IO, "%s: cannot look at it: %s", w->c->where, strerror(errno));
	w->c->page_bytes = 0;
	if (read_meta(w, 0, &m[0]) < 0)
		return -1;
	w->c->page_bytes = m[0].page_bytes;
	if (read_meta(w, 1, &m[1]) < 0)
		return -1;
	if (m[1].page_bytes != m[0].page_bytes)
		return damaged(w, 1, "an odd page size");
	use = m[1].txn > m[0].txn;
	if (w->c->txn && m[use].txn != w->c->txn)
		use = !use;
	if (w->c->txn && m[use].txn != w->c->txn)
		return 1;
	w->meta = m[use];
	w->file_pages = (uint64_t)st.st_size / w->c->page_bytes;
	if (w->meta.last_page < 1 || w->meta.last_page > w->file_pages + UNWRITTEN_MAX)
		return err_set(w->e, ERR_IO, "%s: the file is too short: %lld bytes", w->c->where, (long long)st.st_size);
	return 0;
}

static int see(struct walk *w, uint64_t page, uint64_t n)
{
	for (uint64_t i = page; n; i++, n--) {
		if (i < 2 || i > w->meta.last_page)
			return damaged(w, page, "a page that is not there");
		if (w->seen[i / 8] >> (i % 8) & 1)
			return damaged(w, page, "a page in two places");
		w->seen[i / 8] |= (unsigned char)(1 << i % 8);
	}
	return 0;
}

/* A page with nodes into p, its frame checked. Number of nodes or -1. */
static int load_page(struct walk *w, uint64_t page, char *p, unsigned flags)
{
	uint32_t lower, upper;

	if (see(w, page, 1) < 0 || read_at(w, p, w->c->page_bytes, page * w->c->page_bytes) < 0)
		return -1;
	lower = (uint32_t)load_le(p + 12, 2);
	upper = (uint32_t)load_le(p + 14, 2);
	if (load_le(p, 8) != page || (load_le(p + 10, 2) & ~(unsigned)P_DIRTY) != flags)
		return damaged(w, page, "a page of another kind");
	if (lower < PAGE_HEAD || lower > upper || upper > w->c->page_bytes || lower & 1)
		return damaged(w, page, "odd bounds");
	return (int)((lower - PAGE_HEAD) / 2);
}

struct node {
	struct store_bytes key;
	uint32_t flags;
	uint64_t child;	 /* of a branch */
	uint64_t data_n; /* of a leaf */
	const char *data;
};

/* The i-th node, inside of its page. */
static int node_at(struct walk *w, const char *p, uint32_t i, bool leaf, struct node *out)
{
	uint32_t at = (uint32_t)load_le(p + PAGE_HEAD + 2 * i, 2), upper = (uint32_t)load_le(p + 14, 2);
	uint64_t page = load_le(p, 8), room, lo, need;

	if (at < upper || at & 1 || at + NODE_HEAD > w->c->page_bytes)
		return damaged(w, page, "a node outside of its page");
	room = w->c->page_bytes - at - NODE_HEAD;
	lo = load_le(p + at, 4);
	out->flags = (uint32_t)load_le(p + at + 4, 2);
	out->key = (struct store_bytes){ p + at + NODE_HEAD, (size_t)load_le(p + at + 6, 2) };
	out->data = out->key.p + out->key.n;
	out->child = lo | (uint64_t)out->flags << 32;
	out->data_n = lo;
	need = out->key.n + (leaf ? out->flags & NODE_BIG ? 8 : lo : 0);
	if (need > room || (leaf && out->flags & ~(unsigned)NODE_BIG))
		return damaged(w, page, "a node outside of its page");
	return 0;
}

static int compare(const struct walk *w, struct store_bytes a, struct store_bytes b)
{
	int c;

	if (w->tree == &w->meta.free && a.n == 8 && b.n == 8) {
		uint64_t x = load_le(a.p, 8), y = load_le(b.p, 8);

		return x < y ? -1 : x > y;
	}
	c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Does `key` stand behind the last one? `or_equal`: it is a separator's own. */
static int ascend(struct walk *w, struct store_bytes key, uint64_t page, bool or_equal)
{
	int c = w->has_last ? compare(w, (struct store_bytes){ w->last.p, w->last.n }, key) : -1;

	if (c > 0 || (!c && !or_equal))
		return damaged(w, page, "keys out of order");
	w->last.n = 0;
	buf_add(&w->last, key.p, key.n);
	w->has_last = true;
	return 0;
}

/* The value of a node on pages of its own; a value that shrank keeps them all. */
static int load_overflow(struct walk *w, const struct node *n, struct store_bytes *value)
{
	uint64_t page = load_le(n->data, 8), need = (PAGE_HEAD - 1 + n->data_n) / w->c->page_bytes + 1, pages;
	char head[PAGE_HEAD];

	if (page >= w->file_pages)
		return damaged(w, page, "a page behind the end of the file");
	if (read_at(w, head, sizeof head, page * w->c->page_bytes) < 0)
		return -1;
	pages = load_le(head + 12, 4);
	if (load_le(head, 8) != page || (load_le(head + 10, 2) & ~(unsigned)P_DIRTY) != P_OVERFLOW || pages < need)
		return damaged(w, page, "a page of another kind");
	if (pages > w->file_pages - page)
		return damaged(w, page, "a page behind the end of the file");
	if (see(w, page, pages) < 0)
		return -1;
	w->value.n = 0;
	if (read_at(w, buf_room(&w->value, n->data_n), n->data_n, page * w->c->page_bytes + PAGE_HEAD) < 0)
		return -1;
	buf_took(&w->value, n->data_n);
	w->found.overflow += pages;
	*value = (struct store_bytes){ w->value.p, w->value.n };
	return 0;
}

/* An entry of the tree of free pages: a count and the pages' numbers. */
static int free_entry(struct walk *w, struct store_bytes value, uint64_t page)
{
	uint64_t n = value.n >= 8 ? load_le(value.p, 8) : 1;

	if (value.n < 8 || n > value.n / 8 - 1)
		return damaged(w, page, "an odd list of free pages");
	for (uint64_t i = 0; i < n; i++)
		if (see(w, load_le(value.p + 8 + 8 * i, 8), 1) < 0)
			return -1;
	w->c->free_pages += n;
	return 0;
}

static int walk_leaf(struct walk *w, uint64_t page, char *p, bool separated)
{
	int n = load_page(w, page, p, P_LEAF);

	for (int i = 0; i < n; i++) {
		struct store_bytes value;
		struct node node;

		if (node_at(w, p, (uint32_t)i, true, &node) < 0 || ascend(w, node.key, page, separated && !i) < 0)
			return -1;
		value = (struct store_bytes){ node.data, (size_t)node.data_n };
		if (node.flags & NODE_BIG && load_overflow(w, &node, &value) < 0)
			return -1;
		if (w->tree == &w->meta.free ? free_entry(w, value, page) < 0 : w->c->entry(w->c->ctx, node.key, value, w->e) < 0)
			return -1;
	}
	w->found.leaf++;
	w->found.entries += n > 0 ? (uint64_t)n : 0;
	return n < 0 ? -1 : n ? 0 : damaged(w, page, "an empty page");
}

/* `separated`: the last key seen is the separator before this page. */
static int walk_page(struct walk *w, uint64_t page, uint32_t depth, bool separated)
{
	char *p = w->pages[depth] ? w->pages[depth] : (w->pages[depth] = xmalloc(w->c->page_bytes));
	int n;

	if (depth + 1 == w->tree->depth)
		return walk_leaf(w, page, p, separated);
	n = load_page(w, page, p, P_BRANCH);
	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		struct node node;

		if (node_at(w, p, (uint32_t)i, false, &node) < 0 || (i && ascend(w, node.key, page, false) < 0) ||
		    walk_page(w, node.child, depth + 1, i ? true : separated) < 0)
			return -1;
	}
	w->found.branch++;
	return n ? 0 : damaged(w, page, "an empty page");
}

static int walk_tree(struct walk *w, const struct tree *t)
{
	const struct tree *f = &w->found;

	w->tree = t;
	w->found = (struct tree){ 0 };
	w->has_last = false;
	if (t->root == NO_PAGE ? t->depth || t->entries : !t->depth)
		return damaged(w, 0, "an odd tree");
	if (t->root != NO_PAGE && walk_page(w, t->root, 0, false) < 0)
		return -1;
	if (f->branch != t->branch || f->leaf != t->leaf || f->overflow != t->overflow || f->entries != t->entries)
		return damaged(w, 0, "its tree has not as many pages and entries as it should have");
	return 0;
}

int mdbcheck_run(struct mdbcheck *c, struct err *e)
{
	struct walk w = { .c = c, .e = e };
	int status = read_metas(&w);

	c->pages = w.meta.last_page + 1;
	c->free_pages = 0;
	if (status || !c->entry)
		return status;
	w.seen = xcalloc(w.meta.last_page / 8 + 1, 1);
	status = walk_tree(&w, &w.meta.main);
	if (!status)
		status = walk_tree(&w, &w.meta.free);
	free(w.seen);
	for (int i = 0; i < DEPTH_MAX; i++)
		free(w.pages[i]);
	buf_release(&w.last);
	buf_release(&w.value);
	return status;
}

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK_MIN ((size_t)16 << 10)
#define CHUNK_SMALL ((size_t)512)
#define CHUNK_MAX ((size_t)1 << 20)
#define KEEP_MAX ((size_t)16 << 20)
#define HUGE_PAGE ((size_t)2 << 20)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* usable bytes after the header */
	char data[] __attribute__((aligned(16)));
};

static _Noreturn void mem_out(size_t n)
{
	static const char msg[] = "strm: out of memory\n";

	(void)n;
	if (write(2, msg, sizeof msg - 1) < 0)
		_exit(1);
	_exit(1);
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		mem_out(n);
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		mem_out(n);
	return p;
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		mem_out(n);
	return p;
}

char *xstrndup(const char *s, size_t n)
{
	char *d = xmalloc(n + 1);

	memcpy(d, s, n);
	d[n] = 0;
	return d;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

void *xgrow(void *p, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap ? *cap : 8;

	if (need <= *cap)
		return p;
	while (n < need)
		n *= 2;
	if (n > SIZE_MAX / size)
		mem_out(n);
	*cap = n;
	return xrealloc(p, n * size);
}

static size_t big_round(size_t n)
{
	return (n + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
}

/* Small tables come from calloc so that a short run touches no huge page. */
void *big_alloc(size_t n)
{
	void *p;

	if (n < HUGE_PAGE)
		return xcalloc(1, n);
	n = big_round(n);
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		mem_out(n);
	madvise(p, n, MADV_HUGEPAGE);
	return p;
}

void big_free(void *p, size_t n)
{
	if (!p)
		return;
	if (n < HUGE_PAGE)
		free(p);
	else
		munmap(p, big_round(n));
}

void *big_grow(void *p, size_t from, size_t to)
{
	void *d;

	if (from >= HUGE_PAGE) {
		d = mremap(p, big_round(from), big_round(to), MREMAP_MAYMOVE);
		if (d == MAP_FAILED)
			mem_out(to);
		madvise(d, big_round(to), MADV_HUGEPAGE);
		return d;
	}
	d = big_alloc(to);
	if (from)
		memcpy(d, p, from);
	big_free(p, from);
	return d;
}

void big_advise(void *p, size_t n)
{
	uintptr_t from = ((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1), to = ((uintptr_t)p + n) & ~(uintptr_t)(HUGE_PAGE - 1);

	if (n >= 2 * HUGE_PAGE && from < to)
		madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void *arena_slow(struct arena *a, size_t n, size_t align)
{
	size_t least = a->small ? CHUNK_SMALL : CHUNK_MIN, size = a->total < least ? least : a->total < CHUNK_MAX ? a->total : CHUNK_MAX;
	struct arena_chunk *c = a->spare;

	(void)align; /* a fresh chunk is aligned to 16 */
	if (n + MEM_SLACK > SIZE_MAX / 2)
		mem_out(n);
	if (c && c->size >= n + MEM_SLACK) {
		a->spare = c->next;
	} else {
		if (size < n + MEM_SLACK)
			size = n + MEM_SLACK;
		c = xmalloc(sizeof *c + size);
		c->size = size;
		a->total += size;
	}
	if (a->head && n > CHUNK_MAX / 4) {
		/* a large piece gets its own chunk behind the newest, whose room stays in use */
		c->next = a->head->next;
		a->head->next = c;
		return c->data;
	}
	c->next = a->head;
	a->head = c;
	a->p = c->data + n;
	a->end = c->data + c->size - MEM_SLACK;
	return c->data;
}

char *arena_str(struct arena *a, const char *p, size_t n)
{
	char *d = arena_bytes(a, n + 1);

	if (n)
		memcpy(d, p, n);
	d[n] = 0;
	return d;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, aq;
	char *d;
	int n;

	va_start(ap, fmt);
	va_copy(aq, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	d = arena_bytes(a, (size_t)n + 1);
	vsnprintf(d, (size_t)n + 1, fmt, aq);
	va_end(aq);
	return d;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *c, *next;

	for (c = a->head; c; c = next) {
		next = c->next;
		if (c->size > CHUNK_MAX || a->total > KEEP_MAX) {
			a->total -= c->size;
			free(c);
		} else {
			c->next = a->spare;
			a->spare = c;
		}
	}
	a->head = NULL;
	a->p = a->end = NULL;
}

static void chunks_free(struct arena_chunk *c)
{
	while (c) {
		struct arena_chunk *next = c->next;

		free(c);
		c = next;
	}
}

void arena_release(struct arena *a)
{
	chunks_free(a->head);
	chunks_free(a->spare);
	*a = (struct arena){ 0 };
}

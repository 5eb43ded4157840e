/* Memory. Allocation never fails to its caller: out of memory ends the process in mem_out().
 * Lifetimes are arenas: what belongs together is freed together (pipeline, batch, state). */
#ifndef STRM_BASE_MEM_H
#define STRM_BASE_MEM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Bytes that may be read (not used) past the end of an input block, so that vector loads need no tail code. */
#define MEM_SLACK 64

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
/* Grow an array of *cap items of `size` bytes to hold at least `need`: doubles, at least 8. */
void *xgrow(void *p, size_t *cap, size_t need, size_t size);
/* Zeroed memory for large tables, on huge pages where the kernel gives them; released with big_free(p, n). */
void *big_alloc(size_t n);
void big_free(void *p, size_t n);
/* The same content in `to` bytes (>= from), the rest zeroed; p may be NULL when from is 0. */
void *big_grow(void *p, size_t from, size_t to);
/* Memory from malloc that is about to be filled: huge pages for it, where it has room for some. */
void big_advise(void *p, size_t n);

/* A bump allocator. Zeroed memory is a valid empty arena. Not thread-safe; one owner. */
struct arena_chunk;
struct arena {
	struct arena_chunk *head;  /* newest chunk first */
	struct arena_chunk *spare; /* kept by arena_reset for reuse */
	char *p, *end;            /* free room in the newest chunk */
	size_t total;             /* bytes in all chunks: the memory held */
	bool small;                /* its chunks begin small: there are many such arenas */
};

void *arena_slow(struct arena *a, size_t n, size_t align);

/* n bytes, aligned to 16, not zeroed. */
static inline void *arena_alloc(struct arena *a, size_t n)
{
	char *p = (char *)(((uintptr_t)a->p + 15) & ~(uintptr_t)15);

	if (unlikely(!a->p || p > a->end || n > (size_t)(a->end - p)))
		return arena_slow(a, n, 16);
	a->p = p + n;
	return p;
}

/* n bytes, unaligned: for strings. */
static inline char *arena_bytes(struct arena *a, size_t n)
{
	char *p = a->p;

	if (unlikely(n > (size_t)(a->end - p)))
		return arena_slow(a, n, 1);
	a->p = p + n;
	return p;
}

static inline void *arena_zero(struct arena *a, size_t n)
{
	return memset(arena_alloc(a, n), 0, n);
}

static inline char *arena_copy(struct arena *a, const char *p, size_t n)
{
	char *d = arena_bytes(a, n);

	if (n)
		memcpy(d, p, n);
	return d;
}

/* NUL-terminated copy. */
char *arena_str(struct arena *a, const char *p, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Forget everything; keeps chunks of up to 1 MiB each, 16 MiB in all, for reuse. */
void arena_reset(struct arena *a);
/* Free everything; the arena is empty and usable again. */
void arena_release(struct arena *a);

#define arena_new(a, type) ((type *)arena_zero((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), (size_t)(n) * sizeof(type)))

#endif

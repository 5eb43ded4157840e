#include "io/decompress.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "base/mem.h"

#define LIBRARY "libarchive.so.13"
#define BLOCK ((size_t)64 << 10)

/* Each kind's packed form of the one byte 'x'. It goes before the input, as members may follow one another, and its byte is
 * dropped: without any byte to look at libarchive cannot tell data that is empty from data that is cut off. */
static const char one_gzip[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x00\x00\x83\x16\xdc\x8c\x01\x00\x00\x00";
static const char one_bzip2[] =
	"\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x77\x4b\xb0\x14\x00\x00\x00\x00\x80\x00\x40\x20\x00\x21\x18\x46\x82\xee"
	"\x48\xa7\x0a\x12\x0e\xe9\x76\x02\x80";
static const char one_xz[] =
	"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x00\x78"
	"\x00\x00\x00\x00\x45\xae\xef\x83\xf8\xee\x16\x0a\x00\x01\x19\x01\xa5\x2c\x81\xcc\x1f\xb6\xf3\x7d\x01\x00\x00\x00"
	"\x00\x04\x59\x5a";
static const char one_zstd[] = "\x28\xb5\x2f\xfd\x04\x58\x09\x00\x00\x78\x23\x11\x04\x83";
static const char one_lz4[] = "\x04\x22\x4d\x18\x64\x40\xa7\x01\x00\x00\x80\x78\x00\x00\x00\x00\xea\x30\xc4\x2e";

/* One byte of a magic may vary: bzip2 has the digit of its block size there. */
struct unpack_kind {
	const char *name;
	int filter; /* its number in libarchive */
	unsigned char n, any_at, any_min, any_max;
	char magic[UNPACK_SNIFF + 1];
	const char *one;
	size_t one_n;
	const char *tool;
};

#define ONE(kind) one_##kind, sizeof one_##kind - 1

static const struct unpack_kind kinds[] = {
	{ "gzip", 1, 3, 0, 0x1F, 0x1F, "\x1F\x8B\x08", ONE(gzip), "zcat" },
	{ "bzip2", 2, 10, 3, '1', '9', "BZh0\x31\x41\x59\x26\x53\x59", ONE(bzip2), "bzcat" },
	{ "bzip2", 2, 10, 3, '1', '9', "BZh0\x17\x72\x45\x38\x50\x90", ONE(bzip2), "bzcat" },
	{ "xz", 6, 6, 0, 0xFD, 0xFD, "\xFD\x37\x7A\x58\x5A\x00", ONE(xz), "xzcat" },
	{ "zstd", 14, 4, 0, 0x28, 0x28, "\x28\xB5\x2F\xFD", ONE(zstd), "zstdcat" },
	{ "lz4", 13, 4, 0, 0x04, 0x04, "\x04\x22\x4D\x18", ONE(lz4), "lz4cat" },
};

/* What is used of libarchive 3: declared here because it is opened at run time, so that a build needs no header of it. */
struct archive;
struct archive_entry;

enum { ARCHIVE_OK = 0, ARCHIVE_RETRY = -10, ARCHIVE_WARN = -20 };

struct library {
	void *handle;
	struct archive *(*read_new)(void);
	int (*append_filter)(struct archive *a, int filter);
	int (*format_raw)(struct archive *a);
	int (*open)(struct archive *a, void *ctx, int (*open)(struct archive *, void *),
		    ssize_t (*read)(struct archive *, void *, const void **), int (*close)(struct archive *, void *));
	int (*next_header)(struct archive *a, struct archive_entry **entry);
	ssize_t (*data)(struct archive *a, void *p, size_t n);
	int64_t (*bytes)(struct archive *a, int filter);
	int (*free)(struct archive *a);
};

struct unpack {
	const struct unpack_kind *kind;
	struct unpack_from from;
	struct library lib;
	struct archive *archive;
	struct err err; /* of from.read, which libarchive cannot carry */
	char *in;
	size_t head;	  /* bytes of the head in `in`, until they are passed on */
	size_t in_n;	  /* bytes of `in` that were passed on last */
	int64_t passed; /* bytes passed on in all */
	bool opened, end;
};

static bool kind_fits(const struct unpack_kind *k, const char *p, size_t n)
{
	for (size_t i = 0; i < n && i < k->n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (i == k->any_at ? c < k->any_min || c > k->any_max : c != (unsigned char)k->magic[i])
			return false;
	}
	return true;
}

const struct unpack_kind *unpack_sniff(const char *p, size_t n, bool *more)
{
	*more = false;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!kind_fits(&kinds[i], p, n))
			continue;
		if (n >= kinds[i].n)
			return &kinds[i];
		*more = true;
	}
	return NULL;
}

static bool library_open(struct library *l)
{
	const struct {
		const char *name;
		void *at;
	} symbols[] = {
		{ "archive_read_new", &l->read_new },
		{ "archive_read_append_filter", &l->append_filter },
		{ "archive_read_support_format_raw", &l->format_raw },
		{ "archive_read_open", &l->open },
		{ "archive_read_next_header", &l->next_header },
		{ "archive_read_data", &l->data },
		{ "archive_filter_bytes", &l->bytes },
		{ "archive_read_free", &l->free },
	};

	l->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!l->handle)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		void *f = dlsym(l->handle, symbols[i].name);

		if (!f)
			return false;
		memcpy(symbols[i].at, &f, sizeof f);
	}
	return true;
}

static int no_library(const struct unpack *z, struct err *e)
{
	err_set(e, ERR_IO, "%s: %s data needs %s, which cannot be opened", z->from.name, z->kind->name, LIBRARY);
	return err_hint(e, "install libarchive13, or unpack it in a pipe: %s FILE | strm ...", z->kind->tool);
}

static ssize_t more_input(struct archive *a, void *ctx, const void **p)
{
	struct unpack *z = ctx;
	size_t head = z->head;
	ssize_t r;

	(void)a;
	*p = z->in;
	z->head = 0;
	r = head ? (ssize_t)head : z->from.read(z->from.ctx, z->in, BLOCK, &z->err);
	if (r >= 0) {
		z->in_n = (size_t)r;
		z->passed += r;
	}
	return r;
}

static bool all_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Did the library end before the input did? It takes what is no member for padding; zeros are. Reads what is left. */
static bool left_over(struct unpack *z)
{
	int64_t left = z->passed - z->lib.bytes(z->archive, -1);
	ssize_t r;

	if (left > (int64_t)z->in_n || !all_zero(z->in + z->in_n - left, (size_t)left))
		return true;
	while ((r = z->from.read(z->from.ctx, z->in, BLOCK, &z->err)) > 0)
		if (!all_zero(z->in, (size_t)r))
			return true;
	return r < 0;
}

/* What went wrong: libarchive's own words say less. Returns -1. */
static int unpack_failed(struct unpack *z, struct err *e)
{
	if (!z->err.kind)
		return err_set(e, ERR_IO, "%s: damaged or cut off %s data", z->from.name, z->kind->name);
	*e = z->err;
	return -1;
}

/* The archive is opened with the first read, so that a slow source is not waited for before. */
static int unpack_begin(struct unpack *z, struct err *e)
{
	struct archive_entry *entry;
	char one;

	z->opened = true;
	if (z->lib.append_filter(z->archive, z->kind->filter) < ARCHIVE_WARN || z->lib.format_raw(z->archive) != ARCHIVE_OK ||
	    z->lib.open(z->archive, z, NULL, more_input, NULL) != ARCHIVE_OK ||
	    z->lib.next_header(z->archive, &entry) < ARCHIVE_WARN || z->lib.data(z->archive, &one, 1) != 1)
		return unpack_failed(z, e);
	return 0;
}

struct unpack *unpack_open(const struct unpack_kind *k, const struct unpack_from *from, const char *head, size_t n, struct err *e)
{
	struct unpack *z = xcalloc(1, sizeof *z);

	z->kind = k;
	z->from = *from;
	z->in = xmalloc(k->one_n + n > BLOCK ? k->one_n + n : BLOCK);
	memcpy(z->in, k->one, k->one_n);
	memcpy(z->in + k->one_n, head, n);
	z->head = k->one_n + n;
	if (!library_open(&z->lib)) {
		no_library(z, e);
		unpack_close(z);
		return NULL;
	}
	z->archive = z->lib.read_new();
	return z;
}

ssize_t unpack_read(struct unpack *z, char *p, size_t n, struct err *e)
{
	ssize_t r;

	if (!z->opened && unpack_begin(z, e))
		return -1;
	if (z->end)
		return 0;
	do
		r = z->lib.data(z->archive, p, n);
	while (r == ARCHIVE_RETRY);
	if (r < 0 || (!r && left_over(z)))
		return unpack_failed(z, e);
	z->end = r == 0;
	return r;
}

void unpack_close(struct unpack *z)
{
	if (!z)
		return;
	if (z->archive)
		z->lib.free(z->archive);
	if (z->lib.handle)
		dlclose(z->lib.handle);
	free(z->in);
	free(z);
}

/* What the tests of the store share: directories of their own, a model of what a store should hold, and comparing the two. */
#ifndef STRM_STATE_FIXTURE_H
#define STRM_STATE_FIXTURE_H
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/store.h"
#include "test.h"

#define BYTES(s) ((struct store_bytes){ (s), strlen(s) })

__attribute__((unused)) static void fail_now(const char *what, const struct err *e)
{
	printf("Bail out! %s: %s\n", what, e ? e->msg : "");
	exit(1);
}

/* An empty path for a checkpoint; the same directory each time. */
__attribute__((unused)) static const char *fresh_dir(void)
{
	static char base[] = "/tmp/state-test-XXXXXX", path[64];
	static int made, number;
	char cmd[128];

	if (!made++ && !mkdtemp(base))
		fail_now("mkdtemp", NULL);
	snprintf(cmd, sizeof cmd, "rm -rf %s/*", base);
	if (system(cmd))
		fail_now("rm", NULL);
	snprintf(path, sizeof path, "%s/cp%d", base, number++);
	return path;
}

__attribute__((unused)) static void remove_dirs(void)
{
	char cmd[128], path[64];

	snprintf(path, sizeof path, "%s", fresh_dir());
	*strrchr(path, '/') = 0;
	snprintf(cmd, sizeof cmd, "rm -rf %s", path);
	if (system(cmd))
		printf("# left behind: %s\n", path);
}

__attribute__((unused)) static struct store *open_or_fail(const char *dir, const struct store_opts *opts)
{
	struct err e = { 0 };
	struct store *s = store_open(dir, opts, &e);

	if (!s)
		fail_now(dir, &e);
	return s;
}

/* Remembers a program with stages "a" and "b"; their ids into ids[2]. */
__attribute__((unused)) static void set_stages(struct store *s, uint32_t *ids)
{
	struct store_stage stages[2] = { { .name = "a", .fingerprint = 1 }, { .name = "b", .fingerprint = 2 } };
	struct store_program p = { BYTES("a | b"), stages, 2 };
	struct err e = { 0 };

	if (store_set_program(s, &p, &e) < 0)
		fail_now("set_program", &e);
	ids[0] = stages[0].id;
	ids[1] = stages[1].id;
}

__attribute__((unused)) static void put(struct store *s, uint32_t stage, const char *key, const char *value)
{
	struct store_bytes kv[2] = { BYTES(key), BYTES(value) };
	struct err e = { 0 };

	if (store_put(s, stage, kv, NULL, &e) < 0)
		fail_now("put", &e);
}

__attribute__((unused)) static void del(struct store *s, uint32_t stage, const char *key)
{
	struct err e = { 0 };

	if (store_delete(s, stage, BYTES(key), NULL, &e) < 0)
		fail_now("delete", &e);
}

__attribute__((unused)) static void commit(struct store *s, uint64_t batch)
{
	char data[32];
	struct err e = { 0 };
	struct store_point p = { .batch = batch, .time = (int64_t)batch * 1000 };

	snprintf(data, sizeof data, "pos %d", (int)batch);
	p.data = BYTES(data);
	if (store_commit(s, &p, false, &e) < 0)
		fail_now("commit", &e);
}

__attribute__((unused)) static void cut(struct store *s, uint64_t batch)
{
	char data[32];
	struct err e = { 0 };
	struct store_point p = { .batch = batch, .time = (int64_t)batch * 1000 };

	snprintf(data, sizeof data, "cut %d", (int)batch);
	p.data = BYTES(data);
	if (store_cut(s, &p, false, &e) < 0)
		fail_now("cut", &e);
}

static int add_text(void *ctx, const struct store_entry *entry)
{
	struct buf *b = ctx;

	buf_add(b, entry->key.p, entry->key.n);
	buf_char(b, '=');
	buf_add(b, entry->value.p, entry->value.n);
	buf_char(b, ' ');
	return 0;
}

/* "key=value key=value " of a stage; valid until the next call. An error's message if it cannot be read. */
__attribute__((unused)) static const char *contents(struct store *s, uint32_t stage)
{
	static struct buf b;
	struct err e = { 0 };

	b.n = 0;
	if (store_load(s, stage, add_text, &b, &e) < 0)
		buf_str(&b, e.msg);
	return buf_cstr(&b);
}

/* The value of a key, "-" if there is none; valid until the next call. */
__attribute__((unused)) static const char *value_of(struct store *s, uint32_t stage, const char *key)
{
	static struct store_found found;
	static struct err e;
	int status;

	e = (struct err){ 0 };
	status = store_get(s, stage, BYTES(key), &found, &e);

	return status < 0 ? e.msg : status ? buf_cstr(&found.value) : "-";
}

#endif

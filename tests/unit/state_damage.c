/* Damage: a small checkpoint with each file cut at every length, with a bit flipped at every offset, and with each file gone. It
 * must be found, or do no harm: the entries are then exactly those of a commit that was made, the last one unless the last frame
 * was hit. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "state/log.h"
#include "state_fixture.h"

#define BATCHES 9

static const struct store_opts plain = { .no_sync = true };

/* What a checkpoint holds as text, by the number of its last commit; dump() gives the caller such a text. */
static char *want[BATCHES];

static char *dump(struct store *s, const uint32_t *ids)
{
	struct buf b = { 0 };

	for (int i = 0; i < 2; i++) {
		buf_str(&b, contents(s, ids[i]));
		buf_str(&b, "| ");
	}
	buf_cstr(&b);
	return b.p;
}

static void make_batch(struct store *s, const uint32_t *ids, int batch)
{
	char key[700], value[6000];

	cut(s, (uint64_t)batch);
	for (int i = 0; i < 8; i++) {
		snprintf(key, sizeof key, "key%d", (batch * 7 + i * 3) % 20);
		snprintf(value, sizeof value, "%d.%d", batch, i);
		put(s, ids[i & 1], key, value);
	}
	snprintf(key, sizeof key, "key%d", batch);
	del(s, ids[batch & 1], key);
	if (batch == 2) { /* a long key and a value on overflow pages */
		memset(key, 'l', 600);
		key[600] = 0;
		put(s, ids[0], key, "long");
		memset(value, 'v', sizeof value - 1);
		value[sizeof value - 1] = 0;
		put(s, ids[1], "big", value);
	}
	commit(s, (uint64_t)batch);
	free(want[batch]);
	want[batch] = dump(s, ids);
}

/* Commits 0..5 folded in two folds, 6 to 8 in the log. */
static const char *make_checkpoint(uint32_t *ids)
{
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &plain);
	struct err e = { 0 };

	set_stages(s, ids);
	for (int i = 0; i < BATCHES; i++) {
		make_batch(s, ids, i);
		if ((i == 3 || i == 5) && store_fold(s, &e) < 0)
			fail_now("fold", &e);
	}
	store_close(s);
	return dir;
}

struct content {
	char path[128];
	char *p;
	size_t n;
};

static void load(struct content *c, const char *dir, const char *name)
{
	struct stat st;
	int fd;

	snprintf(c->path, sizeof c->path, "%s/%s", dir, name);
	fd = open(c->path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		fail_now(c->path, NULL);
	c->n = (size_t)st.st_size;
	c->p = xmalloc(c->n + 1);
	if (read(fd, c->p, c->n) != (ssize_t)c->n)
		fail_now(c->path, NULL);
	close(fd);
}

static void restore(const struct content *c, size_t n)
{
	int fd = open(c->path, O_WRONLY | O_TRUNC | O_CREAT, 0666);

	if (fd < 0 || write(fd, c->p, n) != (ssize_t)n)
		fail_now(c->path, NULL);
	close(fd);
}

/* One byte in place: rewriting a file makes some file systems wait for the disk. */
static void poke(const struct content *c, size_t at, int bits)
{
	char byte = (char)(c->p[at] ^ bits);
	int fd = open(c->path, O_WRONLY);

	if (fd < 0 || pwrite(fd, &byte, 1, (off_t)at) != 1)
		fail_now(c->path, NULL);
	close(fd);
}

/* Opens what was damaged. -1: that was found. Else the number of the last commit, its entries checked. */
static int try_open(const char *dir, const uint32_t *ids, struct err *e)
{
	struct store *s;
	char *got;
	int batch;

	*e = (struct err){ 0 };
	s = store_open(dir, &plain, e);
	if (!s) {
		CHECK(e->kind == ERR_IO && strstr(e->msg, dir));
		return -1;
	}
	batch = store_last_commit(s) ? (int)store_last_commit(s)->batch : BATCHES;
	if (batch < BATCHES) {
		got = dump(s, ids);
		if (strcmp(got, want[batch])) {
			test_bad = 1;
			printf("# commit %d is\n# %s, want\n# %s\n", batch, got, want[batch]);
		}
		free(got);
	}
	store_close(s);
	return batch;
}

static void test_cut_log(const char *dir, const uint32_t *ids)
{
	struct content c;
	struct err e;
	int batch, last = -2, steps = 0;

	load(&c, dir, "log.00000003");
	TEST("the log cut at every length is a commit that was made, never fewer than before")
	{
		for (size_t n = 0; n <= c.n; n++) {
			restore(&c, n);
			batch = try_open(dir, ids, &e);
			CHECK((batch < 0) == (n < 40));
			CHECK(batch >= last);
			steps += batch != last;
			last = batch;
		}
		CHECK_INT(last, BATCHES - 1);
		CHECK_INT(steps, 5); /* not open, and commits 5 to 8 */
	}
	free(c.p);
}

static void test_flip_log(const char *dir, const uint32_t *ids)
{
	struct content c;
	struct err e;
	size_t at = 0, found = 0;
	char offset[64];

	load(&c, dir, "log.00000003");
	TEST("a flipped bit in the log is found, or it was the last frame's")
	{
		for (at = 0; at < c.n; at++) {
			int batch;

			restore(&c, c.n); /* a torn end was cut off */
			poke(&c, at, 1 << at % 8);
			batch = try_open(dir, ids, &e);
			CHECK(batch < 0 || batch == BATCHES - 2);
			found += batch < 0;
		}
		CHECK(found > c.n * 3 / 5);
	}
	TEST("the message names file and offset")
	{
		restore(&c, c.n);
		poke(&c, 100, 1);
		CHECK_INT(try_open(dir, ids, &e), -1);
		snprintf(offset, sizeof offset, "/log.00000003: damaged at offset 96");
		if (!strstr(e.msg, offset))
			printf("# %s\n", e.msg);
		CHECK(strstr(e.msg, offset) != NULL);
	}
	restore(&c, c.n);
	free(c.p);
}

/* Of a store that syncs it is known how far the log went. */
static void test_known_end(void)
{
	const struct store_opts synced = { 0 };
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &synced);
	struct content log, end;
	struct err e = { 0 };
	char path[128];
	uint32_t ids[2];

	set_stages(s, ids);
	for (int i = 0; i < 2; i++)
		make_batch(s, ids, i);
	store_close(s);
	load(&log, dir, "log.00000001");
	load(&end, dir, "end");
	TEST("a log that was synced and is cut short is found, and so is a flipped bit in its last frame")
	{
		for (size_t at = 0; at < log.n; at++) {
			poke(&log, at, 1 << at % 8);
			CHECK_INT(try_open(dir, ids, &e), -1);
			poke(&log, at, 0);
		}
		CHECK(strstr(e.msg, "/log.00000001: damaged at offset ") != NULL);
		for (size_t n = log.n; n--;) {
			CHECK_INT(truncate(log.path, (off_t)n), 0);
			CHECK_INT(try_open(dir, ids, &e), -1);
		}
		restore(&log, LOG_HEAD);
		CHECK_INT(try_open(dir, ids, &e), -1);
		snprintf(path, sizeof path, "%s/log.00000001: its end is missing", dir);
		CHECK_STR(e.msg, path);
		restore(&log, log.n);
	}
	TEST("what says so may be damaged, old or gone")
	{
		for (size_t at = 0; at < end.n; at++) {
			poke(&end, at, 1 << at % 8);
			CHECK_INT(try_open(dir, ids, &e), 1);
			poke(&end, at, 0);
			restore(&end, at);
			CHECK_INT(try_open(dir, ids, &e), 1);
			restore(&end, end.n);
		}
		unlink(end.path);
		CHECK_INT(try_open(dir, ids, &e), 1);
	}
	free(log.p);
	free(end.p);
}

/* On a file that was taken for whole one can go on. */
static void go_on(const char *dir, const uint32_t *ids)
{
	struct store *s = open_or_fail(dir, &plain);
	struct err e = { 0 };

	for (int i = 0; i < 3; i++) {
		put(s, ids[i & 1], "key3", "again");
		put(s, ids[i & 1], "more", "and more");
		commit(s, BATCHES - 1);
		CHECK_INT(store_fold(s, &e), 0);
	}
	CHECK_INT(store_verify(s, &e), 0);
	CHECK_STR(e.msg, "");
	store_close(s);
}

static void copy_dir(const char *from, const char *to)
{
	char cmd[400];

	snprintf(cmd, sizeof cmd, "rm -rf %s && cp -r %s %s", to, from, to);
	if (system(cmd))
		fail_now(cmd, NULL);
}

static void test_flip_data(const char *dir, const uint32_t *ids)
{
	struct content c;
	struct err e;
	size_t found = 0;
	char other[128];

	load(&c, dir, "data.mdb");
	snprintf(other, sizeof other, "%s-copy", dir);
	TEST("a flipped bit in LMDB's file is found, or it does no harm")
	{
		for (size_t at = 0; at < c.n; at++) {
			int batch;

			poke(&c, at, 1 << at % 8);
			batch = try_open(dir, ids, &e);
			CHECK(batch < 0 || batch == BATCHES - 1);
			if (batch >= 0 && (at % 97 == 0 || (at % 4096 < 160 && at % 3 == 0))) {
				copy_dir(dir, other);
				go_on(other, ids);
			}
			poke(&c, at, 0);
			found += batch < 0;
		}
		CHECK(found > 6000); /* the big value alone has as many bytes */
		printf("# %zu of %zu found\n", found, c.n);
	}
	TEST("LMDB's file cut at any page, or inside of one, is found")
	{
		for (size_t n = 0; n < c.n; n += n % 4096 ? 4096 - n % 4096 : 1000) {
			restore(&c, n);
			found = (size_t)try_open(dir, ids, &e) + 1;
			CHECK(!found || found == BATCHES);
		}
		restore(&c, 4096);
		CHECK_INT(try_open(dir, ids, &e), -1);
		CHECK(strstr(e.msg, "data.mdb: the file is too short") != NULL);
	}
	restore(&c, c.n);
	free(c.p);
}

static void test_missing(const char *dir, const uint32_t *ids)
{
	static const char *const names[] = { "data.mdb", "log.00000003", "format" };
	static const char *const say[] = { "/data.mdb: the file is missing", ": the log is missing",
					   "/format: the file is missing" };
	struct content c;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		TEST(i == 0 ? "LMDB's file is gone" : i == 1 ? "the log is gone" : "the format is gone")
		{
			load(&c, dir, names[i]);
			unlink(c.path);
			CHECK_INT(try_open(dir, ids, &e), -1);
			if (!strstr(e.msg, say[i]))
				printf("# %s\n", e.msg);
			CHECK(strstr(e.msg, say[i]) != NULL);
			restore(&c, c.n);
			CHECK_INT(try_open(dir, ids, &e), BATCHES - 1);
			free(c.p);
		}
	}
}

/* A log of several files that were not folded yet: one that is gone, one that lost its end. */
static void test_files(void)
{
	struct store_opts one = { .no_sync = true, .segment_bytes = 1 << 20 };
	uint32_t ids[2];
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &one);
	struct content first, data;
	struct err e = { 0 };

	set_stages(s, ids);
	make_batch(s, ids, 0);
	make_batch(s, ids, 1);
	store_close(s);
	load(&first, dir, "log.00000001");
	s = open_or_fail(dir, &one);
	CHECK_INT(store_fold(s, &e), 0);
	make_batch(s, ids, 2);
	store_close(s);
	load(&data, dir, "data.mdb");
	TEST("a file that was folded and lost its seal is not mistaken for the log's end")
	{
		restore(&first, first.n);
		CHECK_INT(try_open(dir, ids, &e), -1);
		CHECK(strstr(e.msg, "log.00000001: its end is missing") || strstr(e.msg, "the file before it is not whole"));
		unlink(first.path);
		CHECK_INT(try_open(dir, ids, &e), 2);
	}
	TEST("an LMDB file of before is found")
	{
		s = open_or_fail(dir, &one);
		CHECK_INT(store_fold(s, &e), 0);
		make_batch(s, ids, 3);
		store_close(s);
		restore(&data, data.n);
		CHECK_INT(try_open(dir, ids, &e), -1);
		CHECK(strstr(e.msg, "data.mdb: the file is older than the log") != NULL);
	}
	free(first.p);
	free(data.p);
}

static void limit_files(rlim_t n)
{
	struct rlimit r;

	getrlimit(RLIMIT_FSIZE, &r);
	r.rlim_cur = n < r.rlim_max ? n : r.rlim_max;
	setrlimit(RLIMIT_FSIZE, &r);
}

static off_t file_bytes(const char *dir, const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return stat(path, &st) ? 0 : st.st_size;
}

static void test_full(void)
{
	struct store_opts small = { .no_sync = true, .segment_bytes = 2 << 10 };
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &plain);
	struct store_point p = { .batch = 2 };
	struct err e = { 0 }, again = { 0 };
	uint32_t ids[2];

	signal(SIGXFSZ, SIG_IGN);
	set_stages(s, ids);
	make_batch(s, ids, 0);
	make_batch(s, ids, 1);
	TEST("no room for a commit: a clear error, again and again, and the last commit intact")
	{
		limit_files((rlim_t)file_bytes(dir, "log.00000001") + 64);
		put(s, ids[0], "no", "room");
		for (int i = 0; i < 40; i++)
			put(s, ids[0], "no", "room");
		CHECK_INT(store_commit(s, &p, false, &e), -1);
		CHECK(strstr(e.msg, "/log.00000001: cannot write: File too large") != NULL);
		CHECK_STR(e.hint, "what was committed is whole: the next run goes on from there, with room again");
		CHECK_INT(store_commit(s, &p, false, &again), -1);
		CHECK_STR(again.msg, e.msg);
		limit_files(RLIM_INFINITY);
		store_close(s);
		CHECK_INT(try_open(dir, ids, &e), 1);
	}
	TEST("no room for a fold: told by a later commit, nothing lost")
	{
		uint64_t last, keys, done = 0;

		s = open_or_fail(dir, &small);
		last = store_last_commit(s)->batch;
		keys = store_program(s)->stages[0].keys;
		limit_files(40 << 10);
		e = (struct err){ 0 };
		for (int i = 0; i < 3000 && !e.kind; i++) {
			char key[32];
			struct store_bytes kv[2] = { { key, (size_t)snprintf(key, sizeof key, "%d", i) },
						     BYTES("0123456789012345678901234567890123456789") };

			p.batch = 100 + (uint64_t)i;
			store_put(s, ids[0], kv, NULL, &e);
			if (!e.kind && !store_commit(s, &p, false, &e)) {
				last = p.batch;
				done++;
			}
		}
		if (!strstr(e.msg, "/data.mdb: cannot write: "))
			printf("# %s\n", e.msg);
		CHECK(e.kind == ERR_IO && strstr(e.msg, "/data.mdb: cannot write: "));
		limit_files(RLIM_INFINITY);
		store_close(s);
		s = open_or_fail(dir, &plain);
		CHECK_INT(store_last_commit(s)->batch, last);
		CHECK_INT(store_program(s)->stages[0].keys, keys + done);
		store_close(s);
	}
}

static void test_wal(void)
{
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &plain);
	struct err e = { 0 };
	struct content c;
	uint64_t end;

	for (int i = 0; i < 5; i++)
		store_wal_append(s, 0, BYTES("some bytes of input"), false, &e);
	store_close(s);
	load(&c, dir, "wal.0.00000001");
	TEST("an input's log cut at every length ends at a piece")
	{
		for (size_t n = 40; n <= c.n; n++) {
			restore(&c, n);
			s = open_or_fail(dir, &plain);
			CHECK_INT(store_wal_end(s, 0, &end, &e), 0);
			CHECK_INT(end, 19 * ((n - 40) / 56));
			store_close(s);
		}
	}
	TEST("a flipped bit in an input's log is found, or it was the last piece's")
	{
		for (size_t at = 0; at < c.n; at++) {
			restore(&c, c.n);
			poke(&c, at, 4);
			s = open_or_fail(dir, &plain);
			e = (struct err){ 0 };
			if (!store_wal_end(s, 0, &end, &e))
				CHECK_INT(end, 19 * 4);
			else
				CHECK(strstr(e.msg, "wal.0.00000001: ") != NULL);
			CHECK(e.kind || at >= c.n - 56);
			store_close(s);
		}
	}
	free(c.p);
}

/* Zeros where the i-th of the frames stood. */
static void blank(struct content *c, size_t i)
{
	restore(c, c->n);
	for (size_t at = 40 + 56 * i; at < 96 + 56 * i; at++)
		poke(c, at, (unsigned char)c->p[at]);
}

static void test_wal_unsynced(void)
{
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &plain);
	struct err e = { 0 };
	struct content c;
	uint64_t end;

	store_wal_append(s, 0, BYTES("some bytes of input"), false, &e);
	store_wal_append(s, 0, BYTES("some bytes of later"), true, &e);
	store_wal_append(s, 0, BYTES("some bytes at an end"), true, &e);
	store_close(s);
	load(&c, dir, "wal.0.00000001");
	TEST("of pieces that were not synced any may be lost, and those behind it go with it")
	{
		blank(&c, 1);
		s = open_or_fail(dir, &plain);
		CHECK_INT(store_wal_end(s, 0, &end, &e), 0);
		CHECK_INT(end, 19);
		CHECK_INT(store_wal_append(s, 0, BYTES("more"), false, &e), 0);
		store_close(s);
		s = open_or_fail(dir, &plain);
		CHECK_INT(store_wal_end(s, 0, &end, &e), 0);
		CHECK_INT(end, 23);
		store_close(s);
	}
	TEST("one that was synced is missed")
	{
		blank(&c, 0);
		s = open_or_fail(dir, &plain);
		CHECK_INT(store_wal_end(s, 0, &end, &e), -1);
		CHECK(strstr(e.msg, "wal.0.00000001: damaged at offset 40") != NULL);
		store_close(s);
	}
	free(c.p);
}

int main(void)
{
	uint32_t ids[2];
	const char *dir = make_checkpoint(ids);

	test_missing(dir, ids);
	test_flip_data(dir, ids);
	test_flip_log(dir, ids);
	test_cut_log(dir, ids);
	test_files();
	test_known_end();
	test_full();
	test_wal();
	test_wal_unsynced();
	for (int i = 0; i < BATCHES; i++)
		free(want[i]);
	remove_dirs();
	return test_done();
}

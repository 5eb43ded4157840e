/* The store as its callers see it: what goes in comes out, now, after a restart, out of the log and out of LMDB. */
#include <sys/wait.h>

#include "state/inspect.h"
#include "state_fixture.h"

static const struct store_opts plain = { .no_sync = true, .command = "strm test" };
static const struct store_opts reading = { .read_only = true };

static void test_round_trip(void)
{
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &plain);
	uint32_t id[2];

	TEST("a new checkpoint is empty")
	{
		CHECK(!store_program(s));
		CHECK(!store_last_commit(s));
		CHECK(!store_open_cut(s));
	}
	TEST("what was put is there at once, in the order of the keys")
	{
		set_stages(s, id);
		put(s, id[0], "y", "1");
		put(s, id[0], "x", "2");
		put(s, id[1], "x", "other");
		put(s, id[0], "", "empty key");
		CHECK_STR(contents(s, id[0]), "=empty key x=2 y=1 ");
		CHECK_STR(value_of(s, id[0], "y"), "1");
		CHECK_STR(value_of(s, id[1], "x"), "other");
		CHECK_STR(value_of(s, id[1], "y"), "-");
		commit(s, 0);
	}
	TEST("a restart brings back the commit and drops what was not committed")
	{
		put(s, id[0], "z", "lost");
		del(s, id[0], "x");
		store_close(s);
		s = open_or_fail(dir, &plain);
		CHECK_STR(contents(s, id[0]), "=empty key x=2 y=1 ");
		CHECK_INT(store_last_commit(s)->batch, 0);
		CHECK_BYTES(store_last_commit(s)->data.p, store_last_commit(s)->data.n, "pos 0");
		CHECK_INT(store_program(s)->n_stages, 2);
		CHECK_INT(store_program(s)->stages[0].keys, 3);
		CHECK_BYTES(store_program(s)->text.p, store_program(s)->text.n, "a | b");
	}
	TEST("deletes and overwrites last, folded or not")
	{
		struct err e = { 0 };

		for (int folded = 0; folded < 2; folded++) {
			put(s, id[0], "y", folded ? "22" : "11");
			put(s, id[0], "new", "n");
			del(s, id[0], "new");
			del(s, id[0], "x");
			put(s, id[0], "w", "");
			commit(s, 1 + (uint64_t)folded);
			if (folded)
				CHECK_INT(store_fold(s, &e), 0);
			CHECK_STR(contents(s, id[0]), folded ? "=empty key w= y=22 " : "=empty key w= y=11 ");
			store_close(s);
			s = open_or_fail(dir, &plain);
			CHECK_STR(contents(s, id[0]), folded ? "=empty key w= y=22 " : "=empty key w= y=11 ");
			CHECK_STR(contents(s, id[1]), "x=other ");
		}
	}
	TEST("over LMDB lie the commits of the log, over those the changes of the next commit")
	{
		struct err e = { 0 };

		put(s, id[0], "y", "log");
		put(s, id[0], "b", "log");
		commit(s, 3);
		del(s, id[0], "w");
		put(s, id[0], "b", "pending");
		CHECK_STR(contents(s, id[0]), "=empty key b=pending y=log ");
		CHECK_STR(value_of(s, id[0], "w"), "-");
		CHECK_STR(value_of(s, id[0], "b"), "pending");
		CHECK_STR(value_of(s, id[0], "y"), "log");
		CHECK_STR(value_of(s, id[0], ""), "empty key");
		CHECK_INT(store_verify(s, &e), 0);
		commit(s, 4);
		CHECK_INT(store_fold(s, &e), 0);
		CHECK_STR(contents(s, id[0]), "=empty key b=pending y=log ");
		CHECK_STR(value_of(s, id[0], "w"), "-");
		CHECK_INT(store_verify(s, &e), 0);
		CHECK_STR(e.msg, "");
	}
	store_close(s);
}

static void test_cuts(void)
{
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &plain);
	uint32_t id[2];
	struct err e = { 0 };

	set_stages(s, id);
	TEST("a cut without its commit is found by the restart")
	{
		cut(s, 0);
		put(s, id[0], "k", "v");
		store_close(s);
		s = open_or_fail(dir, &plain);
		CHECK(store_open_cut(s) && store_open_cut(s)->batch == 0 && store_open_cut(s)->time == 0);
		CHECK(!store_last_commit(s));
	}
	TEST("a commit ends the cut")
	{
		commit(s, 0);
		CHECK(!store_open_cut(s));
		store_close(s);
		s = open_or_fail(dir, &plain);
		CHECK(!store_open_cut(s));
		CHECK_INT(store_last_commit(s)->batch, 0);
	}
	TEST("an open cut outlives folds and restarts")
	{
		cut(s, 1);
		CHECK_INT(store_fold(s, &e), 0);
		store_close(s);
		s = open_or_fail(dir, &plain);
		CHECK(store_open_cut(s) && store_open_cut(s)->batch == 1);
		CHECK_BYTES(store_open_cut(s)->data.p, store_open_cut(s)->data.n, "cut 1");
		CHECK_INT(store_fold(s, &e), 0);
		CHECK_INT(store_fold(s, &e), 0);
		store_close(s);
		s = open_or_fail(dir, &plain);
		CHECK(store_open_cut(s) && store_open_cut(s)->batch == 1);
	}
	TEST("a commit for later counts with the cut that comes after it")
	{
		struct store_point p = { .batch = 1, .data = BYTES("later") };

		CHECK_INT(store_commit(s, &p, true, &e), 0);
		store_close(s);
		s = open_or_fail(dir, &plain);
		CHECK_INT(store_last_commit(s)->batch, 0);
		CHECK_INT(store_commit(s, &p, true, &e), 0);
		cut(s, 2);
		store_close(s);
		s = open_or_fail(dir, &plain);
		CHECK_INT(store_last_commit(s)->batch, 1);
		CHECK_INT(store_open_cut(s)->batch, 2);
	}
	store_close(s);
}

static void test_program(void)
{
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &plain);
	struct store_stage stages[3] = { { .name = "b", .fingerprint = 2 },
					 { .name = "a", .fingerprint = 99 },
					 { .name = "c", .fingerprint = 3 } };
	struct store_program p = { BYTES("b | a | c"), stages, 3 };
	struct err e = { 0 };
	uint32_t id[2];
	bool kept[2];

	set_stages(s, id);
	put(s, id[0], "k", "a's");
	put(s, id[1], "k", "b's");
	commit(s, 0);
	CHECK_INT(store_fold(s, &e), 0);
	TEST("stages go on by name and fingerprint, all others start anew")
	{
		store_match(s, &p, kept);
		CHECK(!kept[0] && kept[1]);
		CHECK(stages[0].fate == STORE_KEPT && stages[1].fate == STORE_ANEW && stages[2].fate == STORE_ANEW);
		CHECK_INT(stages[0].keys, 1);
		CHECK_INT(store_set_program(s, &p, &e), 0);
		CHECK_INT(stages[0].id, id[1]);
		CHECK(stages[1].id > id[1] && stages[2].id > stages[1].id);
	}
	for (int i = 0; i < 3; i++) {
		TEST(i == 0   ? "what was dropped is gone at once"
		     : i == 1 ? "what was dropped is gone after a restart"
			      : "what was dropped is gone from LMDB")
		{
			CHECK_STR(contents(s, id[1]), "k=b's ");
			CHECK_STR(contents(s, id[0]), "");
			CHECK_STR(value_of(s, id[0], "k"), "-");
			CHECK_STR(contents(s, stages[1].id), "");
			CHECK_INT(store_program(s)->n_stages, 3);
			if (i == 1)
				CHECK_INT(store_fold(s, &e), 0);
		}
		store_close(s);
		s = open_or_fail(dir, &plain);
	}
	TEST("the same program again writes nothing")
	{
		CHECK_INT(store_set_program(s, &p, &e), 0);
		CHECK_INT(stages[1].fate, STORE_KEPT);
	}
	store_close(s);
}

static void test_marks(void)
{
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &plain);
	struct store_bytes kv[2] = { BYTES("key"), BYTES("1") };
	struct store_found found = { 0 };
	uint32_t id[2], mark = 0;
	struct err e = { 0 };

	set_stages(s, id);
	TEST("an owner that remembers marks needs no lookups")
	{
		CHECK_INT(store_put(s, id[0], kv, &mark, &e), 0);
		CHECK(mark != 0);
		kv[1] = BYTES("2");
		CHECK_INT(store_put(s, id[0], kv, &mark, &e), 0);
		CHECK_INT(store_get(s, id[0], kv[0], &found, &e), 1);
		CHECK(found.mark == mark);
		CHECK_INT(store_program(s)->stages[0].keys, 1);
		commit(s, 0);
		CHECK_INT(store_delete(s, id[0], kv[0], &mark, &e), 0);
		CHECK_INT(mark, 0);
		CHECK_INT(store_program(s)->stages[0].keys, 0);
		CHECK_INT(store_put(s, id[0], kv, &mark, &e), 0);
		commit(s, 1);
		store_close(s);
		s = open_or_fail(dir, &plain);
		CHECK_STR(contents(s, id[0]), "key=2 ");
	}
	TEST("a wrong mark is found by the restart")
	{
		mark ^= 8;
		CHECK_INT(store_put(s, id[0], kv, &mark, &e), 0);
		commit(s, 2);
		store_close(s);
		s = store_open(dir, &plain, &e);
		CHECK(!s);
		CHECK(strstr(e.msg, "damaged: stage \"a\" has 1 entries, not the 1 that were committed") != NULL);
	}
	store_close(s);
	buf_release(&found.value);
}

static void long_key(char *out, size_t n, int i)
{
	memset(out, 'k', n);
	snprintf(out + n - 8, 8, "%07d", i);
	out[n - 1] = 0;
}

static void test_long_keys(void)
{
	for (unsigned weak = 0; weak < 2; weak++) {
		struct store_opts opts = { .no_sync = true, .weak_hash = weak };
		const char *dir = fresh_dir();
		struct store *s = open_or_fail(dir, &opts);
		struct err e = { 0 };
		char key[600];
		uint32_t id[2];

		set_stages(s, id);
		TEST(weak ? "long keys whose hashes are the same stay apart" : "keys longer than LMDB's")
		{
			for (int round = 0; round < 2; round++) {
				for (int i = 0; i < 20; i++) {
					long_key(key, 520 + (size_t)i, i);
					put(s, id[0], key, round ? "two" : "one");
				}
				commit(s, (uint64_t)round);
				CHECK_INT(store_fold(s, &e), 0);
			}
			for (int i = 0; i < 20; i += 2) {
				long_key(key, 520 + (size_t)i, i);
				del(s, id[0], key);
			}
			commit(s, 2);
			CHECK_INT(store_program(s)->stages[0].keys, 10);
			CHECK_INT(store_fold(s, &e), 0);
			CHECK_INT(store_verify(s, &e), 0);
			store_close(s);
			s = open_or_fail(dir, &opts);
			for (int i = 0; i < 20; i++) {
				long_key(key, 520 + (size_t)i, i);
				CHECK_STR(value_of(s, id[0], key), i % 2 ? "two" : "-");
			}
			CHECK_STR(e.msg, "");
		}
		TEST(weak ? "keys of LMDB's length, weakly hashed" : "keys of LMDB's length, one more and one less")
		{
			for (int n = 505; n < 510; n++) {
				memset(key, 'e', (size_t)n);
				key[n] = 0;
				put(s, id[1], key, "edge");
				commit(s, 3);
				CHECK_INT(store_fold(s, &e), 0);
				CHECK_STR(value_of(s, id[1], key), "edge");
			}
		}
		store_close(s);
	}
}

static void test_growth(void)
{
	struct store_opts opts = { .no_sync = true, .map_bytes = 1 << 16, .segment_bytes = 1 << 15 };
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &opts);
	char key[32], value[200];
	struct err e = { 0 };
	uint32_t id[2];

	set_stages(s, id);
	TEST("LMDB's map grows, the log is folded behind the back")
	{
		memset(value, 'v', sizeof value);
		value[sizeof value - 1] = 0;
		for (int i = 0; i < 20000; i++) {
			snprintf(key, sizeof key, "%d", i % 15000);
			put(s, id[i & 1], key, value);
			if (i % 100 == 99)
				commit(s, (uint64_t)i / 100);
		}
		CHECK_INT(store_fold(s, &e), 0);
		CHECK_INT(store_verify(s, &e), 0);
		CHECK_INT(store_program(s)->stages[0].keys + store_program(s)->stages[1].keys, 15000);
		store_close(s);
		s = open_or_fail(dir, &opts);
		CHECK_STR(value_of(s, id[0], "14998"), value);
		CHECK_STR(value_of(s, id[0], "14999"), "-");
		CHECK_INT(store_last_commit(s)->batch, 199);
		CHECK_STR(e.msg, "");
	}
	store_close(s);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		fail_now(path, NULL);
}

static void test_lock(void)
{
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &plain), *other;
	struct err e = { 0 };
	char want[200];
	uint32_t id[2];

	set_stages(s, id);
	put(s, id[0], "k", "v");
	commit(s, 0);
	TEST("a second one is told who holds the checkpoint")
	{
		CHECK(!store_open(dir, &plain, &e));
		CHECK_INT(e.kind, ERR_LOCKED);
		snprintf(want, sizeof want, "%s: process %ld holds the checkpoint: strm test", dir, (long)getpid());
		CHECK_STR(e.msg, want);
	}
	TEST("reading needs no lock")
	{
		other = open_or_fail(dir, &reading);
		CHECK_STR(contents(other, id[0]), "k=v ");
		e = (struct err){ 0 };
		CHECK_INT(store_sync(other, &e), -1);
		CHECK(strstr(e.msg, "reading only") != NULL);
		store_close(other);
	}
	TEST("one on another host is told so")
	{
		write_file(dir, "lock", "12 words | count\nelsewhere.example\n");
		e = (struct err){ 0 };
		CHECK(!store_open(dir, &plain, &e));
		CHECK(strstr(e.msg, ": process 12 on elsewhere.example holds the checkpoint: words | count") != NULL);
	}
	store_close(s);
	TEST("the lock goes with its process")
	{
		s = open_or_fail(dir, &plain);
		store_close(s);
	}
}

static bool has_file(const char *dir, const char *name)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return !access(path, F_OK);
}

static void remove_file(const char *dir, const char *name)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (unlink(path))
		fail_now(path, NULL);
}

static void test_format(void)
{
	const char *dir = fresh_dir();
	struct store *s;
	struct err e = { 0 };

	store_close(open_or_fail(dir, &plain));
	TEST("a newer format is refused")
	{
		write_file(dir, "format", "strm checkpoint 3\n");
		CHECK(!store_open(dir, &plain, &e));
		CHECK(strstr(e.msg, "written by a newer strm: its format is 3, this one reads 2") != NULL);
	}
	TEST("an older format is refused")
	{
		write_file(dir, "format", "strm checkpoint 1\n");
		e = (struct err){ 0 };
		CHECK(!store_open(dir, &plain, &e));
		CHECK(strstr(e.msg, "written by an older strm: its format is 1, this one reads 2") != NULL);
	}
	TEST("a damaged format is told")
	{
		write_file(dir, "format", "strm chickpoint 1\n");
		e = (struct err){ 0 };
		CHECK(!store_open(dir, &plain, &e));
		CHECK(strstr(e.msg, "format: damaged: not the format of a checkpoint") != NULL);
	}
	TEST("a directory with other things in it is left alone")
	{
		dir = fresh_dir();
		mkdir(dir, 0777);
		write_file(dir, "thesis.tex", "");
		e = (struct err){ 0 };
		CHECK(!store_open(dir, &plain, &e));
		CHECK(strstr(e.msg, "not a checkpoint: it has a file \"thesis.tex\" and no file \"format\"") != NULL);
		CHECK_STR(e.hint, "--checkpoint wants a directory of its own");
		CHECK(!has_file(dir, "lock"));
	}
	TEST("a checkpoint that has lost its format does not begin anew")
	{
		struct store_program p = { BYTES("a"), NULL, 0 };

		dir = fresh_dir();
		s = open_or_fail(dir, &plain);
		e = (struct err){ 0 };
		CHECK_INT(store_set_program(s, &p, &e), 0);
		store_close(s);
		remove_file(dir, "format");
		for (int i = 0; i < 2; i++) {
			e = (struct err){ 0 };
			CHECK(!store_open(dir, i ? &reading : &plain, &e));
			CHECK(strstr(e.msg, "/format: the file is missing") != NULL);
		}
	}
	TEST("one that is half made is made")
	{
		dir = fresh_dir();
		mkdir(dir, 0777);
		write_file(dir, "log.00000001", "");
		write_file(dir, "log.00000001.tmp", "strmlog");
		write_file(dir, "format.tmp", "strm");
		store_close(open_or_fail(dir, &plain));
	}
	TEST("nothing to read where nothing is")
	{
		dir = fresh_dir();
		e = (struct err){ 0 };
		CHECK(!store_open(dir, &reading, &e));
		CHECK(strstr(e.msg, "cannot open the checkpoint: No such file or directory") != NULL);
		mkdir(dir, 0777);
		e = (struct err){ 0 };
		CHECK(!store_open(dir, &reading, &e));
		CHECK(strstr(e.msg, "no checkpoint there") != NULL);
	}
}

static int add_piece(void *ctx, uint64_t at, struct store_bytes piece)
{
	buf_printf(ctx, "%d:", (int)at);
	buf_add(ctx, piece.p, piece.n);
	buf_char(ctx, ' ');
	return 0;
}

static const char *wal_from(struct store *s, uint32_t input, uint64_t from)
{
	static struct buf b;
	struct store_reader r = { from, add_piece, &b };
	struct err e = { 0 };

	b.n = 0;
	if (store_wal_read(s, input, &r, &e) < 0)
		buf_str(&b, e.msg);
	return buf_cstr(&b);
}

static void test_wal(void)
{
	struct store_opts opts = { .no_sync = true, .segment_bytes = 200 };
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &opts);
	struct err e = { 0 };
	uint64_t end;

	TEST("the log of an input is read from any offset")
	{
		CHECK_INT(store_wal_append(s, 0, BYTES("hello "), true, &e), 0);
		CHECK_INT(store_wal_append(s, 3, BYTES("other"), false, &e), 0);
		CHECK_INT(store_wal_append(s, 0, BYTES("world\n"), false, &e), 0);
		CHECK_STR(wal_from(s, 0, 0), "0:hello  6:world\n ");
		CHECK_STR(wal_from(s, 0, 8), "8:rld\n ");
		CHECK_STR(wal_from(s, 0, 12), "");
		CHECK_STR(wal_from(s, 3, 0), "0:other ");
		CHECK(strstr(wal_from(s, 0, 13), "has bytes 0 to 12, not those from 13 on") != NULL);
	}
	TEST("a trimmed log goes on where it was")
	{
		for (int i = 0; i < 50; i++)
			CHECK_INT(store_wal_append(s, 0, BYTES("0123456789"), false, &e), 0);
		CHECK_INT(store_wal_trim(s, 0, 500, &e), 0);
		CHECK_STR(wal_from(s, 0, 500), "500:89 502:0123456789 ");
		CHECK(strstr(wal_from(s, 0, 0), ", not those from 0 on") != NULL);
		CHECK_INT(store_wal_trim(s, 0, 512, &e), 0);
		store_close(s);
		s = open_or_fail(dir, &opts);
		CHECK_INT(store_wal_end(s, 0, &end, &e), 0);
		CHECK_INT(end, 512);
		CHECK_STR(wal_from(s, 0, 512), "");
		CHECK_INT(store_wal_append(s, 0, BYTES("more"), false, &e), 0);
		CHECK_STR(wal_from(s, 0, 512), "512:more ");
	}
	store_close(s);
}

static int export_line(void *ctx, const struct inspect_stage *stage, const struct store_entry *entry)
{
	buf_printf(ctx, "%s.%.*s ", stage->name, (int)entry->key.n, entry->key.p);
	return 0;
}

static void test_inspect(void)
{
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &plain);
	struct buf b = { 0 };
	struct inspect_sink sink = { export_line, &b };
	struct inspect_entry rows[3] = { 0 };
	struct inspect in;
	struct err e = { 0 };
	uint32_t id[2];
	size_t n = 3;

	set_stages(s, id);
	put(s, id[0], "x", "123");
	put(s, id[0], "yy", "1234567890");
	put(s, id[1], "z", "123456");
	put(s, id[1], "w", "123456");
	commit(s, 7);
	store_fold(s, &e);
	put(s, id[0], "xx", "1");
	cut(s, 8);
	store_wal_append(s, 2, BYTES("abc"), false, &e);
	store_wal_append(s, 11, BYTES("a"), false, &e);
	commit(s, 8);
	cut(s, 9);
	store_close(s);
	s = open_or_fail(dir, &reading);
	TEST("a checkpoint is shown: stages, sizes, points, logs of inputs")
	{
		CHECK_INT(inspect_open(&in, s, &e), 0);
		CHECK_INT(in.n_stages, 2);
		CHECK_STR(in.stages[0].name, "a");
		CHECK_INT(in.stages[0].keys, 3);
		CHECK_INT(in.stages[0].key_bytes, 5);
		CHECK_INT(in.stages[0].value_bytes, 14);
		CHECK_INT(in.commit->batch, 8);
		CHECK_INT(in.cut->batch, 9);
		CHECK_INT(in.n_wals, 2);
		CHECK_INT(in.wals[0].input, 2);
		CHECK_INT(in.wals[0].end, 3);
		CHECK_INT(in.wals[1].input, 11);
		CHECK(in.log_bytes && in.data_bytes);
		inspect_release(&in);
	}
	TEST("the fattest entries")
	{
		CHECK_INT(inspect_top(s, 0, rows, &n, &e), 0);
		CHECK_INT(n, 3);
		CHECK_BYTES(rows[0].key.p, rows[0].key.n, "yy");
		CHECK_BYTES(rows[1].key.p, rows[1].key.n, "w");
		CHECK_BYTES(rows[2].key.p, rows[2].key.n, "z");
		CHECK_INT(rows[2].stage, id[1]);
		inspect_entries_release(rows, n);
	}
	TEST("everything, in order")
	{
		CHECK_INT(inspect_export(s, &sink, &e), 0);
		CHECK_STR(buf_cstr(&b), "a.x a.xx a.yy b.w b.z ");
	}
	TEST("what another program would keep, start anew and drop")
	{
		struct store_stage stages[2] = { { .name = "b", .fingerprint = 2 }, { .name = "a", .fingerprint = 5 } };
		struct store_program p = { BYTES("b | a"), stages, 2 };
		struct inspect_diff *diff;

		inspect_diff(s, &p, &diff, &n);
		CHECK_INT(n, 3);
		CHECK(diff[0].change == INSPECT_KEPT && diff[0].keys == 2 && !strcmp(diff[0].name, "b"));
		CHECK(diff[1].change == INSPECT_ANEW && diff[1].changed && !strcmp(diff[1].name, "a"));
		CHECK(diff[2].change == INSPECT_DROPPED && diff[2].keys == 3 && !strcmp(diff[2].name, "a"));
		free(diff);
	}
	CHECK_STR(e.msg, "");
	store_close(s);
	buf_release(&b);
}

int main(void)
{
	test_round_trip();
	test_cuts();
	test_program();
	test_marks();
	test_long_keys();
	test_growth();
	test_lock();
	test_format();
	test_wal();
	test_inspect();
	remove_dirs();
	return test_done();
}

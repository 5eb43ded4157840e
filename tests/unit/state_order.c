/* In what order the store makes things last. A power loss may keep the one change of a directory and forget the other, and
 * whatever was not synced. */
#include <sys/syscall.h>

#include "state_fixture.h"

static bool named;	    /* LMDB's file was there when its directory was synced */
static int gone, too_early; /* files of the log */
static int kept;	    /* pieces of inputs that were synced */

/* In front of the C library's. */
int fsync(int fd)
{
	if (!faccessat(fd, "data.mdb", F_OK, 0))
		named = true;
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	char self[64], path[256] = "";

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	kept += readlink(self, path, sizeof path - 1) > 0 && strstr(path, "/wal.") != NULL;
	return (int)syscall(SYS_fdatasync, fd);
}

int unlinkat(int dir, const char *path, int flags)
{
	if (!strncmp(path, "log.", 4)) {
		gone++;
		too_early += !named;
	}
	return (int)syscall(SYS_unlinkat, dir, path, flags);
}

static void test_fold(void)
{
	static const struct store_opts opts = { .segment_bytes = 4096 };
	struct store *s = open_or_fail(fresh_dir(), &opts);
	struct err e = { 0 };
	uint32_t ids[2];

	TEST("LMDB's file has its name before the first file of the log goes")
	{
		set_stages(s, ids);
		put(s, ids[0], "k", "v");
		cut(s, 1);
		commit(s, 1);
		CHECK_INT(store_fold(s, &e), 0);
		CHECK_INT(gone, 1);
		CHECK_INT(too_early, 0);
	}
	store_close(s);
}

/* One that was killed leaves what it wrote, and the next one reads it: a power failure may not take it back then. */
static void test_left(void)
{
	static const struct store_opts opts = { 0 };
	const char *dir = fresh_dir();
	struct store *s = open_or_fail(dir, &opts);
	struct err e = { 0 };
	uint64_t end = 0;
	int before;

	TEST("what was written and not synced is synced before it is read")
	{
		CHECK_INT(store_wal_append(s, 1, BYTES("a piece"), true, &e), 0);
		store_close(s);
		before = kept;
		s = open_or_fail(dir, &opts);
		CHECK(kept > before);
		CHECK_INT(store_wal_end(s, 1, &end, &e), 0);
		CHECK_INT(end, 7);
	}
	store_close(s);
}

int main(void)
{
	test_fold();
	test_left();
	remove_dirs();
	return test_done();
}

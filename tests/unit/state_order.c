/* In what order the store makes names last: a file of the log goes when that of LMDB, which has what was in it, has its name on the disk.
 * A power loss may keep the one change of a directory and forget the other. */
#include <sys/syscall.h>

#include "state_fixture.h"

static bool named;       /* LMDB's file was there when its directory was synced */
static int gone, too_early; /* files of the log */

/* In front of the C library's. */
int fsync(int fd)
{
	if (!faccessat(fd, "data.mdb", F_OK, 0))
		named = true;
	return (int)syscall(SYS_fsync, fd);
}

int unlinkat(int dir, const char *path, int flags)
{
	if (!strncmp(path, "log.", 4)) {
		gone++;
		too_early += !named;
	}
	return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int main(void)
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
	remove_dirs();
	return test_done();
}

#include "io/file_id.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int64_t ns_of(struct statx_timestamp t) { return t.tv_sec * INT64_C(1000000000) + t.tv_nsec; }

static int get(int fd, const char *path, struct file_id *out)
{
	struct statx st;

	if (statx(fd, path, *path ? 0 : AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st))
		return -1;
	*out = (struct file_id){
		.dev = makedev(st.stx_dev_major, st.stx_dev_minor),
		.ino = st.stx_ino,
		.born_ns = st.stx_mask & STATX_BTIME ? ns_of(st.stx_btime) : 0,
		.mtime_ns = ns_of(st.stx_mtime),
		.size = (int64_t)st.stx_size,
		.is_file = S_ISREG(st.stx_mode),
	};
	return 0;
}

int file_id_of(const char *path, struct file_id *out) { return get(AT_FDCWD, path, out); }

int file_id_of_fd(int fd, struct file_id *out) { return get(fd, "", out); }

bool file_id_stays(const struct file_id *a, const struct file_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->born_ns == b->born_ns;
}

bool file_id_equal(const struct file_id *a, const struct file_id *b)
{
	return file_id_stays(a, b) && (a->born_ns || (a->mtime_ns == b->mtime_ns && a->size == b->size));
}

/* Who opens the file for writing within the moment that the lease is held makes the system send a signal: one that is ignored by
 * default. */
enum file_writers file_writers(int fd)
{
	if (fcntl(fd, F_SETSIG, SIGURG))
		return FILE_WRITERS_UNKNOWN;
	if (fcntl(fd, F_SETLEASE, F_RDLCK))
		return errno == EAGAIN ? FILE_HAS_WRITERS : FILE_WRITERS_UNKNOWN;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return FILE_NO_WRITERS;
}

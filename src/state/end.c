/* DIR/end: the seq of the last frame of the commit log that is known to be on the disk, u64, and its sum, u64, both little-endian. It is written behind each
 * sync and not synced itself, so it may be older than the log, or gone, but it is never ahead: a log that ends before it has lost its end. */
#include <fcntl.h>
#include <unistd.h>

#include "state/store_impl.h"

#define END_BYTES 16
#define END_SEED 0x656e64

void store_note_end(struct store *s)
{
	char b[END_BYTES];

	if (s->opts.no_sync)
		return;
	if (s->end_fd < 0)
		s->end_fd = openat(s->dir.fd, END_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	store_le(b, s->seq, 8);
	store_le(b + 8, sum64(b, 8, END_SEED), 8);
	/* not written is as good as older */
	if (s->end_fd >= 0 && pwrite(s->end_fd, b, sizeof b, 0) < 0)
		return;
}

uint64_t store_known_end(const struct store *s)
{
	int fd = openat(s->dir.fd, END_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char b[END_BYTES];
	bool whole = fd >= 0 && pread(fd, b, sizeof b, 0) == sizeof b && load_le(b + 8, 8) == sum64(b, 8, END_SEED);

	if (fd >= 0)
		close(fd);
	return whole ? load_le(b, 8) : 0;
}

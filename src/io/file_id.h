/* What tells files apart, and whether one is still being written. */
#ifndef STRM_IO_FILE_ID_H
#define STRM_IO_FILE_ID_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* A file through its names and changes: the inode and, because inodes are used again, when it was made. Where the file system
 * does not know that, born_ns is 0 and its last change and size speak for it. */
struct file_id {
	uint64_t dev, ino;
	int64_t born_ns;
	int64_t mtime_ns, size;
	bool is_file; /* a regular one */
};

/* Of a path (links are followed). 0, or -1 and errno. */
int file_id_of(const char *path, struct file_id *out);
int file_id_of_fd(int fd, struct file_id *out);
/* The same file, perhaps under two names? */
bool file_id_equal(const struct file_id *a, const struct file_id *b);
/* The same file at different times, under one name? It may have changed. */
bool file_id_stays(const struct file_id *a, const struct file_id *b);

enum file_writers { FILE_NO_WRITERS, FILE_HAS_WRITERS, FILE_WRITERS_UNKNOWN };

/* Has anybody the file behind fd (open for reading only) open for writing? Asked by a lease on it (fcntl(2), F_SETLEASE), which
 * the system gives the owner of a file, or root, while nobody has; it is given back at once. */
enum file_writers file_writers(int fd);

#endif

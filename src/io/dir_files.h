/* The files of a watched directory: which are known, which wait to be complete, which are to be read, oldest first. */
#ifndef STRM_IO_DIR_FILES_H
#define STRM_IO_DIR_FILES_H
#include "base/mem.h"
#include "io/file_id.h"

enum dir_state {
	DIR_WAITING, /* perhaps not complete */
	DIR_QUEUED,
	DIR_DONE, /* read, being read, or not wanted */
	DIR_LOST, /* it was not there when its turn came */
};

struct dir_file {
	char *path; /* within the directory */
	struct file_id id;
	enum dir_state state;
	bool gone;	   /* its name is free again; known on for the sake of a new name */
	bool noted;	   /* that it changed */
	uint64_t since_ms; /* waiting: unchanged since */
	uint64_t scan;	   /* the last scan that saw it */
	struct dir_file *next_name, *next_inode;
};

/* Zeroed memory is empty. */
struct dir_files {
	struct dir_file **names, **inodes; /* hash chains */
	size_t n, cap;
	struct dir_file **queue; /* a heap: the oldest on top */
	size_t n_queue, cap_queue;
};

/* By name, not gone; NULL. */
struct dir_file *dir_files_find(const struct dir_files *d, const char *path);
/* The same file under whatever name, if not lost; NULL. */
struct dir_file *dir_files_same(const struct dir_files *d, const struct file_id *id);
/* A new one, waiting. The name must be free. */
struct dir_file *dir_files_add(struct dir_files *d, const char *path, const struct file_id *id);
void dir_files_queue(struct dir_files *d, struct dir_file *f);
/* The oldest (last change, then name) of the queue, now done; NULL. Those that are gone are passed over. */
struct dir_file *dir_files_next(struct dir_files *d);
/* Forget those that the scan of this number did not see, but for queued ones. gone (NULL: nobody asks) is told of those that were done and have no other
 * name. */
void dir_files_sweep(struct dir_files *d, uint64_t scan, void (*gone)(void *ctx, const struct file_id *id), void *ctx);
void dir_files_release(struct dir_files *d);

#endif

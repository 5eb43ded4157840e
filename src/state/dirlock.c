#include "state/store_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"
#define FORMAT_NAME "format"
#define FORMAT_TEXT "strm checkpoint "
#define HOLDER_MAX 200 /* bytes of its command in a message */
#define LOCK_MAX (HOLDER_MAX + HOST_NAME_MAX + 32)

static int dir_error(const struct store *s, const char *what, struct err *e)
{
	int code = errno;

	err_set(e, ERR_IO, "%s: %s: %s", s->path, what, strerror(code));
	store_advise(s, code, e);
	return -1;
}

void store_advise(const struct store *s, int code, struct err *e)
{
	if (code != EACCES && code != EROFS && code != EPERM)
		return;
	if (s->opts.read_only)
		err_hint(e, "who wrote it, or root, may read it");
	else
		err_hint(e, "--checkpoint wants a directory that strm may write to; strm checkpoint ls reads one that it may not");
}

static int open_dir(struct store *s, struct err *e)
{
	int parent, r;

	if (!s->opts.read_only && mkdir(s->path, 0777) < 0 && errno != EEXIST)
		return dir_error(s, "cannot make the checkpoint", e);
	s->dir.fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir.fd < 0)
		return dir_error(s, "cannot open the checkpoint", e);
	if (!s->opts.read_only && faccessat(s->dir.fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return dir_error(s, "cannot write to the checkpoint", e);
	parent = s->opts.read_only || s->dir.no_sync ? -1 : openat(s->dir.fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return 0; /* the directory itself is all we have */
	r = fsync(parent) && errno != EINVAL && errno != EROFS ? dir_error(s, "cannot sync the directory that it is in", e) : 0;
	close(parent);
	return r;
}

static void own_host(char *host)
{
	if (gethostname(host, HOST_NAME_MAX) < 0)
		*host = 0;
	host[HOST_NAME_MAX] = 0;
}

/* "PID COMMAND", and its host on a line of its own, of the one who holds the lock. */
static int held(const struct store *s, int fd, struct err *e)
{
	char b[LOCK_MAX + 1], own[HOST_NAME_MAX + 1], *command, *host, *end;
	ssize_t n = pread(fd, b, LOCK_MAX, 0);

	b[n > 0 ? n : 0] = 0;
	command = strchr(b, ' ');
	if (!command)
		return err_set(e, ERR_LOCKED, "%s: another process holds the checkpoint", s->path);
	*command++ = 0;
	end = command + strcspn(command, "\n");
	host = *end ? end + 1 : end;
	*end = 0;
	host[strcspn(host, "\n")] = 0;
	own_host(own);
	if (*host && strcmp(host, own) != 0)
		return err_set(e, ERR_LOCKED, "%s: process %s on %s holds the checkpoint: %s", s->path, b, host, command);
	return err_set(e, ERR_LOCKED, "%s: process %s holds the checkpoint: %s", s->path, b, command);
}

/* Somebody else's, who did not let us write to it, can be asked for all the same. */
static int ask_lock(struct store *s, struct err *e)
{
	int code = errno, fd = code == EACCES ? openat(s->dir.fd, LOCK_NAME, O_RDONLY | O_CLOEXEC) : -1;
	int status = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK ? held(s, fd, e) : 0;

	if (fd >= 0)
		close(fd);
	errno = code;
	return status ? status : dir_error(s, "cannot lock the checkpoint", e);
}

/* In one line. */
static void holder_line(const struct store *s, struct buf *b)
{
	char host[HOST_NAME_MAX + 1];
	const char *p = s->command ? s->command : "strm";

	buf_printf(b, "%ld ", (long)getpid());
	for (; *p && b->n < HOLDER_MAX; p++)
		if (*p != '\n')
			buf_char(b, *p);
		else if (p[1])
			buf_str(b, " | ");
	own_host(host);
	buf_printf(b, "\n%s\n", host);
}

static int take_lock(struct store *s, struct err *e)
{
	struct buf line = { 0 };

	s->lock_fd = openat(s->dir.fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (s->lock_fd < 0)
		return ask_lock(s, e);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? held(s, s->lock_fd, e) : dir_error(s, "cannot lock the checkpoint", e);
	holder_line(s, &line);
	/* Only for a message: not written is no harm. Never cut to nothing, after which some file systems flush at close. */
	if (pwrite(s->lock_fd, line.p, line.n, 0) == (ssize_t)line.n && ftruncate(s->lock_fd, (off_t)line.n) < 0)
		errno = 0;
	buf_release(&line);
	return 0;
}

#define FIRST_LOG "log.00000001"

static bool is_half_made(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && !strcmp(name + n - 4, ".tmp");
}

static bool may_be_there(const char *name)
{
	return name[0] == '.' || !strcmp(name, LOCK_NAME) || !strcmp(name, FIRST_LOG) || is_half_made(name);
}

/* Of a checkpoint that was there: one that is being made has no more than the head of its first log. */
static bool is_left(const struct store *s, const char *name)
{
	struct stat st;

	if (!strcmp(name, END_NAME))
		return true;
	if ((strncmp(name, "log.", 4) && strncmp(name, "wal.", 4) && strncmp(name, "data.mdb", 8)) || is_half_made(name))
		return false;
	return strcmp(name, FIRST_LOG) || (!fstatat(s->dir.fd, name, &st, AT_SYMLINK_NOFOLLOW) && st.st_size > LOG_HEAD);
}

static DIR *open_list(const struct store *s, struct err *e)
{
	int fd = openat(s->dir.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		dir_error(s, "cannot list", e);
	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

/* Frames have their checksums, and LMDB does not ask for pages that were not synced. */
static void write_anew(const struct store *s, const char *name)
{
	int fd = strncmp(name, "log.", 4) && strncmp(name, "wal.", 4) ? -1 : openat(s->dir.fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	log_unsynced(fd, 0);
	close(fd);
}

static int sync_file(const struct store *s, const char *name, struct err *e)
{
	int fd = openat(s->dir.fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int status = 0;

	if (fd < 0)
		return 0;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && fdatasync(fd) < 0) {
		status = err_set(e, ERR_IO, "%s/%s: cannot sync: %s", s->path, name, strerror(errno));
		write_anew(s, name);
	}
	close(fd);
	return status;
}

/* What a process wrote that was killed before it synced: from here on it counts as kept. */
static int sync_left(const struct store *s, struct err *e)
{
	DIR *dir = open_list(s, e);
	int status = dir ? 0 : -1;

	for (struct dirent *entry; !status && (entry = readdir(dir));)
		if (strcmp(entry->d_name, LOCK_NAME) && strcmp(entry->d_name, END_NAME))
			status = sync_file(s, entry->d_name, e);
	if (dir)
		closedir(dir);
	return status ? status : dir_sync(&s->dir, e);
}

static bool has_format(const struct store *s) { return !faccessat(s->dir.fd, FORMAT_NAME, F_OK, 0); }

static int not_empty(const struct store *s, const char *name, struct err *e)
{
	if (is_left(s, name))
		return err_set(e, ERR_IO, "%s/%s: the file is missing", s->path, FORMAT_NAME);
	if (s->opts.read_only || may_be_there(name))
		return 0;
	err_set(e, ERR_IO, "%s: not a checkpoint: it has a file \"%s\" and no file \"%s\"", s->path, name, FORMAT_NAME);
	return err_hint(e, "--checkpoint wants a directory of its own");
}

/* A directory with other things in it is no place for a checkpoint, and neither is one that has lost its format. */
static int check_empty(const struct store *s, struct err *e)
{
	DIR *dir = open_list(s, e);
	int status = dir ? 0 : -1;

	for (struct dirent *entry; !status && (entry = readdir(dir));)
		status = not_empty(s, entry->d_name, e);
	if (dir)
		closedir(dir);
	return status;
}

/* Before anything is written: another process may be making it just now. */
static int check_place(const struct store *s, struct err *e)
{
	struct err found = { 0 };

	if (has_format(s) || !check_empty(s, &found) || has_format(s))
		return 0;
	*e = found;
	return -1;
}

static int make(struct store *s, struct err *e)
{
	struct log_head first = { LOG_COMMITS, 1, 1 };
	char text[64];
	int fd, n = snprintf(text, sizeof text, "%s%d\n", FORMAT_TEXT, STORE_FORMAT);

	if (check_empty(s, e) < 0)
		return -1;
	if (s->opts.read_only)
		return err_set(e, ERR_IO, "%s: no checkpoint there", s->path);
	fd = log_create(&s->dir, &first, e);
	if (fd < 0)
		return -1;
	close(fd);
	return file_replace(&s->dir, FORMAT_NAME, (struct store_bytes){ text, (size_t)n }, e);
}

static int check_format(struct store *s, struct err *e)
{
	struct buf b = { 0 };
	const char *text;
	char *end;
	long format;
	int status = file_read(&s->dir, FORMAT_NAME, &b, e);

	if (status) {
		buf_release(&b);
		return status < 0 ? -1 : make(s, e);
	}
	text = buf_cstr(&b);
	format = strncmp(text, FORMAT_TEXT, strlen(FORMAT_TEXT)) ? 0 : strtol(text + strlen(FORMAT_TEXT), &end, 10);
	if (format <= 0 || strcmp(end, "\n"))
		status = err_set(e, ERR_IO, "%s/%s: damaged: not the format of a checkpoint", s->path, FORMAT_NAME);
	else if (format != STORE_FORMAT)
		status = err_set(e, ERR_IO, "%s: written by %s strm: its format is %ld, this one reads %d", s->path,
				 format > STORE_FORMAT ? "a newer" : "an older", format, STORE_FORMAT);
	buf_release(&b);
	return status;
}

int store_open_dir(struct store *s, struct err *e)
{
	if (open_dir(s, e) < 0)
		return -1;
	if (!s->opts.read_only && (check_place(s, e) < 0 || take_lock(s, e) < 0))
		return -1;
	if (!s->opts.read_only && !s->dir.no_sync && sync_left(s, e) < 0)
		return -1;
	return check_format(s, e);
}

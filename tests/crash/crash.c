/* Preloaded into a program: ends it with SIGKILL at a system call that changes a file, or makes the call fail.
 *
 * CRASH_AT=N      at the N-th such call, counted from 1 over all threads; unset: never
 * CRASH_HOW=HOW   before: the call is not made; after: it is; torn: of a write the first half is (else as after); power: as before, and then the machine's power
 *                 fails: what was written and not synced is forgotten, names that were made or changed in a directory that was not synced too
 *                 error: it lives, and the call fails with EIO; full: from that call on no file grows and none is made, ENOSPC
 * CRASH_COUNT=F   at a plain end, the number of calls is written to F
 *
 * Standard error is not counted. Writes through memory maps are not seen. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum how { BEFORE, AFTER, TORN, POWER, ERROR, FULL };

static const char *const hows[] = { "before", "after", "torn", "power", "error", "full" };

static long crash_at, n_calls;
static enum how how;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread bool inside; /* calls of this file's own */

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		abort();
	return f;
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("CRASH_AT"), *h = getenv("CRASH_HOW");

	unsetenv("LD_PRELOAD"); /* its children are not counted */
	crash_at = at ? atol(at) : 0;
	for (unsigned i = 0; h && i < sizeof hows / sizeof *hows; i++)
		how = strcmp(h, hows[i]) ? how : (enum how)i;
}

__attribute__((destructor)) static void end(void)
{
	const char *to = getenv("CRASH_COUNT");
	FILE *f;

	inside = true;
	f = to ? fopen(to, "w") : NULL;
	if (f) {
		fprintf(f, "%ld\n", n_calls);
		fclose(f);
	}
}

/* ---- what power loss forgets: how to undo it, the last one first ---- */

enum undo_kind { UNDO_WRITE, UNDO_NAME, UNDO_RENAME };

struct undo {
	struct undo *next;
	enum undo_kind kind;
	dev_t dev;
	ino_t ino;        /* of the file, or of the directory that holds the name */
	int fd;           /* of the file, open for writing; of the directory */
	off_t at, size;   /* UNDO_WRITE: where, and the file's size before */
	size_t n;         /* bytes that were there */
	char *bytes;
	char name[256], old_name[256], saved[256]; /* saved: the file that had the name, under another */
};

static struct undo *undos;

static struct undo *new_undo(enum undo_kind kind, const struct stat *st)
{
	struct undo *u = calloc(1, sizeof *u);

	u->kind = kind;
	u->dev = st->st_dev;
	u->ino = st->st_ino;
	u->next = undos;
	undos = u;
	return u;
}

/* The file again, to be read and written whatever the descriptor was opened for. */
static int open_again(int fd)
{
	char self[64];

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	return REAL(open)(self, O_RDWR | O_CLOEXEC);
}

static void note_write(int fd, off_t at, size_t n)
{
	struct stat st;
	struct undo *u;

	/* what goes through a descriptor of that kind is synced when the call returns */
	if (how != POWER || fstat(fd, &st) || !S_ISREG(st.st_mode) || fcntl(fd, F_GETFL) & (O_DSYNC | O_SYNC))
		return;
	if (at < 0)
		at = fcntl(fd, F_GETFL) & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR);
	u = new_undo(UNDO_WRITE, &st);
	u->fd = open_again(fd);
	u->at = at;
	u->size = st.st_size;
	u->n = at >= st.st_size ? 0 : (size_t)(st.st_size - at) < n ? (size_t)(st.st_size - at) : n;
	u->bytes = malloc(u->n + 1);
	if (u->n && pread(u->fd, u->bytes, u->n, at) != (ssize_t)u->n)
		abort();
}

/* The directory of a path, and the name in it. */
static int open_parent(int dirfd, const char *path, char *name)
{
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
	char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd = strlen(last) < 256 ? REAL(openat)(dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0)
		strcpy(name, last);
	free(folder);
	return fd;
}

static void note_name(int dirfd, const char *path)
{
	struct stat st;
	struct undo *u;
	char name[256];
	int fd;

	if (how != POWER || !fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW))
		return;
	fd = open_parent(dirfd, path, name);
	if (fd < 0 || fstat(fd, &st))
		return;
	u = new_undo(UNDO_NAME, &st);
	u->fd = fd;
	strcpy(u->name, name);
}

static void note_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	static int n_saved;
	struct stat st;
	struct undo *u;
	char name[256], old_name[256];
	int fd, old_fd;

	if (how != POWER)
		return;
	fd = open_parent(to_dir, to, name);
	old_fd = open_parent(from_dir, from, old_name);
	if (fd < 0 || old_fd < 0 || fstat(fd, &st))
		abort();
	close(old_fd); /* renames stay in a directory */
	u = new_undo(UNDO_RENAME, &st);
	u->fd = fd;
	strcpy(u->name, name);
	strcpy(u->old_name, old_name);
	if (!fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		snprintf(u->saved, sizeof u->saved, ".undo-%d-%d", (int)getpid(), n_saved++);
		if (REAL(linkat)(fd, name, fd, u->saved, 0))
			abort();
	}
}

static void forget_undo(struct undo *u)
{
	if (*u->saved)
		REAL(unlinkat)(u->fd, u->saved, 0);
	close(u->fd);
	free(u->bytes);
	free(u);
}

/* What is synced stays. */
static void note_sync(int fd)
{
	struct stat st;

	if (how != POWER || fstat(fd, &st))
		return;
	for (struct undo **p = &undos, *u; (u = *p);) {
		if (u->dev != st.st_dev || u->ino != st.st_ino) {
			p = &u->next;
			continue;
		}
		*p = u->next;
		forget_undo(u);
	}
}

static void undo_one(struct undo *u)
{
	if (u->kind == UNDO_WRITE) {
		if ((u->n && REAL(pwrite)(u->fd, u->bytes, u->n, u->at) < 0) || REAL(ftruncate)(u->fd, u->size))
			abort();
	} else if (u->kind == UNDO_NAME) {
		REAL(unlinkat)(u->fd, u->name, 0);
	} else {
		REAL(renameat)(u->fd, u->name, u->fd, u->old_name);
		if (*u->saved)
			REAL(renameat)(u->fd, u->saved, u->fd, u->name);
	}
}

static void die(void)
{
	for (struct undo *u = undos; u; u = u->next)
		undo_one(u);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* ---- the calls ---- */

/* Is the call at hand the one? It is made with the lock held, so that the order of calls is that of their effects. */
static bool is_it(void)
{
	n_calls++;
	if (n_calls != crash_at)
		return false;
	if (how == BEFORE || how == POWER)
		die();
	return true;
}

/* Does it fail instead of being made? */
static bool fails(bool grows)
{
	errno = how == ERROR ? EIO : ENOSPC;
	return crash_at && (how == ERROR ? n_calls == crash_at : how == FULL && grows && n_calls >= crash_at);
}

#define CHANGE_(type, grows, call)          \
	({                                  \
		type r_ = -1;               \
		bool it_;                   \
		pthread_mutex_lock(&lock);  \
		inside = true;              \
		it_ = is_it();              \
		if (!fails(grows))          \
			r_ = (call);        \
		if (it_ && how < ERROR)     \
			die();              \
		inside = false;             \
		pthread_mutex_unlock(&lock);\
		r_;                         \
	})

#define CHANGE(type, call) CHANGE_(type, false, call)
#define GROW(type, call) CHANGE_(type, true, call)

static size_t torn(size_t n) { return how == TORN && n_calls == crash_at ? n / 2 : n; }

ssize_t write(int fd, const void *p, size_t n)
{
	if (inside || fd == 2)
		return REAL(write)(fd, p, n);
	return GROW(ssize_t, (note_write(fd, -1, n), REAL(write)(fd, p, torn(n))));
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (inside)
		return REAL(pwrite)(fd, p, n, at);
	return GROW(ssize_t, (note_write(fd, at, n), REAL(pwrite)(fd, p, torn(n), at)));
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at) { return pwrite(fd, p, n, at); }

static size_t bytes_of(const struct iovec *v, int n)
{
	size_t all = 0;

	for (int i = 0; i < n; i++)
		all += v[i].iov_len;
	return all;
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	if (inside || fd == 2)
		return REAL(writev)(fd, v, n);
	return GROW(ssize_t, (note_write(fd, -1, bytes_of(v, n)), REAL(writev)(fd, v, (int)torn((size_t)n))));
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	if (inside)
		return REAL(pwritev)(fd, v, n, at);
	return GROW(ssize_t, (note_write(fd, at, bytes_of(v, n)), REAL(pwritev)(fd, v, (int)torn((size_t)n), at)));
}

ssize_t pwritev64(int fd, const struct iovec *v, int n, off_t at) { return pwritev(fd, v, n, at); }

static int synced(int fd, int r)
{
	if (!r)
		note_sync(fd);
	return r;
}

int fsync(int fd)
{
	if (inside)
		return REAL(fsync)(fd);
	return CHANGE(int, synced(fd, REAL(fsync)(fd)));
}

int fdatasync(int fd)
{
	if (inside)
		return REAL(fdatasync)(fd);
	return CHANGE(int, synced(fd, REAL(fdatasync)(fd)));
}

static int cut(int fd, off_t size)
{
	struct stat st;

	if (how == POWER && !fstat(fd, &st) && size < st.st_size)
		note_write(fd, size, (size_t)(st.st_size - size));
	else
		note_write(fd, size, 0);
	return REAL(ftruncate)(fd, size);
}

int ftruncate(int fd, off_t size)
{
	if (inside)
		return REAL(ftruncate)(fd, size);
	return CHANGE(int, cut(fd, size));
}

int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

int rename(const char *from, const char *to)
{
	if (inside)
		return REAL(rename)(from, to);
	return CHANGE(int, (note_rename(AT_FDCWD, from, AT_FDCWD, to), REAL(rename)(from, to)));
}

int renameat(int a, const char *from, int b, const char *to)
{
	if (inside)
		return REAL(renameat)(a, from, b, to);
	return CHANGE(int, (note_rename(a, from, b, to), REAL(renameat)(a, from, b, to)));
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	if (inside)
		return REAL(renameat2)(a, from, b, to, flags);
	return CHANGE(int, (note_rename(a, from, b, to), REAL(renameat2)(a, from, b, to, flags)));
}

int unlink(const char *path)
{
	if (inside)
		return REAL(unlink)(path);
	return CHANGE(int, REAL(unlink)(path));
}

int unlinkat(int dirfd, const char *path, int flags)
{
	if (inside)
		return REAL(unlinkat)(dirfd, path, flags);
	return CHANGE(int, REAL(unlinkat)(dirfd, path, flags));
}

static int open_new(int dirfd, const char *path, int flags, mode_t mode)
{
	note_name(dirfd, path);
	return REAL(openat)(dirfd, path, flags, mode);
}

int openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (inside || !(flags & O_CREAT))
		return REAL(openat)(dirfd, path, flags, mode);
	return GROW(int, open_new(dirfd, path, flags, mode));
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int dirfd, const char *path, int flags, ...) __attribute__((alias("openat")));

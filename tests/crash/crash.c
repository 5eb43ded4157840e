/* Preloaded into a program: ends it with SIGKILL at a system call that changes a file or sends, or makes the call fail.
 *
 * CRASH_AT=N      at the N-th such call, counted from 1 over all threads; unset: never
 * CRASH_CALL=S    only calls are counted whose line in CRASH_LOG has this in it ("unlinkat", "/log.0000")
 * CRASH_HOW=HOW   before: the call is not made; after: it is; torn: of a write the first half is (else as after)
 *                 power: as before, and then the machine's power fails: what was written and not synced is forgotten, names that were made or changed
 *                 in a directory that was not synced too; names that were removed stay removed
 *                 part: the same for some of the files and directories only, and there names that were removed are back
 *                 instant: not at a call but N times 200 microseconds after its start
 *                 error: it lives, and the call fails with EIO; full: from that call on no file grows and none is made, ENOSPC; short: the same, but of a
 *                 write at hand the first half is made
 *                 lost: from that call on the first sync of a file fails with EIO, and what it should have written stays unwritten whatever syncs follow, until
 *                 it is written anew: so do disks with the page cache of Linux
 *                 term: SIGTERM before the call; memory: from that call on there is no more of it
 * CRASH_CARRY=F   what was not synced goes to F when it ends; when the power fails, what F has is forgotten too: the next process may be the one that loses
 *                 what this one wrote. (After `instant` nobody knows: F is emptied.)
 * CRASH_LOG=F     that call is added to F, a line: its number, name and file
 * CRASH_COUNT=F   at a plain end, the number of calls is written to F
 *
 * Standard error is not counted, nor what wakes a thread. Of pipes and sockets calls are counted but do not fail. Writes through memory maps
 * are not seen. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum how { BEFORE, AFTER, TORN, POWER, PART, ERROR, FULL, SHORT, LOST, TERM, MEMORY, INSTANT };

static const char *const hows[] = { "before", "after", "torn", "power", "part", "error", "full", "short", "lost", "term", "memory", "instant" };

static long crash_at, n_calls;
static enum how how;
static const char *only, *log_to, *carry;
static char call_text[512]; /* of the call at hand, */
static bool call_can_fail;  /* which is one on a file */
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

/* ---- what power loss forgets: how to undo it, the last one first ---- */

enum undo_kind { UNDO_WRITE, UNDO_NAME, UNDO_RENAME, UNDO_UNLINK };

struct undo {
	struct undo *next;
	enum undo_kind kind;
	dev_t dev;
	ino_t ino;        /* of the file, or of the directory that holds the name */
	int fd;           /* of the file, open for writing; of the directory */
	off_t at, size;   /* UNDO_WRITE: where, and the file's size before */
	size_t n;         /* bytes that were there, */
	size_t wrote;     /* and that were written */
	bool lost;        /* no sync makes it last */
	char *bytes;
	char name[256], old_name[256], saved[256]; /* saved: the file that had the name, under another */
};

static struct undo *undos;

static bool forgets(void) { return how == POWER || how == PART; }

static bool tracks(void) { return forgets() || (carry && how != INSTANT); }

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

static bool is_of(const struct undo *u, const struct stat *st) { return u->dev == st->st_dev && u->ino == st->st_ino; }

/* What was lost is written anew, or cut off. */
static void write_anew(const struct stat *st, off_t at, off_t end)
{
	for (struct undo *u = undos; u; u = u->next)
		if (u->lost && is_of(u, st) && at <= u->at && end >= u->at + (off_t)u->wrote)
			u->lost = false;
}

static void note_write(int fd, off_t at, size_t n)
{
	struct stat st;
	struct undo *u;

	/* what goes through a descriptor of that kind is synced when the call returns */
	if (!tracks() || fstat(fd, &st) || !S_ISREG(st.st_mode) || fcntl(fd, F_GETFL) & (O_DSYNC | O_SYNC))
		return;
	if (at < 0)
		at = fcntl(fd, F_GETFL) & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR);
	write_anew(&st, at, at + (off_t)n);
	u = new_undo(UNDO_WRITE, &st);
	u->fd = open_again(fd);
	u->at = at;
	u->wrote = n;
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

	if (!tracks() || !fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW))
		return;
	fd = open_parent(dirfd, path, name);
	if (fd < 0 || fstat(fd, &st))
		return;
	u = new_undo(UNDO_NAME, &st);
	u->fd = fd;
	strcpy(u->name, name);
}

/* Another name for the file, so that it outlives this one. 0 or -1. */
static int save_name(struct undo *u)
{
	static int n_saved;

	snprintf(u->saved, sizeof u->saved, ".undo-%d-%d", (int)getpid(), n_saved++);
	return REAL(linkat)(u->fd, u->name, u->fd, u->saved, 0);
}

static void note_unlink(int dirfd, const char *path)
{
	struct stat st, folder;
	struct undo *u;
	char name[256];
	int fd;

	if (!tracks() || fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return;
	fd = open_parent(dirfd, path, name);
	if (fd < 0 || fstat(fd, &folder))
		abort();
	u = new_undo(UNDO_UNLINK, &folder);
	u->fd = fd;
	strcpy(u->name, name);
	if (save_name(u))
		abort();
}

static void note_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat st;
	struct undo *u;
	char name[256], old_name[256];
	int fd, old_fd;

	/* one that will fail changes nothing */
	if (!tracks() || fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW))
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
	if (!fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) && save_name(u))
		abort();
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

	if (!tracks() || fstat(fd, &st))
		return;
	for (struct undo **p = &undos, *u; (u = *p);) {
		if (!is_of(u, &st) || u->lost) {
			p = &u->next;
			continue;
		}
		*p = u->next;
		forget_undo(u);
	}
}

static void lose(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return;
	for (struct undo *u = undos; u; u = u->next)
		u->lost |= u->kind == UNDO_WRITE && is_of(u, &st);
}

/* A directory goes with all that is in it. */
static void undo_name(struct undo *u)
{
	char lost[64];

	if (!REAL(unlinkat)(u->fd, u->name, 0))
		return;
	snprintf(lost, sizeof lost, ".undo-%d-%.40s", (int)getpid(), u->name);
	REAL(renameat)(u->fd, u->name, u->fd, lost);
}

/* What came behind it may be there. */
static void undo_lost(struct undo *u)
{
	off_t end = u->at + (off_t)u->wrote;
	struct stat st;

	if (fstat(u->fd, &st) || (u->n && REAL(pwrite)(u->fd, u->bytes, u->n, u->at) < 0))
		abort();
	if (st.st_size <= end && REAL(ftruncate)(u->fd, u->at + (off_t)u->n))
		abort();
	for (off_t at = u->at + (off_t)u->n; st.st_size > end && at < end; at++)
		if (REAL(pwrite)(u->fd, "", 1, at) < 0)
			abort();
}

static void undo_one(struct undo *u)
{
	if (u->lost) {
		undo_lost(u);
	} else if (u->kind == UNDO_WRITE) {
		if ((u->n && REAL(pwrite)(u->fd, u->bytes, u->n, u->at) < 0) || REAL(ftruncate)(u->fd, u->size))
			abort();
	} else if (u->kind == UNDO_NAME) {
		undo_name(u);
	} else if (u->kind == UNDO_UNLINK) {
		REAL(renameat)(u->fd, u->saved, u->fd, u->name);
	} else {
		REAL(renameat)(u->fd, u->name, u->fd, u->old_name);
		if (*u->saved)
			REAL(renameat)(u->fd, u->saved, u->fd, u->name);
	}
}

/* Of two files or directories neither need be written before the other. */
static bool is_lost(const struct undo *u)
{
	unsigned long long h;

	if (how == POWER)
		return u->kind != UNDO_UNLINK;
	h = ((unsigned long long)u->ino * 0x9e3779b97f4a7c15ull + (unsigned long long)crash_at) * 0xd6e8feb86659fd93ull;

	return h >> 63;
}

static void save_undos(void)
{
	FILE *f = fopen(carry, "w");

	for (struct undo *u = undos; f && u; u = u->next) {
		char self[64], path[PATH_MAX] = "";

		snprintf(self, sizeof self, "/proc/self/fd/%d", u->fd);
		if (readlink(self, path, sizeof path - 1) < 0)
			abort();
		fwrite(u, sizeof *u, 1, f);
		fwrite(path, sizeof path, 1, f);
		fwrite(u->bytes, 1, u->n, f);
	}
	if (!f || fclose(f))
		abort();
}

/* Of the process before. A file that is gone for good has nothing to lose. */
static void load_undos(void)
{
	FILE *f = fopen(carry, "r");
	struct undo **end = &undos, u;
	char path[PATH_MAX];

	while (f && fread(&u, sizeof u, 1, f) == 1 && fread(path, sizeof path, 1, f) == 1) {
		u.bytes = malloc(u.n + 1);
		u.fd = REAL(open)(path, (u.kind == UNDO_WRITE ? O_RDWR : O_DIRECTORY) | O_CLOEXEC);
		u.next = NULL;
		if (fread(u.bytes, 1, u.n, f) != u.n)
			abort();
		if (u.fd < 0) {
			free(u.bytes);
			continue;
		}
		*end = malloc(sizeof u);
		**end = u;
		end = &(*end)->next;
	}
	if (f)
		fclose(f);
	REAL(unlinkat)(AT_FDCWD, carry, 0);
}

static void die(void)
{
	for (struct undo *u = undos; u && forgets(); u = u->next)
		if (is_lost(u))
			undo_one(u);
		else if (*u->saved)
			REAL(unlinkat)(u->fd, u->saved, 0);
	if (carry && !forgets())
		save_undos();
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* ---- the calls ---- */

static void arm(void)
{
	struct sigevent kills = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec at = { .it_value = { crash_at / 5000, crash_at % 5000 * 200000 } };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &kills, &timer) || timer_settime(timer, 0, &at, NULL))
		abort();
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("CRASH_AT"), *h = getenv("CRASH_HOW");

	unsetenv("LD_PRELOAD"); /* its children are not counted */
	crash_at = at ? atol(at) : 0;
	only = getenv("CRASH_CALL");
	log_to = getenv("CRASH_LOG");
	carry = getenv("CRASH_CARRY");
	if (carry && !*carry)
		carry = NULL;
	for (unsigned i = 0; h && i < sizeof hows / sizeof *hows; i++)
		how = strcmp(h, hows[i]) ? how : (enum how)i;
	inside = true;
	if (carry)
		load_undos();
	if (how == INSTANT)
		arm();
	inside = false;
}

__attribute__((destructor)) static void end(void)
{
	const char *to = getenv("CRASH_COUNT");
	FILE *f;

	inside = true;
	if (carry && tracks())
		save_undos();
	for (struct undo *u; !carry && (u = undos);) {
		undos = u->next;
		forget_undo(u);
	}
	f = to ? fopen(to, "w") : NULL;
	if (f) {
		fprintf(f, "%ld\n", n_calls);
		fclose(f);
	}
}

static bool is_file(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* Does it lead out of the program? An eventfd has no type. */
static bool leads_out(int fd)
{
	struct stat st;

	return fd != 2 && !fstat(fd, &st) && st.st_mode & S_IFMT;
}

/* Of a file that is open, or of one by its name. */
static void tell(const char *call, int fd, const char *path)
{
	char self[64], file[400] = "";

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	if (!path && readlink(self, file, sizeof file - 1) < 0)
		*file = 0;
	snprintf(call_text, sizeof call_text, "%s %s", call, path ? path : file);
	call_can_fail = path || is_file(fd);
}

static void log_call(void)
{
	FILE *f = log_to ? fopen(log_to, "a") : NULL;

	if (!f)
		return;
	fprintf(f, "call %ld: %s\n", n_calls, call_text);
	fclose(f);
}

static void take_memory(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;
	struct rlimit all;

	if (!f || fscanf(f, "%lu", &pages) != 1 || getrlimit(RLIMIT_AS, &all))
		abort();
	fclose(f);
	all.rlim_cur = pages * (unsigned long)sysconf(_SC_PAGESIZE);
	setrlimit(RLIMIT_AS, &all);
}

/* Is the call at hand the one? It is made with the lock held, so that the order of calls is that of their effects. */
static bool is_it(void)
{
	if (only && !strstr(call_text, only))
		return false;
	n_calls++;
	if (n_calls != crash_at)
		return false;
	log_call();
	if (how == BEFORE || forgets())
		die();
	if (how == TERM)
		kill(getpid(), SIGTERM);
	if (how == MEMORY)
		take_memory();
	return true;
}

/* Does it fail instead of being made? */
static bool fails(bool is, bool grows)
{
	bool now = how == ERROR ? is : grows && ((how == FULL && n_calls >= crash_at) || (how == SHORT && n_calls > crash_at));

	errno = how == ERROR ? EIO : ENOSPC;
	return crash_at && call_can_fail && now;
}

#define CHANGE_(type, grows, told, call)    \
	({                                  \
		type r_ = -1;               \
		bool it_;                   \
		pthread_mutex_lock(&lock);  \
		inside = true;              \
		told;                       \
		it_ = is_it();              \
		if (!fails(it_, grows))     \
			r_ = (call);        \
		if (it_ && how < ERROR)     \
			die();              \
		inside = false;             \
		pthread_mutex_unlock(&lock);\
		r_;                         \
	})

#define CHANGE(type, told, call) CHANGE_(type, false, told, call)
#define GROW(type, told, call) CHANGE_(type, true, told, call)

static size_t torn(size_t n)
{
	return (how == TORN || (how == SHORT && call_can_fail)) && n_calls == crash_at && (!only || strstr(call_text, only)) ? n / 2 : n;
}

ssize_t write(int fd, const void *p, size_t n)
{
	if (inside || !leads_out(fd))
		return REAL(write)(fd, p, n);
	return GROW(ssize_t, tell("write", fd, NULL), (note_write(fd, -1, n), REAL(write)(fd, p, torn(n))));
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (inside)
		return REAL(pwrite)(fd, p, n, at);
	return GROW(ssize_t, tell("pwrite", fd, NULL), (note_write(fd, at, n), REAL(pwrite)(fd, p, torn(n), at)));
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
	if (inside || !leads_out(fd))
		return REAL(writev)(fd, v, n);
	return GROW(ssize_t, tell("writev", fd, NULL), (note_write(fd, -1, bytes_of(v, n)), REAL(writev)(fd, v, (int)torn((size_t)n))));
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	if (inside)
		return REAL(pwritev)(fd, v, n, at);
	return GROW(ssize_t, tell("pwritev", fd, NULL), (note_write(fd, at, bytes_of(v, n)), REAL(pwritev)(fd, v, (int)torn((size_t)n), at)));
}

ssize_t pwritev64(int fd, const struct iovec *v, int n, off_t at) { return pwritev(fd, v, n, at); }

static int make_sync(int fd, int (*sync)(int fd))
{
	static bool lost;
	int r;

	if (how == LOST && crash_at && n_calls >= crash_at && !lost && call_can_fail) {
		lost = true;
		log_call();
		lose(fd);
		errno = EIO;
		return -1;
	}
	r = sync(fd);
	if (!r)
		note_sync(fd);
	return r;
}

int fsync(int fd)
{
	if (inside)
		return REAL(fsync)(fd);
	return CHANGE(int, tell("fsync", fd, NULL), make_sync(fd, REAL(fsync)));
}

int fdatasync(int fd)
{
	if (inside)
		return REAL(fdatasync)(fd);
	return CHANGE(int, tell("fdatasync", fd, NULL), make_sync(fd, REAL(fdatasync)));
}

static int cut(int fd, off_t size)
{
	struct stat st;

	if (tracks() && !fstat(fd, &st) && size < st.st_size)
		note_write(fd, size, (size_t)(st.st_size - size));
	else
		note_write(fd, size, 0);
	return REAL(ftruncate)(fd, size);
}

int ftruncate(int fd, off_t size)
{
	if (inside)
		return REAL(ftruncate)(fd, size);
	return CHANGE(int, tell("ftruncate", fd, NULL), cut(fd, size));
}

/* strm makes holes only. */
int fallocate(int fd, int mode, off_t at, off_t n)
{
	if (inside)
		return REAL(fallocate)(fd, mode, at, n);
	return CHANGE(int, tell("fallocate", fd, NULL), (note_write(fd, at, (size_t)n), REAL(fallocate)(fd, mode, at, n)));
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	if (inside)
		return REAL(send)(fd, p, n, flags);
	return CHANGE(ssize_t, tell("send", fd, NULL), REAL(send)(fd, p, torn(n), flags));
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	if (inside)
		return REAL(sendmsg)(fd, m, flags);
	return CHANGE(ssize_t, tell("sendmsg", fd, NULL), REAL(sendmsg)(fd, m, flags));
}

int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

int rename(const char *from, const char *to)
{
	if (inside)
		return REAL(rename)(from, to);
	return CHANGE(int, tell("rename", -1, to), (note_rename(AT_FDCWD, from, AT_FDCWD, to), REAL(rename)(from, to)));
}

int renameat(int a, const char *from, int b, const char *to)
{
	if (inside)
		return REAL(renameat)(a, from, b, to);
	return CHANGE(int, tell("renameat", -1, to), (note_rename(a, from, b, to), REAL(renameat)(a, from, b, to)));
}

static int rename_new(int a, const char *from, int b, const char *to, unsigned flags)
{
	if (!(flags & RENAME_NOREPLACE) || faccessat(b, to, F_OK, AT_SYMLINK_NOFOLLOW))
		note_rename(a, from, b, to);
	return REAL(renameat2)(a, from, b, to, flags);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	if (inside)
		return REAL(renameat2)(a, from, b, to, flags);
	return CHANGE(int, tell("renameat2", -1, to), rename_new(a, from, b, to, flags));
}

int unlink(const char *path)
{
	if (inside)
		return REAL(unlink)(path);
	return CHANGE(int, tell("unlink", -1, path), (note_unlink(AT_FDCWD, path), REAL(unlink)(path)));
}

int unlinkat(int dirfd, const char *path, int flags)
{
	if (inside)
		return REAL(unlinkat)(dirfd, path, flags);
	return CHANGE(int, tell("unlinkat", -1, path), (note_unlink(dirfd, path), REAL(unlinkat)(dirfd, path, flags)));
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int mkdirat(int dirfd, const char *path, mode_t mode)
{
	if (inside)
		return REAL(mkdirat)(dirfd, path, mode);
	return GROW(int, tell("mkdir", -1, path), (note_name(dirfd, path), REAL(mkdirat)(dirfd, path, mode)));
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
	return GROW(int, tell("open", -1, path), open_new(dirfd, path, flags, mode));
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

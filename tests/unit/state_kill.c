/* A process that is killed at random instants: what it was told is committed is there, and only whole commits are. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "state_fixture.h"

#define KEYS 300
#define PUTS 40
#define KILLS 60
#define KILLS_ENV "STRM_TEST_KILLS"

/* The model: batch b puts and deletes what these numbers say, whoever runs it. */
static uint32_t mix(uint64_t batch, uint32_t i)
{
	uint64_t x = batch * 0x9e3779b97f4a7c15u + i * 0xbf58476d1ce4e5b9u;

	x ^= x >> 29;
	x *= 0x94d049bb133111ebu;
	return (uint32_t)(x >> 32);
}

static void apply(uint64_t *model, uint64_t batch)
{
	for (uint32_t i = 0; i < PUTS; i++) {
		uint32_t r = mix(batch, i);

		model[r % KEYS] = r % 7 ? batch + 1 : 0;
	}
}

static void run_batch(struct store *s, uint32_t stage, uint64_t batch)
{
	char key[32], value[32];

	for (uint32_t i = 0; i < PUTS; i++) {
		uint32_t r = mix(batch, i);

		snprintf(key, sizeof key, "k%u", r % KEYS);
		snprintf(value, sizeof value, "%" PRIu64, batch + 1);
		if (r % 7)
			put(s, stage, key, value);
		else
			del(s, stage, key);
	}
	cut(s, batch);
	commit(s, batch);
}

static const struct store_opts small = { .segment_bytes = 6 << 10, .map_bytes = 1 << 16, .no_sync = true };

/* Commits until it is killed; each batch is told through the pipe once it is committed. */
static void child(const char *dir, int pipe_fd)
{
	struct store *s = open_or_fail(dir, &small);
	uint64_t batch = store_last_commit(s) ? store_last_commit(s)->batch + 1 : 0;
	uint32_t ids[2];

	set_stages(s, ids);
	for (;; batch++) {
		run_batch(s, ids[0], batch);
		if (write(pipe_fd, &batch, sizeof batch) != sizeof batch)
			_exit(1);
	}
}

struct counting {
	const uint64_t *model;
	int n;
};

static int check_entry(void *ctx, const struct store_entry *entry)
{
	struct counting *c = ctx;
	char key[32] = "", value[32] = "";

	memcpy(key, entry->key.p, entry->key.n);
	memcpy(value, entry->value.p, entry->value.n);
	CHECK_INT(strtoull(value, NULL, 10), c->model[strtoul(key + 1, NULL, 10)]);
	c->n++;
	return 0;
}

/* Opens what another process left, or is writing. The number of commits in it. */
static uint64_t check(const char *dir, const struct store_opts *opts, uint64_t *model, uint64_t done)
{
	struct store *s = open_or_fail(dir, opts);
	struct counting c = { model, 0 };
	struct err e = { 0 };
	uint64_t commits = store_last_commit(s) ? store_last_commit(s)->batch + 1 : 0;
	int keys = 0;

	for (uint64_t b = done; b < commits; b++)
		apply(model, b);
	for (int i = 0; i < KEYS; i++)
		keys += model[i] != 0;
	if (commits)
		CHECK_INT(store_load(s, store_program(s)->stages[0].id, check_entry, &c, &e), 0);
	CHECK_INT(c.n, keys);
	CHECK_STR(e.msg, "");
	store_close(s);
	return commits;
}

static pid_t start(const char *dir, int *fds)
{
	pid_t pid;

	if (pipe(fds) < 0 || (pid = fork()) < 0)
		fail_now("fork", NULL);
	if (!pid) {
		close(fds[0]);
		child(dir, fds[1]);
	}
	close(fds[1]);
	return pid;
}

/* Waits until it has told of n commits; the last one. */
static uint64_t await(const int *fds, uint32_t n)
{
	uint64_t batch = 0;

	for (; n; n--)
		CHECK(read(fds[0], &batch, sizeof batch) == sizeof batch);
	return batch;
}

/* Kills it; the number of commits that it told of since. */
static uint64_t stop(pid_t pid, const int *fds)
{
	uint64_t batch, told = 0;
	int status;

	kill(pid, SIGKILL);
	while (read(fds[0], &batch, sizeof batch) == sizeof batch)
		told = batch + 1;
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status));
	close(fds[0]);
	return told;
}

/* However slow it is, so many commits it has made; then some time passes. */
static uint64_t kill_one(const char *dir, uint32_t n_commits, uint32_t after_us)
{
	int fds[2];
	pid_t pid = start(dir, fds);

	await(fds, n_commits);
	nanosleep(&(struct timespec){ 0, (long)after_us * 1000 }, NULL);
	return stop(pid, fds);
}

/* Snapshots of a checkpoint in use: each is one commit, none is older than the one before. */
static void test_snapshots(const char *dir, uint64_t *model, uint64_t done)
{
	static const struct store_opts reading = { .read_only = true };
	uint64_t told = 0, seen = done;
	int fds[2];
	pid_t pid = start(dir, fds);

	TEST("a checkpoint in use is read as of one of its commits")
	{
		for (int i = 0; i < 40; i++) {
			uint64_t commits;

			/* a few, so that folds come between */
			told = await(fds, 5);
			commits = check(dir, &reading, model, seen);
			CHECK(commits > told);
			seen = commits;
		}
		stop(pid, fds);
		CHECK(seen > done);
	}
}

int main(void)
{
	const char *dir = fresh_dir(), *kills = getenv(KILLS_ENV);
	uint64_t model[KEYS] = { 0 }, done = 0;
	int n = kills ? atoi(kills) : KILLS;

	TEST("killed at random instants, no commit is lost and none is half there")
	{
		for (int i = 0; i < n && !test_bad; i++) {
			uint32_t first = mix((uint64_t)i, 8) % 4;
			uint64_t told = kill_one(dir, first, mix((uint64_t)i, 7) % 12000),
				 commits = check(dir, &small, model, done);

			CHECK(commits >= told && commits >= done + first);
			done = commits;
		}
		printf("# %" PRIu64 " commits, %d kills\n", done, n);
	}
	test_snapshots(dir, model, done);
	remove_dirs();
	return test_done();
}

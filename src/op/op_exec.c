#include "op/op_exec.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/process.h"
#include "base/time.h"
#include "codec/codec.h"

/* Bytes gathered before the child is fed. */
#define FEED_BYTES ((size_t)64 << 10)
#define READ_BYTES ((size_t)64 << 10)

struct exec_op {
	struct op op;
	const char *command;
	struct process child;
	bool started;          /* there is a child, running or not waited for yet */
	bool each;
	bool done;             /* nobody behind wants more */
	int64_t patience_ns;   /* of each */
	struct encoder *text, *json;
	struct decoder *lines;
	struct buf to;         /* lines that the child has not taken: from to_at */
	size_t to_at;
	char *from;            /* what it printed and is not decoded yet: n bytes of cap, MEM_SLACK behind */
	size_t from_n, from_cap;
	/* each: the batch being answered */
	const struct batch *asked;
	uint32_t n_answers;
};

enum { SENT, UNREAD };

/* ---- what is said when it goes wrong ---- */

static int failed(const struct exec_op *x, const char *why, struct err *e)
{
	return err_set(e, ERR_IO, "stage %d: exec%s: \"%s\": %s", x->op.stage, x->each ? " each" : "", x->command, why);
}

/* `unanswered` records of each. */
static int ended_early(struct exec_op *x, uint32_t unanswered, struct err *e)
{
	char own[80], why[160];
	const char *end;

	process_close(&x->child);
	process_wait(&x->child);
	end = process_complaint(&x->child, own, sizeof own);
	snprintf(why, sizeof why, "%s with %u record%s unanswered", end ? end : "it ended", unanswered, unanswered == 1 ? "" : "s");
	return failed(x, why, e);
}

static int silent(const struct exec_op *x, struct err *e)
{
	char d[TIME_MAX + 1], why[TIME_MAX + 16];

	d[dur_format(x->patience_ns, d)] = 0;
	snprintf(why, sizeof why, "no answer for %s", d);
	failed(x, why, e);
	return err_hint(e, "it has to print each line at once: sed -u, grep --line-buffered, awk with fflush()");
}

static int too_many(const struct exec_op *x, struct err *e)
{
	failed(x, "more lines than records", e);
	return err_hint(e, "without `each` a command may print as many lines as it likes");
}

/* ---- records to lines ---- */

/* Does every selected row's `line` go as it is? */
static bool plain_lines(const struct column *c, const struct batch *b)
{
	BATCH_EACH(b->sel, b->n_sel, i)
	{
		struct value v = column_get(c, i);

		if (v.type == T_LIST || v.type == T_OBJECT || (type_is_bytes(v.type) && memchr(v.s, '\n', v.n)))
			return false;
	}
	return true;
}

static int put_json(struct exec_op *x, const struct batch *b, struct err *e)
{
	uint64_t before = x->json->n_nan;
	int r = x->json->def->encode(x->json, b, &x->to, e);

	if (x->json->n_nan > before && !x->op.fails.n)
		snprintf(x->op.fails.first, sizeof x->op.fails.first, "not a number or infinite, which JSON cannot say");
	x->op.fails.n += x->json->n_nan - before;
	return r;
}

/* Rows one by one: one with a line end in it is no reason to write the others as JSON. */
static int put_rows(struct exec_op *x, const struct batch *b, struct err *e)
{
	for (uint32_t k = 0; k < b->n_sel; k++) {
		struct batch one = batch_slice(b, k, 1);
		bool plain = plain_lines(&b->cols[0], &one);

		if (plain ? x->text->def->encode(x->text, &one, &x->to, e) : put_json(x, &one, e))
			return -1;
	}
	return 0;
}

static int put_records(struct exec_op *x, const struct batch *b, struct err *e)
{
	bool line = b->schema->n == 1 && !strcmp(b->schema->names[0], "line");

	if (!line)
		return put_json(x, b, e);
	if (plain_lines(&b->cols[0], b))
		return x->text->def->encode(x->text, b, &x->to, e);
	return put_rows(x, b, e);
}

/* ---- lines to records ---- */

static int push_answers(struct exec_op *x, struct batch *b, struct err *e)
{
	uint32_t *rows;

	if (!x->each)
		return op_push(&x->op, b, e);
	if (!x->asked || b->n_sel > x->asked->n_sel - x->n_answers)
		return too_many(x, e);
	rows = arena_array(b->arena, uint32_t, b->n_sel + 1);
	for (uint32_t k = 0; k < b->n_sel; k++)
		rows[k] = batch_row(x->asked, x->n_answers + k);
	batch_gather_hidden(b, x->asked, rows, b->n_sel);
	b->input = x->asked->input;
	x->n_answers += b->n_sel;
	return x->done ? 0 : op_push(&x->op, b, e);
}

static int on_lines(void *ctx, struct batch *b, struct err *e)
{
	struct exec_op *x = ctx;
	int verdict = push_answers(x, b, e);

	x->done |= verdict == 1;
	return x->each && verdict == 1 ? 0 : verdict;
}

static int on_long_line(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e)
{
	const struct exec_op *x = ctx;
	char why[120];

	(void)raw, (void)n, (void)reason;
	snprintf(why, sizeof why, "line %llu of what it printed is longer than 64M", (unsigned long long)line);
	return failed(x, why, e);
}

/* What was read, as far as it is whole lines. 0, 1 when nobody wants more, or -1. */
static int take_lines(struct exec_op *x, bool final, struct err *e)
{
	struct decode_to to = { .emit = on_lines, .bad = on_long_line, .ctx = x };
	size_t used = 0;
	int r;

	if (!x->from_n && !final)
		return 0;
	r = x->lines->def->decode(x->lines, x->from, x->from_n, final, &to, &used, e);
	x->from_n = final ? 0 : x->from_n - used;
	memmove(x->from, x->from + used, x->from_n);
	return r;
}

/* ---- the child ---- */

static int start_child(struct exec_op *x, struct err *e)
{
	int r;

	if (x->started)
		return 0;
	r = process_start(&x->child, x->command, PROCESS_IN | PROCESS_OUT);
	if (r)
		return failed(x, strerror(r), e);
	x->started = true;
	x->lines->def->restart(x->lines, x->command);
	return 0;
}

/* It reads no more: what it has not taken is counted, a line of the text for each record. */
static void stop_feeding(struct exec_op *x)
{
	const char *p = x->to.p + x->to_at, *end = x->to.p + x->to.n;
	uint64_t left = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		left++;
		p++;
	}
	x->op.count[SENT] -= x->each ? 0 : left;
	x->op.count[UNREAD] += x->each ? 0 : left;
	x->to.n = x->to_at = 0;
	if (x->child.in >= 0)
		close(x->child.in);
	x->child.in = -1;
}

static int feed(struct exec_op *x, struct err *e)
{
	ssize_t r = write(x->child.in, x->to.p + x->to_at, x->to.n - x->to_at);

	if (r >= 0)
		x->to_at += (size_t)r;
	else if (errno == EPIPE)
		stop_feeding(x);
	else if (errno != EAGAIN && errno != EINTR)
		return failed(x, strerror(errno), e);
	if (x->to_at == x->to.n)
		x->to.n = x->to_at = 0;
	return 0;
}

static int read_some(struct exec_op *x, struct err *e)
{
	ssize_t r;

	if (x->from_cap - x->from_n < READ_BYTES) {
		x->from_cap = x->from_cap * 2 + READ_BYTES;
		x->from = xrealloc(x->from, x->from_cap + MEM_SLACK);
	}
	r = read(x->child.out, x->from + x->from_n, READ_BYTES);
	if (r < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : failed(x, strerror(errno), e);
	if (r) {
		x->from_n += (size_t)r;
		return take_lines(x, false, e);
	}
	close(x->child.out);
	x->child.out = -1;
	return take_lines(x, true, e);
}

/* One wait for either end, and what it brings. 0, 1 or -1 as take_lines. */
static int pump(struct exec_op *x, struct err *e)
{
	bool feeds = x->child.in >= 0 && x->to.n;
	struct pollfd f[2] = { { .fd = x->child.out, .events = POLLIN }, { .fd = feeds ? x->child.in : -1, .events = POLLOUT } };
	int r = poll(f, 2, x->each ? (int)((x->patience_ns + 999999) / 1000000) : -1);

	if (!r)
		return silent(x, e);
	if (r < 0)
		return errno == EINTR ? 0 : failed(x, strerror(errno), e);
	if (f[1].revents && feed(x, e))
		return -1;
	return f[0].revents ? read_some(x, e) : 0;
}

/* Nobody wants the rest: no reason to let it work, and its end tells nothing. */
static int dismiss(struct exec_op *x)
{
	stop_feeding(x);
	process_end(&x->child);
	process_close(&x->child);
	x->started = false;
	x->from_n = 0;
	return 1;
}

/* Until the child has taken all lines. */
static int feed_all(struct exec_op *x, struct err *e)
{
	int verdict = 0;

	while (!verdict && x->to.n && x->child.in >= 0)
		verdict = pump(x, e);
	return verdict == 1 ? dismiss(x) : verdict;
}

/* No more input: the rest of what it prints, and how it ended. */
static int end_child(struct exec_op *x, struct err *e)
{
	char why[80];
	int verdict = feed_all(x, e);

	if (verdict)
		return verdict;
	stop_feeding(x);
	while (!verdict && x->child.out >= 0)
		verdict = pump(x, e);
	if (verdict)
		return verdict == 1 ? dismiss(x) : verdict;
	process_wait(&x->child);
	x->started = false;
	return process_complaint(&x->child, why, sizeof why) ? failed(x, why, e) : 0;
}

/* ---- a child for each micro-batch ---- */

static int exec_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct exec_op *x = (struct exec_op *)op;

	(void)port;
	if (x->done) {
		op->unwanted += b->n_sel;
		return 1;
	}
	if (start_child(x, e))
		return -1;
	if (x->child.in < 0) {
		op->count[UNREAD] += b->n_sel;
		return 0;
	}
	op->count[SENT] += b->n_sel;
	if (put_records(x, b, e))
		return -1;
	return x->to.n >= FEED_BYTES ? feed_all(x, e) : 0;
}

static int exec_batch_end(struct op *op, struct err *e)
{
	struct exec_op *x = (struct exec_op *)op;

	return x->started ? end_child(x, e) : 0;
}

/* ---- one child that answers line by line ---- */

static int each_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct exec_op *x = (struct exec_op *)op;

	(void)port;
	if (start_child(x, e) || put_records(x, b, e))
		return -1;
	x->asked = b;
	x->n_answers = 0;
	while (x->n_answers < b->n_sel && x->child.out >= 0)
		if (pump(x, e) < 0)
			return -1;
	if (x->n_answers < b->n_sel)
		return ended_early(x, b->n_sel - x->n_answers, e);
	if (x->from_n)
		return too_many(x, e);
	x->asked = NULL;
	op->count[SENT] += b->n_sel;
	return x->done;
}

static int each_finish(struct op *op, struct err *e)
{
	struct exec_op *x = (struct exec_op *)op;

	return x->started ? end_child(x, e) : 0;
}

/* ---- both ---- */

static void exec_free(struct op *op)
{
	struct exec_op *x = (struct exec_op *)op;

	if (x->started)
		dismiss(x);
	x->text->def->close_out(x->text);
	x->json->def->close_out(x->json);
	x->lines->def->close(x->lines);
	buf_release(&x->to);
	free(x->from);
}

static size_t exec_memory(const struct op *op)
{
	const struct exec_op *x = (const struct exec_op *)op;

	return x->to.cap + x->from_cap;
}

static const struct op_class exec_class = {
	.name = "exec",
	.makes_fields = true,
	.counters = { "sent", "unread" },
	.process = exec_process,
	.on_batch_end = exec_batch_end,
	.free = exec_free,
	.memory = exec_memory,
};

static const struct op_class exec_each_class = {
	.name = "exec each",
	.makes_fields = true,
	.counters = { "answered" },
	.process = each_process,
	.finish = each_finish,
	.free = exec_free,
	.memory = exec_memory,
};

/* Neither format can refuse to open: they have no options that could be wrong. */
static struct encoder *open_encoder(const struct run *run, const char *name)
{
	struct encode_opts o = { 0 };
	struct err never = { 0 };
	const struct codec_def *def = codec_find(name);
	struct encoder *enc;

	if (run->env->format)
		o.format = *run->env->format;
	enc = def->open_out(&o, &never);
	if (!enc)
		BUG("%s", never.msg);
	enc->def = def;
	return enc;
}

static struct decoder *open_decoder(void)
{
	struct decode_opts o = { .all = true, .max_record = EXEC_LINE_MAX };
	const struct codec_def *def = codec_find("lines");
	struct err never = { 0 };
	struct decoder *d = def->open(&o, &never);

	if (!d)
		BUG("%s", never.msg);
	d->def = def;
	return d;
}

static struct op *exec_make(const struct op_class *cls, struct run *run, int stage, const char *word, const char *command)
{
	struct exec_op *x = op_make(cls, sizeof *x, run, stage, word);

	x->command = command;
	x->text = open_encoder(run, "lines");
	x->json = open_encoder(run, "json");
	x->lines = open_decoder();
	return &x->op;
}

struct op *op_exec(struct run *run, int stage, const char *word, const char *command)
{
	return exec_make(&exec_class, run, stage, word, command);
}

struct op *op_exec_each(struct run *run, int stage, const char *word, const char *command, int64_t patience_ns)
{
	struct op *op = exec_make(&exec_each_class, run, stage, word, command);
	struct exec_op *x = (struct exec_op *)op;

	x->each = true;
	x->patience_ns = patience_ns;
	return op;
}

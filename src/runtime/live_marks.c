/* Live input cut by marks. A source's stretch ends with a mark in any of its streams; what its other streams have given by then is of it too. A
 * micro-batch runs when every source has its mark, or has ended; until then bytes are held, since the mark says what time it is for them, and a
 * source with its mark is not read on. */
#include "runtime/ckpt_impl.h"
#include "runtime/live_impl.h"

/* Where the next look for a mark begins: in what was scanned there is none, and a form feed in mid-line is none. */
static size_t scan_from(const struct stream *s)
{
	size_t at = s->scanned;

	while (at && at < s->n && s->p[at] == '\f' && s->p[at - 1] != '\n')
		at++;
	return at;
}

static void scan(struct stream *s)
{
	size_t from = scan_from(s), at = 0, next = 0;

	if (s->mark_n || from >= s->n)
		return;
	if (mark_find(s->p + from, s->n - from, s->closed, &at, &next))
		s->mark_n = next - at;
	s->scanned = from + at;
}

static int take_mark(struct lsource *of, struct stream *s)
{
	const char *why = NULL, *line = s->p + s->scanned;
	size_t n = s->mark_n - (line[s->mark_n - 1] == '\n');

	of->marked = s;
	if (mark_parse(line, n, &of->mark, &why))
		return err_set(of->live->err, ERR_IO, "%s: a mark is not understood: %s", s->in.decoder->opts.source, why);
	return 0;
}

/* The first of its streams that has a mark ends its stretch. */
static int seek(struct lsource *of)
{
	for (struct stream *s = of->streams; s && !of->marked; s = s->next) {
		scan(s);
		if (s->mark_n && take_mark(of, s))
			return -1;
	}
	return 0;
}

static bool is_whole(const struct live *l)
{
	bool marked = false;

	for (unsigned i = 0; i < l->n; i++) {
		if (!l->sources[i].marked && !l->sources[i].ended)
			return false;
		marked |= l->sources[i].marked != NULL;
	}
	return marked;
}

/* Its part of the stretch: up to its next mark, or as far as it is known to have none. */
static int take_stream(struct stream *s, struct err *e)
{
	bool marked = s->of->marked == s;
	size_t skip = marked ? s->mark_n : 0;
	int r;

	scan(s);
	if (s->closed && !s->mark_n)
		return stream_end(s, e);
	r = s->scanned || marked ? stream_decode(s, s->scanned, marked, e) : 0;
	if (r || !marked)
		return r;
	s->in.decoder->line++;
	if (s->in.place)
		ckpt_decoded(&s->in, s->p, skip);
	s->n -= skip;
	s->of->held -= skip;
	memmove(s->p, s->p + skip, s->n);
	s->scanned = s->mark_n = 0;
	return 0;
}

static int take_source(struct lsource *of, struct err *e)
{
	int r = 0;

	for (struct stream *s = of->streams, *next; s && !r; s = next) {
		next = s->next;
		r = take_stream(s, e);
	}
	of->marked = NULL;
	if (of->ended && !of->streams)
		job_input_ended(of->live->job, (unsigned)(of - of->live->sources));
	return r;
}

static int run_round(struct live *l, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < l->n; i++)
		if (l->sources[i].marked)
			job_mark(l->job, i, &l->sources[i].mark);
	for (unsigned i = 0; i < l->n && !r; i++)
		r = take_source(&l->sources[i], e);
	return r ? r : job_end_marked(l->job, e);
}

/* All micro-batches that are whole; then those may go on who wait for nothing but that. */
static void run_rounds(struct live *l)
{
	int r = 0;

	for (;;) {
		for (unsigned i = 0; i < l->n && !r; i++)
			r = seek(&l->sources[i]);
		if (r || !is_whole(l))
			break;
		r = run_round(l, l->err);
		if (r || job_all_closed(l->job))
			break;
	}
	live_verdict(l, r);
	for (unsigned i = 0; i < l->n && !l->stopping; i++)
		if (!l->sources[i].marked)
			source_resume(&l->sources[i]);
}

/* A stretch longer than what may be held is not held: its records see the clock as it stands. */
static void take_part(struct lsource *of)
{
	int r = 0;

	for (struct stream *s = of->streams, *next; s && !r; s = next) {
		next = s->next;
		r = s->mark_n ? 0 : stream_decode(s, s->scanned, false, of->live->err);
	}
	live_verdict(of->live, r);
}

int live_marks_came(struct stream *s)
{
	struct lsource *of = s->of;
	struct live *l = of->live;

	if (!of->marked) {
		run_rounds(l);
		if (!of->marked && !l->stopping && of->held >= HELD_MAX)
			take_part(of);
	}
	of->paused |= of->marked != NULL;
	return of->marked || l->stopping;
}

void live_marks_ended(struct live *l)
{
	if (!l->enough && !l->failed)
		run_rounds(l);
}

/* Micro-batches that marks cut: what a mark says, and when it counts. */
#include <stdlib.h>

#include "runtime/job_impl.h"

void marks_open(struct job *j)
{
	if (j->opts.cut.kind == CUT_MARK)
		j->marks = xcalloc(j->opts.n_sources, sizeof *j->marks);
}

void marks_free(struct job *j)
{
	free(j->marks);
	free(j->marked);
}

/* A watermark never goes back. */
static void mark_watermark(struct job *j, const char *name, size_t n, int64_t at)
{
	struct marked_watermark *w = NULL;

	for (uint32_t i = 0; i < j->n_marked && !w; i++) {
		const char *own = j->marked[i].name;

		if (own ? name && strlen(own) == n && !memcmp(own, name, n) : !name)
			w = &j->marked[i];
	}
	if (!w) {
		j->marked = xgrow(j->marked, &j->marked_cap, (size_t)j->n_marked + 1, sizeof *j->marked);
		w = &j->marked[j->n_marked++];
		*w = (struct marked_watermark){ .name = name ? arena_str(&j->arena, name, n) : NULL, .at = at };
	}
	if (at > w->at)
		w->at = at;
}

static void mark_clock(struct job *j, const struct mark *m)
{
	clock_set(&j->clock, m->clock_relative ? j->clock.now_ns + m->clock_ns : m->clock_ns);
	j->run->now = j->clock.now_ns;
	j->run->special[SP_TIME] = v_time(j->run->now);
}

void job_mark(struct job *j, unsigned input, const struct mark *m)
{
	struct marked_input *in = &j->marks[input];

	if (m->has_clock)
		mark_clock(j, m);
	for (unsigned i = 0; i < m->n_named; i++)
		mark_watermark(j, m->named[i].name, m->named[i].n, m->named[i].at);
	if (m->has_watermark && (!in->spoken || m->watermark > in->watermark)) {
		in->watermark = m->watermark;
		in->spoken = true;
	}
}

void job_input_ended(struct job *j, unsigned input)
{
	if (j->marks)
		j->marks[input].ended = true;
	if (j->opts.n_sources > 1)
		j->run->inputs[input] = INPUT_ENDED;
}

/* Without a name it is for all points: the least of what the inputs say that speak of one and go on; when all have ended, the largest. What the next run goes
 * on with has not ended. */
static void settle_watermark(struct job *j)
{
	int64_t least = WATERMARK_END, largest = WATERMARK_NONE;
	bool going = false, grows = j->opts.checkpoint && !j->run->ends;

	for (unsigned i = 0; i < j->opts.n_sources; i++) {
		const struct marked_input *in = &j->marks[i];

		if (!in->spoken)
			continue;
		if (in->watermark > largest)
			largest = in->watermark;
		if ((!in->ended || grows) && in->watermark < least)
			least = in->watermark;
		going |= !in->ended || grows;
	}
	if (largest != WATERMARK_NONE)
		mark_watermark(j, NULL, 0, going ? least : largest);
}

int job_end_marked(struct job *j, struct err *e)
{
	settle_watermark(j);
	j->run->marked = j->marked;
	j->run->n_marked = j->n_marked;
	return ckpt_reruns(j) ? ckpt_end_rerun(j, e) : job_end_batch(j, clock_now(&j->clock), false, e);
}

#include "obs/progress.h"

#include "base/time.h"
#include "obs/figures.h"

/* The rate since one or two seconds. */
static double recent_rate(struct progress *p, uint64_t records, int64_t now)
{
	if (now - p->until_ns >= TIME_NS) {
		p->from_ns = p->until_ns;
		p->from_records = p->until_records;
		p->until_ns = now;
		p->until_records = records;
	}
	return now > p->from_ns ? (double)(records - p->from_records) * 1e9 / (double)(now - p->from_ns) : -1;
}

bool progress_due(struct progress *p, const struct job *j, struct progress_figures *f)
{
	int64_t now = job_elapsed(j);

	if (now - p->drawn_ns < PROGRESS_MS * (TIME_NS / 1000))
		return false;
	p->drawn_ns = now;
	*f = (struct progress_figures){ .records = job_records(j), .bytes = job_bytes(j), .size = job_size(j), .elapsed_ns = now };
	f->per_s = recent_rate(p, f->records, now);
	return true;
}

/* By the bytes so far. */
static void put_left(struct buf *b, const struct progress_figures *f)
{
	double part = f->size ? (double)f->bytes / (double)f->size : 1;

	if (part > 1)
		part = 1; /* a file that grew */
	buf_printf(b, ", %d%%", (int)(part * 100));
	if (part < 0.001)
		return;
	buf_str(b, ", ");
	put_clock(b, (int64_t)((double)f->elapsed_ns * (1 - part) / part));
	buf_str(b, " left");
}

void progress_text(struct buf *b, const struct progress_figures *f)
{
	put_count(b, (double)f->records);
	buf_str(b, f->records == 1 ? " record" : " records");
	if (f->per_s >= 0) {
		buf_str(b, ", ");
		put_count(b, f->per_s);
		buf_str(b, "/s");
	}
	buf_str(b, ", ");
	put_bytes(b, (double)f->bytes);
	if (f->size >= 0)
		put_left(b, f);
}

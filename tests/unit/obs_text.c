/* Texts about a run: figures, progress, the statistics of a micro-batch. */
#include "base/time.h"
#include "obs/figures.h"
#include "obs/progress.h"
#include "obs/stats.h"
#include "test.h"

static struct buf b;

static const char *count(double n)
{
	b.n = 0;
	put_count(&b, n);
	return buf_cstr(&b);
}

static const char *bytes(double n)
{
	b.n = 0;
	put_bytes(&b, n);
	return buf_cstr(&b);
}

static const char *left(int64_t s)
{
	b.n = 0;
	put_clock(&b, s * TIME_NS);
	return buf_cstr(&b);
}

static const char *span(int64_t ms)
{
	b.n = 0;
	put_span(&b, ms * 1000000);
	return buf_cstr(&b);
}

static const char *progress(struct progress_figures f)
{
	b.n = 0;
	progress_text(&b, &f);
	return buf_cstr(&b);
}

static const char *report(struct batch_report r)
{
	b.n = 0;
	stats_put_report(&b, &r);
	return buf_cstr(&b);
}

static const char *events(struct event_times t, int64_t watermark)
{
	b.n = 0;
	stats_put_events(&b, &t, watermark);
	return buf_cstr(&b);
}

static void figures(void)
{
	TEST("counts are exact below 10,000 and have three digits from there")
	{
		CHECK_STR(count(0), "0");
		CHECK_STR(count(0.25), "0.2");
		CHECK_STR(count(7), "7");
		CHECK_STR(count(9999), "9999");
		CHECK_STR(count(10000), "10.0k");
		CHECK_STR(count(999499), "999k");
		CHECK_STR(count(999500), "1.00M");
		CHECK_STR(count(12345678901), "12.3G");
	}
	TEST("bytes have a unit")
	{
		CHECK_STR(bytes(0), "0 B");
		CHECK_STR(bytes(999), "999 B");
		CHECK_STR(bytes(1000), "1.00 kB");
		CHECK_STR(bytes(340e6), "340 MB");
		CHECK_STR(bytes(1e18), "1.00 EB");
		CHECK_STR(bytes(18e18), "18.0 EB");
	}
	TEST("times")
	{
		CHECK_STR(left(5), "0:05");
		CHECK_STR(left(3599), "59:59");
		CHECK_STR(left(3723), "1:02:03");
		CHECK_STR(span(0), "0ms");
		CHECK_STR(span(999), "999ms");
		CHECK_STR(span(1250), "1.2s");
		CHECK_STR(span(185000), "3m5s");
	}
}

static void lines(void)
{
	TEST("progress has percent and the time left where the size is known")
	{
		CHECK_STR(progress((struct progress_figures){ .size = -1, .per_s = -1 }), "0 records, 0 B");
		CHECK_STR(progress((struct progress_figures){ .records = 1, .bytes = 2, .size = -1, .per_s = 0.5 }), "1 record, 0.5/s, 2 B");
		CHECK_STR(progress((struct progress_figures){ 12345678, 340000000, 680000000, 12 * TIME_NS, 1200000 }),
			  "12.3M records, 1.20M/s, 340 MB, 50%, 0:12 left");
		CHECK_STR(progress((struct progress_figures){ 1, 1, 1000000, TIME_NS, 1 }), "1 record, 1/s, 1 B, 0%");
		CHECK_STR(progress((struct progress_figures){ 1, 20, 10, TIME_NS, 1 }), "1 record, 1/s, 20 B, 100%, 0:00 left");
		CHECK_STR(progress((struct progress_figures){ 0, 0, 0, TIME_NS, 0 }), "0 records, 0/s, 0 B, 100%, 0:00 left");
	}
	TEST("a micro-batch: rates are null when no time has passed")
	{
		CHECK_STR(report((struct batch_report){ .batch = 3, .time = TIME_NS, .records = 2, .bytes = 5, .bad = 1 }),
			  "\"batch\":3,\"time\":\"1970-01-01T00:00:01Z\",\"records\":2,\"bytes\":5,\"bad\":1,\"records_per_s\":null,"
			  "\"processed_per_s\":null,\"ms\":{\"read\":0.000,\"run\":0.000,\"deliver\":0.000,\"total\":0.000}");
		CHECK_STR(report((struct batch_report){ .records = 100, .since = 2 * TIME_NS, .read_ns = 1500000, .run_ns = 250000, .deliver_ns = 250000,
							.timed = true, .delay_ns = 12000000, .queued = 1 }),
			  "\"batch\":0,\"time\":\"1970-01-01T00:00:00Z\",\"records\":100,\"bytes\":0,\"bad\":0,\"records_per_s\":50.0,"
			  "\"processed_per_s\":50000.0,\"ms\":{\"read\":1.500,\"run\":0.250,\"deliver\":0.250,\"total\":2.000},"
			  "\"delay_ms\":12.000,\"queued\":1");
	}
	TEST("event time: nothing without it, no watermark yet, no times, the end")
	{
		CHECK_STR(events((struct event_times){ 0 }, WATERMARK_NONE), "");
		CHECK_STR(events((struct event_times){ 2, TIME_NS, 4 * TIME_NS, (__int128)5 * TIME_NS }, WATERMARK_NONE),
			  ",\"event_time\":{\"watermark\":null,\"min\":\"1970-01-01T00:00:01Z\",\"max\":\"1970-01-01T00:00:04Z\","
			  "\"avg\":\"1970-01-01T00:00:02.5Z\"}");
		CHECK_STR(events((struct event_times){ 0 }, 3 * TIME_NS), ",\"event_time\":{\"watermark\":\"1970-01-01T00:00:03Z\"}");
		CHECK_STR(events((struct event_times){ 0 }, WATERMARK_END), ",\"event_time\":{\"watermark\":\"inf\"}");
	}
}

int main(void)
{
	figures();
	lines();
	buf_release(&b);
	return test_done();
}

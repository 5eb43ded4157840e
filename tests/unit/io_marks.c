/* Marks: lines that end a micro-batch. */
#include "base/time.h"
#include "io/marks.h"
#include "test.h"

static struct mark m;
static const char *why;

static int parse(const char *line)
{
	why = NULL;
	return mark_parse(line, strlen(line), &m, &why);
}

static void words(void)
{
	TEST("a form feed alone, or with key=value words, is a mark")
	{
		CHECK(mark_is("\f", 1));
		CHECK(mark_is("\f \r", 3));
		CHECK(mark_is("\f a=b c=", 8));
		CHECK(!mark_is("\fhello", 6));
		CHECK(!mark_is("\f =b", 4));
		CHECK(!mark_is("\f a=b c", 7));
		CHECK(!mark_is("", 0));
	}
	TEST("the clock, absolute and relative")
	{
		CHECK_INT(parse("\f clock=1970-01-01T00:00:05Z"), 0);
		CHECK(m.has_clock && !m.clock_relative && !m.has_watermark);
		CHECK_INT(m.clock_ns, 5 * TIME_NS);
		CHECK_INT(parse("\f clock=+10s"), 0);
		CHECK(m.clock_relative);
		CHECK_INT(m.clock_ns, 10 * TIME_NS);
	}
	TEST("watermarks, of all points and by name")
	{
		CHECK_INT(parse("\f watermark=7 watermark.a=inf watermark.b.c=8 watermarks=no"), 0);
		CHECK(m.has_watermark && !m.has_clock);
		CHECK_INT(m.watermark, 7 * TIME_NS);
		CHECK_INT(m.n_named, 2);
		CHECK_BYTES(m.named[0].name, m.named[0].n, "a");
		CHECK_INT(m.named[0].at, MARK_INF);
		CHECK_BYTES(m.named[1].name, m.named[1].n, "b.c");
		CHECK_INT(m.named[1].at, 8 * TIME_NS);
	}
	TEST("what is no time is refused, and says why")
	{
		CHECK_INT(parse("\f clock=noon"), -1);
		CHECK_STR(why, "clock= wants a time or +duration");
		CHECK_INT(parse("\f watermark=infinite"), -1);
		CHECK_STR(why, "watermark= wants a time or inf");
		CHECK_INT(parse("\f watermark.a="), -1);
		CHECK_STR(why, "watermark= wants a time or inf");
		CHECK_INT(parse("\f watermark.=5"), -1);
		CHECK_STR(why, "watermark.NAME= wants a name");
	}
	TEST("names beyond the limit are refused")
	{
		char line[1024] = "\f";

		for (int i = 0; i < MARK_NAMES_MAX; i++)
			strcat(line, " watermark.a=1");
		CHECK_INT(parse(line), 0);
		CHECK_INT(m.n_named, MARK_NAMES_MAX);
		CHECK_INT(parse(strcat(line, " watermark.a=1")), -1);
		CHECK_STR(why, "more than 32 named watermarks");
	}
}

static void finding(void)
{
	size_t at, next;

	TEST("found at line starts only; an unfinished line is waited for")
	{
		CHECK_INT(mark_find("a\n\f\nb", 5, false, &at, &next), 1);
		CHECK_INT(at, 2);
		CHECK_INT(next, 4);
		CHECK_INT(mark_find("a\f\nb", 4, false, &at, &next), 0);
		CHECK_INT(at, 4);
		CHECK_INT(mark_find("a\n\f k=", 6, false, &at, &next), 0);
		CHECK_INT(at, 2);
		CHECK_INT(mark_find("a\n\f k=", 6, true, &at, &next), 1);
		CHECK_INT(next, 6);
		CHECK_INT(mark_find("\fx\n\f\n", 5, false, &at, &next), 1);
		CHECK_INT(at, 3);
	}
}

int main(void)
{
	words();
	finding();
	return test_done();
}

#include "base/utf8.h"

#include "tests/unit/test.h"

static void check_valid(const char *text, int want)
{
	char padded[256];
	size_t n = strlen(text);

	CHECK_INT(utf8_valid(text, n), want);
	/* also behind and before runs of ASCII of every length */
	for (size_t before = 0; before < 70; before++) {
		memset(padded, 'x', sizeof padded);
		memcpy(padded + before, text, n);
		CHECK_INT(utf8_valid(padded, before + n + before % 11), want);
	}
}

static void test_valid(void)
{
	static const char *const yes[] = { "",
		                           "abc",
		                           "\xc2\x80",
		                           "\xdf\xbf",
		                           "\xe0\xa0\x80",
		                           "\xed\x9f\xbf",
		                           "\xee\x80\x80",
		                           "\xef\xbf\xbf",
		                           "\xf0\x90\x80\x80",
		                           "\xf4\x8f\xbf\xbf",
		                           "h\xc3\xa9llo \xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x98\x80" };
	static const char *const no[] = { "\x80",
		                          "\xbf",
		                          "\xc0\x80",
		                          "\xc1\xbf",
		                          "\xc2",
		                          "\xc2 ",
		                          "\xe0\x80\x80",
		                          "\xe0\x9f\xbf",
		                          "\xed\xa0\x80",
		                          "\xed\xbf\xbf",
		                          "\xe2\x82",
		                          "\xf0\x80\x80\x80",
		                          "\xf0\x8f\xbf\xbf",
		                          "\xf4\x90\x80\x80",
		                          "\xf5\x80\x80\x80",
		                          "\xf0\x9f\x98",
		                          "\xfe",
		                          "\xff",
		                          "abc\xff" };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		check_valid(yes[i], 1);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		check_valid(no[i], 0);
}

static void test_every_character(void)
{
	char text[4];
	uint32_t back;

	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		unsigned n;

		if (cp >= 0xd800 && cp <= 0xdfff)
			continue;
		n = utf8_put(cp, text);
		if (!utf8_valid(text, n) || utf8_decode(text, n, &back) != n || back != cp || utf8_length(text, n) != 1)
			CHECK(!"a character does not come back");
	}
	CHECK_BYTES(text, utf8_put(0xd800, text), "\xef\xbf\xbd");
	CHECK_BYTES(text, utf8_put(0x110000, text), "\xef\xbf\xbd");
}

static void test_malformed(void)
{
	static const char text[] = "a\xff\xe2\x82z";
	uint32_t cp;
	char out[4];

	CHECK_INT(utf8_decode(text + 1, 4, &cp), 1);
	CHECK_INT(cp, 0xdcff);
	CHECK_BYTES(out, utf8_put(cp, out), "\xff");
	CHECK_INT(utf8_length(text, 5), 5);
	CHECK_INT(utf8_offset(text, 5, 4), 4);
	CHECK_INT(utf8_width(text, 5), 5);
}

static void test_positions(void)
{
	static const char text[] = "na\xc3\xafve \xe4\xb8\x96\xe7\x95\x8c and much more text behind it, all of it ASCII";

	CHECK_INT(utf8_length(text, sizeof text - 1), sizeof text - 1 - 5);
	CHECK_INT(utf8_offset(text, sizeof text - 1, 0), 0);
	CHECK_INT(utf8_offset(text, sizeof text - 1, 3), 4);
	CHECK_INT(utf8_offset(text, sizeof text - 1, 7), 10);
	CHECK_INT(utf8_offset(text, sizeof text - 1, 30), 35);
	CHECK_INT(utf8_offset(text, sizeof text - 1, 1000), sizeof text - 1);
	CHECK_INT(utf8_length("", 0), 0);
}

static size_t width_of(const char *text)
{
	return utf8_width(text, strlen(text));
}

static void test_width(void)
{
	CHECK_INT(width_of("abc"), 3);
	CHECK_INT(width_of("a\tb\n\x7f"), 2);
	CHECK_INT(width_of("e\xcc\x81"), 1);                            /* e and a combining acute */
	CHECK_INT(width_of("\xe4\xb8\x96\xe7\x95\x8c"), 4);             /* two ideographs */
	CHECK_INT(width_of("\xf0\x9f\x98\x80"), 2);                     /* an emoji */
	CHECK_INT(width_of("\xef\xbc\xa1\xef\xbd\xb1"), 3);             /* full width A, half width a */
	CHECK_INT(width_of("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), 2); /* conjoining Hangul */
	CHECK_INT(width_of("\xe2\x80\x8b\xef\xbb\xbf"), 0);             /* zero width space, byte order mark */
	CHECK_INT(width_of("\xc2\xad\xc2\x85"), 1);                     /* soft hyphen, a C1 control */
	CHECK_INT(width_of("\xe2\x94\x80\xe2\x82\xac"), 2);             /* box drawing, euro */
}

static void check_case(uint32_t upper, uint32_t lower)
{
	CHECK_INT(utf8_upper(lower), upper);
	CHECK_INT(utf8_lower(upper), lower);
	CHECK_INT(utf8_upper(upper), upper);
	CHECK_INT(utf8_lower(lower), lower);
}

static void test_case(void)
{
	for (uint32_t c = 'A'; c <= 'Z'; c++)
		check_case(c, c + 32);
	check_case(0xc9, 0xe9);       /* E acute */
	check_case(0x178, 0xff);      /* Y diaeresis */
	check_case(0x141, 0x142);     /* L with stroke */
	check_case(0x3a3, 0x3c3);     /* Greek sigma */
	check_case(0x42f, 0x44f);     /* Cyrillic ya */
	check_case(0x401, 0x451);     /* Cyrillic io */
	check_case(0x531, 0x561);     /* Armenian ayb */
	check_case(0x1c90, 0x10d0);   /* Georgian an */
	check_case(0x1e02, 0x1e03);   /* B with dot */
	check_case(0x10400, 0x10428); /* Deseret */
	CHECK_INT(utf8_upper(0x3c2), 0x3a3);
	CHECK_INT(utf8_upper(0xdf), 0xdf);
	CHECK_INT(utf8_lower(0x1e9e), 0xdf);
	CHECK_INT(utf8_lower(0x130), 'i');
	CHECK_INT(utf8_upper('0'), '0');
	CHECK_INT(utf8_upper(0x4e16), 0x4e16);
	CHECK_INT(utf8_upper(0xd7), 0xd7);
	CHECK_INT(utf8_upper(0xdc80), 0xdc80);
}

int main(void)
{
	TEST("well-formed and malformed sequences")
		test_valid();
	TEST("every character goes to bytes and back")
		test_every_character();
	TEST("a malformed byte is one character that keeps its byte")
		test_malformed();
	TEST("lengths and offsets count characters")
		test_positions();
	TEST("terminal columns")
		test_width();
	TEST("simple case mapping")
		test_case();
	return test_done();
}

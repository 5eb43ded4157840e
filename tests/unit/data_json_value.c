#include "tests/unit/test.h"

#include "base/json.h"
#include "data/json_value.h"

static struct arena arena;

/* What the text reads as, printed again; "error: why" when it does not. */
static const char *again(const char *text)
{
	static struct buf b;
	const char *why;
	struct value v;

	b.n = 0;
	if (value_from_json(text, strlen(text), &arena, &v, &why)) {
		buf_str(&b, "error: ");
		buf_str(&b, why);
	} else {
		value_print_json(&b, &v, NULL);
	}
	return buf_cstr(&b);
}

static void test_values(void)
{
	struct value v;
	const char *why, text[] = "[\"plain\", 1.50]";

	TEST("scalars and white space")
	{
		CHECK_STR(again(" null\n"), "null");
		CHECK_STR(again("true"), "true");
		CHECK_STR(again("\t[ ]\r\n"), "[]");
		CHECK_STR(again("{ }"), "{}");
		CHECK_STR(again(" [ 1 , \"a\" , { \"b\" : [ false ] } ] "), "[1,\"a\",{\"b\":[false]}]");
	}
	TEST("numbers keep their spelling")
	{
		CHECK_STR(again("[1.50,1e400,-0,0.0E-1,12345678901234567890]"), "[1.50,1e400,-0,0.0E-1,12345678901234567890]");
		CHECK_STR(again("01"), "error: text behind the value");
		CHECK_STR(again("1."), "error: number without digits after its point");
		CHECK_STR(again("1e"), "error: number without digits in its exponent");
		CHECK_STR(again("-"), "error: not a JSON value");
		CHECK_STR(again("+1"), "error: not a JSON value");
		CHECK_STR(again("nan"), "error: not a JSON value");
	}
	TEST("plain text and numbers are views of the input")
	{
		CHECK_INT(value_from_json(text, strlen(text), &arena, &v, &why), 0);
		CHECK(v.items[0].type == T_STR && v.items[0].s == text + 2);
		CHECK(v.items[1].type == T_NUM && v.items[1].s == text + 10);
	}
}

static void test_strings(void)
{
	struct value v;
	const char *why;

	TEST("escapes")
	{
		CHECK_STR(again("\"a\\n\\\"\\\\\\/\\u0041\\u00e9\\ud83d\\ude00 and more text\""),
			  "\"a\\n\\\"\\\\/A\xC3\xA9\xF0\x9F\x98\x80 and more text\"");
		CHECK_INT(value_from_json("\"a\\u0000b\"", 10, &arena, &v, &why), 0);
		CHECK(v.n == 3 && !memcmp(v.s, "a\0b", 3));
		CHECK_STR(again("\"\\x\""), "error: unknown escape in a string");
		CHECK_STR(again("\"\\u12G4\""), "error: bad \\u escape");
		CHECK_STR(again("\"\\ud800\""), "error: lone surrogate in a \\u escape");
		CHECK_STR(again("\"\\udc00\\ud800\""), "error: lone surrogate in a \\u escape");
		CHECK_STR(again("\"abc\\"), "error: string without an end");
		CHECK_STR(again("\"abc\\\""), "error: string without an end");
	}
	TEST("bytes that JSON does not take")
	{
		CHECK_STR(again("\"tab\there\""), "error: control character in a string");
		CHECK_STR(again("\"\xC3\xA9\""), "\"\xC3\xA9\"");
		CHECK_STR(again("\"\xC3\""), "error: malformed UTF-8 in a string");
		CHECK_STR(again("\"12345678\xED\xA0\x80\""), "error: malformed UTF-8 in a string");
		CHECK_STR(again("{\"a\\u0000b\":1}"), "error: object: NUL in a name");
	}
}

static void test_structure(void)
{
	static char deep[2 * JSON_DEPTH_MAX + 8];
	struct buf b = { 0 };
	const char *why;
	struct value v;

	TEST("of equal keys the last value wins at the first place")
	{
		CHECK_STR(again("{\"a\":1,\"b\":2,\"a\":3}"), "{\"a\":3,\"b\":2}");
		buf_char(&b, '{');
		for (int i = 0; i < 300; i++)
			buf_printf(&b, "\"k%d\":%d,", i % 100, i);
		buf_str(&b, "\"last\":0}");
		CHECK_INT(value_from_json(b.p, b.n, &arena, &v, &why), 0);
		CHECK_INT(v.n, 101);
		CHECK_BYTES(v.fields[7].v.s, v.fields[7].v.n, "207");
		buf_release(&b);
	}
	TEST("lists longer than the inline stack")
	{
		buf_char(&b, '[');
		for (int i = 0; i < 5000; i++)
			buf_printf(&b, "[%d],", i);
		buf_str(&b, "0]");
		CHECK_INT(value_from_json(b.p, b.n, &arena, &v, &why), 0);
		CHECK_INT(v.n, 5001);
		CHECK_BYTES(v.items[4321].items[0].s, v.items[4321].items[0].n, "4321");
		buf_release(&b);
	}
	TEST("depth")
	{
		memset(deep, '[', JSON_DEPTH_MAX);
		memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
		CHECK_INT(value_from_json(deep, 2 * JSON_DEPTH_MAX, &arena, &v, &why), 0);
		memset(deep, '[', JSON_DEPTH_MAX + 1);
		CHECK_STR(again(deep), "error: nested too deep");
	}
	TEST("broken structure")
	{
		CHECK_STR(again(""), "error: ends where a value is expected");
		CHECK_STR(again("["), "error: ends where a value is expected");
		CHECK_STR(again("[1"), "error: list: `,` or `]` expected");
		CHECK_STR(again("[1,]"), "error: not a JSON value");
		CHECK_STR(again("{\"a\"}"), "error: object: `:` expected");
		CHECK_STR(again("{\"a\":1,}"), "error: object: a quoted name expected");
		CHECK_STR(again("{\"a\":1]"), "error: object: `,` or `}` expected");
		CHECK_STR(again("truex"), "error: text behind the value");
		CHECK_STR(again("1 2"), "error: text behind the value");
	}
}

int main(void)
{
	test_values();
	test_strings();
	test_structure();
	arena_release(&arena);
	return test_done();
}

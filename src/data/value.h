/* Values: the ten types of the language, 16 bytes each. A value owns nothing: bytes, items and fields live in an arena,
 * an input block or a state store that outlives it. Who keeps a value beyond its batch copies it (value_copy). */
#ifndef STRM_DATA_VALUE_H
#define STRM_DATA_VALUE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"

enum type {
	T_NULL,
	T_BOOL,
	T_INT,
	T_FLOAT,
	T_TIME,   /* int64 ns since the epoch */
	T_DUR,    /* int64 ns */
	T_STR,    /* text that is text: quoted literals, results of string functions, JSON strings */
	T_TEXT,   /* text from a text format or `parse`: a number in a numeric context if it looks like one; spelling kept */
	T_NUM,    /* a number in its JSON spelling, not yet read (1.50, 1e400, 64-bit ids) */
	T_REGEX,  /* a /pattern/ literal; n bytes of pattern, flags folded in as (?i) */
	T_LIST,
	T_OBJECT,
	T_ANY,    /* of a column only: each row has its own type */
};

struct field;

struct value {
	union {
		bool b;
		int64_t i;                 /* T_INT, T_TIME, T_DUR */
		double f;
		const char *s;             /* T_STR, T_TEXT, T_NUM, T_REGEX: n bytes */
		const struct value *items; /* T_LIST: n items */
		const struct field *fields; /* T_OBJECT: n fields, in order, names unique */
	};
	uint32_t n;
	uint8_t type;
};

struct field {
	const char *name;
	uint32_t name_n;
	struct value v;
};

/* Longest text or list: a length is 32 bits. */
#define VALUE_LEN_MAX ((size_t)UINT32_MAX)

static inline struct value v_null(void) { return (struct value){ .type = T_NULL }; }
static inline struct value v_bool(bool b) { return (struct value){ .i = b, .type = T_BOOL }; }
static inline struct value v_int(int64_t i) { return (struct value){ .i = i, .type = T_INT }; }
static inline struct value v_float(double f) { return (struct value){ .f = f, .type = T_FLOAT }; }
static inline struct value v_time(int64_t ns) { return (struct value){ .i = ns, .type = T_TIME }; }
static inline struct value v_dur(int64_t ns) { return (struct value){ .i = ns, .type = T_DUR }; }
static inline struct value v_bytes(enum type t, const char *s, size_t n)
{
	return (struct value){ .s = s, .n = (uint32_t)n, .type = (uint8_t)t };
}
static inline struct value v_str(const char *s, size_t n) { return v_bytes(T_STR, s, n); }
static inline struct value v_text(const char *s, size_t n) { return v_bytes(T_TEXT, s, n); }
static inline struct value v_list(const struct value *items, size_t n)
{
	return (struct value){ .items = items, .n = (uint32_t)n, .type = T_LIST };
}
static inline struct value v_object(const struct field *fields, size_t n)
{
	return (struct value){ .fields = fields, .n = (uint32_t)n, .type = T_OBJECT };
}

/* Types whose bytes are in .s/.n. */
static inline bool type_is_bytes(enum type t) { return t >= T_STR && t <= T_REGEX; }
/* "null", "bool", "int", "float", "time", "duration", "string", "list", "object": what type(x) says. A T_TEXT says "string",
 * or "int"/"float" when it looks like one; a T_NUM says "int" or "float". */
const char *value_type_name(const struct value *v);

/* The number in a numeric context: T_INT, T_FLOAT, T_NUM, and T_TEXT that looks like one. NUM_NOT otherwise (T_STR too). */
enum num_kind value_num(const struct value *v, struct num *out);
struct value value_from_num(const struct num *n);
/* true/false in a condition: T_BOOL, and T_TEXT/T_STR "true"/"false". 1, 0, or -1 when neither (null included). */
int value_truth(const struct value *v);

/* Deep copy into an arena. */
struct value value_copy(struct arena *a, const struct value *v);
/* Bytes a deep copy takes beyond the 16 of the value itself. */
size_t value_bytes(const struct value *v);

/* The total order of `sort`: bool < numbers (exact, NaN last, -0 = 0) < time < duration < text by bytes < list < object < null.
 * Text that looks like a number (T_TEXT) is a number; lists element by element; objects by their fields in order
 * (name, then value). */
int value_cmp(const struct value *a, const struct value *b);
/* The equality of keys (by, dedup, join, distinct): text by bytes, numbers by value, a text equals a number iff it is the
 * number's canonical spelling; null equals null; all NaN are one. Same as equal key encodings (data/rowkey.h). */
bool value_key_equal(const struct value *a, const struct value *b);

/* The text of a value as an output cell: numbers shortest, text as it is, time RFC 3339, duration canonical, bool true/false,
 * null nothing, list and object as JSON. `f`: output choices, NULL for the defaults. */
struct value_format {
	const char *ofmt;      /* printf format of floats ("%.2f"), NULL: shortest */
	const char *times;     /* NULL: RFC 3339 UTC; "epoch", "epoch_ms", else a strftime format */
	const struct zone *zone; /* for a strftime format */
	uint64_t *nan_to_null; /* counted when JSON cannot hold a float, may be NULL */
};
void value_print(struct buf *b, const struct value *v, const struct value_format *f);
/* As JSON. T_TEXT is a number if its spelling is a JSON number, else a string; NaN and inf are null. Text that is not UTF-8 is
 * written with U+FFFD for each malformed byte. */
void value_print_json(struct buf *b, const struct value *v, const struct value_format *f);
/* A quoted JSON string of n bytes. */
void json_print_string(struct buf *b, const char *p, size_t n);

/* Bytes for checkpoints and spills: as few as it takes, the first never 0xff; the same bytes for the same value. */
void value_save(struct buf *b, const struct value *v);
/* The type of a value of which at least the first byte is there. */
enum type value_saved_type(const char *p);
/* Reads from *p, up to end; bytes and items are copied into the arena. 0, or -1 when malformed. */
int value_load(const char **p, const char *end, struct arena *a, struct value *v);

/* v.name: the field of an object (null without it), of a list the list of its elements' fields; null of anything else. */
struct value value_member(const struct value *v, const char *name, size_t n, struct arena *arena);
/* Field of an object by name, or NULL. */
const struct value *value_get(const struct value *object, const char *name, size_t n);

#endif

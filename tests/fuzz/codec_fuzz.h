/* One decoder under any input: it takes all bytes, and says the same however the input is cut. The including file defines FORMAT.
 * The first bytes choose the options; the rest is the input. */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/codec_util.h"

#define INPUT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void choose(struct decode_opts *o, const uint8_t *data)
{
	static const char *const names[] = { "a", "line", "2", "b" };

	*o = (struct decode_opts){ .fields = names, .n_fields = 4, .max_record = 1 << 20 };
	o->all = data[0] & 1;
	o->raw = data[0] & 2;
	if ((data[0] & 12) == 4)
		o->max_record = 1 + data[1] % 64;
	o->no_header = data[0] & 16;
	if (data[0] & 32) {
		o->header = names;
		o->n_header = 1 + data[1] % 4;
	}
	if ((data[0] & 192) == 64) {
		o->all = false;
		o->count_only = true;
		o->n_fields = 0;
	}
}

static void same(const struct decode_opts *o, const char *p, size_t n, size_t cut)
{
	const struct codec_def *def = codec_find(FORMAT);
	char *whole = decode_dump(def, o, p, n, 0), *parts = decode_dump(def, o, p, n, cut);

	if (strcmp(whole, parts)) {
		fprintf(stderr, "cut %zu:\n%s---\n%s", cut, whole, parts);
		abort();
	}
	if (strstr(whole, "used ") && strstr(whole, " of ") && !memmem(p, n, "used ", 5))
		abort();
	free(whole);
	free(parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_opts o;

	if (size < 3 || size > INPUT_MAX)
		return 0;
	choose(&o, data);
	same(&o, (const char *)data + 3, size - 3, 1);
	same(&o, (const char *)data + 3, size - 3, 2 + data[2]);
	return 0;
}

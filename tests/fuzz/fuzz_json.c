/* The JSON decoder: the first byte chooses cuts, limit and fields; the rest is the input. The fast path at every level, in those
 * cuts, says what the slow path (jansson's verdict) says of the whole. */
#include "../unit/json_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const fields[] = { "a", "user.id", "x.y", "a.b", "value" };
	static const size_t limits[] = { 0, 0, 60, 20 };
	struct oracle_way slow = { .slow = true };
	struct oracle_log want;
	unsigned how;

	if (!size)
		return 0;
	how = data[0];
	slow.max_record = limits[how & 3];
	if (how & 4) {
		slow.fields = fields;
		slow.n_fields = ARRAY_LEN(fields);
	}
	if (!oracle_run(&slow, (const char *)data + 1, size - 1, &want))
		abort();
	for (unsigned level = 0; level <= (unsigned)simd_level(); level++) {
		struct oracle_way fast = slow;

		fast.slow = false;
		fast.level = level;
		for (int cuts = 0; cuts < 2; cuts++) {
			fast.cut = cuts ? 1 + (how >> 3) * 7 : 0;
			if (!oracle_agrees(&fast, (const char *)data + 1, size - 1, &want))
				abort();
		}
	}
	oracle_free(&want);
	return 0;
}

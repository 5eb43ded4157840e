/* Inputs over restarts with other options: a directory or an address that is read with other ones than it was is still that directory or
 * address, and goes by the key that it had. */
#include "runtime/ckpt_impl.h"

void alike_note(struct checkpoint *c, struct store_bytes key)
{
	const char *nl = memchr(key.p, '\n', key.n);
	size_t n = nl ? (size_t)(nl - key.p) : key.n;
	struct arena *a = &c->job->arena;

	if (!n)
		return;
	/* those of a source come one after the other */
	for (size_t i = c->n_noted; i-- > 0;)
		if (!strncmp(c->noted[i], key.p, n) && !c->noted[i][n])
			return;
	c->noted = xgrow(c->noted, &c->noted_cap, c->n_noted + 1, sizeof *c->noted);
	c->noted[c->n_noted++] = arena_str(a, key.p, n);
}

static bool is_noted(const struct checkpoint *c, const char *key)
{
	for (size_t i = 0; i < c->n_noted; i++)
		if (!strcmp(c->noted[i], key))
			return true;
	return false;
}

static bool is_of_source(struct checkpoint *c, const char *key)
{
	for (unsigned i = 0; i < c->job->opts.n_sources; i++)
		if (!strcmp(place_key_of(c, i), key))
			return true;
	return false;
}

static int live_piece(void *ctx, uint64_t at, struct store_bytes piece)
{
	struct bytes_in in = { piece.p + 1, piece.p + piece.n, false };

	(void)at;
	if (piece.p[0] == 'D')
		alike_note(ctx, get_bytes(&in));
	return 0;
}

/* What waits in the log of live input was of these. */
static int note_logged(struct checkpoint *c, struct err *e)
{
	const struct place *log = place_find(c, "\nlog");
	struct store_reader r = { log ? log->now.wal_at : 0, live_piece, c };
	uint64_t end;

	if (store_wal_end(c->store, CKPT_LIVE_WAL, &end, e))
		return -1;
	return end > r.from && store_wal_read(c->store, CKPT_LIVE_WAL, &r, e) < 0 ? -1 : 0;
}

/* The key that a source went by which is no other's now. */
static int find_key(struct checkpoint *c, unsigned source, struct err *e)
{
	const char *spec = c->job->opts.sources[source], *found = NULL;

	for (size_t i = 0; i < c->n_noted; i++) {
		if (!source_spec_alike(c->noted[i], spec) || is_of_source(c, c->noted[i]))
			continue;
		if (found) {
			err_set(e, ERR_IO, "%s: was read as \"%s\" and as \"%s\" so far: which of them goes on cannot be told", spec, found,
				c->noted[i]);
			return err_hint(e, "change the options of one input at a time");
		}
		found = c->noted[i];
	}
	if (found)
		c->keys[source] = found;
	return 0;
}

int alike_keys(struct checkpoint *c, struct err *e)
{
	bool asked = false;

	for (unsigned i = 0; i < c->job->opts.n_sources; i++) {
		if (!source_spec_alike(c->job->opts.sources[i], c->job->opts.sources[i]) || is_noted(c, place_key_of(c, i)))
			continue;
		if (!asked && note_logged(c, e))
			return -1;
		asked = true;
		if (!is_noted(c, place_key_of(c, i)) && find_key(c, i, e))
			return -1;
	}
	return 0;
}

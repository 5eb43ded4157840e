#include "io/sink_list.h"

#include <stdlib.h>

#include "base/nearest.h"
#include "io/source.h"

static const struct sink_def *const defs[] = { &sink_stdout, &sink_file, &sink_dir, &sink_tcp, &sink_unix, &sink_exec };

const struct sink_def *sink_at(unsigned i) { return i < ARRAY_LEN(defs) ? defs[i] : NULL; }

const struct sink_def *sink_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(defs); i++) {
		const struct doc *d = &defs[i]->doc;

		if (!strcmp(d->name, name) || (d->aliases && !strcmp(d->aliases, name)))
			return defs[i];
	}
	return NULL;
}

void sink_nearest(struct nearest *s)
{
	for (size_t i = 0; i < ARRAY_LEN(defs); i++)
		nearest_offer(s, defs[i]->doc.name);
}

static bool known(const char *scheme) { return sink_find(scheme) != NULL; }

static bool known_other(const char *scheme) { return source_find(scheme) != NULL; }

static enum url_form form(const char *scheme, const struct doc **d)
{
	const struct sink_def *def = sink_find(scheme);

	*d = &def->doc;
	return def->form;
}

struct sink *sink_open(const char *spec, struct err *e)
{
	static const struct url_names names = { "sink", "source", known, known_other, sink_nearest, form };
	const struct sink_def *d;
	struct url u = { 0 };
	struct sink *s = NULL;

	if (url_parse(&u, spec, &names, e))
		goto out;
	d = *u.scheme ? sink_find(u.scheme) : &sink_file;
	if (url_check(&u, &d->doc, e))
		goto out;
	s = d->open(&u, e);
	if (!s)
		goto out;
	if (!s->def)
		s->def = d;
	s->url = u;
	if (!s->name)
		s->name = u.rest;
	return s;
out:
	url_release(&u);
	return NULL;
}

/* Does it lead to something that is there, and what is it? */
static const struct sink_def *find_there(const char *spec, struct stat *st)
{
	static const struct url_names names = { "sink", "source", known, known_other, sink_nearest, form };
	const struct sink_def *d = NULL;
	struct err ignored = { 0 };
	struct url u = { 0 };

	if (!url_parse(&u, spec, &names, &ignored))
		d = *u.scheme ? sink_find(u.scheme) : &sink_file;
	if (d && stat(url_path(&u), st))
		d = NULL;
	url_release(&u);
	return d;
}

bool sink_spec_stat(const char *spec, struct stat *st) { return strcmp(spec, "-") != 0 && find_there(spec, st) == &sink_file; }

int sink_recover_gone(const char *spec, const char *p, size_t n, struct err *e)
{
	struct stat st;
	const struct sink_def *d = find_there(spec, &st);
	struct sink *s = d && d->recover ? sink_open(spec, e) : NULL;
	int r;

	if (!s)
		return d && d->recover ? -1 : 0;
	r = sink_recover(s, p, n, e);
	sink_abandon(s);
	return r;
}

bool sink_settle(struct sink *s) { return s->def->settle && s->def->settle(s); }

int sink_write(struct sink *s, const char *p, size_t n, struct err *e)
{
	return s->held ? held_add(s->held, p, n, e) : s->def->write(s, p, n, e);
}

int sink_batch_end(struct sink *s, uint64_t batch, struct err *e)
{
	return s->def->batch_end ? s->def->batch_end(s, batch, e) : 0;
}

uint32_t sink_part(struct sink *s, const char *sub) { return s->def->part(s, sub); }

bool sink_in_parts(const struct sink *s) { return s->def->parts; }

const char *sink_name(const struct sink *s) { return s->name; }

bool sink_empty(const struct sink *s) { return s->empty; }

const char *sink_option(const struct sink *s, const char *key) { return url_option(&s->url, key); }

static int finish(struct sink *s, bool keep, struct err *e)
{
	int sent = sink_deliver_end(s, e), r = s->def->close(s, keep && !sent, e);

	r = sent ? sent : r;
	sink_forget_sending(s);
	if (s->held)
		held_release(s->held);
	free(s->held);
	url_release(&s->url);
	free(s);
	return r;
}

int sink_close(struct sink *s, struct err *e) { return finish(s, true, e); }

void sink_abandon(struct sink *s)
{
	struct err e = { 0 };

	if (s)
		finish(s, false, &e);
}

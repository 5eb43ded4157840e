#include "io/source_list.h"

#include <stdlib.h>

#include "base/nearest.h"
#include "io/sink.h"

static const struct source_def *const defs[] = { &source_stdin, &source_file, &source_values };

const struct source_def *source_at(unsigned i) { return i < ARRAY_LEN(defs) ? defs[i] : NULL; }

const struct source_def *source_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(defs); i++) {
		const struct doc *d = &defs[i]->doc;

		if (!strcmp(d->name, name) || (d->aliases && !strcmp(d->aliases, name)))
			return defs[i];
	}
	return NULL;
}

void source_nearest(struct nearest *s)
{
	for (size_t i = 0; i < ARRAY_LEN(defs); i++)
		nearest_offer(s, defs[i]->doc.name);
}

static bool known(const char *scheme) { return source_find(scheme) != NULL; }

static bool known_other(const char *scheme) { return sink_find(scheme) != NULL; }

struct source *source_open(const char *spec, struct err *e)
{
	static const struct url_names names = { "source", "sink", known, known_other, source_nearest };
	const struct source_def *d;
	struct url u = { 0 };
	struct source *s = NULL;

	if (url_parse(&u, spec, &names, e))
		goto out;
	d = *u.scheme ? source_find(u.scheme) : &source_file;
	if (url_check(&u, &d->doc, e))
		goto out;
	s = d->open(&u, e);
	if (!s)
		goto out;
	s->def = d;
	s->url = u;
	if (!s->name)
		s->name = u.rest;
	return s;
out:
	url_release(&u);
	return NULL;
}

ssize_t source_read(struct source *s, char *p, size_t n, struct err *e) { return s->def->read(s, p, n, e); }

bool source_ready(struct source *s) { return !s->def->ready || s->def->ready(s); }

const char *source_name(const struct source *s) { return s->name; }

void source_close(struct source *s)
{
	if (!s)
		return;
	s->def->close(s);
	url_release(&s->url);
	free(s);
}

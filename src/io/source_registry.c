#include "io/source_list.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/nearest.h"
#include "io/sink.h"

static const struct source_def *const defs[] = {
	&source_stdin, &source_file,	    &source_values, &source_dir,  &source_tcp, &source_tcp_listen,
	&source_unix,  &source_unix_listen, &source_udp,    &source_exec, &source_gen,
};

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

static enum url_form form(const char *scheme, const struct doc **d)
{
	const struct source_def *def = source_find(scheme);

	*d = &def->doc;
	return def->form;
}

struct source *source_open(const char *spec, struct err *e)
{
	static const struct url_names names = { "source", "sink", known, known_other, source_nearest, form };
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
	if (!d->read)
		s->live = d->live;
	if (!s->name)
		s->name = u.rest;
	return s;
out:
	url_release(&u);
	return NULL;
}

const char *source_spec_format(const char *spec)
{
	const char *colon = strchr(spec, ':');
	char scheme[32];

	if (!colon || (size_t)(colon - spec) >= sizeof scheme)
		return NULL;
	memcpy(scheme, spec, (size_t)(colon - spec));
	scheme[colon - spec] = 0;
	return source_find(scheme) ? source_find(scheme)->default_format : NULL;
}

bool source_spec_endless(const char *spec)
{
	static const struct url_names names = { "source", "sink", known, known_other, source_nearest, form };
	struct err ignored = { 0 };
	struct url u = { 0 };
	bool endless = false;

	if (!url_parse(&u, spec, &names, &ignored))
		endless = (*u.scheme && !source_find(u.scheme)->read) || url_option(&u, "follow");
	url_release(&u);
	return endless;
}

const char *source_spec_option(const char *spec, const char *key, struct arena *a)
{
	static const struct url_names names = { "source", "sink", known, known_other, source_nearest, form };
	struct err ignored = { 0 };
	struct url u = { 0 };
	const char *value = NULL;

	if (!url_parse(&u, spec, &names, &ignored))
		value = url_option(&u, key);
	value = value ? arena_str(a, value, strlen(value)) : NULL;
	url_release(&u);
	return value;
}

static bool is_place(const struct source_def *d) { return d && !d->read && d->form == URL_REST; }

static bool same_dir(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool source_spec_alike(const char *a, const char *b)
{
	static const struct url_names names = { "source", "sink", known, known_other, source_nearest, form };
	struct err ignored = { 0 };
	struct url x = { 0 }, y = { 0 };
	bool alike = !url_parse(&x, a, &names, &ignored) && !url_parse(&y, b, &names, &ignored) && *x.scheme && is_place(source_find(x.scheme)) &&
		     source_find(x.scheme) == source_find(y.scheme) && !url_option(&x, "ack") == !url_option(&y, "ack");

	if (alike && strcmp(x.rest, y.rest) != 0)
		alike = source_find(x.scheme) == &source_dir && same_dir(url_path(&x), url_path(&y));
	url_release(&x);
	url_release(&y);
	return alike;
}

char *source_spec_path(const char *spec)
{
	static const struct url_names names = { "source", "sink", known, known_other, source_nearest, form };
	struct err ignored = { 0 };
	struct url u = { 0 };
	char *path = NULL;

	if (strcmp(spec, "-") != 0 && !url_parse(&u, spec, &names, &ignored) && (!*u.scheme || source_find(u.scheme) == &source_file))
		path = xstrdup(url_path(&u));
	url_release(&u);
	return path;
}

bool source_spec_stat(const char *spec, struct stat *st)
{
	static const struct url_names names = { "source", "sink", known, known_other, source_nearest, form };
	struct err ignored = { 0 };
	struct url u = { 0 };
	bool is_file = false;

	if (!url_parse(&u, spec, &names, &ignored) && (!*u.scheme || source_find(u.scheme) == &source_file) && !stat(url_path(&u), st))
		is_file = S_ISREG(st->st_mode);
	url_release(&u);
	return is_file;
}

int64_t source_spec_size(const char *spec)
{
	struct stat st;

	return source_spec_stat(spec, &st) ? st.st_size : -1;
}

ssize_t source_read(struct source *s, char *p, size_t n, struct err *e)
{
	if (!s->def->read)
		BUG("%s: read without a loop", s->name);
	return s->def->read(s, p, n, e);
}

bool source_ready(struct source *s, int within_ms)
{
	return !s->def->ready || s->def->ready(s, within_ms);
}

bool source_is_live(const struct source *s) { return s->live != NULL; }

const struct live_def *source_live(const struct source *s) { return s->live; }

int64_t source_now(const struct source *s) { return s->clock ? s->clock(s->clock_ctx) : 0; }

const char *source_name(const struct source *s) { return s->name; }

void source_close(struct source *s)
{
	if (!s)
		return;
	s->def->close(s);
	url_release(&s->url);
	free(s);
}

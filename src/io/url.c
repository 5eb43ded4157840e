#include "io/url.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"

/* Kinds and options that the design has and this build does not: one table, so that the message is right. */
static const struct {
	const char *name;
	const char *hint;
} later[] = {
	{ "kafka", "use a pipe: kcat ... | strm ..." },
	{ "http", "use a pipe: curl -s URL | strm ..." },
	{ "https", "use a pipe: curl -s URL | strm ..." },
	{ "s3", "use a pipe: aws s3 cp URL - | strm ..." },
	{ "?mode", "only what a run prints at its end is there yet" },
};

static const char *later_hint(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(later); i++)
		if (!strcmp(later[i].name, name))
			return later[i].hint;
	return NULL;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* n bytes with their escapes decoded, in the url's memory; NULL and err when an escape is malformed. */
static const char *decode(struct url *u, const char *p, size_t n, struct err *e)
{
	char *out = arena_bytes(&u->mem, n + 1), *d = out;

	for (size_t i = 0; i < n; i++) {
		int hi, lo;

		if (p[i] != '%') {
			*d++ = p[i];
			continue;
		}
		hi = i + 2 < n ? hex(p[i + 1]) : -1;
		lo = hi >= 0 ? hex(p[i + 2]) : -1;
		if (lo < 0 || hi + lo == 0) {
			err_set(e, ERR_USAGE, "%s: bad escape '%.*s'", u->spec, (int)(n - i < 3 ? n - i : 3), p + i);
			err_hint(e, "a percent sign is written %%25");
			return NULL;
		}
		*d++ = (char)(hi << 4 | lo);
		i += 2;
	}
	*d = 0;
	return out;
}

/* Bytes of the scheme before a ':', 0 when there is none. */
static size_t scheme_length(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n && s[n] == ':' && *s >= 'a' && *s <= 'z' ? n : 0;
}

static int refuse_unknown(const struct url_names *names, const char *spec, const char *scheme, struct err *e)
{
	struct nearest near;

	nearest_init(&near, scheme, strlen(scheme));
	names->nearest(&near);
	err_set(e, ERR_USAGE, "%s: unknown kind of %s '%s'", spec, names->what, scheme);
	if (near.best)
		return err_hint(e, "did you mean '%s:'?", near.best);
	return err_hint(e, "a file of this name is written ./%s", spec);
}

/* Is the name before the ':' a scheme, or part of a file name? 1, 0, or -1 and err. */
static int is_scheme(const struct url_names *names, const char *spec, const char *scheme, struct err *e)
{
	size_t n = strlen(scheme);
	struct nearest near;

	if (names->known(scheme))
		return 1;
	if (later_hint(scheme)) {
		err_set(e, ERR_USAGE, "%s: the %s '%s' is not in this build", spec, names->what, scheme);
		return err_hint(e, "%s", later_hint(scheme));
	}
	if (access(spec, F_OK) == 0)
		return 0;
	if (names->known_other(scheme))
		return err_set(e, ERR_USAGE, "%s: '%s' is a %s, not a %s", spec, scheme, names->other, names->what);
	nearest_init(&near, scheme, n);
	names->nearest(&near);
	if (near.best || !strncmp(spec + n, "://", 3))
		return refuse_unknown(names, spec, scheme, e);
	return 0;
}

static int add_option(struct url *u, const char *p, size_t n, struct err *e)
{
	const char *eq = memchr(p, '=', n);
	size_t key_n = eq ? (size_t)(eq - p) : n;
	const char *key = decode(u, p, key_n, e), *value = eq && key ? decode(u, eq + 1, n - key_n - 1, e) : "";

	if (!key || !value)
		return -1;
	if (!*key)
		return err_set(e, ERR_USAGE, "%s: an option without a name", u->spec);
	if (url_option(u, key))
		return err_set(e, ERR_USAGE, "%s: option '%s' is given twice", u->spec, key);
	if (u->n_options == URL_OPTIONS_MAX)
		return err_set(e, ERR_USAGE, "%s: more than %d options", u->spec, URL_OPTIONS_MAX);
	u->options[u->n_options++] = (struct url_option){ key, value };
	return 0;
}

static int parse_query(struct url *u, const char *p, struct err *e)
{
	while (*p) {
		size_t n = strcspn(p, "&");

		if (n && add_option(u, p, n, e))
			return -1;
		p += n + (p[n] == '&');
	}
	return 0;
}

/* key[=value][&...] with keys of letters and dashes. */
static bool looks_like_query(const char *p)
{
	do {
		size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz-");

		if (!n || (p[n] && p[n] != '=' && p[n] != '&'))
			return false;
		p += strcspn(p, "&");
	} while (*p++);
	return true;
}

static int parse_path(struct url *u, struct err *e)
{
	const char *mark = strrchr(u->spec, '?');

	u->scheme = "";
	u->raw = u->rest = u->spec;
	if (!mark || !looks_like_query(mark + 1) || access(u->spec, F_OK) == 0)
		return 0;
	u->raw = u->rest = arena_str(&u->mem, u->spec, (size_t)(mark - u->spec));
	return parse_query(u, mark + 1, e);
}

static const struct doc_param *doc_find(const struct doc *d, const char *name)
{
	for (size_t i = 0; i < DOC_PARAMS_MAX && d->params[i].name; i++)
		if (!strcmp(d->params[i].name, name))
			return &d->params[i];
	return NULL;
}

/* Are these key=value words all options of the doc? */
static bool known_options(const char *p, const struct doc *d)
{
	do {
		char key[40];
		size_t n = strcspn(p, "=&");

		if (n >= sizeof key)
			return false;
		memcpy(key, p, n);
		key[n] = 0;
		if (!doc_find(d, key))
			return false;
		p += strcspn(p, "&");
	} while (*p++);
	return true;
}

static int parse_verbatim(struct url *u, const char *p, const struct doc *d, struct err *e)
{
	const char *mark = strrchr(p, '?');

	u->raw = u->rest = p;
	if (!mark || !known_options(mark + 1, d))
		return 0;
	u->raw = u->rest = arena_str(&u->mem, p, (size_t)(mark - p));
	return parse_query(u, mark + 1, e);
}

static int parse_url(struct url *u, const struct url_names *names, struct err *e)
{
	const char *p = u->spec + strlen(u->scheme) + 1;
	size_t n = strcspn(p, "?");
	const struct doc *d;
	enum url_form form = names->form(u->scheme, &d);

	if (form == URL_VERBATIM)
		return parse_verbatim(u, p, d, e);
	if (form == URL_OPTIONS)
		return parse_query(u, p + (*p == '?'), e);
	u->raw = arena_str(&u->mem, p, n);
	u->rest = decode(u, p, n, e);
	if (!u->rest)
		return -1;
	return p[n] ? parse_query(u, p + n + 1, e) : 0;
}

int url_parse(struct url *u, const char *spec, const struct url_names *names, struct err *e)
{
	size_t n = scheme_length(spec);
	int scheme;

	u->spec = arena_str(&u->mem, spec, strlen(spec));
	u->scheme = u->raw = u->rest = "";
	if (!*spec)
		return err_set(e, ERR_USAGE, "a %s without a name", names->what);
	if (!strcmp(spec, "-") || !strncmp(spec, "-?", 2)) {
		u->scheme = "-";
		return spec[1] ? parse_query(u, u->spec + 2, e) : 0;
	}
	if (!n)
		return parse_path(u, e);
	u->scheme = arena_str(&u->mem, spec, n);
	scheme = is_scheme(names, u->spec, u->scheme, e);
	if (scheme < 0)
		return -1;
	return scheme ? parse_url(u, names, e) : parse_path(u, e);
}

static int refuse_option(const struct url *u, const struct doc *d, const char *key, struct err *e)
{
	char name[80];
	struct nearest near;

	snprintf(name, sizeof name, "?%s", key);
	if (later_hint(name)) {
		err_set(e, ERR_USAGE, "%s: option '%s' is not in this build", u->spec, key);
		return err_hint(e, "%s", later_hint(name));
	}
	nearest_init(&near, key, strlen(key));
	for (size_t i = 0; i < DOC_PARAMS_MAX && d->params[i].name; i++)
		nearest_offer(&near, d->params[i].name);
	err_set(e, ERR_USAGE, "%s: unknown option '%s'", u->spec, key);
	if (near.best)
		return err_hint(e, "did you mean '%s'?", near.best);
	return err_hint(e, "a question mark in a name is written %%3F");
}

static int check_option(const struct url *u, const struct doc *d, const struct url_option *o, struct err *e)
{
	const struct doc_param *p = doc_find(d, o->key);

	if (!p)
		return refuse_option(u, d, o->key, e);
	if (!strcmp(p->type, "flag") && *o->value)
		return err_set(e, ERR_USAGE, "%s: option '%s' takes no value, not '%s'", u->spec, o->key, o->value);
	if (strcmp(p->type, "flag") != 0 && !*o->value)
		return err_set(e, ERR_USAGE, "%s: option '%s' needs a value", u->spec, o->key);
	return 0;
}

int url_check(const struct url *u, const struct doc *d, struct err *e)
{
	for (unsigned i = 0; i < u->n_options; i++)
		if (check_option(u, d, &u->options[i], e))
			return -1;
	return 0;
}

const char *url_option(const struct url *u, const char *key)
{
	for (unsigned i = 0; i < u->n_options; i++)
		if (!strcmp(u->options[i].key, key))
			return u->options[i].value;
	return NULL;
}

const char *url_path(const struct url *u) { return *u->scheme && !strncmp(u->rest, "///", 3) ? u->rest + 2 : u->rest; }

void url_release(struct url *u)
{
	arena_release(&u->mem);
	*u = (struct url){ 0 };
}

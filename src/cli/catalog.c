#include "cli/catalog.h"

#include <string.h>

#include "agg/agg.h"
#include "cli/inspect.h"
#include "cli/options.h"
#include "cli/topics.h"
#include "codec/pattern.h"
#include "expr/fn.h"
#include "io/sink.h"
#include "io/source.h"
#include "stage/stage.h"

/* The registries' *_at functions as ones that give the documentation. */
#define DOC_AT(name, type, at) \
	static const struct doc *name(unsigned i) \
	{ \
		const struct type *d = at(i); \
		return d ? (const struct doc *)d : NULL; \
	}

DOC_AT(stage_doc, stage_def, stage_at)
DOC_AT(fn_doc, fn_def, fn_at)
DOC_AT(agg_doc, agg_def, agg_at)
DOC_AT(codec_doc, codec_def, codec_at)
DOC_AT(pattern_doc_at, pattern_def, pattern_at)
DOC_AT(source_doc, source_def, source_at)
DOC_AT(sink_doc, sink_def, sink_at)

/* Options of this build. */
static const struct doc *option_doc(unsigned i)
{
	const struct option_def *d;

	for (unsigned at = 0; (d = option_at(at)); at++)
		if (!d->later && !i--)
			return &d->doc;
	return NULL;
}

static const struct kind kinds[] = {
	{ "stage", "stages", "the words of the language: filter, count, top ...", EXAMPLE_COMMAND, stage_doc },
	{ "function", "functions", "what expressions call: upper, split, strftime ...", EXAMPLE_FUNCTION, fn_doc },
	{ "aggregate", "aggregates", "what reduce calls: sum, avg, p95 ...", EXAMPLE_AGGREGATE, agg_doc },
	{ "special value", "specials", "values that are no fields: @source, @record ...", EXAMPLE_COMMAND, special_doc },
	{ "format", "formats", "of input and output: csv, json ...", EXAMPLE_COMMAND, codec_doc },
	{ "pattern", "patterns", "formats of log lines, for the stage parse", EXAMPLE_COMMAND, pattern_doc_at },
	{ "source", "sources", "where records come from", EXAMPLE_COMMAND, source_doc },
	{ "sink", "sinks", "where they go", EXAMPLE_COMMAND, sink_doc },
	{ "option", "options", "of the command", EXAMPLE_COMMAND, option_doc },
	{ "command", "commands", "`strm checkpoint`: look at what a job has kept", EXAMPLE_COMMAND, inspect_doc },
	{ "topic", "topics", "the rules of the language", EXAMPLE_COMMAND, topic_doc },
	{ NULL },
};

const struct kind *kind_at(unsigned i) { return kinds[i].name ? &kinds[i] : NULL; }

const struct kind *kind_of_list(const char *list)
{
	for (const struct kind *k = kinds; k->name; k++)
		if (!strcmp(k->list, list))
			return k;
	return NULL;
}

bool is_option_kind(const struct kind *k) { return k->at == option_doc; }

bool is_topic_kind(const struct kind *k) { return k->at == topic_doc; }

bool same_group(const struct doc *a, const struct doc *b)
{
	return a->group && b->group ? !strcmp(a->group, b->group) : a->group == b->group;
}

bool begins_group(const struct kind *k, const struct doc *d)
{
	const struct doc *x;

	for (unsigned i = 0; (x = k->at(i)) != d; i++)
		if (same_group(x, d))
			return false;
	return true;
}

static bool has_alias(const char *aliases, const char *name)
{
	size_t n = strlen(name);

	while (aliases && *aliases) {
		size_t len = strcspn(aliases, " ");

		if (len == n && !memcmp(aliases, name, n))
			return true;
		aliases += len + (aliases[len] == ' ');
	}
	return false;
}

static const struct doc *find_option(const char *name)
{
	const struct option_def *d;
	bool is_long = !strncmp(name, "--", 2), is_short = !is_long && name[0] == '-';

	for (unsigned i = 0; (d = option_at(i)); i++) {
		bool same =
			is_short ? name[1] && name[1] == d->letter && !name[2] : !strcmp(d->doc.name, name + (is_long ? 2 : 0));

		if (same && !d->later)
			return &d->doc;
	}
	return NULL;
}

const struct doc *kind_find(const struct kind *k, const char *name)
{
	const struct doc *d;

	if (is_option_kind(k))
		return find_option(name);
	for (unsigned i = 0; (d = k->at(i)); i++)
		if (!strcmp(d->name, name) || has_alias(d->aliases, name))
			return d;
	return k->at == agg_doc ? (const struct doc *)agg_find(name, NULL) : NULL;
}

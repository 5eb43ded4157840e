#include "cli/help.h"

#include <errno.h>

#include "base/nearest.h"
#include "cli/complete.h"
#include "cli/entry.h"
#include "cli/man.h"
#include "cli/options.h"
#include "cli/parallels.h"
#include "cli/report.h"
#include "stage/stage.h"

/* Of what stands beside a name, behind the margin. */
#define NAME_COLUMN 18
#define OPTION_COLUMN 26

/* ---- lists ---- */

static void list_group(struct page *p, const struct kind *k, const struct doc *first, bool all)
{
	const struct doc *d;
	bool options = is_option_kind(k);
	unsigned column = p->margin + (options ? OPTION_COLUMN : NAME_COLUMN);

	for (unsigned i = 0; (d = k->at(i)); i++)
		if (same_group(d, first) && (all || !option_is_detail(d)))
			page_item(p, options ? d->synopsis : d->name, d->summary, column);
}

static void list_later_options(struct page *p)
{
	const struct option_def *d;
	bool any = false;

	for (unsigned i = 0; (d = option_at(i)); i++) {
		if (!d->later)
			continue;
		if (!any)
			page_heading(p, "Not in this build");
		any = true;
		page_item(p, d->doc.synopsis, d->doc.summary, p->margin + OPTION_COLUMN);
	}
}

static void list_kind(struct page *p, const struct kind *k)
{
	const struct doc *d;

	for (unsigned i = 0; (d = k->at(i)); i++) {
		if (!begins_group(k, d))
			continue;
		page_part(p, d->group ? d->group : k->list);
		list_group(p, k, d, true);
	}
	if (is_option_kind(k))
		list_later_options(p);
}

static void overview(struct page *p)
{
	const struct parallel_model *m;
	const struct kind *k;
	const struct doc *d;

	page_heading(p, "strm help NAME");
	page_text(p, "A stage, function, aggregate, format, pattern, source, sink, option or topic: `strm help top`, `strm help "
		     "--bad`; or a word of Spark or Beam: `strm help reduceByKey`.");
	page_heading(p, "strm help LIST");
	for (unsigned i = 0; (k = kind_at(i)); i++)
		if (!is_topic_kind(k))
			page_item(p, k->list, k->summary, p->margin + NAME_COLUMN);
	page_item(p, "semantics", "the words of Spark, MillWheel and Beam, and ours", p->margin + NAME_COLUMN);
	for (unsigned i = 0; (m = parallel_model_at(i)); i++)
		page_item(p, m->name, m->title, p->margin + NAME_COLUMN);
	page_heading(p, "strm help TOPIC");
	for (unsigned i = 0; (k = kind_at(i)); i++)
		for (unsigned j = 0; is_topic_kind(k) && (d = k->at(j)); j++)
			page_item(p, d->name, d->summary, p->margin + NAME_COLUMN);
	page_text(p, "The manual pages strm(1), strm-functions(7), strm-language(7) and strm-semantics(7) hold the same.");
}

/* ---- one name ---- */

/* Every entry of that name; how many there are. */
static int show_name(struct page *p, const char *name)
{
	const struct kind *k;
	int n = 0;

	for (unsigned i = 0; (k = kind_at(i)); i++) {
		const struct doc *d = kind_find(k, name);

		if (!d)
			continue;
		entry_show(p, k, d, k->name);
		n++;
	}
	return n;
}

static bool is_later_option(const char *name)
{
	const struct option_def *d;

	name += strspn(name, "-");
	for (unsigned i = 0; (d = option_at(i)); i++)
		if (d->later && !strcmp(d->doc.name, name))
			return true;
	return false;
}

static void offer_names(struct nearest *s)
{
	const struct kind *k;
	const struct doc *d;

	for (unsigned i = 0; (k = kind_at(i)); i++) {
		nearest_offer(s, k->list);
		for (unsigned j = 0; (d = k->at(j)); j++)
			nearest_offer(s, d->name);
	}
	parallels_offer(s);
}

/* "did you mean": options for what looks like one, else everything. */
static void hint_nearest(struct err *e, const char *name)
{
	const struct kind *k = kind_of_list("options");
	const struct doc *d;
	struct nearest s;
	bool dashes = !strncmp(name, "--", 2);

	nearest_init(&s, name + 2 * dashes, strlen(name + 2 * dashes));
	if (!dashes)
		offer_names(&s);
	for (unsigned i = 0; dashes && (d = k->at(i)); i++)
		nearest_offer(&s, d->name);
	if (s.best)
		err_hint(e, "did you mean %s%s?", dashes ? "--" : "", s.best);
	else
		err_hint(e, "`strm help` says what there is");
}

static void unknown_name(const char *name)
{
	struct options none = { 0 };
	struct err e = { 0 };

	if (is_later_option(name)) {
		err_set(&e, ERR_USAGE, "help: %s is not in this build", name);
	} else {
		err_set(&e, ERR_USAGE, "help: nothing is called \"%s\"", name);
		parse_stage_hint(&e, name, NULL, 0, 0);
		if (!e.hint[0])
			hint_nearest(&e, name);
	}
	report_error(&none, &e);
}

/* The entry of a name of two words: strm help checkpoint ls. */
static bool show_two_words(struct page *p, const char *first, const char *second)
{
	struct buf name = { 0 };
	bool found;

	buf_printf(&name, "%s %s", first, second);
	found = show_name(p, buf_cstr(&name));
	buf_release(&name);
	return found;
}

static int help_names(struct page *p, int n, char **names)
{
	int status = 0;

	for (int i = 0; i < n; i++) {
		const struct kind *k = kind_of_list(names[i]);

		if (i + 1 < n && show_two_words(p, names[i], names[i + 1]))
			i++;
		else if (k)
			list_kind(p, k);
		else if (!parallels_list(p, names[i]) && !show_name(p, names[i]) && !parallels_show(p, names[i])) {
			unknown_name(names[i]);
			status = 2;
		}
	}
	return status;
}

static int usage_error(const char *what, const char *arg)
{
	struct options none = { 0 };
	struct err e = { 0 };

	err_set(&e, ERR_USAGE, "help: %s: \"%s\"", what, arg);
	report_error(&none, &e);
	return 2;
}

/* The generated files: true when argv asks for one. */
static bool generated(struct page *p, int argc, char **argv, int *status)
{
	const char *arg = argc > 1 ? argv[1] : "";

	*status = 0;
	if (!argc)
		return false;
	if (!strcmp(argv[0], "--man")) {
		if (!man_page(p, argc > 1 ? arg : "strm"))
			*status = usage_error("no such page (strm, strm-functions, strm-language, strm-semantics)", arg);
	} else if (!strcmp(argv[0], "--completion")) {
		if (!completion(&p->b, arg))
			*status = usage_error("no such shell (bash, zsh, fish)", arg);
	} else if (!strcmp(argv[0], "--examples")) {
		examples_list(&p->b);
		parallels_examples(&p->b);
	} else {
		return false;
	}
	return true;
}

static int cannot_write(void)
{
	struct options none = { 0 };
	struct err e = { 0 };

	err_set(&e, ERR_IO, "stdout: %s", strerror(errno));
	report_error(&none, &e);
	return exit_status(e.kind);
}

int help_command(int argc, char **argv, FILE *out)
{
	struct page p;
	int status = 0;

	page_init(&p, out);
	if (!argc)
		overview(&p);
	else if (!generated(&p, argc, argv, &status))
		status = help_names(&p, argc, argv);
	if (page_put(&p, out))
		status = cannot_write();
	page_release(&p);
	return status;
}

/* ---- --help ---- */

static const char usage_head[] = "Usage: strm [OPTION]... STAGE... [-- FILE...]\n"
				 "       strm [OPTION]... -f PROGRAM [FILE...]\n\n"
				 "  strm words 'count by word' 'top 10 by count' < book.txt\n"
				 "  strm 'parse combined' 'filter status >= 500' 'count by path' -- access.log\n"
				 "  strm 'reduce total = sum(price * n) by customer' -- sales.csv\n\n";

static void usage_stages(struct page *p)
{
	const struct stage_def *d;
	struct buf names = { 0 };

	for (unsigned i = 0; (d = stage_at(i)); i++)
		buf_printf(&names, "%s ", d->doc.name);
	buf_str(&p->b, "Stages: ");
	page_wrap(p, buf_cstr(&names), 8, 8);
	buf_release(&names);
}

void help_usage(FILE *out)
{
	const struct kind *k = kind_of_list("options");
	const struct doc *d;
	struct page p;

	page_init(&p, out);
	p.margin = 2;
	buf_str(&p.b, usage_head);
	usage_stages(&p);
	for (unsigned i = 0; (d = k->at(i)); i++) {
		if (!begins_group(k, d))
			continue;
		buf_printf(&p.b, "%s:\n", d->group);
		list_group(&p, k, d, false);
	}
	buf_str(&p.b, "\nMore: strm help options, strm help NAME (top, sum, upper, csv ...), man strm\n");
	page_put(&p, out);
	page_release(&p);
}

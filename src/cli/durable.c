#include "config.h"

#include "cli/durable.h"

#include <stdlib.h>
#include <string.h>

#include "cli/report.h"

static int goes_with(const char *option, struct err *e)
{
	err_set(e, ERR_USAGE, "--%s: is for jobs with a checkpoint", option);
	return err_hint(e, "say where it is kept: --checkpoint DIR");
}

/* A source that waits for others to come never has all there is. */
static bool only_listens(const char *spec)
{
	static const char *const kinds[] = { "tcp-listen:", "unix-listen:", "udp:" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strncmp(spec, kinds[i], strlen(kinds[i])))
			return true;
	return false;
}

/* Records that make themselves, without end. */
static bool never_ends(const char *spec) { return !strncmp(spec, "gen:", 4) && !strstr(spec, "rows="); }

static int no_end(const char *spec, struct err *e)
{
	err_set(e, ERR_USAGE, "--once: %s has no end", spec);
	return err_hint(e, "say how many records it makes: %s%srows=1000", spec, strchr(spec, '=') ? "&" : "");
}

int durable_check(const struct options *o, struct err *e)
{
	if (!o->checkpoint && o->drain)
		return goes_with("drain", e);
	if (!o->checkpoint && o->accept_loss)
		return goes_with("accept-loss", e);
	for (unsigned i = 0; i < o->n_sources && o->once; i++) {
		if (never_ends(o->sources[i]))
			return no_end(o->sources[i], e);
		if (!only_listens(o->sources[i]))
			continue;
		err_set(e, ERR_USAGE, "--once: %s only listens: there is no telling when all has come", o->sources[i]);
		return err_hint(e, "let it run without --once, or read what another program has gathered in a file or directory");
	}
	return 0;
}

char *durable_salt(const struct options *o)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s\n%s\n", o->zone ? zone_name(o->zone) : "", o->schema ? o->schema : "");
	return (char *)buf_cstr(&b);
}

struct plan_given durable_given(const struct options *o, const char *salt)
{
	return (struct plan_given){ .salt = salt, .vars = o->vars, .n_vars = o->n_vars };
}

static const char *command_line(const struct plan *p)
{
	return p->canonical && *p->canonical ? p->canonical : "strm";
}

int durable_open(struct durable *d, struct job_opts *jo, struct run *run, struct lower_opts *lower, struct err *e)
{
	const struct options *o = d->opts;
	struct plan_meaning *meanings;
	struct plan_given given;
	struct checkpoint_stage *stages;
	char *own;

	jo->once = o->once;
	if (!o->checkpoint)
		return 0;
	own = durable_salt(o);
	given = durable_given(o, own);
	meanings = plan_meanings(d->plan, &given);
	free(own);
	stages = arena_array(d->plan->arena, struct checkpoint_stage, (size_t)d->plan->n_stages + 1);
	for (int i = 0; i <= d->plan->n_stages; i++)
		stages[i] = (struct checkpoint_stage){ meanings[i].name, meanings[i].fingerprint };
	d->checkpoint = (struct checkpoint_opts){ .dir = o->checkpoint, .command = command_line(d->plan), .program = d->plan->canonical, .stages = stages,
						  .n_stages = (unsigned)d->plan->n_stages + 1, .drain = o->drain, .accept_loss = o->accept_loss,
						  .env = d->env, .mem_max = o->mem_max, .note = report_note, .ctx = jo->ctx };
	jo->checkpoint = checkpoint_open(&d->checkpoint, e);
	run->durable = true;
	run->ends = o->drain;
	lower->opened = checkpoint_sink;
	lower->kept = checkpoint_kept;
	lower->opened_ctx = jo->checkpoint;
	return jo->checkpoint ? 0 : -1;
}

#include "cli/complete.h"

#include "cli/catalog.h"
#include "cli/options.h"
#include "cli/parallels.h"
#include "stage/stage.h"

/* A script is a template: %{name} stands for what the marker of that name writes. */
struct marker {
	const char *name;
	void (*put)(struct buf *b);
};

static void put_list(struct buf *b, const char *list, const char *suffix)
{
	const struct kind *k = kind_of_list(list);
	const struct doc *d;

	for (unsigned i = 0; (d = k->at(i)); i++)
		buf_printf(b, "%s%s%s", i ? " " : "", d->name, suffix);
}

static void put_stages(struct buf *b) { put_list(b, "stages", ""); }

static void put_calls(struct buf *b)
{
	put_list(b, "functions", "(");
	buf_char(b, ' ');
	put_list(b, "aggregates", "(");
}

/* Those that are one word. */
static void put_words(struct buf *b, const struct kind *k)
{
	const struct doc *d;

	for (unsigned i = 0; (d = k->at(i)); i++)
		if (!strchr(d->name, ' '))
			buf_printf(b, "%s ", d->name);
}

/* All that `strm help` takes. */
static void put_names(struct buf *b)
{
	const struct parallel_model *m;
	const struct kind *k;

	for (unsigned i = 0; (k = kind_at(i)); i++) {
		buf_printf(b, "%s ", k->list);
		if (!is_option_kind(k))
			put_words(b, k);
	}
	buf_str(b, "semantics");
	for (unsigned i = 0; (m = parallel_model_at(i)); i++)
		buf_printf(b, " %s", m->name);
}

static void put_formats(struct buf *b, bool input)
{
	const struct codec_def *c;
	const char *sep = "";

	for (unsigned i = 0; (c = codec_at(i)); i++) {
		if (input ? !c->open : !c->open_out)
			continue;
		buf_printf(b, "%s%s", sep, c->doc.name);
		sep = " ";
	}
}

/* What completes the argument of an option. */
enum arg_kind { ARG_NONE, ARG_FORMAT, ARG_FILE, ARG_OTHER };

static enum arg_kind arg_kind(const struct option_def *d)
{
	static const char *const files[] = { "source", "sink", "file", "directory" };
	const char *type = d->doc.params[0].type;

	if (!d->doc.params[0].name || d->doc.params[0].dflt)
		return ARG_NONE;
	if (!strcmp(type, "format"))
		return ARG_FORMAT;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (!strcmp(type, files[i]))
			return ARG_FILE;
	return ARG_OTHER;
}

static void put_option_formats(struct buf *b, const struct option_def *d) { put_formats(b, !strcmp(d->doc.name, "input")); }

/* Calls put for each option of this build. */
static void each_option(struct buf *b, void (*put)(struct buf *b, const struct option_def *d))
{
	const struct option_def *d;

	for (unsigned i = 0; (d = option_at(i)); i++)
		if (!d->later)
			put(b, d);
}

static bool put_marker(struct buf *b, const struct marker *markers, const char *name, size_t n)
{
	for (; markers->name; markers++) {
		if (strlen(markers->name) == n && !memcmp(markers->name, name, n)) {
			markers->put(b);
			return true;
		}
	}
	return false;
}

static void fill(struct buf *b, const char *text, const struct marker *markers)
{
	const char *at, *end;

	for (; (at = strstr(text, "%{")); text = end + 1) {
		end = strchr(at, '}');
		buf_add(b, text, (size_t)(at - text));
		if (!put_marker(b, markers, at + 2, (size_t)(end - at - 2)))
			BUG("unknown marker %s", at);
	}
	buf_str(b, text);
}

/* ---- bash ---- */

static void bash_option_word(struct buf *b, const struct option_def *d) { buf_printf(b, "--%s ", d->doc.name); }

static void bash_option_words(struct buf *b) { each_option(b, bash_option_word); }

static void bash_option_arg(struct buf *b, const struct option_def *d)
{
	enum arg_kind kind = arg_kind(d);

	if (kind == ARG_NONE)
		return;
	buf_printf(b, "\t--%s", d->doc.name);
	if (d->letter)
		buf_printf(b, " | -%c", d->letter);
	if (kind == ARG_FORMAT) {
		buf_str(b, ") _strm_reply '");
		put_option_formats(b, d);
		buf_str(b, "' \"$cur\"; return ;;\n");
	} else {
		buf_str(b, kind == ARG_FILE ? ") compopt -o default; return ;;\n" : ") return ;;\n");
	}
}

static void bash_option_args(struct buf *b) { each_option(b, bash_option_arg); }

static void sh_connectives(struct buf *b)
{
	const struct stage_def *d;

	for (unsigned i = 0; (d = stage_at(i)); i++)
		if (d->words)
			buf_printf(b, "\t%s) words='%s' ;;\n", d->doc.name, d->words);
}

static const struct marker bash_markers[] = {
	{ "stages", put_stages },
	{ "calls", put_calls },
	{ "names", put_names },
	{ "options", bash_option_words },
	{ "args", bash_option_args },
	{ "connectives", sh_connectives },
	{ NULL, NULL },
};

static const char bash_script[] =
	"# bash completion for strm, printed by `strm help --completion bash`\n"
	"_strm_reply() {\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$2\")\n"
	"}\n"
	"\n"
	"# Words of a program; one that is found alone inside quotes does not close them.\n"
	"_strm_program() {\n"
	"\tlocal text=${1#[\\'\\\"]} last head stage words= i\n"
	"\tlast=${text##*[ (,|]}\n"
	"\thead=${text%\"$last\"}\n"
	"\tstage=${head##*|}\n"
	"\tstage=${stage#\"${stage%%[! ]*}\"}\n"
	"\tstage=${stage%% *}\n"
	"\tcase $stage in\n"
	"\t'') words='%{stages}' ;;\n"
	"%{connectives}"
	"\tesac\n"
	"\t_strm_reply \"$words\" \"$last\"\n"
	"\t[ -z \"$stage\" ] || [ -z \"$last\" ] || [ ${#COMPREPLY[@]} -gt 0 ] || _strm_reply '%{calls}' \"$last\"\n"
	"\tfor i in \"${!COMPREPLY[@]}\"; do\n"
	"\t\tCOMPREPLY[i]=$head${COMPREPLY[i]}\n"
	"\tdone\n"
	"\t[ \"$text\" = \"$1\" ] || [ ${#COMPREPLY[@]} != 1 ] || COMPREPLY+=(\"${COMPREPLY[0]} ...\")\n"
	"}\n"
	"\n"
	"_strm() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} word\n"
	"\tCOMPREPLY=()\n"
	"\tif [ \"$COMP_CWORD\" -gt 1 ] && [ \"${COMP_WORDS[1]}\" = help ]; then\n"
	"\t\t_strm_reply '%{names} %{options}' \"$cur\"\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase $prev in\n"
	"%{args}"
	"\tesac\n"
	"\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	"\t\tcase $word in\n"
	"\t\t-- | -f | --file) compopt -o default; return ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tcase $cur in\n"
	"\t-*) _strm_reply '%{options}' \"$cur\" ;;\n"
	"\t*) _strm_program \"$cur\" ;;\n"
	"\tesac\n"
	"}\n"
	"complete -F _strm strm\n";

/* ---- zsh ---- */

/* Text in single quotes, without what _arguments and _describe would read: brackets and colons. */
static void zsh_text(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			buf_str(b, "'\\''");
		else if (strchr("[]:\\", *s))
			buf_printf(b, "\\%c", *s);
		else
			buf_char(b, *s);
	}
}

static void zsh_option(struct buf *b, const struct option_def *d)
{
	enum arg_kind kind = arg_kind(d);

	buf_str(b, "\t\t'*'");
	if (d->letter)
		buf_printf(b, "{-%c%s,--%s%s}", d->letter, kind ? "+" : "", d->doc.name, kind ? "=" : "");
	else
		buf_printf(b, "--%s%s", d->doc.name, kind ? "=" : "");
	buf_str(b, "'[");
	zsh_text(b, d->doc.summary);
	buf_char(b, ']');
	if (kind) {
		buf_char(b, ':');
		zsh_text(b, d->doc.params[0].name);
		buf_str(b, kind == ARG_FILE ? ":_files" : kind == ARG_FORMAT ? ":(" : ": ");
		if (kind == ARG_FORMAT) {
			put_option_formats(b, d);
			buf_char(b, ')');
		}
	}
	buf_str(b, "' \\\n");
}

static void zsh_options(struct buf *b) { each_option(b, zsh_option); }

static void zsh_stages(struct buf *b)
{
	const struct stage_def *d;

	for (unsigned i = 0; (d = stage_at(i)); i++) {
		buf_printf(b, "\t\t'%s:", d->doc.name);
		zsh_text(b, d->doc.summary);
		buf_str(b, "'\n");
	}
}

static const struct marker zsh_markers[] = {
	{ "stages", zsh_stages },	   { "calls", put_calls }, { "names", put_names }, { "options", zsh_options },
	{ "connectives", sh_connectives }, { NULL, NULL },
};

static const char zsh_script[] = "#compdef strm\n"
				 "# zsh completion for strm, printed by `strm help --completion zsh`\n"
				 "_strm_program() {\n"
				 "\tlocal text=${PREFIX##*'|'} stage= words=\n"
				 "\tlocal -a stages calls\n"
				 "\tstages=(\n"
				 "%{stages}"
				 "\t)\n"
				 "\ttext=${text#\"${text%%[^ ]*}\"}\n"
				 "\tif [[ $text == *' '* ]]; then\n"
				 "\t\tstage=${text%% *}\n"
				 "\tfi\n"
				 "\tcompset -P '*[ (,|]'\n"
				 "\tif [[ -z $stage ]]; then\n"
				 "\t\t_describe -t stages stage stages\n"
				 "\t\treturn\n"
				 "\tfi\n"
				 "\tcase $stage in\n"
				 "%{connectives}"
				 "\tesac\n"
				 "\tcalls=('%{calls}')\n"
				 "\tcompadd -- ${=words} || [[ -z $PREFIX ]] || compadd -S '' -- ${=calls}\n"
				 "}\n"
				 "\n"
				 "_strm_operand() {\n"
				 "\tif (( ${words[(I)--|-f|--file]} )); then\n"
				 "\t\t_files\n"
				 "\telse\n"
				 "\t\t_strm_program\n"
				 "\tfi\n"
				 "}\n"
				 "\n"
				 "_strm() {\n"
				 "\tif [[ $words[2] == help && $CURRENT -gt 2 ]]; then\n"
				 "\t\tcompadd -- ${=:-%{names}}\n"
				 "\t\treturn\n"
				 "\tfi\n"
				 "\t_arguments -s -S \\\n"
				 "%{options}"
				 "\t\t'*:stage or file:_strm_operand'\n"
				 "}\n"
				 "\n"
				 "_strm \"$@\"\n";

/* ---- fish ---- */

static void fish_text(struct buf *b, const char *s)
{
	buf_char(b, '\'');
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			buf_char(b, '\\');
		buf_char(b, *s);
	}
	buf_char(b, '\'');
}

static void fish_option(struct buf *b, const struct option_def *d)
{
	enum arg_kind kind = arg_kind(d);

	buf_printf(b, "complete -c strm -l %s", d->doc.name);
	if (d->letter)
		buf_printf(b, " -s %c", d->letter);
	if (kind == ARG_FORMAT) {
		buf_str(b, " -x -a '");
		put_option_formats(b, d);
		buf_char(b, '\'');
	} else if (kind) {
		buf_str(b, kind == ARG_FILE ? " -r -F" : " -x");
	}
	buf_str(b, " -d ");
	fish_text(b, d->doc.summary);
	buf_char(b, '\n');
}

static void fish_options(struct buf *b) { each_option(b, fish_option); }

static void fish_stages(struct buf *b)
{
	const struct stage_def *d;

	for (unsigned i = 0; (d = stage_at(i)); i++) {
		buf_printf(b, "\t\tprintf '%%s%%s\\t%%s\\n' \"$head\" %s ", d->doc.name);
		fish_text(b, d->doc.summary);
		buf_char(b, '\n');
	}
}

static void fish_connectives(struct buf *b)
{
	const struct stage_def *d;

	for (unsigned i = 0; (d = stage_at(i)); i++)
		if (d->words)
			buf_printf(b, "\t\tcase %s\n\t\t\tset words %s\n", d->doc.name, d->words);
}

static void fish_calls(struct buf *b)
{
	struct buf calls = { 0 };

	put_calls(&calls);
	fish_text(b, buf_cstr(&calls));
	buf_release(&calls);
}

static const struct marker fish_markers[] = {
	{ "stages", fish_stages },	     { "calls", fish_calls }, { "names", put_names }, { "options", fish_options },
	{ "connectives", fish_connectives }, { NULL, NULL },
};

static const char fish_script[] =
	"# fish completion for strm, printed by `strm help --completion fish`\n"
	"function __strm_is_help\n"
	"\tset -l words (commandline -opc)\n"
	"\ttest (count $words) -gt 1; and test \"$words[2]\" = help\n"
	"end\n"
	"\n"
	"function __strm_is_file\n"
	"\tset -l words (commandline -opc)\n"
	"\tcontains -- -- $words; or contains -- -f $words; or contains -- --file $words\n"
	"end\n"
	"\n"
	"function __strm_is_program\n"
	"\tnot __strm_is_help; and not __strm_is_file\n"
	"end\n"
	"\n"
	"function __strm_program\n"
	"\tset -l text (commandline -ct | string replace -r '^[\\'\"]' '')\n"
	"\tset -l head (string match -r '^.*[ (,|]' -- $text)\n"
	"\tset -l stage (string match -r '(?:^|\\|) *(\\w+) [^|]*$' -- $text)[2]\n"
	"\tset -l words\n"
	"\tif test -z \"$stage\"\n"
	"%{stages}"
	"\t\treturn\n"
	"\tend\n"
	"\tswitch $stage\n"
	"%{connectives}"
	"\tend\n"
	"\tif test \"$head\" != \"$text\"; and not string match -q -- (string replace -- \"$head\" '' $text)'*' $words\n"
	"\t\tset words (string split ' ' %{calls})\n"
	"\tend\n"
	"\tprintf '%s\\n' \"$head\"$words\n"
	"end\n"
	"\n"
	"complete -c strm -f\n"
	"complete -c strm -n __strm_is_help -a '%{names}'\n"
	"complete -c strm -n __strm_is_file -F\n"
	"complete -c strm -n __strm_is_program -a '(__strm_program)'\n"
	"%{options}";

static const struct {
	const char *shell, *script;
	const struct marker *markers;
} shells[] = {
	{ "bash", bash_script, bash_markers },
	{ "zsh", zsh_script, zsh_markers },
	{ "fish", fish_script, fish_markers },
};

bool completion(struct buf *b, const char *shell)
{
	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		if (strcmp(shells[i].shell, shell))
			continue;
		fill(b, shells[i].script, shells[i].markers);
		return true;
	}
	return false;
}

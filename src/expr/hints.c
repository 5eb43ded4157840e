/* Advice for words that are not of the language: other tools' stages and operators, and stages that the shell took apart.
 * They are hints, never aliases. */
#include "expr/parse_impl.h"

#include <strings.h>

#define QUOTE_MAX 200 /* bytes of a command shown in a hint */

struct word_hint {
	const char *words; /* blank-separated, case ignored */
	const char *hint;
};

static const struct word_hint stage_hints[] = {
	{ "where having grep match matching matches keep only require take_while takewhile",
	  "keep records with `filter`: filter status >= 500" },
	{ "reject remove exclude filterNot except", "keep the others with `filter`: filter !(status >= 500)" },
	{ "reduceByKey aggregateByKey combineByKey foldByKey combinePerKey reduceByKeyAndWindow aggregate agg aggr summarize "
	  "summarise stats "
	  "stats1 fold groupstats rollup merge",
	  "aggregate with `reduce`: reduce total = sum(amount) by key" },
	{ "sum avg mean min max median stddev var quantile percentile collect",
	  "aggregates stand in `reduce`: reduce total = sum(amount) by key" },
	{ "groupByKey group_by groupby cogroupByKey bucket partitionBy",
	  "collect the records of a key with `group`: group by key; aggregate with `reduce ... by key`" },
	{ "flat_map mapcat concatMap explode unnest expand nest split_rows splitax flatten unroll unwind",
	  "one record for each element: flatmap w = LIST" },
	{ "mapValues withColumn with_column mutate put assign extend eval transform compute let derive add update replace with "
	  "fillna",
	  "set fields with `set`: set total = price * quantity" },
	{ "project cut pick fields columns keep_columns keepcols choose", "choose fields with `select`: select a, b" },
	{ "withColumnRenamed rename_with mv", "rename fields with `rename`: rename a as b" },
	{ "dropColumns without unset omit rm del delete", "drop fields with `drop`: drop a, b" },
	{ "countByValue countByKey countByValueAndWindow countByWindow wc tally histogram value_counts freq frequency "
	  "frequencies uniqc count_by",
	  "count with `count by`: count by word" },
	{ "distinct uniq unique dropDuplicates drop_duplicates dropDuplicatesWithinWatermark distinctBy distinct_by unique_by "
	  "deduplicate",
	  "the first record of each key: dedup by key" },
	{ "order orderBy order_by arrange sortBy sort_by sortByKey sorted orderby", "sort with `sort`: sort count desc, word" },
	{ "nlargest topk most largest highest", "the largest first: top 10 by count" },
	{ "head take first show peek fetch", "the first records: limit 10" },
	{ "tail last", "the newest records: sort @event desc | limit 10; to follow a file: -F FILE" },
	{ "offset drop_while tail_from", "leave out the first records: skip 10" },
	{ "shuffle rand random bernoulli subsample sampleBy takeSample", "a random part of the records: sample 0.1" },
	{ "withWatermark with_watermark assignTimestamps assignTimestampsAndWatermarks timestamp eventtime",
	  "event time is declared with `watermark`: watermark ts delay 10s" },
	{ "tumbling tumble sliding hop hopping session fixedWindows slidingWindows reduceByWindow windowedBy timeWindow "
	  "windowAll windowInto",
	  "windows are made with `window`: window 10m every 5m on ts; window session 10m on ts" },
	{ "triggering afterWatermark withTrigger", "panes are emitted by `trigger`: trigger watermark early every 1m" },
	{ "mapWithState updateStateByKey mapGroupsWithState flatMapGroupsWithState transformWithState keyBy process scan "
	  "accumulate",
	  "state per key: state n = n + 1 from n = 0 by key" },
	{ "tee print write foreach foreachRDD foreachBatch saveAs saveAsTextFile saveAsTextFiles writeStream output into emit "
	  "save sink dump store put_file cat echo",
	  "write to a sink with `to`: to out.csv" },
	{ "read load readStream input source open textFile textFileStream socketTextStream", "sources are options: --from SRC" },
	{ "pipe shell sh system run awk sed", "records through a command: exec CMD" },
	{ "extract regex regexp rex grok scanf capture dissect",
	  "fields out of text: parse /(?<name>re)/, parse \"{ip} {user}\" or parse combined" },
	{ "from_json json decode fromJson", "fields out of JSON text: parse json of FIELD" },
	{ "tokenize tokens tokenise split_words wordcount", "one record for each word: words, then count by word" },
	{ "leftOuterJoin rightOuterJoin fullOuterJoin innerJoin leftjoin left_join inner_join merge_join zip nestjoin",
	  "join with `join`: join NAME on key left" },
	{ "unionAll concat append unionByName flattenStreams", "several streams in one: union NAME, ..." },
	{ "broadcast vlookup enrich", "a table from a file: lookup FILE on key" },
	{ "tag alias label name", "name a point of the program with `as`: as NAME" },
	{ "branch case route switch partition filterBranches",
	  "split a stream with `split`: split errors = status >= 500, rest = true" },
	{ "impute fill_null fillgaps resample", "rows for empty windows: fill 0" },
	{ "then and_then", "stages are separated by `|`" },
	{ "begin end", "there are no rules: every stage sees every record; per-key state is `state`" },
	{ "help", "strm help NAME is a command of its own: it stands first" },
};

static const struct word_hint operator_hints[] = {
	{ "is isnt", "compare with `== null` or `!= null`" },
	{ "eq equals equal", "compare with `==`" },
	{ "ne neq", "compare with `!=`" },
	{ "lt gt le ge", "compare with `<` `<=` `>` `>=`" },
	{ "like ilike fnmatch", "shell patterns are matched with `glob`: name glob \"a*\"" },
	{ "rlike regexp matches match similar", "a regex is matched with `=~`: name =~ /re/" },
	{ "not", "write `not` before the comparison: not x in [1, 2]" },
	{ "between", "write both bounds: x >= 1 and x <= 10" },
	{ "mod rem", "the remainder is written `%`" },
	{ "div", "whole division is written `//`" },
	{ "xor", "write a != b" },
	{ "pow", "a power is written `**`" },
	{ "concat cat", "concatenate with `++`" },
	{ "contains has", "is it in a list: x in LIST; in a text: text =~ /re/" },
	{ "then", "a choice is written `test ? a : b`" },
	{ "if when case", "a choice is written `test ? a : b`" },
};

/* Words that belong inside a stage: the shell cut them off. */
static const char connectives[] = "by as of on per every within delay idle offset where asc desc rows left right full semi anti "
				  "and or in glob not at late early ttl";

static bool is_one_of(const char *words, const char *word, size_t n)
{
	while (*words) {
		size_t w = strcspn(words, " ");

		if (w == n && !strncasecmp(words, word, n))
			return true;
		words += w;
		words += strspn(words, " ");
	}
	return false;
}

static const char *hint_find(const struct word_hint *at, size_t count, const char *word, size_t n)
{
	for (size_t i = 0; i < count; i++)
		if (is_one_of(at[i].words, word, n))
			return at[i].hint;
	return NULL;
}

int parse_operator_hint(struct err *e, const char *word, size_t n)
{
	const char *hint = hint_find(operator_hints, ARRAY_LEN(operator_hints), word, n);

	return hint ? err_hint(e, "%s", hint) : -1;
}

/* A single word of the command line: no blanks in it. */
static bool is_word(const struct source_unit *u)
{
	return !u->file && u->n && u->n <= QUOTE_MAX && !memchr(u->text, ' ', u->n) && !memchr(u->text, '\n', u->n) &&
	       !memchr(u->text, '|', u->n);
}

/* Is there no stage that could begin like this? */
static bool is_loose(const struct source_unit *u)
{
	return u->n && (!name_start(*u->text) || is_one_of(connectives, u->text, u->n));
}

/* Is it a path, or a name with a suffix as book.txt? */
static bool looks_like_file(const struct source_unit *u)
{
	const char *dot = is_word(u) ? memrchr(u->text, '.', u->n) : NULL;
	size_t n = dot ? u->n - (size_t)(dot + 1 - u->text) : 0;

	if (!is_word(u) || memchr(u->text, '=', u->n))
		return false;
	if (*u->text == '/' || !strncmp(u->text, "./", 2) || !strncmp(u->text, "../", 3))
		return true;
	for (size_t i = 0; i < n; i++)
		if (!name_char(dot[1 + i]))
			return false;
	return n > 0 && n <= 5 && dot > u->text;
}

/* Does something have to follow it? */
static bool wants_more(const struct source_unit *u)
{
	char last = u->text[u->n - 1];

	return is_one_of(connectives, u->text, u->n) || (last != '$' && strchr(",=<>!+-*/%~&?:", last));
}

/* Units from..end-1 are one stage that the shell took apart. */
static int joined_end(const struct source_unit *units, int n_units, int from)
{
	int end = from + 1;

	while (end < n_units && is_word(&units[end]) && (end == from + 1 || is_loose(&units[end]) || wants_more(&units[end - 1])))
		end++;
	return end;
}

static void add_quoted(struct buf *b, const struct source_unit *at, int n, bool always)
{
	bool single = false, quote = always;

	for (int i = 0; i < n; i++) {
		single |= memchr(at[i].text, '\'', at[i].n) != NULL;
		quote |= !is_word(&at[i]) || strpbrk(at[i].text, "'\"$*?<>|&;()[]{}#~\\!`") != NULL;
	}
	buf_str(b, !quote ? " " : single ? " \"" : " '");
	for (int i = 0; i < n; i++) {
		buf_str(b, i ? " " : "");
		buf_add(b, at[i].text, at[i].n);
	}
	buf_str(b, !quote ? "" : single ? "\"" : "'");
}

static int file_hint(struct err *e, const struct source_unit *units, int n_units, int unit)
{
	struct buf b = { 0 };

	for (int i = 0; i < unit; i++)
		add_quoted(&b, &units[i], 1, false);
	buf_str(&b, " --");
	for (int i = unit; i < n_units; i++)
		add_quoted(&b, &units[i], 1, false);
	if (b.n <= QUOTE_MAX)
		err_hint(e, "input files stand behind `--`: strm%s", buf_cstr(&b));
	else
		err_hint(e, "input files stand behind `--`");
	buf_release(&b);
	return -1;
}

static bool is_unit(const struct source_unit *u, const char *word)
{
	return u->n == strlen(word) && !memcmp(u->text, word, u->n);
}

static int quote_hint(struct err *e, const struct source_unit *units, int n_units, int from)
{
	int end = joined_end(units, n_units, from);
	struct buf b = { 0 };

	for (int i = 0; i < from; i++)
		add_quoted(&b, &units[i], 1, false);
	add_quoted(&b, units + from, end - from, true);
	for (int i = end; i < n_units; i++)
		add_quoted(&b, &units[i], 1, false);
	if (b.n > QUOTE_MAX) {
		b.n = 0;
		add_quoted(&b, units + from, end - from, true);
	}
	if (b.n > QUOTE_MAX)
		err_hint(e, "an argument is a stage: quote it whole");
	else if (end - from == 2 && is_unit(&units[from], "filter") && name_start(*units[from + 1].text))
		err_hint(e, "an argument is a stage, and `>` outside quotes is the shell's: strm%.*s > ...'", (int)b.n - 1, buf_cstr(&b));
	else
		err_hint(e, "an argument is a stage: quote it whole: strm%s", buf_cstr(&b));
	buf_release(&b);
	return -1;
}

int parse_quote_hint(struct err *e, const struct source_unit *units, int n_units, int unit)
{
	if (unit < 0 || unit + 1 >= n_units || !is_word(&units[unit]) || !is_word(&units[unit + 1]))
		return -1;
	return quote_hint(e, units, n_units, unit);
}

int parse_stage_hint(struct err *e, const char *word, const struct source_unit *units, int n_units, int unit)
{
	const char *hint;

	if (unit >= 0 && unit < n_units && looks_like_file(&units[unit]))
		return file_hint(e, units, n_units, unit);
	if (unit > 0 && unit < n_units && is_word(&units[unit]) && is_word(&units[unit - 1]) && is_loose(&units[unit]))
		return quote_hint(e, units, n_units, unit - 1);
	hint = hint_find(stage_hints, ARRAY_LEN(stage_hints), word, strlen(word));
	if (hint)
		return err_hint(e, "%s", hint);
	if (is_one_of(connectives, word, strlen(word)))
		return err_hint(e, "`%s` belongs inside a stage, which stands in quotes: 'count by word'", word);
	return -1;
}

#include "base/nearest.h"
#include "codec/codec_list.h"

static const struct codec_def *const codecs[] = {
	&lines_codec, &csv_codec, &tsv_codec, &json_codec, &logfmt_codec, &columns_codec, &table_codec,
};

const struct codec_def *codec_at(unsigned i) { return i < ARRAY_LEN(codecs) ? codecs[i] : NULL; }

/* Is p[0..n) one of the blank-separated words? */
static bool has_word(const char *words, const char *p, size_t n)
{
	while (words && *words) {
		size_t len = strcspn(words, " ");

		if (len == n && !strncasecmp(words, p, n))
			return true;
		words += len + (words[len] == ' ');
	}
	return false;
}

const struct codec_def *codec_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (!strcmp(codecs[i]->doc.name, name) || has_word(codecs[i]->doc.aliases, name, strlen(name)))
			return codecs[i];
	return NULL;
}

/* Where the last file name ending of p[0..n) begins (behind its dot), or n. */
static size_t ending(const char *p, size_t n)
{
	size_t i = n;

	while (i && p[i - 1] != '.' && p[i - 1] != '/')
		i--;
	return i > 1 && p[i - 1] == '.' && p[i - 2] != '/' ? i : n;
}

const struct codec_def *codec_by_file(const char *path)
{
	size_t n = strlen(path), at = ending(path, n);

	if (at < n && has_word("gz bz2 xz zst lz4 lzma zstd bgz", path + at, n - at)) {
		n = at - 1;
		at = ending(path, n);
	}
	if (at == n)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (has_word(codecs[i]->extensions, path + at, n - at))
			return codecs[i];
	return NULL;
}

void codec_nearest(struct nearest *s)
{
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		nearest_offer(s, codecs[i]->doc.name);
}

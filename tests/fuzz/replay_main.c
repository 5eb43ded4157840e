/* Replays files through a fuzz target: the main of a target that is not linked with libFuzzer.
 *
 *     tests/fuzz/NAME FILE|FOLDER...
 *
 * Prints TAP, one line for each file. A crash ends the program before the plan line, which the runner counts as a failure.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int n_files;

static uint8_t *read_all(FILE *f, size_t *size)
{
	size_t cap = 65536, n = 0, got;
	uint8_t *data = malloc(cap);

	while (data && (got = fread(data + n, 1, cap - n, f)) > 0) {
		n += got;
		if (n == cap)
			data = realloc(data, cap *= 2);
	}
	*size = n;
	return data;
}

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data, *exact;
	size_t size;

	if (!f) {
		printf("not ok %d - %s cannot be read\n", ++n_files, path);
		return -1;
	}
	data = read_all(f, &size);
	fclose(f);
	exact = malloc(size ? size : 1);
	if (!data || !exact)
		abort();
	memcpy(exact, data, size); /* a block of exactly this size: a read past it is seen by the sanitizer */
	free(data);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	printf("ok %d - %s\n", ++n_files, path);
	fflush(stdout);
	return 0;
}

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int replay_path(const char *path)
{
	struct stat st;
	struct dirent **names;
	int n, status = 0;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return replay_file(path);
	n = scandir(path, &names, not_hidden, alphasort);
	for (int i = 0; i < n; i++) {
		char *p;

		if (asprintf(&p, "%s/%s", path, names[i]->d_name) < 0)
			abort();
		status |= replay_file(p);
		free(p);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return n < 0 ? -1 : status;
}

int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++)
		status |= replay_path(argv[i]);
	printf("1..%d\n", n_files);
	return status ? 1 : 0;
}

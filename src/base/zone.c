#include "base/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "base/time_parts.h"
#include "base/zone_rule.h"

#define ZONE_NAME_MAX 100
#define ZONE_FILE_MAX ((size_t)1 << 20)
#define ZONE_DEFAULT_DIR "/usr/share/zoneinfo"
#define ZONE_TYPES_MAX 256
#define TZIF_HEADER 44
#define LAST_YEAR 2263        /* the rule for the time after the table is spelled out up to here */
#define FIRST_S (-9223372037) /* the seconds that instants cover */
#define LAST_S 9223372037
#define BUCKET_BITS 24 /* 2^24 s are 194 days: rarely more than one transition */
#define BUCKETS ((size_t)(((uint64_t)LAST_S - (uint64_t)FIRST_S) >> BUCKET_BITS) + 1)

struct zone_type {
	int32_t offset;  /* seconds east */
	uint16_t abbrev; /* in zone.abbrevs */
};

/* Segment i holds from at[i] until at[i + 1]; at[0] is the beginning of time. */
struct zone {
	struct zone *next;
	char *name;
	size_t n, cap;
	int64_t *at;
	uint8_t *type;
	struct zone_type types[ZONE_TYPES_MAX + 2]; /* and the two of the rule */
	unsigned n_types;
	char *abbrevs;
	size_t n_abbrevs;
	uint32_t *bucket; /* the segment of the first second of each bucket */
};

static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *zones; /* only grows; guarded by zones_lock */

static void zone_free(struct zone *z)
{
	if (!z)
		return;
	free(z->name);
	free(z->at);
	free(z->type);
	free(z->abbrevs);
	free(z->bucket);
	free(z);
}

static uint16_t add_abbrev(struct zone *z, const char *p, size_t n)
{
	size_t at = z->n_abbrevs;

	z->abbrevs = xrealloc(z->abbrevs, at + n + 1);
	memcpy(z->abbrevs + at, p, n);
	z->abbrevs[at + n] = 0;
	z->n_abbrevs = at + n + 1;
	return (uint16_t)at;
}

static void add_segment(struct zone *z, int64_t at, uint8_t type)
{
	if (z->n && z->at[z->n - 1] >= at)
		z->n--; /* a later line on the same second wins */
	if (z->n == z->cap) {
		z->at = xgrow(z->at, &z->cap, z->n + 1, sizeof *z->at);
		z->type = xrealloc(z->type, z->cap);
	}
	z->at[z->n] = at;
	z->type[z->n++] = type;
}

static void build_buckets(struct zone *z)
{
	uint32_t seg = 0;

	z->bucket = xmalloc(BUCKETS * sizeof *z->bucket);
	for (size_t b = 0; b < BUCKETS; b++) {
		int64_t first = FIRST_S + (int64_t)(b << BUCKET_BITS);

		while (seg + 1 < z->n && z->at[seg + 1] <= first)
			seg++;
		z->bucket[b] = seg;
	}
}

static struct zone *zone_new(const char *name, size_t n)
{
	struct zone *z = xcalloc(1, sizeof *z);

	z->name = xstrndup(name, n);
	return z;
}

static struct zone *zone_fixed(const char *name, size_t n, const char *abbrev, int32_t offset)
{
	struct zone *z = zone_new(name, n);

	z->types[0] = (struct zone_type){ offset, add_abbrev(z, abbrev, strlen(abbrev)) };
	z->n_types = 1;
	add_segment(z, INT64_MIN, 0);
	return z;
}

/* "+02:00", "-0530", "+02"; else NULL. Its abbreviation is +hh:mm. */
static struct zone *zone_of_offset(const char *name, size_t n)
{
	const char *end = name + n;
	char abbrev[8] = "+00:00";
	int32_t offset, minutes;

	if (n < 3 || (*name != '+' && *name != '-') || time_read_offset(name, end, &offset) != end)
		return NULL;
	minutes = abs(offset) / 60;
	abbrev[0] = *name;
	time_put2(abbrev + 1, minutes / 60);
	time_put2(abbrev + 4, minutes % 60);
	return zone_fixed(name, n, abbrev, offset);
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* One data block of a TZif file: the counts of its header and where its parts lie. */
struct tzif {
	size_t n_utc, n_std, n_leap, n_times, n_types, n_chars;
	size_t time_size; /* bytes of a time: 4 or 8 */
	const unsigned char *times, *index, *types, *chars, *end;
};

/* 0: not a block of TZif. */
static int tzif_block(const unsigned char *p, const unsigned char *end, size_t time_size, struct tzif *b)
{
	size_t need;

	if (end - p < TZIF_HEADER || memcmp(p, "TZif", 4))
		return 0;
	*b = (struct tzif){ be32(p + 20), be32(p + 24), be32(p + 28),          be32(p + 32),
		            be32(p + 36), be32(p + 40), .time_size = time_size };
	if ((b->n_utc | b->n_std | b->n_leap | b->n_times | b->n_types | b->n_chars) > ZONE_FILE_MAX)
		return 0;
	p += TZIF_HEADER;
	need = b->n_times * (time_size + 1) + b->n_types * 6 + b->n_chars + b->n_leap * (time_size + 4) + b->n_std + b->n_utc;
	if ((size_t)(end - p) < need)
		return 0;
	b->times = p;
	b->index = p + b->n_times * time_size;
	b->types = b->index + b->n_times;
	b->chars = b->types + b->n_types * 6;
	b->end = p + need;
	return 1;
}

static int load_types(struct zone *z, const struct tzif *b)
{
	if (b->n_types == 0 || b->n_types > ZONE_TYPES_MAX || b->n_chars == 0 || b->n_chars > UINT16_MAX / 2)
		return 0;
	add_abbrev(z, (const char *)b->chars, b->n_chars); /* the NUL added ends the last one */
	for (size_t i = 0; i < b->n_types; i++) {
		const unsigned char *t = b->types + i * 6;
		int32_t offset = (int32_t)be32(t);

		if (offset < -DAY_S * 2 || offset > DAY_S * 2 || t[5] >= b->n_chars)
			return 0;
		z->types[i] = (struct zone_type){ offset, t[5] };
	}
	z->n_types = (unsigned)b->n_types;
	return 1;
}

static int load_segments(struct zone *z, const struct tzif *b)
{
	add_segment(z, INT64_MIN, 0);
	for (size_t i = 0; i < b->n_times; i++) {
		const unsigned char *p = b->times + i * b->time_size;
		int64_t at = b->time_size == 8 ? be64(p) : (int32_t)be32(p);

		if (b->index[i] >= b->n_types || (i && at <= z->at[z->n - 1]))
			return 0;
		if (at < FIRST_S)
			z->type[0] = b->index[i];
		else
			add_segment(z, at, b->index[i]);
	}
	return 1;
}

/* The footer speaks of the time after the last transition. */
static void load_rule(struct zone *z, const struct zone_rule *r)
{
	uint8_t std = (uint8_t)z->n_types, dst = (uint8_t)(z->n_types + 1);
	int64_t last = z->at[z->n - 1], year;
	unsigned m, d;

	z->types[std] = (struct zone_type){ r->std_offset, add_abbrev(z, r->std, r->std_n) };
	z->n_types++;
	if (!r->has_dst) {
		if (z->n == 1)
			z->type[0] = std;
		return;
	}
	z->types[dst] = (struct zone_type){ r->dst_offset, add_abbrev(z, r->dst, r->dst_n) };
	z->n_types++;
	civil_from_days(floor_div(last < FIRST_S ? FIRST_S : last, DAY_S), &year, &m, &d);
	for (; year <= LAST_YEAR; year++) {
		int64_t on = zone_rule_at(&r->to_dst, year) - r->std_offset;
		int64_t off = zone_rule_at(&r->to_std, year) - r->dst_offset;
		int on_first = on < off;

		if ((on_first ? on : off) > last)
			add_segment(z, on_first ? on : off, on_first ? dst : std);
		if ((on_first ? off : on) > last)
			add_segment(z, on_first ? off : on, on_first ? std : dst);
	}
}

/* 0: damaged. */
static int zone_load(struct zone *z, const unsigned char *p, size_t n)
{
	const unsigned char *end = p + n, *foot_end;
	struct zone_rule rule;
	struct tzif b;
	int version;

	if (!tzif_block(p, end, 4, &b))
		return 0;
	version = p[4];
	if (version >= '2' && !tzif_block(b.end, end, 8, &b))
		return 0;
	if (b.n_leap || !load_types(z, &b) || !load_segments(z, &b))
		return 0;
	if (version < '2' || end - b.end < 2 || *b.end != '\n')
		return 1;
	foot_end = memchr(b.end + 1, '\n', (size_t)(end - b.end - 1));
	if (!foot_end || foot_end == b.end + 1)
		return 1;
	if (z->n_types > ZONE_TYPES_MAX - 2 || !zone_rule_parse((const char *)b.end + 1, (const char *)foot_end, &rule))
		return 0;
	load_rule(z, &rule);
	return 1;
}

/* The file's bytes, or NULL; the caller frees. */
static unsigned char *read_file(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned char *p = NULL;
	struct stat st;
	ssize_t got;

	*n = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0 || (size_t)st.st_size > ZONE_FILE_MAX)
		goto close;
	p = xmalloc((size_t)st.st_size);
	while (*n < (size_t)st.st_size) {
		got = read(fd, p + *n, (size_t)st.st_size - *n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		*n += (size_t)got;
	}
close:
	close(fd);
	return p;
}

static const char *zone_dir(void)
{
	const char *dir = getenv("TZDIR");

	return dir && *dir ? dir : ZONE_DEFAULT_DIR;
}

/* Offer the names below dir/prefix. The names live in the arena. */
static void offer_names(struct nearest *near, struct arena *a, const char *prefix, int depth)
{
	DIR *d = opendir(arena_printf(a, "%s/%s", zone_dir(), prefix));
	struct dirent *item;

	if (!d)
		return;
	while ((item = readdir(d))) {
		const char *name = arena_printf(a, "%s%s", prefix, item->d_name);

		if ((item->d_name[0] | 32) < 'a' || (item->d_name[0] | 32) > 'z' || !strcmp(name, "right") ||
		    !strcmp(name, "posix"))
			continue;
		if (item->d_type == DT_DIR && depth < 3)
			offer_names(near, a, arena_printf(a, "%s/", name), depth + 1);
		else if (item->d_type != DT_DIR && !strchr(item->d_name, '.'))
			nearest_offer(near, name);
	}
	closedir(d);
}

static void unknown_zone(const char *name, size_t n, struct err *e)
{
	int shown = n > ZONE_NAME_MAX ? ZONE_NAME_MAX : (int)n;
	struct arena a = { 0 };
	struct nearest near;

	err_set(e, ERR_USAGE, "time zone: unknown zone \"%.*s\"", shown, name);
	nearest_init(&near, name, (size_t)shown);
	offer_names(&near, &a, "", 0);
	if (near.best)
		err_hint(e, "did you mean %s?", near.best);
	else
		err_hint(e, "use a name such as Europe/Berlin, UTC or an offset such as +02:00");
	arena_release(&a);
}

/* Only names that stay below the zone directory. */
static int name_ok(const char *p, size_t n)
{
	if (n == 0 || n > ZONE_NAME_MAX || *p == '/' || *p == '.')
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!time_is_alpha(p[i]) && time_digit(p[i]) > 9 && !memchr("+-_/.", p[i], 5))
			return 0;
		if (p[i] == '.' && i + 1 < n && p[i + 1] == '.')
			return 0;
	}
	return 1;
}

static struct zone *zone_of_file(const char *name, size_t n, struct err *e)
{
	struct zone *z = NULL;
	unsigned char *p = NULL;
	size_t size = 0;
	struct arena a = { 0 };

	if (name_ok(name, n))
		p = read_file(arena_printf(&a, "%s/%.*s", zone_dir(), (int)n, name), &size);
	arena_release(&a);
	if (!p) {
		unknown_zone(name, n, e);
		return NULL;
	}
	z = zone_new(name, n);
	if (!zone_load(z, p, size)) {
		err_set(e, ERR_USAGE, "time zone: \"%.*s\" in %s is not a zone file that can be used", (int)n, name, zone_dir());
		zone_free(z);
		z = NULL;
	}
	free(p);
	return z;
}

static int is_utc(const char *p, size_t n)
{
	static const char *const names[] = { "UTC", "Z", "GMT", "Etc/UTC" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i]) == n && !memcmp(names[i], p, n))
			return 1;
	return 0;
}

static struct zone *zone_make(const char *name, size_t n, struct err *e)
{
	struct zone *z = zone_of_offset(name, n);

	if (!z && is_utc(name, n))
		z = zone_fixed(name, n, *name == 'G' ? "GMT" : "UTC", 0);
	return z ? z : zone_of_file(name, n, e);
}

const struct zone *zone_get(const char *name, size_t n, struct err *e)
{
	struct zone *z;

	pthread_mutex_lock(&zones_lock);
	for (z = zones; z; z = z->next)
		if (strlen(z->name) == n && !memcmp(z->name, name, n))
			break;
	if (!z) {
		z = zone_make(name, n, e);
		if (z) {
			build_buckets(z);
			z->next = zones;
			zones = z;
		}
	}
	pthread_mutex_unlock(&zones_lock);
	return z;
}

const char *zone_name(const struct zone *z)
{
	return z ? z->name : "UTC";
}

/* The segment of a second of the instants' range. */
static size_t segment_of(const struct zone *z, int64_t s)
{
	size_t i;

	if (s < FIRST_S)
		return 0;
	i = s > LAST_S ? z->n - 1 : z->bucket[(uint64_t)(s - FIRST_S) >> BUCKET_BITS];
	while (i + 1 < z->n && z->at[i + 1] <= s)
		i++;
	return i;
}

int32_t zone_offset(const struct zone *z, int64_t t_ns, const char **abbrev)
{
	const struct zone_type *t;

	if (!z) {
		if (abbrev)
			*abbrev = "UTC";
		return 0;
	}
	t = &z->types[z->type[segment_of(z, floor_div(t_ns, TIME_NS))]];
	if (abbrev)
		*abbrev = z->abbrevs + t->abbrev;
	return t->offset;
}

int zone_abbrev_offset(const struct zone *z, const char *p, size_t n, int32_t *offset_s)
{
	for (size_t i = z ? z->n : 0; i-- > 0;) {
		const struct zone_type *t = &z->types[z->type[i]];
		const char *name = z->abbrevs + t->abbrev;

		if (strlen(name) == n && !memcmp(name, p, n)) {
			*offset_s = t->offset;
			return 1;
		}
	}
	return 0;
}

/* Go up the segments from before any offset could matter: the first that holds local_s on its own clock is the earlier of two;
 * a local time before a segment's start that the one below did not hold lies in the gap between them. */
static int64_t local_to_s(const struct zone *z, int64_t local_s)
{
	size_t i = segment_of(z, local_s - 2 * DAY_S);
	int32_t offset = z->types[z->type[i]].offset;

	for (; i + 1 < z->n; i++) {
		int32_t next;

		if (local_s - offset < z->at[i + 1])
			break;
		next = z->types[z->type[i + 1]].offset;
		if (local_s - next < z->at[i + 1])
			break;
		offset = next;
	}
	return local_s - offset;
}

int64_t zone_to_utc(const struct zone *z, int64_t local_s)
{
	int64_t t;

	if (local_s < FIRST_S - 2 * DAY_S)
		return INT64_MIN;
	if (local_s > LAST_S + 2 * DAY_S)
		return INT64_MAX;
	if (z)
		local_s = local_to_s(z, local_s);
	if (time_from_seconds(local_s, 0, &t))
		return t;
	return local_s < 0 ? INT64_MIN : INT64_MAX;
}

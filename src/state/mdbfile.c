#include "state/mdbfile.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/mdbcheck.h"

#define DATA_NAME "data.mdb"
#define MAP_BYTES ((size_t)64 << 20)
#define KEY_HEAD 5
#define KEY_MAX (KEY_HEAD + SHORT_KEY_MAX)
#define MARK_BYTES 4
#define SNAPSHOT_TRIES 8

static const char meta_key[] = "\0\0\0\0saved";
#define META_KEY_BYTES 9

struct mdbfile {
	struct log_dir dir;
	char *path;
	size_t map_bytes;
	unsigned weak_hash;
	bool read_only;
	pthread_mutex_t lock; /* env, and that it does not grow under a reader */
	MDB_env *env;	      /* NULL: not opened */
	MDB_dbi dbi;
	bool named; /* its name is on the disk */
	MDB_txn *reader; /* the owner's; when read_only it holds the snapshot, else it is reset between calls */
};

struct mdbfile *mdbfile_new(const struct log_dir *d, const struct store_opts *opts)
{
	struct mdbfile *f = xcalloc(1, sizeof *f);
	struct buf path = { 0 };

	buf_printf(&path, "%s/%s", d->path, DATA_NAME);
	f->dir = *d;
	f->path = xstrdup(buf_cstr(&path));
	f->map_bytes = opts->map_bytes ? opts->map_bytes : MAP_BYTES;
	f->weak_hash = opts->weak_hash;
	f->read_only = opts->read_only;
	pthread_mutex_init(&f->lock, NULL);
	buf_release(&path);
	return f;
}

void mdbfile_free(struct mdbfile *f)
{
	if (!f)
		return;
	if (f->reader)
		mdb_txn_abort(f->reader);
	if (f->env)
		mdb_env_close(f->env);
	pthread_mutex_destroy(&f->lock);
	free(f->path);
	free(f);
}

static int mdb_failed(const struct mdbfile *f, const char *what, int code, struct err *e)
{
	bool damaged = code == MDB_CORRUPTED || code == MDB_INVALID || code == MDB_PAGE_NOTFOUND || code == MDB_VERSION_MISMATCH;

	err_set(e, ERR_IO, "%s: %s: %s", f->path, what, damaged ? "the file is damaged" : mdb_strerror(code));
	log_advise(code, e);
	return -1;
}

static int open_env(struct mdbfile *f, struct err *e)
{
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (f->read_only ? MDB_RDONLY : 0) | (f->dir.no_sync ? MDB_NOSYNC : 0);
	MDB_env *env;
	int code = mdb_env_create(&env), dead;

	if (!code)
		code = mdb_env_set_mapsize(env, f->map_bytes);
	if (!code)
		code = mdb_env_open(env, f->path, flags, 0666);
	if (code == EACCES && f->read_only) {
		mdb_env_close(env);
		code = mdb_env_create(&env);
		if (!code)
			code = mdb_env_open(env, f->path, flags | MDB_NOLOCK, 0666);
	}
	if (code) {
		mdb_env_close(env);
		return mdb_failed(f, "cannot open", code, e);
	}
	mdb_reader_check(env, &dead);
	f->env = env;
	return 0;
}

/* The handle of the only table, and the owner's reader. */
static int open_reader(struct mdbfile *f, struct err *e)
{
	int code = mdb_txn_begin(f->env, NULL, MDB_RDONLY, &f->reader);

	if (!code)
		code = mdb_dbi_open(f->reader, NULL, 0, &f->dbi);
	if (code) {
		if (f->reader)
			mdb_txn_abort(f->reader);
		f->reader = NULL;
		return mdb_failed(f, "cannot read", code, e);
	}
	if (!f->read_only)
		mdb_txn_reset(f->reader);
	return 0;
}

/* Keys and values */

static size_t make_key(const struct mdbfile *f, char *out, uint32_t stage, struct store_bytes key)
{
	struct change_ref r;

	for (int i = 0; i < 4; i++)
		out[i] = (char)(stage >> (24 - 8 * i));
	out[4] = key.n > SHORT_KEY_MAX;
	if (!out[4]) {
		memcpy(out + KEY_HEAD, key.p ? key.p : "", key.n);
		return KEY_HEAD + key.n;
	}
	r = key_ref(stage, key, f->weak_hash);
	for (int i = 0; i < 8; i++) {
		out[KEY_HEAD + i] = (char)(r.hi >> (56 - 8 * i));
		out[KEY_HEAD + 8 + i] = (char)(r.lo >> (56 - 8 * i));
	}
	return KEY_HEAD + 16;
}

static uint32_t stage_of(const char *key)
{
	return (uint32_t)load_le(key + 3, 1) | (uint32_t)load_le(key + 2, 1) << 8 | (uint32_t)load_le(key + 1, 1) << 16 |
	       (uint32_t)load_le(key, 1) << 24;
}

static int bad_entry(const char *path, uint32_t stage, struct store_bytes key, struct err *e)
{
	char hex[33] = "";

	for (size_t i = 0; i < key.n && i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)key.p[i]);
	return err_set(e, ERR_IO, "%s: damaged: an entry of stage %u does not match its checksum (key %s%s)", path, stage, hex,
		       key.n > 16 ? "..." : "");
}

static int check_entry(const char *path, uint32_t stage, const struct store_entry *entry, struct err *e)
{
	return entry->mark == entry_mark(stage, entry->key, entry->value) ? 0 : bad_entry(path, stage, entry->key, e);
}

/* The next of the entries under one hash: 1, 0 at the end, -1. */
static int next_long(const char *path, struct bytes_in *in, uint32_t stage, struct store_entry *entry, struct err *e)
{
	uint64_t key_n, value_n;

	if (in->p == in->end)
		return 0;
	entry->mark = (uint32_t)get_le(in, MARK_BYTES);
	key_n = get_le(in, 4);
	value_n = get_le(in, 4);
	entry->key = get_n(in, key_n);
	entry->value = get_n(in, value_n);
	if (in->bad || entry->key.n <= SHORT_KEY_MAX)
		return err_set(e, ERR_IO, "%s: damaged: an entry of stage %u ends too early", path, stage);
	return check_entry(path, stage, entry, e) < 0 ? -1 : 1;
}

/* What LMDB has under one key, each entry checked. */
static int each_entry(const char *path, struct store_bytes key, struct store_bytes value, const struct mdb_visit *v,
		      struct err *e)
{
	struct bytes_in in = { value.p, value.p + value.n, false };
	struct store_entry entry;
	uint32_t stage;
	int status;

	if (key.n < KEY_HEAD || key.p[4] & ~1 || (key.p[4] && key.n != KEY_HEAD + 16) || (!key.p[4] && value.n < MARK_BYTES))
		return err_set(e, ERR_IO, "%s: damaged: a key that strm does not write", path);
	stage = stage_of(key.p);
	if (key.p[4]) {
		while ((status = next_long(path, &in, stage, &entry, e)) > 0)
			if ((status = v->fn(v->ctx, &entry, e)))
				return status;
		return status;
	}
	entry.key = (struct store_bytes){ key.p + KEY_HEAD, key.n - KEY_HEAD };
	entry.value = (struct store_bytes){ value.p + MARK_BYTES, value.n - MARK_BYTES };
	entry.mark = (uint32_t)load_le(value.p, MARK_BYTES);
	if (check_entry(path, stage, &entry, e) < 0)
		return -1;
	return v->fn(v->ctx, &entry, e);
}

/* Reading */

struct lookup {
	struct store_bytes key;
	struct store_found *out;
	bool found;
};

static int look(void *ctx, const struct store_entry *entry, struct err *e)
{
	struct lookup *l = ctx;

	(void)e;
	if (entry->key.n != l->key.n || memcmp(entry->key.p, l->key.p, l->key.n))
		return 0;
	l->found = true;
	l->out->mark = entry->mark;
	buf_add(&l->out->value, entry->value.p, entry->value.n);
	return 0;
}

static int begin_read(struct mdbfile *f, struct err *e)
{
	int code = f->read_only ? 0 : mdb_txn_renew(f->reader);

	return code ? mdb_failed(f, "cannot read", code, e) : 0;
}

static void end_read(struct mdbfile *f)
{
	if (!f->read_only)
		mdb_txn_reset(f->reader);
}

static int get_locked(struct mdbfile *f, uint32_t stage, struct lookup *l, struct err *e)
{
	struct mdb_visit v = { .fn = look, .ctx = l };
	char key[KEY_MAX];
	MDB_val k = { make_key(f, key, stage, l->key), key }, data;
	int code, status = 0;

	if (begin_read(f, e) < 0)
		return -1;
	code = mdb_get(f->reader, f->dbi, &k, &data);
	if (code && code != MDB_NOTFOUND)
		status = mdb_failed(f, "cannot read", code, e);
	if (!code)
		status = each_entry(f->path, (struct store_bytes){ key, k.mv_size },
				    (struct store_bytes){ data.mv_data, data.mv_size }, &v, e);
	end_read(f);
	return status < 0 ? -1 : l->found;
}

int mdbfile_get(struct mdbfile *f, uint32_t stage, struct store_bytes key, struct store_found *out, struct err *e)
{
	struct lookup l = { key, out, false };
	int status = 0;

	pthread_mutex_lock(&f->lock);
	if (f->env)
		status = get_locked(f, stage, &l, e);
	pthread_mutex_unlock(&f->lock);
	return status;
}

static int walk_locked(struct mdbfile *f, uint32_t stage, const struct mdb_visit *v, struct err *e)
{
	char head[KEY_MAX];
	MDB_val k = { make_key(f, head, stage, v->from), head }, data;
	MDB_cursor *cursor;
	int code, status = 0;

	if (begin_read(f, e) < 0)
		return -1;
	code = mdb_cursor_open(f->reader, f->dbi, &cursor);
	if (code) {
		end_read(f);
		return mdb_failed(f, "cannot read", code, e);
	}
	for (code = mdb_cursor_get(cursor, &k, &data, MDB_SET_RANGE); !code && !status;
	     code = mdb_cursor_get(cursor, &k, &data, MDB_NEXT)) {
		if (memcmp(k.mv_data, head, 4))
			break;
		status = each_entry(f->path, (struct store_bytes){ k.mv_data, k.mv_size },
				    (struct store_bytes){ data.mv_data, data.mv_size }, v, e);
		if (status)
			break;
	}
	mdb_cursor_close(cursor);
	end_read(f);
	return code && code != MDB_NOTFOUND ? mdb_failed(f, "cannot read", code, e) : status;
}

int mdbfile_walk(struct mdbfile *f, uint32_t stage, const struct mdb_visit *v, struct err *e)
{
	int status = 0;

	pthread_mutex_lock(&f->lock);
	if (f->env)
		status = walk_locked(f, stage, v, e);
	pthread_mutex_unlock(&f->lock);
	return status;
}

/* The mark of a long key among those under its hash. */
static int long_mark(const struct mdbfile *f, const struct change *c, MDB_val data, uint32_t *mark, struct err *e)
{
	struct bytes_in in = { data.mv_data, (const char *)data.mv_data + data.mv_size, false };
	struct store_entry entry;
	int status;

	while ((status = next_long(f->path, &in, c->stage, &entry, e)) > 0)
		if (entry.key.n == c->key.n && !memcmp(entry.key.p, c->key.p, c->key.n))
			*mark = entry.mark;
	return status;
}

static int each_mark(struct mdbfile *f, MDB_cursor *cursor, const struct mdb_marks *m, struct err *e)
{
	char key[KEY_MAX];

	for (size_t i = 0; i < m->list->n; i++) {
		struct change c = change_at(m->list, i);
		MDB_val k = { make_key(f, key, c.stage, c.key), key }, data;
		int code = mdb_cursor_get(cursor, &k, &data, MDB_SET);
		uint32_t mark = 0;

		change_prefetch(m->list, i + CHANGES_AHEAD);
		if (code && code != MDB_NOTFOUND)
			return mdb_failed(f, "cannot read", code, e);
		if (!code && c.key.n > SHORT_KEY_MAX && long_mark(f, &c, data, &mark, e) < 0)
			return -1;
		if (!code && c.key.n <= SHORT_KEY_MAX && data.mv_size >= MARK_BYTES)
			mark = (uint32_t)load_le(data.mv_data, MARK_BYTES);
		m->fn(m->ctx, i, mark);
	}
	return 0;
}

static int marks_locked(struct mdbfile *f, const struct mdb_marks *m, struct err *e)
{
	MDB_cursor *cursor;
	int code, status;

	if (begin_read(f, e) < 0)
		return -1;
	code = mdb_cursor_open(f->reader, f->dbi, &cursor);
	status = code ? mdb_failed(f, "cannot read", code, e) : each_mark(f, cursor, m, e);
	if (!code)
		mdb_cursor_close(cursor);
	end_read(f);
	return status;
}

int mdbfile_marks(struct mdbfile *f, const struct mdb_marks *m, struct err *e)
{
	int status = 0;

	pthread_mutex_lock(&f->lock);
	if (f->env)
		status = marks_locked(f, m, e);
	else
		for (size_t i = 0; i < m->list->n; i++)
			m->fn(m->ctx, i, 0);
	pthread_mutex_unlock(&f->lock);
	return status;
}

/* Folding */

struct fold_txn {
	struct mdbfile *f;
	const struct fold_work *w;
	MDB_txn *txn;
	MDB_cursor *cursor;
	struct buf entries; /* under one hash, as they will be */
};

static bool is_live(const struct fold_work *w, uint32_t stage)
{
	for (size_t i = 0; i < w->n_live; i++)
		if (w->live[i] == stage)
			return true;
	return false;
}

/* The entries of stages that are gone. 0 or LMDB's code. */
static int drop_stages(struct fold_txn *t)
{
	char head[KEY_HEAD];
	uint32_t stage = 1;
	MDB_val k, data;
	int code;

	for (;;) {
		k = (MDB_val){ make_key(t->f, head, stage, (struct store_bytes){ NULL, 0 }), head };
		code = mdb_cursor_get(t->cursor, &k, &data, MDB_SET_RANGE);
		if (code)
			return code == MDB_NOTFOUND ? 0 : code;
		stage = stage_of(k.mv_data);
		if (!is_live(t->w, stage))
			code = mdb_cursor_del(t->cursor, 0);
		else if (stage++ == UINT32_MAX)
			return 0;
		if (code)
			return code;
	}
}

static int fold_short(struct fold_txn *t, const struct change *c)
{
	char key[KEY_MAX];
	MDB_val k = { make_key(t->f, key, c->stage, c->key), key }, data = { MARK_BYTES + c->value.n, NULL };
	int code;

	if (!c->mark) {
		code = mdb_del(t->txn, t->f->dbi, &k, NULL);
		return code == MDB_NOTFOUND ? 0 : code;
	}
	code = mdb_cursor_put(t->cursor, &k, &data, MDB_RESERVE);
	if (code)
		return code;
	store_le(data.mv_data, c->mark, MARK_BYTES);
	if (c->value.n)
		memcpy((char *)data.mv_data + MARK_BYTES, c->value.p, c->value.n);
	return 0;
}

static void put_long(struct buf *b, const struct change *c)
{
	if (!c->mark)
		return;
	put_le(b, c->mark, MARK_BYTES);
	put_le(b, c->key.n, 4);
	put_le(b, c->value.n, 4);
	buf_add(b, c->key.p, c->key.n);
	buf_add(b, c->value.p, c->value.n);
}

static int key_order(struct store_bytes a, struct store_bytes b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

struct long_merge {
	struct buf *out;
	const struct change *change;
	uint32_t stage;
	bool done;
};

static int merge_long(void *ctx, const struct store_entry *entry, struct err *e)
{
	struct long_merge *m = ctx;
	struct change keep = { m->stage, entry->mark, entry->key, entry->value };
	int order = m->done ? 1 : key_order(m->change->key, entry->key);

	(void)e;
	if (!m->done && order <= 0) {
		put_long(m->out, m->change);
		m->done = true;
	}
	if (order)
		put_long(m->out, &keep);
	return 0;
}

static int fold_long(struct fold_txn *t, const struct change *c, struct err *e)
{
	struct long_merge m = { &t->entries, c, c->stage, false };
	struct mdb_visit v = { .fn = merge_long, .ctx = &m };
	char key[KEY_MAX];
	MDB_val k = { make_key(t->f, key, c->stage, c->key), key }, data;
	int code = mdb_get(t->txn, t->f->dbi, &k, &data);

	if (code && code != MDB_NOTFOUND)
		return code;
	t->entries.n = 0;
	if (!code && each_entry(t->f->path, (struct store_bytes){ key, k.mv_size },
				(struct store_bytes){ data.mv_data, data.mv_size }, &v, e) < 0)
		return MDB_CORRUPTED;
	if (!m.done)
		put_long(&t->entries, c);
	data = (MDB_val){ t->entries.n, t->entries.p };
	if (t->entries.n)
		return mdb_put(t->txn, t->f->dbi, &k, &data, 0);
	return code ? 0 : mdb_del(t->txn, t->f->dbi, &k, NULL);
}

static int fold_meta(struct fold_txn *t)
{
	struct store_bytes meta = t->w->meta;
	MDB_val k = { META_KEY_BYTES, (char *)(uintptr_t)meta_key }, data = { 8 + meta.n, NULL };
	int code = mdb_put(t->txn, t->f->dbi, &k, &data, MDB_RESERVE);

	if (code)
		return code;
	store_le(data.mv_data, sum64(meta.p, meta.n, 0), 8);
	memcpy((char *)data.mv_data + 8, meta.p, meta.n);
	return 0;
}

static int fold_changes(struct fold_txn *t, struct err *e)
{
	int code = drop_stages(t);

	for (size_t i = 0; !code && i < t->w->list.n; i++) {
		struct change c = change_at(&t->w->list, i);

		change_prefetch(&t->w->list, i + CHANGES_AHEAD);
		if (c.mark && c.mark != entry_mark(c.stage, c.key, c.value)) {
			bad_entry(t->f->dir.path, c.stage, c.key, e);
			return MDB_CORRUPTED;
		}
		if (is_live(t->w, c.stage))
			code = c.key.n > SHORT_KEY_MAX ? fold_long(t, &c, e) : fold_short(t, &c);
	}
	return code ? code : fold_meta(t);
}

/* One try. 0 or LMDB's code. */
static int fold_once(struct mdbfile *f, const struct fold_work *w, struct err *e)
{
	struct fold_txn t = { .f = f, .w = w };
	int code = mdb_txn_begin(f->env, NULL, 0, &t.txn);

	if (code)
		return code;
	code = mdb_cursor_open(t.txn, f->dbi, &t.cursor);
	if (!code) {
		code = fold_changes(&t, e);
		mdb_cursor_close(t.cursor);
	}
	buf_release(&t.entries);
	if (!code)
		return mdb_txn_commit(t.txn);
	mdb_txn_abort(t.txn);
	return code;
}

static int open_locked(struct mdbfile *f, struct err *e)
{
	int status = 0;

	pthread_mutex_lock(&f->lock);
	if (!f->env && (open_env(f, e) < 0 || open_reader(f, e) < 0))
		status = -1;
	pthread_mutex_unlock(&f->lock);
	return status;
}

static int grow_map(struct mdbfile *f)
{
	MDB_envinfo info;
	int code;

	pthread_mutex_lock(&f->lock);
	mdb_env_info(f->env, &info);
	f->map_bytes = info.me_mapsize * 2;
	code = mdb_env_set_mapsize(f->env, f->map_bytes);
	pthread_mutex_unlock(&f->lock);
	return code;
}

int mdbfile_fold(struct mdbfile *f, const struct fold_work *w, struct err *e)
{
	int code, dead;

	if (open_locked(f, e) < 0)
		return -1;
	mdb_reader_check(f->env, &dead);
	while ((code = fold_once(f, w, e)) == MDB_MAP_FULL) {
		code = grow_map(f);
		if (code)
			break;
	}
	if (code)
		return mdb_failed(f, "cannot write", code, e);
	/* LMDB makes the file and does not sync the directory; files of the log go next. */
	if (!f->named && dir_sync(&f->dir, e) < 0)
		return -1;
	f->named = true;
	return 0;
}

/* Meta and checking */

void mdb_meta(struct buf *b, const struct saved *s, uint64_t folded)
{
	put_le(b, folded, 8);
	buf_char(b, (char)s->commit.is);
	item_put_program(b, s);
	if (s->commit.is)
		item_put_commit(b, s, &s->commit.at, (struct store_bytes){ NULL, 0 });
}

static int read_meta(struct mdb_found *found, struct store_bytes value)
{
	struct bytes_in in = { value.p, value.p + value.n, false };
	uint64_t sum = get_le(&in, 8);
	struct store_bytes changes;
	struct item item;
	bool commit;
	int status;

	if (in.bad || sum != sum64(in.p, (size_t)(in.end - in.p), 0))
		return -1;
	found->folded = get_le(&in, 8);
	commit = get_le(&in, 1);
	while ((status = item_next(&in, &item)) > 0)
		if (saved_apply(&found->saved, &item, &changes) < 0)
			return -1;
	return commit != found->saved.commit.is ? -1 : status;
}

struct checking {
	struct mdbfile *f;
	struct mdb_found *found;
	struct saved_stage *counted; /* beside found's stages; NULL until they are known */
	size_t stage;		     /* the one that is being read */
};

static int count_entry(void *ctx, const struct store_entry *entry, struct err *e)
{
	struct checking *c = ctx;

	(void)e;
	c->counted[c->stage].keys++;
	c->counted[c->stage].sum += entry->mark;
	return 0;
}

static int check_meta(struct checking *c, struct store_bytes value, struct err *e)
{
	if (c->counted || read_meta(c->found, value) < 0)
		return err_set(e, ERR_IO, "%s: damaged: the entry of the last commit", c->f->path);
	c->counted = xcalloc(c->found->saved.n_stages + 1, sizeof *c->counted);
	return 0;
}

static int check_one(void *ctx, struct store_bytes key, struct store_bytes value, struct err *e)
{
	struct checking *c = ctx;
	struct mdb_visit v = { .fn = count_entry, .ctx = c };
	const struct saved_stage *stage;

	if (key.n == META_KEY_BYTES && !memcmp(key.p, meta_key, META_KEY_BYTES))
		return check_meta(c, value, e);
	if (!c->counted)
		return err_set(e, ERR_IO, "%s: damaged: the entry of the last commit is missing", c->f->path);
	stage = key.n >= 4 ? saved_find(&c->found->saved, stage_of(key.p)) : NULL;
	if (!stage)
		return err_set(e, ERR_IO, "%s: damaged: an entry of a stage that is not there", c->f->path);
	c->stage = (size_t)(stage - c->found->saved.stages);
	return each_entry(c->f->path, key, value, &v, e);
}

/* The counts against what the last commit says. */
static int check_counts(const struct checking *c, struct err *e)
{
	if (!c->counted)
		return err_set(e, ERR_IO, "%s: damaged: the entry of the last commit is missing", c->f->path);
	for (size_t i = 0; i < c->found->saved.n_stages; i++) {
		const struct saved_stage *want = &c->found->saved.stages[i], *got = &c->counted[i];

		if (want->keys != got->keys || want->sum != got->sum)
			return err_set(e, ERR_IO, "%s: damaged: stage \"%s\" has %llu entries, not the %llu that were committed",
				       c->f->path, want->name, (unsigned long long)got->keys, (unsigned long long)want->keys);
	}
	return 0;
}

static int check_file(struct mdbfile *f, int fd, uint64_t txn, struct mdb_found *found, struct err *e)
{
	struct checking ctx = { .f = f, .found = found };
	struct mdbcheck check = { .fd = fd, .where = f->path, .txn = txn, .entry = check_one, .ctx = &ctx };
	int status = mdbcheck_run(&check, e);

	if (!status)
		status = check_counts(&ctx, e);
	free(ctx.counted);
	return status;
}

/* A snapshot of a file that another process may be writing. */
static int check_snapshot(struct mdbfile *f, int fd, struct mdb_found *found, struct err *e)
{
	struct mdbcheck heads = { .fd = fd, .where = f->path };
	int status = mdbcheck_run(&heads, e);

	if (status < 0 || open_locked(f, e) < 0)
		return -1;
	for (int i = 0; i < SNAPSHOT_TRIES; i++) {
		int code;

		status = check_file(f, fd, mdb_txn_id(f->reader), found, e);
		if (status <= 0)
			return status;
		mdb_txn_reset(f->reader);
		code = mdb_txn_renew(f->reader);
		if (code)
			return mdb_failed(f, "cannot read", code, e);
	}
	return err_set(e, ERR_IO, "%s: it changes too fast to be read", f->path);
}

int mdbfile_check(struct mdbfile *f, struct mdb_found *found, struct err *e)
{
	int fd = openat(f->dir.fd, DATA_NAME, O_RDONLY | O_CLOEXEC), status;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(e, ERR_IO, "%s: cannot open: %s", f->path, strerror(errno));
	if (f->read_only)
		status = check_snapshot(f, fd, found, e);
	else
		status = check_file(f, fd, 0, found, e);
	close(fd);
	if (!status)
		status = open_locked(f, e);
	return status < 0 ? -1 : 1;
}

/* In a snapshot of one's own; the folds of other processes may leave that behind, which is no damage. */
static int verify_locked(struct mdbfile *f, struct err *e)
{
	struct mdb_found found = { 0 };
	int fd = openat(f->dir.fd, DATA_NAME, O_RDONLY | O_CLOEXEC), status;

	if (fd < 0)
		return err_set(e, ERR_IO, "%s: cannot open: %s", f->path, strerror(errno));
	status = begin_read(f, e);
	if (!status) {
		status = check_file(f, fd, mdb_txn_id(f->reader), &found, e);
		end_read(f);
	}
	close(fd);
	saved_release(&found.saved);
	return status < 0 ? -1 : 0;
}

int mdbfile_verify(struct mdbfile *f, struct err *e)
{
	int status = 0;

	pthread_mutex_lock(&f->lock);
	if (f->env)
		status = verify_locked(f, e);
	pthread_mutex_unlock(&f->lock);
	return status;
}

int mdbfile_restart(struct mdbfile *f, struct err *e)
{
	static const char *const names[] = { DATA_NAME, DATA_NAME "-lock" };

	for (size_t i = 0; i < ARRAY_LEN(names) && !f->read_only; i++)
		if (unlinkat(f->dir.fd, names[i], 0) < 0 && errno != ENOENT)
			return err_set(e, ERR_IO, "%s/%s: cannot remove it: %s", f->dir.path, names[i], strerror(errno));
	return 0;
}

void mdbfile_size(struct mdbfile *f, uint64_t *file_bytes, uint64_t *used_bytes)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;

	*file_bytes = *used_bytes = 0;
	if (fstatat(f->dir.fd, DATA_NAME, &st, 0) == 0)
		*file_bytes = (uint64_t)st.st_size;
	pthread_mutex_lock(&f->lock);
	if (f->env && !mdb_env_info(f->env, &info) && !mdb_env_stat(f->env, &stat))
		*used_bytes = (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * (uint64_t)stat.ms_psize;
	pthread_mutex_unlock(&f->lock);
}

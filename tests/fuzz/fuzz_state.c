/* The readers of a checkpoint under any input. The first byte says what the others are: 'l' a file of the log, 'i' the items of a
 * frame, 'd' an LMDB file. Nothing may be read outside of the bytes, what is taken for an item must say the same when it is
 * written again, and LMDB's pages must be refused or be walked to their end. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "state/changes.h"
#include "state/mdbcheck.h"
#include "state/memtab.h"
#include "state/saved.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool cond, const char *what)
{
	if (cond)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Reads every byte of every change. */
static void read_changes(struct store_bytes changes)
{
	struct memtab tab = { 0 };
	const struct memtab *tables[1] = { &tab };
	struct change_list list = { .tables = tables };
	struct change c;

	buf_add(&tab.b, changes.p, changes.n);
	memtab_region(&tab, 0, tab.b.n);
	change_list_add(&list, 0, 0);
	change_list_sort(&list);
	for (size_t i = 0; i < list.n; i++) {
		c = change_at(&list, i);
		must(memtab_find(&tab, c.stage, c.key, &c), "a change is not found");
		must(entry_mark(c.stage, c.key, c.value) != 0, "an entry without a sum");
	}
	change_list_release(&list);
	memtab_release(&tab);
}

static void write_again(const struct saved *s)
{
	struct saved copy = { 0 };
	struct buf a = { 0 }, b = { 0 };
	struct bytes_in in;
	struct store_bytes changes;
	struct item item;

	item_put_program(&a, s);
	in = (struct bytes_in){ a.p, a.p + a.n, false };
	must(item_next(&in, &item) == 1 && saved_apply(&copy, &item, &changes) == 0, "a program that was written is refused");
	item_put_program(&b, &copy);
	must(a.n == b.n && !memcmp(a.p, b.p, a.n), "a program changes when it is read");
	saved_release(&copy);
	buf_release(&a);
	buf_release(&b);
}

static void read_items(struct saved *s, struct store_bytes body)
{
	struct bytes_in in = { body.p, body.p + body.n, false };
	struct item item;

	while (item_next(&in, &item) > 0) {
		struct store_bytes changes;

		if (saved_apply(s, &item, &changes) < 0)
			return;
		if (item.type == ITEM_PROGRAM)
			write_again(s);
		read_changes(changes);
	}
}

static void read_log(struct store_bytes file)
{
	struct saved s = { 0 };
	struct err e = { 0 };
	struct log_head head;
	struct frame f;
	size_t at = LOG_HEAD;

	if (log_head_read(file, &head, "log", &e) < 0)
		return;
	for (; frame_read(file, at, log_seed(&head), &f) == FRAME_OK; at = f.next)
		read_items(&s, f.body);
	frame_behind(file, at, log_seed(&head));
	saved_release(&s);
}

static int count(void *ctx, struct store_bytes key, struct store_bytes value, struct err *e)
{
	(void)e;
	*(uint64_t *)ctx += sum64(key.p, key.n, 0) ^ sum64(value.p, value.n, 0);
	return 0;
}

static void read_data(struct store_bytes file)
{
	uint64_t sum = 0;
	struct mdbcheck c = { .fd = memfd_create("data", MFD_CLOEXEC), .where = "data", .entry = count, .ctx = &sum };
	struct err e = { 0 };

	must(c.fd >= 0 && write(c.fd, file.p, file.n) == (ssize_t)file.n, "no file in memory");
	must((mdbcheck_run(&c, &e) < 0) == (e.kind != ERR_NONE), "an error and no message");
	close(c.fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_bytes b = { (const char *)data + 1, size - 1 };
	struct saved s = { 0 };

	if (!size)
		return 0;
	if (data[0] == 'l')
		read_log(b);
	if (data[0] == 'i')
		read_items(&s, b);
	if (data[0] == 'd')
		read_data(b);
	saved_release(&s);
	return 0;
}

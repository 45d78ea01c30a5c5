#include "tuner/daemon/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

void queue_init(struct queue *q)
{
	*q = (struct queue){ 0 };
}

void queue_release(struct queue *q)
{
	free(q->items);
	queue_init(q);
}

static void take_devices(struct queue_item *item, const char *list)
{
	int max = (int)(sizeof item->devices / sizeof item->devices[0]);
	struct json_node root, n;
	struct err ignored;
	int64_t ordinal;
	cJSON *v;

	if (json_parse(list, strlen(list), &v, &ignored) < 0)
		return;
	root = json_root(v);
	for (bool ok = json_first(&root, &n); ok && item->n_devices < max; ok = json_next(&n))
		if (json_int(&n, 0, 1023, &ordinal, &ignored) == 0)
			item->devices[item->n_devices++] = (int)ordinal;
	cJSON_Delete(v);
}

static bool goes_before(const struct queue_item *a, const struct queue_item *b)
{
	return a->priority != b->priority ? a->priority > b->priority : a->run < b->run;
}

void queue_add(struct queue *q, const struct run_record *r)
{
	struct queue_item item = { .run = r->id, .priority = r->priority };
	int at = 0;

	if (queue_has(q, r->id))
		return;
	snprintf(item.runtime, sizeof item.runtime, "%s", r->runtime);
	take_devices(&item, r->devices);
	q->items = mem_grow(q->items, (size_t)q->n + 1, sizeof item);
	while (at < q->n && goes_before(&q->items[at], &item))
		at++;
	memmove(&q->items[at + 1], &q->items[at], (size_t)(q->n - at) * sizeof item);
	q->items[at] = item;
	q->n++;
}

void queue_remove(struct queue *q, int64_t run)
{
	for (int i = 0; i < q->n; i++)
		if (q->items[i].run == run) {
			q->n--;
			memmove(&q->items[i], &q->items[i + 1],
				(size_t)(q->n - i) * sizeof q->items[0]);
			return;
		}
}

bool queue_has(const struct queue *q, int64_t run)
{
	for (int i = 0; i < q->n; i++)
		if (q->items[i].run == run)
			return true;
	return false;
}

static bool is_free(const struct queue_item *item, queue_busy *busy, void *ctx)
{
	for (int i = 0; i < item->n_devices; i++)
		if (busy(ctx, item->runtime, item->devices[i]))
			return false;
	return true;
}

int64_t queue_next(const struct queue *q, queue_busy *busy, void *ctx)
{
	for (int i = 0; i < q->n; i++)
		if (is_free(&q->items[i], busy, ctx))
			return q->items[i].run;
	return 0;
}

#include "tuner/cli/stored.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/cli/holder.h"
#include "tuner/worker/wire.h"

int stored_store(const char *db, struct store **ret, struct err *e)
{
	int r = store_open(db, STORE_READ, ret, e);

	if (r == ERR_MISSING)
		return err_wrap(e, "no runs yet (`evo-tuned start` makes one; --db names another "
				   "database)");
	return r;
}

int stored_open(const char *db, int64_t id, struct stored *ret, struct err *e)
{
	int r;

	memset(ret, 0, sizeof *ret);
	r = stored_store(db, &ret->store, e);
	if (r == 0 && id == 0) {
		r = store_newest_run(ret->store, false, &id, e);
		if (r == ERR_MISSING || (r == 0 && id == 0))
			r = err_set(e, ERR_MISSING, "%s: no runs yet; `evo-tuned start` makes one",
				    db);
	}
	if (r == 0)
		r = store_run(ret->store, id, &ret->run, e);
	if (r == 0)
		r = store_summary(ret->store, id, &ret->summary, e);
	if (r == 0)
		ret->orphaned = !holder_alive(db, NULL);
	if (r < 0)
		stored_release(ret);
	return r;
}

void stored_release(struct stored *s)
{
	task_bound_free(s->bound);
	task_free(s->task);
	run_record_release(&s->run);
	store_close(s->store);
	memset(s, 0, sizeof *s);
}

/* --- the task --- */

struct sources {
	char **paths, **texts;
	size_t *lengths;
	size_t n;
};

static int keep_source(void *ctx, const struct store_source *src, struct err *e)
{
	struct sources *all = ctx;

	(void)e;
	all->paths = mem_grow(all->paths, all->n + 1, sizeof *all->paths);
	all->texts = mem_grow(all->texts, all->n + 1, sizeof *all->texts);
	all->lengths = mem_grow(all->lengths, all->n + 1, sizeof *all->lengths);
	all->paths[all->n] = mem_strdup(src->path);
	all->texts[all->n] = mem_strndup(src->text, src->len);
	all->lengths[all->n++] = src->len;
	return 0;
}

static const char *read_source(void *ctx, const char *path, size_t *ret_len)
{
	const struct sources *all = ctx;

	for (size_t i = 0; i < all->n; i++) {
		if (strcmp(all->paths[i], path) == 0) {
			*ret_len = all->lengths[i];
			return all->texts[i];
		}
	}
	return NULL;
}

static int parse_task(struct stored *s, struct err *e)
{
	struct sources all = { 0 };
	int r = store_each_source(s->store, s->run.id, keep_source, &all, e);

	if (r == 0)
		r = task_parse(s->run.task_path ? s->run.task_path : s->run.task_name,
			       s->run.task_text, strlen(s->run.task_text), read_source, &all,
			       &s->task, e);
	for (size_t i = 0; i < all.n; i++) {
		free(all.paths[i]);
		free(all.texts[i]);
	}
	free(all.paths);
	free(all.texts);
	free(all.lengths);
	return r;
}

/* The environment's `devices` are what a worker answered to a probe: the wire reads them. */
static int read_device(struct stored *s, struct err *e)
{
	struct wire_reply reply = { 0 };
	struct json_node root, list;
	struct str line = STR_INIT;
	char *text = NULL, *devices;
	cJSON *tree = NULL;
	int r;

	if (!s->run.environment)
		return err_set(e, ERR_MISSING, "run %" PRId64 " has not started: no device yet",
			       s->run.id);
	r = store_environment(s->store, s->run.environment, &text, e);
	if (r == 0)
		r = json_parse(text, strlen(text), &tree, e);
	free(text);
	if (r < 0)
		return r;
	root = json_root(tree);
	r = json_need(&root, "devices", &list, e);
	if (r == 0) {
		devices = json_render(list.value);
		str_addf(&line, "{\"id\":1,\"devices\":%s}", devices);
		free(devices);
		r = wire_reply_parse(line.data, line.len, &reply, e);
	}
	if (r == 0 && reply.n_devices < 1)
		r = err_set(e, ERR_INVALID, "its environment names no device");
	if (r == 0)
		s->device = reply.devices[0];
	wire_reply_release(&reply);
	str_release(&line);
	cJSON_Delete(tree);
	return r < 0 ? err_wrap(e, "run %" PRId64, s->run.id) : 0;
}

struct narrowing {
	cJSON *shapes, *narrow;
	const char **names;
	int n_names;
	struct task_narrow *sets;
	int n_sets;
};

static int read_narrowing(const struct run_record *run, struct narrowing *n, struct err *e)
{
	struct json_node root, item;
	int r = json_parse(run->shapes, strlen(run->shapes), &n->shapes, e);

	if (r == 0)
		r = json_parse(run->narrow, strlen(run->narrow), &n->narrow, e);
	if (r < 0)
		return r;
	root = json_root(n->shapes);
	n->names = mem_array((size_t)json_count(&root) + 1, sizeof *n->names);
	for (bool more = json_first(&root, &item); more && r == 0; more = json_next(&item))
		r = json_string(&item, &n->names[n->n_names++], e);
	root = json_root(n->narrow);
	n->sets = mem_array((size_t)json_count(&root) + 1, sizeof *n->sets);
	for (bool more = json_first(&root, &item); more && r == 0; more = json_next(&item)) {
		n->sets[n->n_sets].name = item.key;
		r = json_string(&item, &n->sets[n->n_sets++].values, e);
	}
	return r;
}

int stored_bind(struct stored *s, struct err *e)
{
	struct narrowing n = { 0 };
	int r = read_device(s, e);

	if (r == 0)
		r = parse_task(s, e);
	if (r == 0)
		r = read_narrowing(&s->run, &n, e);
	if (r == 0) {
		struct task_options o = { .device = &s->device,
					  .shapes = n.names,
					  .n_shapes = n.n_names,
					  .narrow = n.sets,
					  .n_narrow = n.n_sets };

		r = task_bind(s->task, &o, &s->bound, e);
	}
	free(n.names);
	free(n.sets);
	cJSON_Delete(n.shapes);
	cJSON_Delete(n.narrow);
	return r;
}

/* --- figures --- */

double stored_speedup(const struct run_summary *s, double p50_ns)
{
	return s->baseline_p50_ns > 0 && p50_ns > 0 ? s->baseline_p50_ns / p50_ns : 0;
}

const char *stored_state(const struct run_record *r, bool orphaned)
{
	return orphaned && (r->state == RUN_RUNNING || r->state == RUN_WAITING)
		       ? "interrupted"
		       : run_state_name(r->state);
}

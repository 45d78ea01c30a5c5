#include "tuner/cli/stored.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "tuner/cli/holder.h"

/* A file that is no database of ours is invalid, too, and stays as it is. */
int stored_upgraded(const char *db, struct store **ret, struct err *e)
{
	struct store *writer;
	struct err ignored;
	int r = store_open(db, STORE_READ, ret, e);

	if (r != ERR_INVALID || store_open(db, STORE_WRITE, &writer, &ignored) < 0)
		return r;
	store_close(writer);
	return store_open(db, STORE_READ, ret, e);
}

int stored_open(const char *db, int64_t id, struct stored *ret, struct err *e)
{
	int r;

	memset(ret, 0, sizeof *ret);
	r = store_open(db, STORE_READ, &ret->store, e);
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
	setup_release(&s->setup);
	recording_free(s->recording);
	run_record_release(&s->run);
	store_close(s->store);
	memset(s, 0, sizeof *s);
}

/* --- the task --- */

static int copy_text(const struct json_node *o, const char *key, char *ret, size_t size,
		     struct err *e)
{
	struct json_node n;
	const char *text;

	if (json_need(o, key, &n, e) < 0 || json_string(&n, &text, e) < 0)
		return e->code;
	snprintf(ret, size, "%s", text);
	return 0;
}

static int read_attributes(const struct json_node *o, struct device *d, struct err *e)
{
	struct json_node list;
	int r = json_need(o, "attributes", &list, e);

	for (int i = 0; i < DEVICE_ATTR_COUNT && r == 0; i++)
		r = json_opt_int(&list, device_attr_name((enum device_attr)i), -1, INT64_C(1) << 53,
				 &d->attr[i], e);
	return r;
}

/* A device as setup_environment wrote it. */
static int read_device(const struct json_node *o, struct device *d, struct err *e)
{
	int64_t ordinal = 0;
	int r = json_opt_int(o, "ordinal", 0, 1023, &ordinal, e);

	*d = (struct device){ .ordinal = (int)ordinal };
	if (r == 0)
		r = copy_text(o, "name", d->name, sizeof d->name, e);
	if (r == 0)
		r = copy_text(o, "uuid", d->uuid, sizeof d->uuid, e);
	if (r == 0)
		r = copy_text(o, "arch", d->arch, sizeof d->arch, e);
	if (r == 0)
		r = copy_text(o, "driver", d->driver, sizeof d->driver, e);
	if (r == 0)
		r = copy_text(o, "compiler", d->compiler, sizeof d->compiler, e);
	return r < 0 ? r : read_attributes(o, d, e);
}

static int read_devices(const cJSON *tree, struct device **ret, int *ret_n, struct err *e)
{
	struct json_node root = json_root(tree), list, item;
	struct device *devices;
	int n = 0, r = json_need(&root, "devices", &list, e);

	if (r == 0)
		r = json_list(&list, e);
	if (r < 0)
		return r;
	devices = mem_array((size_t)json_count(&list) + 1, sizeof *devices);
	for (bool more = json_first(&list, &item); more && r == 0; more = json_next(&item))
		r = read_device(&item, &devices[n++], e);
	if (r < 0) {
		free(devices);
		return r;
	}
	*ret = devices;
	*ret_n = n;
	return 0;
}

int stored_bind(struct stored *s, struct err *e)
{
	struct device *devices = NULL;
	char *text = NULL;
	cJSON *tree = NULL;
	int n, r = run_need_kernel(&s->run, e);

	if (r < 0)
		return r;
	if (!s->run.environment)
		return err_set(e, ERR_MISSING, "run %" PRId64 " has not started: no device yet",
			       s->run.id);
	r = store_environment(s->store, s->run.environment, &text, e);
	if (r == 0)
		r = json_parse(text, strlen(text), &tree, e);
	if (r == 0)
		r = read_devices(tree, &devices, &n, e);
	if (r == 0)
		r = setup_stored(s->store, &s->run, devices, n, &s->setup, e);
	free(devices);
	free(text);
	cJSON_Delete(tree);
	return r < 0 ? err_wrap(e, "run %" PRId64, s->run.id) : 0;
}

int stored_space(struct stored *s, const struct space **ret, struct err *e)
{
	int r = 0;

	if (run_recorded(&s->run)) {
		if (!s->recording)
			r = recording_described(s->run.task_text, &s->recording, e);
		if (r == 0)
			*ret = s->recording->space;
		return r < 0 ? err_wrap(e, "run %" PRId64, s->run.id) : 0;
	}
	if (!s->setup.bound)
		r = stored_bind(s, e);
	if (r == 0)
		*ret = task_space(s->setup.bound);
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

#include "tuner/daemon/setup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "base/mem.h"
#include "version.h"

enum { LIST_MAX = 64 };

void setup_release(struct setup *s)
{
	task_bound_free(s->bound);
	task_free(s->task);
	free(s->devices);
	*s = (struct setup){ 0 };
}

/* --- devices --- */

static const struct device *find_device(const struct device *here, int n, int64_t ordinal)
{
	for (int i = 0; i < n; i++)
		if (here[i].ordinal == ordinal)
			return &here[i];
	return NULL;
}

static int add_device(struct setup *s, const char *runtime, const struct device *d, int64_t ordinal,
		      struct err *e)
{
	const struct device *first = s->devices;

	if (!d)
		return err_set(e, ERR_MISSING,
			       "runtime %s has no device %lld here; `evo-tuned doctor` lists what "
			       "there is",
			       runtime, (long long)ordinal);
	if (s->n_devices &&
	    (strcmp(first->name, d->name) != 0 || strcmp(first->arch, d->arch) != 0))
		return err_set(e, ERR_INVALID,
			       "devices %d (%s) and %d (%s) are of different kinds; start a run "
			       "for each",
			       first->ordinal, first->name, d->ordinal, d->name);
	s->devices = mem_grow(s->devices, (size_t)s->n_devices + 1, sizeof *s->devices);
	s->devices[s->n_devices++] = *d;
	return 0;
}

static int take_devices(struct setup *s, const struct run_record *r, const struct device *here,
			int n_here, struct err *e)
{
	struct json_node root, n;
	int64_t ordinal;
	cJSON *list;
	int ret = json_parse(r->devices, strlen(r->devices), &list, e);

	if (ret < 0)
		return err_wrap(e, "devices");
	root = json_root(list);
	for (bool ok = json_first(&root, &n); ok && ret == 0; ok = json_next(&n)) {
		ret = json_int(&n, 0, 1023, &ordinal, e);
		if (ret == 0)
			ret = add_device(s, r->runtime, find_device(here, n_here, ordinal), ordinal,
					 e);
	}
	if (ret == 0 && !s->n_devices)
		ret = err_set(e, ERR_INVALID, "devices: expected at least one");
	cJSON_Delete(list);
	return ret;
}

/* --- options --- */

/* Texts stay borrowed from the JSON values. */
struct options {
	cJSON *shapes_json, *narrow_json;
	const char *shapes[LIST_MAX];
	struct task_narrow narrow[LIST_MAX];
	struct task_options o;
};

static int take_shapes(struct options *x, const struct run_record *r, struct err *e)
{
	struct json_node root, n;
	int ret = json_parse(r->shapes, strlen(r->shapes), &x->shapes_json, e);

	if (ret < 0)
		return err_wrap(e, "shapes");
	root = json_root(x->shapes_json);
	if (json_count(&root) > LIST_MAX)
		return err_set(e, ERR_INVALID, "shapes: more than %d", LIST_MAX);
	for (bool ok = json_first(&root, &n); ok && ret == 0; ok = json_next(&n))
		ret = json_string(&n, &x->shapes[x->o.n_shapes++], e);
	return ret < 0 ? err_wrap(e, "shapes") : 0;
}

static int take_narrow(struct options *x, const struct run_record *r, struct err *e)
{
	struct json_node root, n;
	int ret = json_parse(r->narrow, strlen(r->narrow), &x->narrow_json, e);

	if (ret < 0)
		return err_wrap(e, "set");
	root = json_root(x->narrow_json);
	if (json_count(&root) > LIST_MAX)
		return err_set(e, ERR_INVALID, "set: more than %d parameters", LIST_MAX);
	for (bool ok = json_first(&root, &n); ok && ret == 0; ok = json_next(&n)) {
		struct task_narrow *narrow = &x->narrow[x->o.n_narrow++];

		narrow->name = n.key;
		ret = json_string(&n, &narrow->values, e);
	}
	return ret < 0 ? err_wrap(e, "set") : 0;
}

static int check_runtime(const struct run_record *r, const struct task *t, struct err *e)
{
	if (strcmp(r->runtime, task_runtime(t)) == 0 || strcmp(r->runtime, "noop") == 0)
		return 0;
	return err_set(e, ERR_INVALID, "the kernel of task %s is for runtime %s, not %s",
		       task_name(t), task_runtime(t), r->runtime);
}

static int bind(struct setup *s, const struct run_record *r, struct err *e)
{
	struct options x = { .o.device = s->devices };
	int ret = take_shapes(&x, r, e);

	if (ret == 0)
		ret = take_narrow(&x, r, e);
	x.o.shapes = x.shapes;
	x.o.narrow = x.narrow;
	if (ret == 0)
		ret = task_bind(s->task, &x.o, &s->bound, e);
	cJSON_Delete(x.shapes_json);
	cJSON_Delete(x.narrow_json);
	return ret;
}

int setup_bind(const struct run_record *r, struct task *task, const struct device *here, int n_here,
	       struct setup *ret, struct err *e)
{
	struct setup s = { .task = task };
	int code = check_runtime(r, task, e);

	if (code == 0)
		code = take_devices(&s, r, here, n_here, e);
	if (code == 0)
		code = bind(&s, r, e);
	if (code < 0)
		setup_release(&s);
	else
		*ret = s;
	return code;
}

/* --- from the store --- */

struct sources {
	struct store_source *list;
	int n;
};

static int on_source(void *ctx, const struct store_source *src, struct err *e)
{
	struct sources *all = ctx;
	char *text = mem_alloc(src->len + 1);

	(void)e;
	memcpy(text, src->text, src->len);
	all->list = mem_grow(all->list, (size_t)all->n + 1, sizeof *all->list);
	all->list[all->n++] = (struct store_source){ mem_strdup(src->path), text, NULL, src->len };
	return 0;
}

static void sources_release(struct sources *all)
{
	for (int i = 0; i < all->n; i++) {
		free((char *)all->list[i].path);
		free((char *)all->list[i].text);
	}
	free(all->list);
}

static const char *read_source(void *ctx, const char *path, size_t *ret_len)
{
	const struct sources *all = ctx;

	for (int i = 0; i < all->n; i++)
		if (strcmp(all->list[i].path, path) == 0) {
			*ret_len = all->list[i].len;
			return all->list[i].text;
		}
	return NULL;
}

static int check_identity(const struct setup *s, const struct run_record *r, struct err *e)
{
	char identity[HASH_HEX];

	task_identity(s->bound, identity);
	if (strcmp(identity, r->identity) == 0)
		return 0;
	return err_set(
		e, ERR_FAILED,
		"run %lld was begun on another device, driver or compiler than %s with %s, or "
		"with other .npy files, and its figures cannot be compared with new ones; "
		"start a new run",
		(long long)r->id, s->devices[0].name, s->devices[0].compiler);
}

int setup_stored(struct store *st, const struct run_record *r, const struct device *here,
		 int n_here, struct setup *ret, struct err *e)
{
	struct sources all = { 0 };
	struct task *task = NULL;
	int code = store_each_source(st, r->id, on_source, &all, e);

	if (code == 0)
		code = task_parse(r->task_path ? r->task_path : r->task_name, r->task_text,
				  strlen(r->task_text), read_source, &all, &task, e);
	sources_release(&all);
	if (code < 0)
		return code;
	code = setup_bind(r, task, here, n_here, ret, e);
	if (code == 0) {
		code = check_identity(ret, r, e);
		if (code < 0)
			setup_release(ret);
	}
	return code;
}

/* --- environment --- */

static void add_device_json(cJSON *list, const struct device *d)
{
	cJSON *o = json_new_object(), *attrs;

	json_add_int(o, "ordinal", d->ordinal);
	json_add_string(o, "name", d->name);
	json_add_string(o, "uuid", d->uuid);
	json_add_string(o, "arch", d->arch);
	json_add_string(o, "driver", d->driver);
	json_add_string(o, "compiler", d->compiler);
	attrs = json_add_object(o, "attributes");
	for (int i = 0; i < DEVICE_ATTR_COUNT; i++)
		json_add_double(attrs, device_attr_name((enum device_attr)i), (double)d->attr[i]);
	json_push(list, o);
}

char *setup_environment(const struct setup *s)
{
	cJSON *o = json_new_object(), *devices;
	struct utsname u;
	char *text;

	if (uname(&u) == 0) {
		json_add_string(o, "host", u.nodename);
		json_add_string(o, "system", u.sysname);
		json_add_string(o, "kernel", u.release);
		json_add_string(o, "machine", u.machine);
	}
	json_add_string(o, "version", EVO_TUNED_VERSION);
	devices = json_add_list(o, "devices");
	for (int i = 0; i < s->n_devices; i++)
		add_device_json(devices, &s->devices[i]);
	text = json_render(o);
	cJSON_Delete(o);
	return text;
}

#include "tuner/cli/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { VALUE_TEXT_MAX = 256 };

static void add_device(cJSON *o, const struct device *d)
{
	cJSON *device = json_add_object(o, "device");

	json_add_string(device, "name", d->name);
	json_add_string(device, "arch", d->arch);
	json_add_bool(device, "assumed", d->assumed);
	json_add_int(device, "memory_bytes", d->attr[DEVICE_MEMORY_BYTES]);
}

static void add_parameters(cJSON *o, const struct space *s)
{
	cJSON *parameters = json_add_object(o, "parameters");

	for (int p = 0; p < space_params(s); p++) {
		cJSON *values = json_add_list(parameters, space_name(s, p));

		for (int i = 0; i < space_values(s, p); i++) {
			const struct value *v = space_value(s, p, i);
			char text[VALUE_TEXT_MAX];

			value_print(v, text, sizeof text);
			json_push(values, v->kind == VALUE_TEXT ? cJSON_CreateString(text)
								: cJSON_CreateRaw(text));
		}
	}
}

static void add_space(cJSON *o, const struct space *s)
{
	cJSON *size = json_add_object(o, "space");
	bool exact;
	double valid = space_count(s, CHECK_STEPS, &exact);

	json_add_double(size, "cartesian", space_cartesian(s));
	json_add_double(size, "valid", valid);
	json_add_bool(size, "exact", exact);
}

static void add_shapes(cJSON *o, const struct problem *p)
{
	cJSON *shapes = json_add_list(o, "shapes");

	for (int i = 0; i < p->n_shapes; i++) {
		cJSON *shape = json_new_object();

		json_add_string(shape, "name", p->shapes[i].name);
		json_add_bool(shape, "check", p->shapes[i].check);
		json_add_bool(shape, "time", p->shapes[i].time);
		json_add_int(shape, "bytes", problem_shape_bytes(p, i));
		json_push(shapes, shape);
	}
}

static void add_gate(cJSON *o, const char *name, double limit)
{
	if (limit >= 0)
		json_add_double(o, name, limit);
}

static void add_references(cJSON *o, const struct problem *p)
{
	cJSON *references = json_add_list(o, "references");

	for (int i = 0; i < p->n_references; i++) {
		const struct problem_reference *r = &p->references[i];
		cJSON *one = json_new_object(), *gates;

		json_add_string(one, "name", r->name);
		json_add_string(one, "kind",
				r->files		    ? "files"
				: r->language == LANGUAGE_C ? "c"
							    : "cuda");
		gates = json_add_object(one, "gates");
		add_gate(gates, "max_abs", r->gates.max_abs);
		add_gate(gates, "mean_abs", r->gates.mean_abs);
		add_gate(gates, "rel_l2", r->gates.rel_l2);
		add_gate(gates, "bad_fraction", r->gates.bad_fraction);
		json_push(references, one);
	}
}

static void add_resource_gates(cJSON *o, const struct task *t)
{
	cJSON *gates = json_add_object(o, "resource_gates");

	for (int g = 0; g < GATE_FIGURE_COUNT; g++) {
		const struct resource_gate *gate = task_gate(t, (enum gate_figure)g);
		cJSON *one;

		if (gate->limit < 0)
			continue;
		one = json_add_object(gates, gate_figure_name((enum gate_figure)g));
		json_add_int(one, "limit", gate->limit);
		json_add_string(one, "kind", gate->hard ? "hard" : "soft");
	}
}

static void add_dims(cJSON *o, const char *key, const int64_t dims[3])
{
	cJSON *list = json_add_list(o, key);

	for (int i = 0; i < 3; i++)
		json_push(list, cJSON_CreateNumber((double)dims[i]));
}

/* The launches of one configuration; a warning where it cannot be launched. */
static void add_launches(cJSON *o, cJSON *warnings, const char *name, const struct task_bound *b,
			 const uint16_t *config, const struct problem *p)
{
	cJSON *list = json_add_list(o, "launches");
	struct launch *launches;
	struct err e = { 0 };

	if (task_launches(b, config, &launches, &e) < 0) {
		struct str text = STR_INIT;

		str_addf(&text, "%s cannot be launched here: %s", name, e.msg);
		json_push(warnings, cJSON_CreateString(text.data));
		str_release(&text);
		return;
	}
	for (int i = 0; i < p->n_shapes; i++) {
		cJSON *one = json_new_object();

		json_add_string(one, "shape", p->shapes[i].name);
		add_dims(one, "grid", launches[i].grid);
		add_dims(one, "block", launches[i].block);
		json_add_int(one, "shared_bytes", launches[i].shared_bytes);
		json_push(list, one);
		launch_release(&launches[i]);
	}
	free(launches);
}

static void add_config(cJSON *list, cJSON *warnings, const char *name, struct task_bound *b,
		       const uint16_t *config)
{
	cJSON *one = json_new_object(), *values;
	char *text = task_config_json(task_space(b), config);
	struct err e = { 0 };

	json_add_string(one, "name", name);
	if (json_parse(text, strlen(text), &values, &e) == 0)
		json_add(one, "config", values);
	add_launches(one, warnings, name, b, config, task_problem(b));
	json_push(list, one);
	free(text);
}

cJSON *check_report(const struct task *t, struct task_bound *b)
{
	const struct space *s = task_space(b);
	cJSON *o = json_new_object(), *presets, *warnings = json_new_list();
	uint16_t config[SPACE_PARAMS_MAX];
	int n;

	json_add_string(o, "task", task_name(t));
	json_add_string(o, "description", task_description(t));
	json_add_string(o, "task_hash", task_hash(t));
	json_add_string(o, "source_hash", task_source_hash(t));
	json_add_string(o, "runtime", task_runtime(t));
	json_add_string(o, "entry", task_entry(t));
	add_device(o, task_device(b));
	add_parameters(o, s);
	add_space(o, s);
	add_shapes(o, task_problem(b));
	add_references(o, task_problem(b));
	add_resource_gates(o, t);
	presets = json_add_list(o, "presets");
	for (int i = 0; i < task_presets(t); i++)
		if (task_preset(b, task_preset_name(t, i), config))
			add_config(presets, warnings, task_preset_name(t, i), b, config);
	if (!task_presets(t))
		add_config(presets, warnings, "first legal configuration", b, task_first(b, &n));
	json_add(o, "warnings", warnings);
	return o;
}

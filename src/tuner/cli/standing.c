#include "tuner/cli/standing.h"

#include <math.h>

#include "tuner/cli/figure.h"

/* Those of the first device stand for a trial that was answered from another's measurement. */
static const struct device *device_of(const struct stored *s, int ordinal)
{
	for (int i = 0; i < s->setup.n_devices; i++)
		if (s->setup.devices[i].ordinal == ordinal)
			return &s->setup.devices[i];
	return s->setup.devices;
}

static bool ceilings_of(const struct stored *s, const struct device *d, struct ceilings *ret)
{
	struct ceilings limits;
	struct err ignored;
	bool measured;

	*ret = (struct ceilings){ 0 };
	measured = s->store && store_ceilings(s->store, d, ret, &ignored) == 0;
	roofline_limits(d, &limits);
	roofline_complete(ret, &limits);
	return measured;
}

bool standing_of(struct stored *s, const char *config, int device, int shape, double ns,
		 struct standing *ret)
{
	uint16_t positions[SPACE_PARAMS_MAX];
	struct err ignored;
	struct ceilings c;
	struct work w;

	if ((!s->setup.bound && stored_bind(s, &ignored) < 0) || !s->setup.n_devices || shape < 0 ||
	    shape >= task_problem(s->setup.bound)->n_shapes ||
	    task_config_parse(task_space(s->setup.bound), config, positions, &ignored) < 0 ||
	    !task_work(s->setup.bound, positions, shape, &w))
		return false;
	ret->measured = ceilings_of(s, device_of(s, device), &c);
	roofline_of(&w, &c, ns, &ret->at);
	return true;
}

bool standing_of_p50(struct stored *s, const struct trial_record *t, struct standing *ret)
{
	const struct problem *p;
	struct err ignored;
	int timed = -1;

	if (t->p50_ns <= 0 || (!s->setup.bound && stored_bind(s, &ignored) < 0))
		return false;
	p = task_problem(s->setup.bound);
	for (int i = 0; i < p->n_shapes; i++) {
		if (p->shapes[i].time && timed >= 0)
			return false;
		if (p->shapes[i].time)
			timed = i;
	}
	return standing_of(s, t->config, t->device, timed, t->p50_ns, ret);
}

static void add_some(cJSON *o, const char *key, double v)
{
	json_add_double(o, key, v > 0 ? v : (double)NAN);
}

cJSON *standing_json(const struct standing *x)
{
	cJSON *o;

	if (!x)
		return cJSON_CreateNull();
	o = json_new_object();
	add_some(o, "bytes_per_s", x->at.bytes_per_s);
	add_some(o, "operations_per_s", x->at.operations_per_s);
	add_some(o, "memory_share", x->at.memory_share);
	add_some(o, "compute_share", x->at.compute_share);
	json_add_string(o, "bound", roofline_bound_name(x->at.bound));
	add_some(o, "best_us", x->at.best_ns / 1000);
	json_add_string(o, "ceilings", x->measured ? "measured" : "limits");
	return o;
}

void standing_add(const struct standing *x, struct str *ret)
{
	const struct roofline *f = &x->at;
	char a[FIGURE_MAX], b[FIGURE_MAX];

	if (f->bytes_per_s > 0)
		str_addf(ret, "%s, %s of %s", figure_rate(f->bytes_per_s, "B/s", a),
			 figure_share(f->memory_share, b),
			 x->measured ? "what was measured" : "the device's limit");
	if (f->operations_per_s > 0)
		str_addf(ret, "%s%s, %s", f->bytes_per_s > 0 ? "; " : "",
			 figure_rate(f->operations_per_s, "op/s", a),
			 figure_share(f->compute_share, b));
	if (f->bound != BOUND_UNKNOWN)
		str_addf(ret, "; bound by %s: %s at best", roofline_bound_name(f->bound),
			 figure_time(f->best_ns, a));
}

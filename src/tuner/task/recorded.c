#include "tuner/task/recorded.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static const double time_max_ns = 1e18;

void recorded_release(struct recorded *x)
{
	for (int i = 0; i < x->n_metrics; i++)
		free(x->metrics[i].name);
	free(x->metrics);
	free(x->sample_ns);
	free(x->key);
	memset(x, 0, sizeof *x);
}

void recorded_add_metric(struct recorded *x, const char *name, const cJSON *value)
{
	struct recorded_metric *m;

	if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble))
		return;
	x->metrics = mem_grow(x->metrics, (size_t)x->n_metrics + 1, sizeof *x->metrics);
	m = &x->metrics[x->n_metrics++];
	m->name = mem_strdup(name);
	m->value = value->valuedouble;
}

double recorded_time_ns(const cJSON *value, double unit_ns)
{
	double ns = cJSON_IsNumber(value) ? value->valuedouble * unit_ns : 0;

	return ns > 0 && ns < time_max_ns ? ns : 0;
}

void recorded_add_samples(struct recorded *x, const cJSON *list, double unit_ns)
{
	int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
	const cJSON *one;

	if (n == 0 || x->sample_ns)
		return;
	x->sample_ns = mem_array((size_t)n, sizeof *x->sample_ns);
	cJSON_ArrayForEach(one, list)
	{
		double ns = recorded_time_ns(one, unit_ns);

		if (ns > 0 && x->n_samples < RECORDED_SAMPLES_MAX)
			x->sample_ns[x->n_samples++] = ns;
	}
}

int64_t recorded_at_ms(const cJSON *value)
{
	return cJSON_IsString(value) ? clock_parse(value->valuestring) : 0;
}

enum outcome recorded_failure(const char *text, enum outcome other)
{
	enum outcome found;

	return text && outcome_parse(text, &found) == 0 && found != OUTCOME_OK ? found : other;
}

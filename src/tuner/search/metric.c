#include "tuner/search/metric.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

bool metric_ordered(const struct space *s, int param)
{
	int n = space_values(s, param);
	int rising = 0;

	for (int i = 0; i < n; i++)
		if (space_value(s, param, i)->kind == VALUE_TEXT)
			return false;
	for (int i = 1; i < n; i++)
		rising += value_number(space_value(s, param, i)) >
			  value_number(space_value(s, param, i - 1));
	return rising == 0 || rising == n - 1;
}

/* Places on the line from 0 to 1; false: the values have no order. */
static bool find_places(const struct space *s, int param, float *ret)
{
	int n = space_values(s, param);
	double low = INFINITY;
	double high = -INFINITY;
	bool by_log;

	for (int i = 0; i < n; i++) {
		double number = value_number(space_value(s, param, i));

		if (isnan(number))
			return false;
		low = fmin(low, number);
		high = fmax(high, number);
	}
	by_log = n > 2 && low > 0 && high / low >= 4;
	for (int i = 0; i < n && high > low; i++) {
		double number = value_number(space_value(s, param, i));

		ret[i] = (float)(by_log ? log(number / low) / log(high / low)
					: (number - low) / (high - low));
	}
	return true;
}

void metric_init(struct metric *m, const struct space *s)
{
	m->n = space_params(s);
	m->param = mem_array((size_t)m->n, sizeof *m->param);
	for (int i = 0; i < m->n; i++) {
		struct metric_param *p = &m->param[i];
		bool line;

		p->place = mem_array((size_t)space_values(s, i), sizeof *p->place);
		line = find_places(s, i, p->place);
		p->differ = line ? 0.4F : 1;
		p->line = line ? 0.6F : 0;
	}
}

void metric_release(struct metric *m)
{
	for (int i = 0; i < m->n; i++)
		free(m->param[i].place);
	free(m->param);
}

float metric_distance(const struct metric *m, const uint16_t *a, const uint16_t *b)
{
	float sum = 0;

	for (int i = 0; i < m->n; i++) {
		const struct metric_param *p = &m->param[i];

		if (a[i] != b[i])
			sum += p->differ + p->line * fabsf(p->place[a[i]] - p->place[b[i]]);
	}
	return sum;
}

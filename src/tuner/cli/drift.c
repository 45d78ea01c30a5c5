#include "tuner/cli/drift.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tuner/daemon/contest.h"

/* What row i is compared with; NULL: it is the first of its device. */
static const struct drift_record *first_of(const struct drift_record *rows, int i,
					   const struct drift_record *baseline)
{
	if (baseline->device == rows[i].device)
		return baseline;
	for (int k = 0; k < i; k++)
		if (rows[k].device == rows[i].device)
			return &rows[k];
	return NULL;
}

static double clock_over(const struct drift_record *row, const struct drift_record *first)
{
	if (row->clocks.sm_mhz > 0 && first->clocks.sm_mhz > 0)
		return row->clocks.sm_mhz / first->clocks.sm_mhz - 1;
	return (double)NAN;
}

void drift_judge(struct drift_record *rows, int n, const struct drift_record *baseline,
		 struct drift *ret)
{
	*ret = (struct drift){ .rows = rows, .n = n, .worst = -1, .clock = (double)NAN };
	for (int i = 0; i < n; i++) {
		const struct drift_record *first = first_of(rows, i, baseline), *row = &rows[i];
		double share;

		if (!first)
			continue;
		share = row->p50_ns / first->p50_ns - 1;
		if (ret->worst < 0 || fabs(share) > fabs(ret->share)) {
			ret->worst = i;
			ret->share = share;
			ret->clock = clock_over(row, first);
		}
		ret->beyond_noise |=
			fabs(share) > CONTEST_MARGIN &&
			(row->ci_low_ns > first->ci_high_ns || row->ci_high_ns < first->ci_low_ns);
	}
}

void drift_release(struct drift *d)
{
	free(d->rows);
	*d = (struct drift){ .worst = -1 };
}

static int on_row(void *ctx, const struct drift_record *row, struct err *e)
{
	struct drift *d = ctx;

	(void)e;
	d->rows = mem_grow(d->rows, (size_t)d->n + 1, sizeof *d->rows);
	d->rows[d->n++] = *row;
	return 0;
}

int drift_read(struct stored *s, struct drift *ret, struct err *e)
{
	struct drift_record baseline = { .device = -1 };
	struct drift read = { .n = 0 };
	struct trial_record t;
	int r = store_each_drift(s->store, s->run.id, on_row, &read, e);

	if (r == 0 && s->summary.baseline_p50_ns > 0) {
		r = store_trial(s->store, s->run.id, s->summary.baseline, &t, e);
		if (r == 0 && t.origin != TRIAL_STORED)
			baseline = (struct drift_record){ .device = t.device,
							  .p50_ns = t.p50_ns,
							  .ci_low_ns = t.ci_low_ns,
							  .ci_high_ns = t.ci_high_ns,
							  .clocks = t.clocks };
		if (r == 0)
			trial_record_release(&t);
	}
	if (r < 0)
		free(read.rows);
	else
		drift_judge(read.rows, read.n, &baseline, ret);
	return r;
}

static void add_known(cJSON *o, const char *key, double v)
{
	json_add_double(o, key, v >= 0 ? v : (double)NAN);
}

static cJSON *row_json(const struct drift_record *d)
{
	cJSON *o = json_new_object(), *ci;

	json_add_int(o, "device", d->device);
	json_add_int(o, "after_trials", d->trials);
	json_add_double(o, "at_ms", d->at);
	json_add_double(o, "p50_us", d->p50_ns / 1000);
	ci = json_add_list(o, "ci_us");
	json_push(ci, cJSON_CreateNumber(d->ci_low_ns / 1000));
	json_push(ci, cJSON_CreateNumber(d->ci_high_ns / 1000));
	add_known(o, "sm_mhz", d->clocks.sm_mhz);
	add_known(o, "memory_mhz", d->clocks.memory_mhz);
	add_known(o, "celsius", d->clocks.celsius);
	add_known(o, "watts", d->clocks.watts);
	add_known(o, "throttle", (double)d->clocks.throttle);
	return o;
}

cJSON *drift_json(const struct drift *d)
{
	cJSON *o = json_new_object(), *list;

	json_add_double(o, "largest_percent", d->worst >= 0 ? 100 * d->share : (double)NAN);
	json_add_double(o, "clock_percent", 100 * d->clock);
	json_add_bool(o, "beyond_noise", d->beyond_noise);
	list = json_add_list(o, "baseline_again");
	for (int i = 0; i < d->n; i++)
		json_push(list, row_json(&d->rows[i]));
	return o;
}

static void add_text(const struct drift *d, struct str *ret)
{
	if (!d->n)
		return;
	str_addf(ret, "measured %d times more", d->n);
	if (d->worst < 0)
		return;
	str_addf(ret, ", at most %+.2f %% off its first (after %" PRId64 " trials", 100 * d->share,
		 d->rows[d->worst].trials);
	if (!isnan(d->clock))
		str_addf(ret, "; the SM clock %+.2f %%", 100 * d->clock);
	str_addf(ret, "), %s",
		 d->beyond_noise ? "MORE than the noise: clocks, heat or neighbours changed"
				 : "within the noise");
}

bool drift_tell(struct stored *s, struct str *ret)
{
	struct err ignored;
	struct drift d;
	bool beyond;

	if (drift_read(s, &d, &ignored) < 0)
		return false;
	add_text(&d, ret);
	beyond = d.beyond_noise;
	drift_release(&d);
	return beyond;
}

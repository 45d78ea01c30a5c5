#include "tuner/daemon/run_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "tuner/daemon/score.h"

void run_find_ceilings(struct run *r)
{
	struct err ignored;

	for (int i = 0; i < r->setup.n_devices; i++) {
		struct run_device *d = &r->devices[i];

		d->has_ceilings =
			store_ceilings(r->w.store, d->device, &d->ceilings, &ignored) == 0;
		d->survey = d->has_ceilings ? SURVEYED : UNSURVEYED;
	}
}

/* Nothing is measured that nobody would be told of. */
static bool wanted(const struct run *r)
{
	return task_tells_work(r->setup.task) && strcmp(r->record.runtime, "noop") != 0 &&
	       r->told.by_outcome[OUTCOME_OK] && !r->full;
}

/* True: it is under way. */
static bool survey(struct run_device *d)
{
	if (d->survey == UNSURVEYED && d->meter && meter_idle(d->meter)) {
		d->survey = SURVEYING;
		meter_survey(d->meter);
	}
	return d->survey == SURVEYING;
}

/* A worker that is not at hand, since it is replaced or nothing had to be measured, is not waited
 * for: the next run will do it. */
bool run_surveys(struct run *r)
{
	bool busy = false;

	for (int i = 0; wanted(r) && i < r->setup.n_devices; i++)
		busy |= survey(&r->devices[i]);
	return busy;
}

bool run_survey_first(struct run_device *d)
{
	return d->run->record.target_share > 0 && survey(d);
}

/* That of the first device stands for one that was answered from another run's measurement. */
static struct run_device *device_of_found(struct run *r)
{
	for (int i = 0; i < r->setup.n_devices; i++)
		if (r->devices[i].device->ordinal == r->found_device)
			return &r->devices[i];
	return &r->devices[0];
}

static void find_share(struct run *r)
{
	struct run_device *d = device_of_found(r);

	r->record.found_share = 0;
	if (r->found && d->survey == SURVEYED)
		r->record.found_share = score_roofline_ns(r->setup.bound, r->found, &d->ceilings) /
					r->told.found_p50_ns;
}

void run_note_found(struct run *r, const struct trial_record *row, const uint16_t *config)
{
	size_t bytes = (size_t)space_params(task_space(r->setup.bound)) * sizeof *config;

	if (r->told.found != row->no)
		return;
	free(r->found);
	r->found = mem_copy(config, bytes);
	r->found_device = row->device;
	find_share(r);
}

void run_surveyed(struct run_device *d, const struct ceilings *c)
{
	struct run *r = d->run;
	struct err e;

	d->survey = SURVEYED;
	if (c) {
		d->ceilings = *c;
		d->has_ceilings = true;
	}
	find_share(r);
	if (c && ledger_put_ceilings(r->w.ledger, d->device, c, &e) < 0)
		log_warn("run %lld: %s", (long long)r->record.id, e.msg);
}

const struct ceilings *run_ceilings(const struct run *r, int ordinal)
{
	for (int i = 0; i < r->setup.n_devices; i++)
		if (r->devices[i].device->ordinal == ordinal && r->devices[i].has_ceilings)
			return &r->devices[i].ceilings;
	return NULL;
}

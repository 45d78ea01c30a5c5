#include "tuner/daemon/run_types.h"

#include <string.h>

#include "base/log.h"

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

/* A worker that is not at hand, since it is replaced or nothing had to be measured, is not waited
 * for: the next run will do it. */
bool run_surveys(struct run *r)
{
	bool busy = false;

	for (int i = 0; wanted(r) && i < r->setup.n_devices; i++) {
		struct run_device *d = &r->devices[i];

		if (d->survey == UNSURVEYED && d->meter && meter_idle(d->meter)) {
			d->survey = SURVEYING;
			meter_survey(d->meter);
		}
		busy |= d->survey == SURVEYING;
	}
	return busy;
}

void run_surveyed(struct run_device *d, const struct ceilings *c)
{
	struct run *r = d->run;
	struct err e;

	d->survey = SURVEYED;
	if (!c)
		return;
	d->ceilings = *c;
	d->has_ceilings = true;
	if (ledger_put_ceilings(r->w.ledger, d->device, c, &e) < 0)
		log_warn("run %lld: %s", (long long)r->record.id, e.msg);
}

const struct ceilings *run_ceilings(const struct run *r, int ordinal)
{
	for (int i = 0; i < r->setup.n_devices; i++)
		if (r->devices[i].device->ordinal == ordinal && r->devices[i].has_ceilings)
			return &r->devices[i].ceilings;
	return NULL;
}

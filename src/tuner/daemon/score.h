#ifndef DAEMON_SCORE_H
#define DAEMON_SCORE_H

#include "tuner/daemon/trial.h"
#include "tuner/task/task.h"

/*
 * What a trial is worth. The objective is the geometric mean of the timed shapes' medians by the
 * shapes' weights; the search minimises that times (1 + penalty) for each soft resource gate
 * missed. A hard gate missed rejects the trial before it is run.
 */

/* Of a compiled trial: sets gates and penalty. False: a hard gate said no, and the verdict says
 * which. gates has GATE_FIGURE_COUNT elements. */
bool score_gates(struct trial *t, const struct resource_gate *gates);

/* Of a measured trial: the verdict, from t->measurement. */
void score_measured(struct trial *t, const struct problem *p);

/* Of a trial that is ok: SUSPECT, without a score, where a shape's time is below what the task's
 * "work" takes on the device (see roofline_floor_ns). `measured` may be NULL: only the limits that
 * follow from the device are known. */
void score_believe(struct trial *t, struct task_bound *b, const struct ceilings *measured);

/* The shortest time that the ceilings leave for what the task's "work" says of a configuration,
 * combined over the timed shapes as the objective is; 0: not known. Where a ceiling was not
 * measured, the device's limit stands for it. */
double score_roofline_ns(struct task_bound *b, const uint16_t *config,
			 const struct ceilings *measured);

#endif

#include "tuner/cli/compare_side.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/cli/command.h"
#include "tuner/cli/local.h"
#include "tuner/cli/paths.h"
#include "tuner/cli/report.h"

/* No preset's name begins with a digit. */
static bool is_number(const char *operand)
{
	return isdigit((unsigned char)operand[0]);
}

static int open_run(const struct compare_where *w, const char *operand, int64_t *ret_trial,
		    struct compare_side *s, struct err *e)
{
	int64_t run;
	int r = operand_trial(operand, &run, ret_trial, e);

	if (r == 0)
		r = stored_open(w->db, run, &s->stored, e);
	if (r == 0)
		r = stored_bind(&s->stored, e);
	if (r == 0)
		s->runtime = mem_strdup(s->stored.run.runtime);
	return r;
}

static int take_trial(const struct compare_where *w, const char *operand, struct compare_side *s,
		      struct err *e)
{
	int64_t no;
	int r = open_run(w, operand, &no, s, e);

	if (r == 0)
		r = report_find(&s->stored, no, &s->trial, e);
	if (r < 0)
		return r;
	snprintf(s->name, sizeof s->name, "%" PRId64 ":%" PRId64, s->trial.run, s->trial.no);
	if (s->trial.outcome != OUTCOME_OK)
		return err_set(e, ERR_FAILED,
			       "trial %s ended as %s; only correct configurations can be compared",
			       s->name, outcome_name(s->trial.outcome));
	return task_config_parse(task_space(s->stored.setup.bound), s->trial.config, s->config, e);
}

static int open_task(const struct compare_where *w, struct compare_side *s, struct err *e)
{
	struct setup *setup = &s->stored.setup;
	struct task_options o = { .shapes = w->shapes->items, .n_shapes = w->shapes->n };
	struct local where = { NULL, w->nvrtc };
	char *path;
	int r = path_task(w->task, &path, e);

	if (r < 0)
		return r;
	r = task_load(path, &setup->task, e);
	free(path);
	if (r < 0)
		return r;
	where.runtime = task_runtime(setup->task);
	s->runtime = mem_strdup(where.runtime);
	setup->devices = mem_alloc(sizeof *setup->devices);
	setup->n_devices = 1;
	o.device = setup->devices;
	r = local_device(&where, w->device, setup->devices, e);
	return r < 0 ? r : task_bind(setup->task, &o, &setup->bound, e);
}

static int take_preset(const struct compare_where *w, const char *operand, const char *other,
		       struct compare_side *s, struct err *e)
{
	int64_t ignored;
	int r;

	if (!w->task && !is_number(other))
		return err_set(e, ERR_INVALID,
			       "%.60s: expected RUN or RUN:TRIAL, such as 3:17, or a preset with "
			       "--task TASK",
			       operand);
	r = w->task ? open_task(w, s, e) : open_run(w, other, &ignored, s, e);
	if (r < 0)
		return r;
	snprintf(s->name, sizeof s->name, "%s", operand);
	if (task_preset(s->stored.setup.bound, operand, s->config))
		return 0;
	return err_set(e, ERR_INVALID,
		       "task %s has no preset %.60s, or it is not legal here; `evo-tuned check` "
		       "lists the presets",
		       task_name(s->stored.setup.task), operand);
}

int compare_side_open(const struct compare_where *w, const char *operand, const char *other,
		      struct compare_side *ret, struct err *e)
{
	struct compare_side *s = ret;
	int r;

	memset(s, 0, sizeof *s);
	r = is_number(operand) ? take_trial(w, operand, s, e)
			       : take_preset(w, operand, other, s, e);
	if (r < 0)
		compare_side_release(s);
	return r;
}

void compare_side_release(struct compare_side *s)
{
	trial_record_release(&s->trial);
	stored_release(&s->stored);
	free(s->runtime);
	s->runtime = NULL;
}

#include <inttypes.h>
#include <stdio.h>

#include "tuner/cli/command.h"
#include "tuner/cli/print.h"
#include "tuner/cli/report.h"
#include "tuner/cli/show.h"

static int show_trial(struct stored *s, int64_t no, bool json, struct err *e)
{
	struct trial_record t;
	struct err ignored = { 0 };
	int r = store_trial(s->store, s->run.id, no, &t, e);

	if (r < 0)
		return err_wrap(e, "trial %" PRId64 ":%" PRId64, s->run.id, no);
	/* For the names of shapes and references; without it their numbers do. */
	stored_bind(s, &ignored);
	if (json)
		print_json(report_trial(s, &t));
	else
		show_trial_text(s, &t, stdout);
	trial_record_release(&t);
	return 0;
}

static int show_run(struct stored *s, bool json, struct err *e)
{
	cJSON *report;
	int r = report_run(s, &report, e);

	if (r < 0)
		return r;
	if (json) {
		print_json(report);
		return 0;
	}
	show_run_text(s, report, stdout);
	cJSON_Delete(report);
	return 0;
}

static int run(const struct invocation *v, struct err *e)
{
	struct stored s;
	int64_t id = 0, no = 0;
	int r;

	if (v->n_operands && operand_trial(v->operands[0], &id, &no, e) < 0)
		return -EXIT_USAGE;
	if (stored_open(v->db, id, &s, e) < 0)
		return EXIT_BY_ERROR;
	r = no ? show_trial(&s, no, v->json, e) : show_run(&s, v->json, e);
	stored_release(&s);
	return r < 0 ? EXIT_BY_ERROR : EXIT_DONE;
}

const struct command command_show = {
	.name = "show",
	.summary = "everything about a run or a trial",
	.operands = "[RUN[:TRIAL]]",
	.notes = "Without RUN: the newest. Needs no daemon.",
	.max_operands = 1,
	.query = true,
	.run = run,
};

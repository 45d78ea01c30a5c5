#include <inttypes.h>

#include "tuner/cli/command.h"
#include "tuner/cli/print.h"
#include "tuner/cli/top.h"

struct top_command {
	int64_t k;
};

static const struct top_command defaults = { .k = 10 };

static const struct option_spec options[] = {
	{ .name = "count",
	  .letter = 'k',
	  .kind = OPTION_INT,
	  .value = "K",
	  .help = "how many (default 10)",
	  .offset = offsetof(struct top_command, k),
	  .min = 1,
	  .max = 1e6 },
	{ 0 },
};

static int tell(struct stored *s, const struct top *top, bool json, struct err *e)
{
	if (json) {
		print_json(top_json(top));
		return 0;
	}
	if (!top->n) {
		note("run %" PRId64 " has no correct configuration yet, of %" PRId64
		     " trials; `evo-tuned show %" PRId64 "` says what became of them",
		     s->run.id, s->summary.trials, s->run.id);
		return 0;
	}
	top_print(top, stdout);
	return top_tell(s, top, e);
}

static int run(const struct invocation *v, struct err *e)
{
	const struct top_command *c = v->options;
	struct stored s;
	struct top top = { 0 };
	int64_t id = 0;
	int r;

	if (v->n_operands && operand_run(v->operands[0], &id, e) < 0)
		return -EXIT_USAGE;
	if (stored_open(v->db, id, &s, e) < 0)
		return EXIT_BY_ERROR;
	r = top_read(&s, c->k, &top, e);
	if (r == 0)
		r = tell(&s, &top, v->json, e);
	if (r == 0 && !top.n)
		r = EXIT_WORK;
	top_release(&top);
	stored_release(&s);
	return r < 0 ? EXIT_BY_ERROR : r;
}

const struct command command_top = {
	.name = "top",
	.summary = "the best configurations of a run",
	.operands = "[RUN]",
	.notes = "Without RUN: of the newest. Needs no daemon.",
	.max_operands = 1,
	.query = true,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct top_command),
	.run = run,
};

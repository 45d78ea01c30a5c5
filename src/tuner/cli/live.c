#include "tuner/cli/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tuner/cli/figure.h"

void live_init(struct live *l, int64_t run, int64_t budget)
{
	*l = (struct live){ .run = run, .budget = budget };
	snprintf(l->state, sizeof l->state, "%s", run_state_name(RUN_QUEUED));
}

void live_summary(struct live *l, const struct run_summary *s)
{
	l->done = s->done;
	l->best = s->best;
	l->best_us = s->best_p50_ns / 1000;
	l->speedup = s->speedup;
	memcpy(l->failures, s->by_outcome, sizeof l->failures);
	l->failures[OUTCOME_OK] = 0;
}

static void take_int(const struct json_node *n, const char *key, int64_t *ret)
{
	struct err ignored = { 0 };

	json_opt_int(n, key, 0, (int64_t)1 << 53, ret, &ignored);
}

static void take_double(const struct json_node *n, const char *key, double *ret)
{
	struct err ignored = { 0 };

	json_opt_double(n, key, 0, 1e300, ret, &ignored);
}

static void take_text(const struct json_node *n, const char *key, char *ret, size_t size)
{
	struct err ignored = { 0 };
	const char *text = NULL;

	if (json_opt_string(n, key, &text, &ignored) == 0 && text)
		snprintf(ret, size, "%s", text);
}

static void take_failures(struct live *l, const struct json_node *n)
{
	struct json_node failures;

	if (!json_get(n, "failures", &failures))
		return;
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (i != OUTCOME_OK)
			take_int(&failures, outcome_name((enum outcome)i), &l->failures[i]);
}

bool live_event(struct live *l, const cJSON *event)
{
	struct json_node root = json_root(event), body;
	char kind[16] = "";
	int64_t run = 0;

	take_int(&root, "run", &run);
	if (run != l->run)
		return false;
	take_text(&root, "kind", kind, sizeof kind);
	if (!json_get(&root, "body", &body))
		body = root;
	if (strcmp(kind, "run") == 0) {
		l->reason[0] = l->phase[0] = '\0';
		take_text(&body, "phase", l->phase, sizeof l->phase);
		take_text(&body, "state", l->state, sizeof l->state);
		take_text(&body, "reason", l->reason, sizeof l->reason);
	}
	take_int(&body, "done", &l->done);
	take_int(&body, "budget", &l->budget);
	take_int(&body, "best_no", &l->best);
	take_double(&body, "best_us", &l->best_us);
	take_double(&body, "speedup", &l->speedup);
	take_double(&body, "rate_per_s", &l->rate_per_s);
	take_failures(l, &body);
	return true;
}

bool live_ended(const struct live *l)
{
	enum run_state state;

	return run_state_parse(l->state, &state) == 0 && run_state_ended(state);
}

static void add_failures(const struct live *l, struct str *ret)
{
	bool any = false;

	for (int i = 0; i < OUTCOME_COUNT; i++) {
		if (!l->failures[i])
			continue;
		str_addf(ret, "%s%" PRId64 " %s", any ? ", " : "  ", l->failures[i],
			 outcome_name((enum outcome)i));
		any = true;
	}
}

void live_line(const struct live *l, struct str *ret)
{
	char text[FIGURE_MAX];
	bool final = strcmp(l->phase, "final") == 0;
	bool running = !final && strcmp(l->state, run_state_name(RUN_RUNNING)) == 0;

	str_addf(ret, "run %" PRId64 "  %" PRId64 "/%" PRId64, l->run, l->done, l->budget);
	if (!running)
		str_addf(ret, "  %s", final ? l->phase : l->state);
	if (l->rate_per_s > 0 && running)
		str_addf(ret, "  %.*f/s", l->rate_per_s < 10 ? 1 : 0, l->rate_per_s);
	if (l->best_us > 0)
		str_addf(ret, "  best %s", figure_time(l->best_us * 1000, text));
	if (l->best_us > 0 && l->speedup > 0)
		str_addf(ret, " (%s)", figure_ratio(l->speedup, text));
	add_failures(l, ret);
	if (l->rate_per_s > 0 && running && l->done < l->budget)
		str_addf(ret, "  %s left",
			 figure_seconds((double)(l->budget - l->done) / l->rate_per_s, text));
	if (!running && l->reason[0])
		str_addf(ret, "  (%s)", l->reason);
}

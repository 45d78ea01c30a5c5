#include "tuner/cli/outcomes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/cli/print.h"

enum { REASON_MAX = 300, REASONS_MAX = 256 };

struct reason {
	char *text;
	enum outcome outcome;
	int64_t n, example; /* a trial */
};

struct reasons {
	struct reason all[REASONS_MAX];
	int n;
};

void outcomes_add(const struct run_summary *s, struct str *ret)
{
	bool any = false;

	for (int i = 0; i < OUTCOME_COUNT; i++) {
		if (!s->by_outcome[i])
			continue;
		str_addf(ret, "%s%" PRId64 " %s", any ? ", " : "", s->by_outcome[i],
			 outcome_name((enum outcome)i));
		any = true;
	}
	if (!any)
		str_addz(ret, "none");
}

/* The first line only: a log is long, and its later lines differ from trial to trial. */
static int count_reason(void *ctx, const struct trial_record *t, struct err *e)
{
	struct reasons *r = ctx;
	const char *text = t->detail ? t->detail : "";
	size_t len = strcspn(text, "\n");
	int i;

	(void)e;
	if (t->outcome == OUTCOME_OK)
		return 0;
	for (i = 0; i < r->n; i++)
		if (r->all[i].outcome == t->outcome && strlen(r->all[i].text) == len &&
		    memcmp(r->all[i].text, text, len) == 0)
			break;
	if (i == REASONS_MAX)
		return 0;
	if (i == r->n)
		r->all[r->n++] = (struct reason){ .text = mem_strndup(text, len),
						  .outcome = t->outcome,
						  .example = t->no };
	r->all[i].n++;
	return 0;
}

int outcomes_tell(struct stored *s, struct err *e)
{
	struct reasons *reasons = mem_alloc(sizeof *reasons);
	const struct reason *most = &reasons->all[0];
	struct str text = STR_INIT;
	int r = store_each_trial(s->store, s->run.id, 0, count_reason, reasons, e);

	outcomes_add(&s->summary, &text);
	note("run %" PRId64 " found no correct configuration: of %" PRId64 " trials %s", s->run.id,
	     s->summary.trials, text.data);
	for (int i = 1; i < reasons->n; i++)
		if (reasons->all[i].n > most->n)
			most = &reasons->all[i];
	if (r == 0 && reasons->n)
		note("most often (%" PRId64 "): %s: %.*s; `evo-tuned show %" PRId64 ":%" PRId64
		     "` has an example",
		     most->n, outcome_name(most->outcome), REASON_MAX,
		     most->text[0] ? most->text : outcome_help(most->outcome), s->run.id,
		     most->example);
	for (int i = 0; i < reasons->n; i++)
		free(reasons->all[i].text);
	free(reasons);
	str_release(&text);
	return r;
}

#ifndef DAEMON_WARM_JSON_H
#define DAEMON_WARM_JSON_H

#include "base/err.h"
#include "tuner/search/observation.h"
#include "tuner/search/space.h"

/*
 * What a run took of an earlier search, as it came with search.start and is stored:
 * {"from": text, "configs": [{NAME: value}, ...], "mended": n, "dropped": n, "past": [{"config":
 * {NAME: value}, "score": number or null}, ...]}, the configurations being those of this run's
 * space, those to begin with best first; `past` are trials of the earlier search, null what failed,
 * its configurations legal or not (see prior.h). Nothing is read again from where they came from,
 * so that resuming is exact whatever became of that.
 */
enum { WARM_MAX = 1000 };

/* First configurations with the warm ones behind them. */
struct warm_first {
	uint16_t *config; /* n rows; free() */
	int n, n_warm;
};

struct warm_past {
	struct observation *trial;
	uint16_t *config; /* n rows, which the trials point to */
	int n;
};

int warm_past(const char *text, const struct space *s, struct warm_past *ret, struct err *e);
void warm_past_release(struct warm_past *p);

int warm_check(const char *text, const struct space *s, struct err *e); /* NULL text is fine */
int warm_append(const char *text, const struct space *s, const uint16_t *first, int n_first,
		struct warm_first *ret, struct err *e);

#endif

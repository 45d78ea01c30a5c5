#ifndef CLI_WARM_START_H
#define CLI_WARM_START_H

#include "base/json.h"
#include "tuner/search/warm.h"
#include "tuner/task/recording.h"
#include "tuner/task/task.h"

/*
 * What a new search takes of an earlier one: the best that was found there, far enough apart, to be
 * tried first. `start` takes it of a run or a recording that is named, or of the task's own
 * history: the newest run of the same task on another shape, device, compiler or source. Where
 * results of the very same question are stored, they are reused as they are and nothing else is
 * taken.
 */
enum { WARM_DEFAULT = 6 };

struct warm_wish {
	const char *from; /* a run's number or a file; NULL: the history */
	bool fresh;	  /* not of the history */
	int limit;
	const char *db;
	const struct task_bound *bound; /* what is started */
	const char *task;		/* its name */
};

/* Sets *ret to what search.start takes as "warm", NULL: there is nothing. Tells people of it. */
int warm_start(const struct warm_wish *wish, cJSON **ret, struct err *e);

void warm_from_recording(const struct recording *r, struct warm *w);

#endif

#ifndef DAEMON_IMPORT_H
#define DAEMON_IMPORT_H

#include "base/json.h"
#include "tuner/daemon/store.h"

/*
 * Makes a run of a recording: one that has ended, with a trial for each configuration in the file's
 * order. Its runtime is RUNTIME_RECORDED. Trials rank by the recording's objective: its time as
 * recorded, or, where the objective is another figure, the time of the best times how much worse a
 * configuration is by that figure.
 *
 * The caller is the one writer: the daemon, or a command that holds the store's lock while no
 * daemon does. All or nothing: on an error the store is as it was.
 */
struct import_request { /* borrowed */
	const char *file;
	const char *t1;	  /* NULL: see recording_load */
	const char *name; /* of the run's task; NULL: the kernel's, or the file's */
};

struct import_result {
	int64_t run;
	bool known; /* the same file was imported before: this is that run, nothing new */
	int64_t trials;
	int64_t repeated;      /* configurations that came again: the first one counts */
	int64_t illegal;       /* left out: they broke a constraint */
	int64_t dropped_bytes; /* of an unfinished record at the file's end */
};

/*
 * In parts, so that a daemon can do other things in between:
 *
 *   import_new, import_load, import_begin, import_step until it says 0, import_free
 *
 * import_load reads the file and knows nothing of the store, so that another thread may call it.
 * From import_begin to the last step, or import_free, a transaction is open.
 */
struct import;

struct import *import_new(const struct import_request *q);
void import_load(struct import *m);
int import_begin(struct import *m, struct store *s, struct err *e); /* or why it was not loaded */
/* At most so many trials. 1: there are more; 0: all is stored. */
int import_step(struct import *m, int most, struct err *e);
void import_free(struct import *m); /* takes back what was not finished; NULL is fine */

const struct import_result *import_result_of(const struct import *m); /* after the last step */
const struct event_record *import_event(const struct import *m); /* to be published; NULL: known */

/* All of it at once. */
int import_file(struct store *s, const struct import_request *q, struct import_result *ret,
		struct err *e);

/* As runs.import answers. */
cJSON *import_json(const struct import_result *x);

#endif

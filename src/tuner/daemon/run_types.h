#ifndef DAEMON_RUN_TYPES_H
#define DAEMON_RUN_TYPES_H

#include "tuner/daemon/meter.h"
#include "tuner/daemon/recall.h"
#include "tuner/daemon/run.h"
#include "tuner/daemon/sched.h"

/* The inside of a run, for the run*.c files only. */

enum run_phase { RUN_RECALLING, RUN_SEARCHING, RUN_DRAINING, RUN_OVER, RUN_PHASE_COUNT };

enum { RATE_RING = 64 };

/* What a run needs before anything can be measured. */
struct run_reference {
	bool needed; /* it is a kernel, not a file */
	bool asked, built, retried;
	char hash[HASH_HEX];
};

struct run_device {
	struct run *run;
	const struct device *device;
	struct meter *meter; /* NULL: references are not built yet */
};

struct run {
	struct run_world w;
	struct run_owner owner;
	struct run_record record;
	struct setup setup;
	enum run_phase phase;
	struct resource_gate gates[GATE_FIGURE_COUNT];
	char *root; /* folder of this run's sources */
	uint16_t *baseline;
	char *unbuilt; /* what the first trial that failed in this life said; NULL: none */
	struct search *search;
	struct sched *sched;
	struct recall recall;
	int64_t recalled; /* no of the last row that was told again */
	struct run_reference *references;
	struct run_device *devices;
	struct run_summary told, stored;
	int64_t active_ns;  /* monotonic, when it became active; 0: it is not */
	int64_t updated_ns; /* when its row was last written */
	int64_t finish_ns[RATE_RING];
	int64_t finished;
	int compiled; /* since the cache was last trimmed */
	int pending;  /* ledger entries that are not stored yet */
	bool full, stopping, limited;
	bool first;	     /* of its identity: there are no results to be reused */
	enum run_state then; /* the state that DRAINING leads to */
	char *then_reason;
	char *doom; /* why it cannot go on; NULL: it can */
};

/* run_recall.c: repeats stored rows; true: there are more. Errors set doom. */
bool run_recall(struct run *r);

/* run_trial.c */
extern const struct sched_io run_sched_io; /* ctx is to be set */
/* Nothing could be built so far: sources that do not compile in any configuration, or a compiler
 * that is not there. */
bool run_barren(const struct run *r);
void run_doom_barren(struct run *r);
bool run_job_of_trial(struct run *r, struct trial *t, int64_t id, struct pool_job *ret);
void run_trial_compiled(struct run *r, struct trial *t, struct wire_reply *reply);
void run_trial_measured(struct run *r, struct trial *t, struct measurement *m);
void run_trial_lost(struct run *r, struct trial *t, const struct proc_loss *l,
		    const struct err *failed);
void run_trial_unpin(struct run *r, struct trial *t);	       /* accepts one that is not pinned */
void run_first_error(const char *log, char *ret, size_t size); /* the line of a log that says it */

/* run_prepare.c: references, then measuring workers. */
bool run_job_of_reference(struct run *r, int64_t id, struct pool_job *ret);
void run_reference_compiled(struct run *r, int i, struct wire_reply *reply);
void run_reference_lost(struct run *r, int i, const struct proc_loss *l);
bool run_references_built(const struct run *r);
void run_open_meters(struct run *r);
void run_feed_meters(struct run *r);
void run_close_meters(struct run *r);

/* run.c: draws the consequences; every callback ends in it. */
void run_tick(struct run *r);
void run_doom(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
double run_now_ms(void); /* wall clock with fractions */

#endif

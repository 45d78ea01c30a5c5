#ifndef DAEMON_RUN_TYPES_H
#define DAEMON_RUN_TYPES_H

#include "tuner/daemon/final.h"
#include "tuner/daemon/meter.h"
#include "tuner/daemon/recall.h"
#include "tuner/daemon/run.h"
#include "tuner/daemon/sched.h"

/* The inside of a run, for the run*.c files only. */

enum run_phase { RUN_RECALLING, RUN_SEARCHING, RUN_DRAINING, RUN_FINAL, RUN_OVER, RUN_PHASE_COUNT };

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
	enum { UNSURVEYED, SURVEYING, SURVEYED } survey;
	bool has_ceilings;
	struct ceilings ceilings;
	struct meter *meter; /* NULL: references are not built yet */
	struct {
		bool busy;	 /* the baseline is being measured */
		int64_t last_ns; /* monotonic, when that ended last */
		double cost_ms;	 /* of that */
		double spent_ms; /* measuring trials since */
		int64_t trials;	 /* told when it began */
		double began_ms;
	} drift;
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
	uint16_t *found;  /* the search's best; NULL: nothing yet */
	int found_device; /* that it was measured on; -1: not here */
	char *unbuilt;	  /* what the first trial that failed in this life said; NULL: none */
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
	char *doom;	      /* why it cannot go on; NULL: it can */
	struct trial *anchor; /* the baseline's binary and launches, for drift; NULL: not there */
	struct final *final;  /* NULL: not begun */
	double final_began;   /* wall clock */
	pid_t final_pid;      /* of the worker that has the final's inputs; 0: none */
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
void run_trial_measured(struct run_device *d, struct trial *t, struct measurement *m);
void run_trial_lost(struct run *r, struct trial *t, const struct proc_loss *l,
		    const struct err *failed);
/* Judges a trial that has lost its worker by its own doing; false: it was not, and *why says what
 * happened. */
bool run_blame(struct run *r, struct trial *t, const struct proc_loss *l, char *ret_why,
	       size_t size);
struct pool_job run_compile_job(struct run *r, struct trial *t, int64_t id,
				const struct task_compile *c);
/* Takes the reply's artifact over; false: it did not compile, and the trial is judged. */
bool run_take_artifact(struct run *r, struct trial *t, struct wire_reply *reply);
bool run_pin(struct run *r, struct trial *t);		       /* see cubins_use */
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

/* run_drift.c: the baseline between trials. */
void run_anchor(struct run *r, const struct trial_record *row); /* the baseline's, which is ok */
bool run_drift_measure(struct run_device *d); /* true: its worker has the baseline now */
void run_drift_measured(struct run_device *d, struct measurement *m);
void run_drift_lost(struct run_device *d);

/* run_final.c: what a run ends with, in the phase RUN_FINAL. */
bool run_final_go(struct run *r); /* does what can be done now; false: it is over */
bool run_final_job(struct run *r, int64_t id, struct pool_job *ret);
void run_final_compiled(struct run *r, struct trial *t, struct wire_reply *reply);
void run_final_compile_lost(struct run *r, struct trial *t, const struct proc_loss *l);
void run_final_measured(struct run_device *d, struct trial *t, struct measurement *m);
void run_final_lost(struct run *r, struct trial *t, const struct proc_loss *l,
		    const struct err *failed);
void run_final_free(struct run *r);

/* run_ceilings.c: what the devices can do at best, for tasks that say what their work is. */
void run_find_ceilings(struct run *r); /* those in the store */
/* Before the final: measures what is missing, which is stored. False: nothing to wait
 * for. */
bool run_surveys(struct run *r);
void run_surveyed(struct run_device *d, const struct ceilings *c); /* NULL: it came to nothing */
/* Whether the run cannot do without them any longer: its target is a share of the roofline. True:
 * the device's worker is measuring them. */
bool run_survey_first(struct run_device *d);
/* The row was counted; where it is the search's best now, finds its share of the roofline. */
void run_note_found(struct run *r, const struct trial_record *row, const uint16_t *config);
const struct ceilings *run_ceilings(const struct run *r, int ordinal); /* NULL: unknown */

/* run.c: draws the consequences; every callback ends in it. */
void run_tick(struct run *r);
void run_doom(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
double run_now_ms(void); /* wall clock with fractions */

#endif

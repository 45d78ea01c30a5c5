#ifndef DAEMON_RECORD_H
#define DAEMON_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "runtime/runtime.h"

/*
 * Rows of the database as structs. Strings and arrays are owned by the record; *_release frees
 * them and leaves an empty record.
 */

/*
 *   queued --> running <--> paused       running --> waiting (disk full) --> running
 *      |          |            |
 *      +----------+------------+--> done | failed | cancelled
 *
 * `interrupted` is never stored: a run that a dead daemon left running is shown so.
 */
#define RUN_STATE_MAP(X)                                                                   \
	X(QUEUED, "queued", "waits for its device")                                        \
	X(RUNNING, "running", "trials are being made")                                     \
	X(PAUSED, "paused", "held by a user")                                              \
	X(WAITING, "waiting", "held by a full disk; goes on by itself when there is room") \
	X(DONE, "done", "reached its budget, its time limit or the end of its space")      \
	X(FAILED, "failed", "cannot go on; the reason says why")                           \
	X(CANCELLED, "cancelled", "ended by a user; its trials are kept")

enum run_state {
#define X(id, name, help) RUN_##id,
	RUN_STATE_MAP(X)
#undef X
		RUN_STATE_COUNT
};
const char *run_state_name(enum run_state s);
int run_state_parse(const char *name, enum run_state *ret);
bool run_state_ended(enum run_state s); /* done, failed or cancelled */

struct run_record {
	int64_t id; /* 1, 2, ...: what users type */
	char *task_name;
	char *task_path; /* where it was loaded from; for messages only */
	char *task_text;
	char task_hash[HASH_HEX], source_hash[HASH_HEX];
	char identity[HASH_HEX]; /* results may be shared between runs of one identity */
	char *runtime;		 /* "cuda", "host", "noop", "recorded" */
	char *strategy;
	int elite_k;
	uint64_t seed;
	int64_t budget;	     /* new evaluations */
	char *settings;	     /* of the strategy, a JSON object with all of them */
	char *warm;	     /* JSON: what it took of an earlier search; NULL: nothing */
	double time_limit_s; /* 0: none */
	int64_t no_gain;     /* end after so many trials without a better one; 0: never */
	double target_ns;    /* end once a median is as good; 0: never */
	double target_share; /* end once it has as much of the roofline; 0: never */
	double found_share;  /* of the roofline, the search's best; 0: not known */
	int priority;	     /* higher first */
	int jobs;	     /* compile workers at most; 0: the daemon's */
	bool fresh;	     /* do not reuse stored results */
	char *devices;	     /* JSON list of ordinals: [0,1] */
	char *shapes;	     /* JSON list of names; [] is all */
	char *narrow;	     /* JSON object NAME: "V,V" */
	char *baseline;	     /* configuration as JSON; NULL before the run has started */
	int64_t environment; /* row id; 0 before the run has started */
	enum run_state state;
	char *reason; /* of paused, waiting, done, failed, cancelled; may be NULL */
	int64_t created_ms, started_ms, ended_ms; /* wall clock; 0: not yet */
	double active_s;			  /* time spent running, over all resumptions */
	char *version;				  /* of evo-tuned that created it */
};
void run_record_release(struct run_record *r);

/* What `import` makes: a run that has ended, of trials that someone else measured. Its task_text is
 * a description (recording_describe), its source_hash that of the file; there are no sources. */
#define RUNTIME_RECORDED "recorded"
bool run_recorded(const struct run_record *r);
/* Refuses what needs the kernel of a run; 0 when it has one. */
int run_need_kernel(const struct run_record *r, struct err *e);

/* How a trial came by its result. */
#define TRIAL_ORIGIN_MAP(X)                                                               \
	X(MEASURED, "measured", "compiled and run for this trial")                        \
	X(SAME_CUBIN, "same_cubin", "its binary equals one measured earlier in this run") \
	X(STORED, "stored", "an earlier run had measured it; costs no budget")

enum trial_origin {
#define X(id, name, help) TRIAL_##id,
	TRIAL_ORIGIN_MAP(X)
#undef X
		TRIAL_ORIGIN_COUNT
};
const char *trial_origin_name(enum trial_origin o);
int trial_origin_parse(const char *name, enum trial_origin *ret);

/* When each phase began, in wall clock milliseconds with fractions; 0: never reached. */
#define TRIAL_PHASE_MAP(X) \
	X(proposed) X(compile_start) X(compile_end) X(measure_start) X(measure_end) X(stored)

struct extra_figure {
	char *name;
	double value;
};

struct trial_record {
	int64_t id; /* row; unique over all runs */
	int64_t run;
	int64_t no;	      /* 1, 2, ... in the order the optimiser was told */
	int64_t ask;	      /* the proposal's number */
	int64_t asked_before; /* proposals made before this one was told: resume replays them */
	char *config;	      /* canonical JSON */
	char *op;	      /* search_op_name */
	int64_t parents[2];   /* asks; -1: none */
	int generation;
	enum outcome outcome;
	char *detail; /* why it is not ok; may be NULL */
	enum trial_origin origin;
	int64_t origin_trial; /* id of the trial whose result this is; 0: its own */
	double score_ns; /* what the search minimises: geometric mean of p50, times penalties; 0:
			    none */
	double p50_ns, ci_low_ns,
		ci_high_ns;	 /* over the timed shapes, as the objective combines them */
	char *gates;		 /* JSON list of soft resource gates not met, [] mostly */
	char *log;		 /* of the compiler, bounded */
	char artifact[HASH_HEX]; /* "" when it did not compile */
	char *entry;		 /* the kernel's name in it; NULL where there is none */
	int64_t artifact_bytes;
	double compile_ms, load_ms, verify_ms, warm_ms, time_ms, search_ms;
	int device; /* ordinal; -1: never measured */
	struct ptxas ptxas;
	struct function function;
	struct clocks clocks;
	struct timing *timings;
	int n_timings;
	struct check *checks;
	int n_checks;
	struct extra_figure *metrics; /* of an imported trial */
	int n_metrics;
	struct {
#define X(phase) double phase;
		TRIAL_PHASE_MAP(X)
#undef X
	} at;
};
void trial_record_release(struct trial_record *t);
extern const struct ptxas no_ptxas;	  /* nothing is known of it */
extern const struct function no_function; /* likewise */

struct event_record {
	int64_t no; /* 1, 2, ... over all runs; clients catch up from a number */
	int64_t at_ms;
	int64_t run; /* 0: about the daemon */
	char *kind;  /* "run", "trial", "daemon" */
	char *body;  /* JSON object */
};
void event_record_release(struct event_record *v);

/* A run's figures, counted by the database. The best is the search's, until a final has named it.
 */
struct run_summary {
	int64_t run;
	int64_t trials; /* rows */
	int64_t done;	/* new evaluations: what the budget counts */
	int64_t by_outcome[OUTCOME_COUNT];
	int64_t reused; /* origin stored */
	int64_t best;	/* no of the best ok trial; 0: none yet */
	double best_ns, best_p50_ns;
	int64_t found; /* the search's best, whatever a final says; 0: none yet */
	double found_p50_ns;
	int64_t baseline;	/* no of the baseline's trial; 0: not measured yet */
	double baseline_p50_ns; /* 0: none */
	double speedup;		/* of the best over the baseline; 0: unknown */
	bool final; /* best, best_* and speedup are the final's: it is of these very trials. best
		       is 0 when it found nothing correct */
};

#endif

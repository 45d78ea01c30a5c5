#ifndef DAEMON_TRIAL_H
#define DAEMON_TRIAL_H

#include "tuner/daemon/record.h"
#include "tuner/search/search.h"

/*
 * One trial between its proposal and its row.
 *
 *   PROPOSED --> COMPILING --> READY --> MEASURING --> DONE
 *       |          |     |       |           |          ^
 *       |          |     +--> TWIN ----------|----------+
 *       +----------+-------------+-----------+----------+   it ended there; `outcome` says how
 *
 * TWIN waits for a trial with an equal binary that is READY or MEASURING. COMPILING goes back to
 * PROPOSED, and MEASURING to READY, when a worker died and this had not happened before; TWIN goes
 * to READY when the other trial's end says nothing of the binary.
 */
enum trial_state {
	TRIAL_PROPOSED,
	TRIAL_COMPILING,
	TRIAL_READY,
	TRIAL_TWIN,
	TRIAL_MEASURING,
	TRIAL_DONE,
	TRIAL_STATE_COUNT
};

/* What measuring said: true of every trial with the same binary and launches. A run keeps one for
 * each binary to its end, so it is to be small. */
struct verdict {
	int64_t no;  /* of the trial that was measured */
	int64_t row; /* its row's id; 0 until it is written */
	enum outcome outcome;
	char *detail; /* NULL: nothing to say */
	double score_ns, p50_ns, ci_low_ns, ci_high_ns;
	struct function function;
	int device;
};
void verdict_copy(const struct verdict *v, struct verdict *ret); /* ret is released first */
void verdict_release(struct verdict *v);

struct trial {
	int64_t ask;
	enum trial_state state;
	bool compile_retried, measure_retried;
	bool pinned;		/* its binary is, in the cache */
	const uint16_t *config; /* borrowed from the search */
	enum search_op op;
	int64_t parents[2];
	int generation;
	char *config_json;
	struct launch *launches; /* n_launches */
	int n_launches;
	char key[HASH_HEX]; /* of binary and launches; set before READY */
	enum trial_origin origin;
	int64_t origin_row;	  /* of a STORED one */
	struct verdict *same;	  /* of a SAME_CUBIN one; borrowed from the scheduler */
	struct verdict verdict;	  /* the end; valid once DONE */
	char *gates;		  /* soft gates missed, a JSON list; NULL: none */
	double penalty;		  /* the score is multiplied by it; 1: no gate missed */
	struct artifact artifact; /* once compiled */
	struct measurement measurement;
	double search_ms;
	struct {
#define X(phase) double phase;
		TRIAL_PHASE_MAP(X)
#undef X
	} at;
	struct trial *next; /* in the scheduler's list */
};

struct trial *trial_new(void);
void trial_free(struct trial *t); /* accepts NULL */

const char *trial_state_name(enum trial_state s);
void trial_move(struct trial *t, enum trial_state to); /* aborts on a move the table forbids */

/* Sets the key from the artifact's hash and the launches: parameters may act on the launch alone,
 * so an equal binary is not yet an equal trial. */
void trial_set_key(struct trial *t);

/* Sets verdict's outcome and detail, which is cut to TRIAL_DETAIL_MAX - 1 bytes. */
enum { TRIAL_DETAIL_MAX = 512 };
void trial_judge(struct trial *t, enum outcome o, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif

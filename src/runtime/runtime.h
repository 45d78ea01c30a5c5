#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "runtime/device.h"
#include "runtime/outcome.h"
#include "runtime/problem.h"
#include "runtime/roofline.h"

/*
 * Where kernels are compiled and measured. A runtime is six functions, none optional; they block,
 * and live in worker processes that may be killed at any moment. Nothing here knows of searches.
 *
 * Outcomes against errors: compile and measure return 0 whenever the variant got its outcome, good
 * or bad. They return an error only for what is wrong with the machine, the request or us.
 */

/* PTXAS's figures for one entry. -1: not reported. Bytes, but for registers and barriers. */
#define PTXAS_MAP(X)         \
	X(registers)         \
	X(stack_bytes)       \
	X(spill_store_bytes) \
	X(spill_load_bytes)  \
	X(shared_bytes)      \
	X(constant_bytes)    \
	X(barriers)

struct ptxas {
#define X(field) int64_t field;
	PTXAS_MAP(X)
#undef X
};

/* What the driver says of a loaded function (cuFuncGetAttribute). -1: unknown. */
#define FUNCTION_MAP(X)   \
	X(registers)      \
	X(shared_bytes)   \
	X(local_bytes)    \
	X(constant_bytes) \
	X(max_threads)    \
	X(blocks_per_sm)

struct function {
#define X(field) int64_t field;
	FUNCTION_MAP(X)
#undef X
};

enum { LOG_BYTES_MAX = 16384 }; /* of a compile log that is kept: its head and tail */

/* One variant to build. All strings borrowed. */
struct compile_job {
	enum language language;
	const char *source;	    /* path; quoted includes are looked for beside it first */
	const char *entry;	    /* of extern "C" linkage, or a C++ name that NVRTC can lower */
	const char *arch;	    /* "sm_90a"; unused for C */
	const char *const *options; /* -D, -I and flags, in order */
	int n_options;
	const struct problem_argument *arguments; /* types for the C shim; unused for CUDA */
	const char *const *argument_c_types;	  /* n_arguments element types, C spelling */
	int n_arguments;
	const char *cache; /* folder: the binary is stored as CACHE/HASH.cubin or .so */
};

struct artifact {
	enum outcome outcome; /* OK, COMPILE_ERROR or TOO_BIG (ptxas: too much shared memory) */
	char hash[HASH_HEX];  /* of the binary */
	char *path;	      /* owned; NULL unless OK */
	int64_t bytes;
	char *log; /* owned, never NULL once filled; at most LOG_BYTES_MAX */
	struct ptxas ptxas;
	double compile_ms;
	char lowered[256]; /* the entry's name inside the binary */
};
void artifact_release(struct artifact *a);

/* One trial to measure. Borrowed. */
struct measure_job {
	const char *artifact;	       /* path */
	const char *entry;	       /* lowered */
	const struct launch *launches; /* one for each shape of the problem */
	int n_launches;
	bool verify, time;
	uint64_t fresh_seed; /* not 0: check with this seed instead of the problem's */
	double best_ns;	     /* score to beat, for early abort; 0: none yet */
};

struct timing {
	int shape;
	enum timing_mode mode;
	enum timing_l2 l2;
	double p50_ns, mean_ns, stddev_ns, min_ns, p90_ns, p99_ns; /* of one launch */
	double ci_low_ns, ci_high_ns; /* 95 % interval of the median, from order statistics */
	int launches_per_sample;
	double *samples_ns; /* owned: one launch, averaged over its sample */
	int n_samples;
	bool aborted;  /* stopped early: clearly slower than the best */
	int throttled; /* samples thrown away */
};

struct check {
	int shape, reference;
	uint64_t seed;
	double max_abs, mean_abs, rel_l2, bad_fraction;
	int64_t nans, unwritten, first_bad; /* first_bad: element index, -1: none */
	bool guards_intact, inputs_intact, deterministic;
	bool passed;
	char why[128]; /* the first gate that failed, with figure and limit; empty if passed */
};

struct clocks { /* NVML; -1: unknown */
	/* sm_mhz: what it was while a graph was timed, where a runtime can tell; else NVML's, which
	 * is what was asked for */
	double sm_mhz, memory_mhz, celsius, watts;
	int64_t throttle; /* nvmlClocksThrottleReasons mask */
};

struct measurement {
	enum outcome outcome;
	char detail[512]; /* why it is not ok; the driver's words */
	bool poisoned;	  /* the worker must be replaced before the next trial */
	struct function function;
	struct timing *timings; /* owned; one for each shape that is timed */
	int n_timings;
	struct check *checks; /* owned; shape by seed by reference */
	int n_checks;
	double load_ms, verify_ms, warm_ms, time_ms; /* where this trial's time went */
	struct clocks clocks;
};
void measurement_release(struct measurement *m);

struct session; /* a device opened with a problem; owns the context and all device memory */

struct runtime {
	const char *name;
	/* Devices here, malloc'ed in *ret; 0 devices is ERR_MISSING with what to install. */
	int (*probe)(struct device **ret, int *ret_n, struct err *e);
	/* Needs no device. */
	int (*compile)(const struct compile_job *job, struct artifact *ret, struct err *e);
	/* Does ahead of time what an open on this device needs, so that it is quicker: worth asking
	 * for while references still compile. p may be NULL; else its inputs are filled, too, for
	 * an open with this very p, which must live until that or the next warm; nothing of its
	 * references is looked at. Nothing depends on it: what fails here fails in open again. */
	int (*warm)(int ordinal, const struct problem *p, struct err *e);
	/* Fills the buffers and runs the references of every shape and seed. p is borrowed and must
	 * outlive the session. ERR_FAILED when a reference itself fails. */
	int (*open)(int ordinal, const struct problem *p, struct session **ret, struct err *e);
	/* Load, poison, verify, warm up, sample, stop. */
	int (*measure)(struct session *s, const struct measure_job *job, struct measurement *ret,
		       struct err *e);
	void (*close)(struct session *s);
	/* Measures what the device can do at best, with no kernel of any task; takes the device for
	 * a few tenths of a second. May be called beside an open session that is idle. */
	int (*ceilings)(int ordinal, struct ceilings *ret, struct err *e);
};

extern const struct runtime runtime_cuda, runtime_host, runtime_noop;
const struct runtime *runtime_find(const char *name); /* NULL: no such runtime */

#endif

#ifndef TASK_TASK_H
#define TASK_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "runtime/roofline.h"
#include "runtime/runtime.h"
#include "tuner/search/space.h"

/*
 * A task file: what is tuned, over which values, on which shapes, and when an answer counts as
 * correct. Format: configs/task.schema.json; the text is JSON, read strictly. Nothing here touches
 * a device or runs anything; loading reads the task, its sources and the headers of .npy files.
 *
 * A task carries the full text of its sources, so that a run can be repeated from the database
 * after the files have changed. task_materialise writes them to a folder where a compiler finds
 * them under the same relative names.
 */
struct task;

struct task_source {
	char *path; /* as the folder of the task sees it, normalised; unique */
	char *text;
	size_t len;
	char hash[HASH_HEX];
};

enum gate_figure { GATE_REGISTERS, GATE_SHARED_BYTES, GATE_SPILL_BYTES, GATE_FIGURE_COUNT };
const char *gate_figure_name(enum gate_figure g); /* "registers", "shared_bytes", "spill_bytes" */

struct resource_gate {
	int64_t limit;	/* -1: not asked for */
	bool hard;	/* reject before measuring; else recorded and penalised */
	double penalty; /* soft: the score is multiplied by 1 + penalty */
};

/* Where an embedded or stored task's sources come from, in place of the file system: asked for a
 * task_source.path, returns borrowed text or NULL. */
typedef const char *task_reader(void *ctx, const char *path, size_t *ret_len);

/* path: the .json file. Errors read "PATH: JSON.PATH: expected ...". */
int task_load(const char *path, struct task **ret, struct err *e);

/* From text that is already in memory (the store, an embedded default); sources are asked of
 * `reader`, or read from the file system where it is NULL. `name` heads errors and, as a path, says
 * in which folder the task lies: .npy files are always read from there. */
int task_parse(const char *name, const char *text, size_t len, task_reader *reader, void *ctx,
	       struct task **ret, struct err *e);
void task_free(struct task *t); /* accepts NULL */

/* What it says. Strings are borrowed from the task. */
const char *task_name(const struct task *t);
const char *task_description(const struct task *t); /* "" when there is none */
const char *task_text(const struct task *t, size_t *ret_len);
const char *task_hash(const struct task *t);	    /* of the text with its white space folded */
const char *task_source_hash(const struct task *t); /* of all sources, names and texts */
enum language task_language(const struct task *t);
const char *task_runtime(const struct task *t); /* "cuda" or "host" */
const char *task_entry(const struct task *t);
int task_sources(const struct task *t, const struct task_source **ret);
int task_shapes(const struct task *t);
const char *task_shape_name(const struct task *t, int shape);
int task_find_shape(const struct task *t, const char *name); /* -1 */
bool task_shape_timed(const struct task *t, int shape);
/* How many dimensions, and their sizes in the task's order; borrowed. */
int task_shape_dims(const struct task *t, int shape, const int64_t **ret);
const char *task_dim_name(const struct task *t, int i);
bool task_shape_checked(const struct task *t, int shape);
const struct resource_gate *task_gate(const struct task *t, enum gate_figure g);
double task_compile_timeout_s(const struct task *t); /* default 120 */
double task_measure_timeout_s(const struct task *t); /* default 20 */

/*
 * What a run makes of a task: the task on one device, with some shapes and with parameters narrowed
 * by --set. Binding evaluates what depends on the device, builds the space and checks that at least
 * one configuration is legal, that the baseline is, and that every shape fits into device memory.
 * Other presets that this device or these shapes rule out are left out of task_first; a preset that
 * breaks a constraint on any device is refused by task_load.
 */
struct task_narrow { /* --set NAME=V[,V...] */
	const char *name;
	const char *values;
};

struct task_options {
	const struct device *device;
	const char *const *shapes; /* names; 0 of them: all. A choice of which none is timed, or
				    * none checked, is timed or checked as a whole */
	int n_shapes;
	const struct task_narrow *narrow;
	int n_narrow;
};

struct task_bound; /* borrows the task and copies the rest */

int task_bind(const struct task *t, const struct task_options *o, struct task_bound **ret,
	      struct err *e);
void task_bound_free(struct task_bound *b); /* accepts NULL */

const struct space *task_space(const struct task_bound *b);
const struct device *task_device(const struct task_bound *b);
struct problem *task_problem(struct task_bound *b); /* owned by b; references' artifact is unset */

/* The baseline preset (by default the first one), then the other presets that are legal and not
 * narrowed away, without duplicates; where there are none, the first legal configuration. At least
 * one; row-major, borrowed. */
const uint16_t *task_first(const struct task_bound *b, int *ret_n);
/* False: no such preset, or not legal here. */
bool task_preset(const struct task_bound *b, const char *name, uint16_t *ret);
const char *task_preset_name(const struct task *t, int i); /* NULL past the last */
int task_presets(const struct task *t);

/* Launches of every shape of the problem for one configuration, in the problem's order. Fails with
 * ERR_INVALID when an expression does or a limit of the device is passed (outcome too_big). The
 * array is the caller's: launch_release each, then free. */
int task_launches(const struct task_bound *b, const uint16_t *config, struct launch **ret,
		  struct err *e);

/* What a launch of the configuration has to do on a shape of the problem, by the task's "work".
 * False: the task does not say, or not for this configuration. */
bool task_tells_work(const struct task *t);
bool task_work(const struct task_bound *b, const uint16_t *config, int shape, struct work *ret);

/* Everything the compile needs, but for the source's folder and the cache: options are -D of each
 * parameter, the fixed defines, include folders below `root` (see task_materialise), flags. A
 * reference of golden files (problem_reference.files) has nothing to compile: ERR_MISSING. */
struct task_compile {
	struct compile_job job; /* job.cache is left NULL */
	char **owned;		/* what its strings point to */
	int n_owned;
};
int task_compile_job(const struct task_bound *b, const uint16_t *config, const char *root,
		     struct task_compile *ret, struct err *e);
int task_reference_job(const struct task_bound *b, int reference, const char *root,
		       struct task_compile *ret, struct err *e);
void task_compile_release(struct task_compile *c);

/* Writes the sources below root, which it makes; what is there with the same text is kept. */
int task_materialise(const struct task *t, const char *root, struct err *e);

/* A configuration as canonical JSON, parameters in the task's order: {"TILE_M":64,"PV":"mma"}. */
char *task_config_json(const struct space *s, const uint16_t *config); /* free() */
int task_config_parse(const struct space *s, const char *json, uint16_t *ret, struct err *e);
/* One of any space, name by name; texts are borrowed and valid within the call. */
typedef void task_on_value(void *ctx, const char *name, const struct value *v);
int task_config_each(const char *json, task_on_value *f, void *ctx, struct err *e);

/* Identity under which results may be reused: task, sources, .npy files, shapes,
 * seeds, device, compiler. */
void task_identity(const struct task_bound *b, char ret[HASH_HEX]);

#endif

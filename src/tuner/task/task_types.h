#ifndef TASK_TYPES_H
#define TASK_TYPES_H

#include "tuner/task/task.h"

/*
 * A task as it was read: every name resolved, every expression compiled, nothing evaluated. Only
 * the files of this room include it. task_parse fills it about in the order of its members, since
 * later ones name earlier ones.
 *
 * The variables of an expression are numbered: parameters first, then dimensions, then device
 * attributes (see task_scope.h).
 */
enum { TASK_BYTES_MAX = 4 << 20, TASK_LIST_MAX = 64, TASK_NAME_MAX = 64 };

struct task_param {
	char *name;
	struct value *values; /* their text is owned by text */
	char **text;
	int n_values;
};

struct task_constraint {
	struct expr *expr;
	bool by_shape; /* it reads a dimension, so it stands once for each shape */
};

struct task_preset {
	char *name;
	int *positions; /* one for each parameter, into its values */
};

/* A fill whose group is not evaluated yet. fill.group is unused. */
struct task_fill {
	struct fill fill;
	struct expr *group; /* NULL: the whole buffer */
	int64_t npy_count;  /* elements that the file holds */
};

struct task_buffer {
	char *name;
	enum dtype type;
	enum buffer_role role;
	struct expr *size;
	struct task_fill fill;
};

struct task_shape {
	char *name;
	int64_t *dims; /* one for each dimension of the task */
	bool check, time;
	double weight;
	struct task_fill *fills; /* one for each buffer; FILL_NONE where the buffer's own holds */
};

struct task_argument {
	int buffer;	    /* -1: a scalar */
	enum dtype type;    /* of the scalar or of the buffer's elements */
	struct expr *value; /* of a scalar */
};

struct task_define {
	char *name;
	char *text;
};

/* A kernel and how it is compiled and launched: the tuned one, or a reference's. */
struct task_kernel {
	enum language language;
	char *source; /* normalised, as in task_source.path */
	char *entry;
	char **flags;
	int n_flags;
	struct task_define *defines;
	int n_defines;
	struct expr *grid[3], *block[3], *shared_bytes; /* NULL: 1, 1 and 0 */
	struct task_argument *arguments;
	int n_arguments;
};

struct task_reference {
	char *name;
	struct task_kernel kernel; /* entry is NULL where files are given */
	char **files;		   /* one for each buffer, or NULL */
	int64_t *file_counts;
	struct gates gates;
};

struct task_work { /* of one launch; NULL: not said */
	struct expr *bytes, *operations[WORK_UNIT_COUNT];
	bool given;
};

struct task {
	char *file; /* heads every error */
	char *dir;  /* .npy files are relative to it */
	char *text;
	size_t len;
	char hash[HASH_HEX], source_hash[HASH_HEX];

	char *name, *description;
	char **dims;
	struct task_shape *shapes;
	int n_dims, n_shapes;
	struct task_param *params;
	struct task_constraint *constraints;
	int n_params, n_constraints;
	struct task_preset *presets;
	int n_presets;
	int baseline; /* a preset; -1 where there are none */
	struct task_buffer *buffers;
	char **include; /* folders, normalised */
	int n_buffers, n_include;
	struct task_kernel kernel;
	double compile_timeout_s, measure_timeout_s;
	struct gates gates; /* of references without gates of their own */
	struct resource_gate resource[GATE_FIGURE_COUNT];
	uint64_t *seeds;
	int n_seeds;
	bool nondeterministic;
	struct task_reference *references;
	struct timing_options timing;
	struct task_work work;
	struct task_source *sources;
	int n_references, n_sources;
};

int task_find_buffer(const struct task *t, const char *name); /* -1 */
bool task_buffer_compared(const struct task *t, int buffer);  /* out or inout */

#endif

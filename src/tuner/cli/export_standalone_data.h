#ifndef CLI_EXPORT_STANDALONE_DATA_H
#define CLI_EXPORT_STANDALONE_DATA_H

#include "base/str.h"
#include "tuner/task/task.h"

/* The tables of a standalone program, as C text: buffers, shapes, fills, launches and calls. */
enum { STANDALONE_PART_NAME = 32 };

struct standalone_job { /* borrowed, all of it */
	const struct task *task;
	struct task_bound *bound;
	const uint16_t *config;
	const char *folder;	       /* of the sources */
	const struct launch *launches; /* of the kernel, by shape */
	const int *references;	       /* of the problem, those that the program has */
	int n_references;
};

/* Part 0 is the kernel, part 1 the first reference of the job. */
void standalone_part_name(int part, char ret[STANDALONE_PART_NAME]);

/* A function run_N that launches or calls the part's entry. */
void standalone_add_call(const struct standalone_job *j, int part, const char *entry,
			 struct str *ret);

/* Everything else, with `main` at its end. */
void standalone_add_tables(const struct standalone_job *j, struct str *ret);

#endif

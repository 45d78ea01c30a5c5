#ifndef WORKER_WIRE_JOB_H
#define WORKER_WIRE_JOB_H

#include "base/json.h"
#include "runtime/runtime.h"

/* Jobs on the wire. A job that was read points into the JSON it was read from, and to these. */
struct wire_job_lists {
	const char **options, **c_types;
	int n_options, n_types;
	struct problem_argument *arguments;
	struct launch *launches;
	int n_launches;
};

cJSON *wire_put_compile_job(const struct compile_job *job);
cJSON *wire_put_measure_job(const struct measure_job *job);

/* The lists are to be released on failure too. */
int wire_get_compile_job(const struct json_node *j, struct compile_job *job,
			 struct wire_job_lists *o, struct err *e);
int wire_get_measure_job(const struct json_node *j, struct measure_job *job,
			 struct wire_job_lists *o, struct err *e);
void wire_job_lists_release(struct wire_job_lists *l);

#endif

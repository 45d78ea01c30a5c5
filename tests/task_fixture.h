#ifndef TESTS_TASK_FIXTURE_H
#define TESTS_TASK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/task/task.h"

/*
 * What the tests of tasks share: a device whose figures are round, tasks of tests/tasks (the tests
 * run in the root of the source tree) and a bound task that is released as a whole.
 */
#define TASKS "tests/tasks/"

static inline struct device a_device(void)
{
	struct device d = { .name = "Test GPU", .arch = "sm_90a" };

	d.attr[DEVICE_SM_COUNT] = 100;
	d.attr[DEVICE_MAX_THREADS] = 1024;
	d.attr[DEVICE_MAX_SHARED_BYTES] = 200000;
	d.attr[DEVICE_SM_SHARED_BYTES] = 220000;
	d.attr[DEVICE_MEMORY_BYTES] = 16LL << 30;
	d.attr[DEVICE_MAX_GRID_X] = 2147483647;
	d.attr[DEVICE_MAX_GRID_Y] = 65535;
	return d;
}

/* Says what went wrong before it fails. */
#define assert_ok(call, e)                                   \
	do {                                                 \
		if ((call) < 0)                              \
			fail_msg("%s: %s", #call, (e)->msg); \
	} while (0)

static inline void assert_says(const struct err *e, const char *part)
{
	if (!strstr(e->msg, part))
		fail_msg("expected \"%s\" in \"%s\"", part, e->msg);
}

struct bound {
	struct task *task;
	struct task_bound *bound;
	struct device device;
	struct task_options options;
	struct err e;
};

/* Options are set between open_task and bind_task. */
static inline void open_task(struct bound *b, const char *path)
{
	memset(b, 0, sizeof *b);
	b->device = a_device();
	assert_ok(task_load(path, &b->task, &b->e), &b->e);
}

static inline int bind_task(struct bound *b)
{
	task_bound_free(b->bound);
	b->bound = NULL;
	b->options.device = &b->device;
	return task_bind(b->task, &b->options, &b->bound, &b->e);
}

static inline void close_task(struct bound *b)
{
	task_bound_free(b->bound);
	task_free(b->task);
}

/* The position of a value, given as text of a task would show it. */
static inline uint16_t position_of(const struct task_bound *b, int param, const char *text)
{
	const struct space *s = task_space(b);
	char shown[64];

	for (int i = 0; i < space_values(s, param); i++) {
		value_print(space_value(s, param, i), shown, sizeof shown);
		if (strcmp(shown, text) == 0)
			return (uint16_t)i;
	}
	fail_msg("parameter %d has no value %s", param, text);
	return 0;
}

static inline void assert_config(const struct task_bound *b, const uint16_t *config,
				 const char *json)
{
	char *text = task_config_json(task_space(b), config);

	assert_string_equal(text, json);
	free(text);
}

#endif

/*
 * Launches as C: what is written for a configuration of a shipped task gives on every shape what
 * the task's own expressions give. The text is nearly of their language, which reads it here; that a
 * compiler reads it, too, tests/e2e/test_per_shape.py sees to.
 */
#include "task_fixture.h"
#include "tuner/task/task_launch_c.h"

enum { SAMPLES = 40 };

struct dims {
	const struct task *task;
	const int64_t *at;
	int n;
};

static int dim(void *ctx, const char *name, int *ret_slot, struct value *ret)
{
	const struct dims *d = ctx;

	*ret_slot = -1;
	for (int i = 0; i < d->n; i++)
		if (strncmp(name, "dim_", 4) == 0 &&
		    strcmp(name + 4, task_dim_name(d->task, i)) == 0) {
			*ret = value_int(d->at[i]);
			return 0;
		}
	return -1;
}

/* The calls of C without their prefix are those of the language. */
static int64_t worth(const struct dims *d, const char *c)
{
	struct expr *x = NULL;
	struct err e = { 0 };
	char *text = mem_strdup(c);
	int64_t n = 0;

	for (char *at; (at = strstr(text, "f_"));)
		memmove(at, at + 2, strlen(at + 2) + 1);
	assert_ok(expr_compile(text, dim, (void *)d, &x, &e), &e);
	assert_ok(expr_eval_int(x, NULL, INT64_MIN, INT64_MAX, &n, &e), &e);
	expr_free(x);
	free(text);
	return n;
}

static void compare(const struct bound *b, const uint16_t *config)
{
	const struct problem *p = task_problem(b->bound);
	struct launch *launches;
	struct task_launch_c c;
	struct err e = { 0 };

	assert_ok(task_launches(b->bound, config, &launches, &e), &e);
	assert_ok(task_launch_as_c(b->bound, config, "f", &c, &e), &e);
	for (int s = 0; s < p->n_shapes; s++) {
		struct dims d = { .task = b->task };

		d.n = task_shape_dims(b->task, task_find_shape(b->task, p->shapes[s].name), &d.at);
		assert_int_equal(worth(&d, c.fits), 1);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(worth(&d, c.grid[i]), launches[s].grid[i]);
			assert_int_equal(worth(&d, c.block[i]), launches[s].block[i]);
		}
		assert_int_equal(worth(&d, c.shared_bytes), launches[s].shared_bytes);
		launch_release(&launches[s]);
	}
	free(launches);
	task_launch_c_release(&c);
}

static void samples_of_shipped_tasks_launch_the_same(void **state)
{
	static const char *const tasks[] = { "sdpa_u8",	   "sdpa_u8_hopper", "sdpa_f16",
					     "sdpa_e4m3",  "sdpa_u8_d128",   "gemm_f16",
					     "softmax_f16", "rmsnorm_f16",   "transpose" };
	uint16_t config[SPACE_PARAMS_MAX];
	struct rng rng;

	(void)state;
	rng_init(&rng, 1, 0);
	for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
		char path[80];
		struct bound b;

		snprintf(path, sizeof path, "configs/%s.json", tasks[i]);
		open_task(&b, path);
		b.device.attr[DEVICE_COMPUTE_MAJOR] = 9;
		b.device.attr[DEVICE_MAX_SHARED_BYTES] = 232448;
		b.device.attr[DEVICE_SM_SHARED_BYTES] = 233472;
		assert_ok(bind_task(&b), &b.e);
		for (int k = 0; k < SAMPLES; k++) {
			assert_true(space_sample(task_space(b.bound), &rng, config));
			compare(&b, config);
		}
		close_task(&b);
	}
}

static void what_a_constraint_asks_of_the_shape_is_kept(void **state)
{
	uint16_t config[SPACE_PARAMS_MAX];
	int64_t other[] = { 2, 8, 512, 128 };
	struct task_launch_c c;
	struct bound b;
	struct dims d;

	(void)state;
	open_task(&b, "configs/sdpa_u8.json");
	b.device.attr[DEVICE_COMPUTE_MAJOR] = 9;
	assert_ok(bind_task(&b), &b.e);
	assert_true(task_preset(b.bound, "stage4", config));
	assert_ok(task_launch_as_c(b.bound, config, "f", &c, &b.e), &b.e);
	d = (struct dims){ b.task, other, 4 };
	assert_int_equal(worth(&d, c.fits), 0);
	assert_null(strstr(c.grid[0], "TILE_M"));
	task_launch_c_release(&c);
	close_task(&b);
}

static void a_task_for_the_cpu_has_no_launch(void **state)
{
	uint16_t config[SPACE_PARAMS_MAX];
	struct task_launch_c c;
	struct bound b;

	(void)state;
	open_task(&b, "configs/sgemm_host.json");
	assert_ok(bind_task(&b), &b.e);
	assert_true(task_preset(b.bound, "plain", config));
	assert_ok(task_launch_as_c(b.bound, config, "f", &c, &b.e), &b.e);
	assert_null(c.shared_bytes);
	assert_string_equal(c.fits, "1");
	task_launch_c_release(&c);
	close_task(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_of_shipped_tasks_launch_the_same),
		cmocka_unit_test(what_a_constraint_asks_of_the_shape_is_kept),
		cmocka_unit_test(a_task_for_the_cpu_has_no_launch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

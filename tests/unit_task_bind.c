/* A task on a device: its space, its problem and the launches of one configuration. */
#include <unistd.h>

#include "task_fixture.h"

#define EVERYTHING TASKS "good/everything.json"

static void choose(struct bound *b, const char *const *shapes, int n)
{
	b->options.shapes = shapes;
	b->options.n_shapes = n;
}

static void chosen_shapes_keep_the_order_of_the_task(void **state)
{
	static const char *const both[] = { "large", "small", "large" };
	const struct problem *p;
	struct bound b;

	(void)state;
	open_task(&b, EVERYTHING);
	choose(&b, both, 3);
	assert_ok(bind_task(&b), &b.e);
	p = task_problem(b.bound);
	assert_int_equal(p->n_shapes, 2);
	assert_string_equal(p->shapes[0].name, "small");
	assert_string_equal(p->shapes[1].name, "large");
	assert_float_equal(p->shapes[1].weight, 2.5, 0);
	close_task(&b);
}

static void a_shape_for_checks_is_timed_when_it_is_the_only_one_chosen(void **state)
{
	static const char *const small[] = { "small" };
	struct bound b;

	(void)state;
	open_task(&b, EVERYTHING);
	assert_ok(bind_task(&b), &b.e);
	assert_false(task_problem(b.bound)->shapes[0].time);
	choose(&b, small, 1);
	assert_ok(bind_task(&b), &b.e);
	assert_int_equal(task_problem(b.bound)->n_shapes, 1);
	assert_true(task_problem(b.bound)->shapes[0].time);
	assert_true(task_problem(b.bound)->shapes[0].check);
	close_task(&b);
}

static void an_unknown_shape_is_refused_with_those_there_are(void **state)
{
	static const char *const unknown[] = { "medium" };
	struct bound b;

	(void)state;
	open_task(&b, EVERYTHING);
	choose(&b, unknown, 1);
	assert_int_equal(bind_task(&b), ERR_INVALID);
	assert_says(&b.e, "no shape is named \"medium\"; the task has small, large");
	close_task(&b);
}

static void narrow(struct bound *b, const struct task_narrow *narrow, int n)
{
	b->options.narrow = narrow;
	b->options.n_narrow = n;
}

static void narrowing_keeps_the_named_values_in_the_order_of_the_task(void **state)
{
	static const struct task_narrow set[] = {
		{ "BLOCK", "256,64,256" }, { "FAST", "true" }, { "SCALE", "1.0" }, { "MODE", "mma" }
	};
	const struct space *s;
	struct bound b;

	(void)state;
	open_task(&b, EVERYTHING);
	narrow(&b, set, 4);
	assert_ok(bind_task(&b), &b.e);
	s = task_space(b.bound);
	assert_int_equal(space_values(s, 0), 2);
	assert_int_equal(space_value(s, 0, 0)->i, 64);
	assert_int_equal(space_value(s, 0, 1)->i, 256);
	assert_int_equal(space_values(s, 1), 3);
	assert_string_equal(space_value(s, 2, 0)->s, "mma");
	assert_int_equal(space_value(s, 3, 0)->i, 1);
	assert_float_equal(space_value(s, 4, 0)->d, 1, 0);
	close_task(&b);
}

static void narrowing_to_what_is_not_there_is_refused(void **state)
{
	static const struct {
		struct task_narrow set[2];
		int n;
		const char *says;
	} cases[] = {
		{ { { "BLOK", "64" } }, 1, "--set BLOK: no parameter has this name" },
		{ { { "BLOCK", "65" } },
		  1,
		  "--set BLOCK: \"65\" is not one of its values (64, 128" },
		{ { { "BLOCK", "64," } }, 1, "--set BLOCK: \"\" is not one of its values" },
		{ { { "BLOCK", "" } }, 1, "--set BLOCK: \"\" is not one of its values" },
		{ { { "MODE", "0" } },
		  1,
		  "--set MODE: \"0\" is not one of its values (mma, wmma)" },
		{ { { "BLOCK", "64" }, { "BLOCK", "64" } }, 2, "--set BLOCK: given twice" },
		{ { { "BLOCK", "256" }, { "VEC", "4" } },
		  2,
		  "constraints[0]: `BLOCK * VEC <= 512`" },
	};
	struct bound b;

	(void)state;
	open_task(&b, EVERYTHING);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		narrow(&b, cases[i].set, cases[i].n);
		assert_int_equal(bind_task(&b), ERR_INVALID);
		assert_says(&b.e, cases[i].says);
	}
	close_task(&b);
}

static void the_first_configurations_are_the_baseline_and_the_other_presets(void **state)
{
	const uint16_t *first;
	struct bound b;
	int n;

	(void)state;
	open_task(&b, EVERYTHING);
	assert_ok(bind_task(&b), &b.e);
	first = task_first(b.bound, &n);
	assert_int_equal(n, 2);
	assert_config(b.bound, first,
		      "{\"BLOCK\":64,\"VEC\":1,\"MODE\":\"mma\",\"FAST\":0,\"SCALE\":0.5}");
	assert_config(b.bound, first + 5,
		      "{\"BLOCK\":128,\"VEC\":4,\"MODE\":\"wmma\",\"FAST\":1,\"SCALE\":1}");
	close_task(&b);
}

static void a_preset_that_is_narrowed_away_is_not_among_the_first(void **state)
{
	static const struct task_narrow away[] = { { "BLOCK", "256" } };
	uint16_t config[5];
	const uint16_t *first;
	struct bound b;
	int n;

	(void)state;
	open_task(&b, EVERYTHING);
	narrow(&b, away, 1);
	assert_ok(bind_task(&b), &b.e);
	first = task_first(b.bound, &n);
	assert_int_equal(n, 1);
	assert_config(b.bound, first,
		      "{\"BLOCK\":256,\"VEC\":1,\"MODE\":\"mma\",\"FAST\":0,\"SCALE\":0.5}");
	assert_false(task_preset(b.bound, "plain", config));
	assert_false(task_preset(b.bound, "unheard of", config));
	close_task(&b);
}

static void a_preset_that_the_device_rules_out_is_left_out_unless_it_is_the_baseline(void **state)
{
	uint16_t config[5];
	struct bound b;
	int n;

	(void)state;
	open_task(&b, EVERYTHING);
	b.device.attr[DEVICE_MAX_THREADS] = 64;
	assert_ok(bind_task(&b), &b.e);
	task_first(b.bound, &n);
	assert_int_equal(n, 1);
	assert_true(task_preset(b.bound, "plain", config));
	assert_false(task_preset(b.bound, "wide", config));
	b.device.attr[DEVICE_MAX_THREADS] = 32;
	assert_int_equal(bind_task(&b), ERR_INVALID);
	assert_says(&b.e, "constraints[1]: `N >= BLOCK && BLOCK <= device.max_threads` leaves no");
	close_task(&b);
}

static void a_problem_has_every_size_and_fill_worked_out(void **state)
{
	const struct problem *p;
	struct bound b;

	(void)state;
	open_task(&b, EVERYTHING);
	assert_ok(bind_task(&b), &b.e);
	p = task_problem(b.bound);
	assert_int_equal(p->n_buffers, 6);
	assert_int_equal(p->shapes[0].buffers[0].count, 2000);
	assert_int_equal(p->shapes[1].buffers[0].count, 3 * 2048);
	assert_int_equal(p->shapes[0].buffers[0].fill.kind, FILL_SPARSE);
	assert_int_equal(p->shapes[1].buffers[0].fill.kind, FILL_NORMAL);
	assert_float_equal(p->shapes[1].buffers[0].fill.b, 2, 0);
	assert_int_equal(p->shapes[1].buffers[2].fill.kind, FILL_QUANTISED_U8);
	assert_int_equal(p->shapes[1].buffers[2].fill.of, 0);
	assert_int_equal(p->shapes[1].buffers[2].fill.group, 2048);
	assert_int_equal(p->shapes[1].buffers[3].count, 3);
	assert_int_equal(p->shapes[1].buffers[5].count, 0);
	assert_int_equal(p->n_seeds, 2);
	assert_true(p->seeds[1] == (uint64_t)1 << 53);
	assert_true(p->nondeterministic);
	assert_int_equal(p->timing.mode, TIMING_EVENT);
	assert_int_equal(p->timing.l2, TIMING_L2_COLD);
	assert_float_equal(p->timing.sample_ns, 100e3, 0);
	assert_float_equal(p->timing.abort_factor, 0, 0);
	close_task(&b);
}

static void references_have_their_own_gates_and_launches(void **state)
{
	const struct problem *p;
	struct bound b;

	(void)state;
	open_task(&b, EVERYTHING);
	assert_ok(bind_task(&b), &b.e);
	p = task_problem(b.bound);
	assert_int_equal(p->n_references, 2);
	assert_string_equal(p->references[0].name, "naive");
	assert_float_equal(p->references[0].gates.rel_l2, 0.002, 0);
	assert_float_equal(p->references[0].gates.bad_fraction, 0, 0);
	assert_true(p->references[0].gates.max_abs < 0);
	assert_int_equal(p->references[1].language, LANGUAGE_C);
	assert_true(p->references[1].gates.rel_l2 < 0);
	assert_float_equal(p->references[1].gates.bad_fraction, 0.01, 0);
	assert_int_equal(p->shapes[1].references[0].grid[0], 2048);
	assert_int_equal(p->shapes[1].references[0].block[1], 2);
	assert_int_equal(p->shapes[1].references[0].shared_bytes, 1024);
	assert_float_equal(p->shapes[1].references[0].scalars[2], 2048, 0);
	close_task(&b);
}

static void golden_files_have_absolute_paths(void **state)
{
	const struct problem_reference *ref;
	struct bound b;

	(void)state;
	open_task(&b, TASKS "good/golden_file.json");
	assert_ok(bind_task(&b), &b.e);
	ref = &task_problem(b.bound)->references[0];
	assert_string_equal(ref->name, "files");
	assert_null(ref->entry);
	assert_null(ref->files[0]);
	assert_int_equal(ref->files[1][0], '/');
	assert_non_null(strstr(ref->files[1], "/tests/tasks/src/three_f32.npy"));
	assert_int_equal(task_problem(b.bound)->shapes[0].buffers[0].fill.path[0], '/');
	close_task(&b);
}

static void copy(const char *from, const char *to, int flip)
{
	char bytes[4096];
	FILE *f = fopen(from, "rb");
	size_t n = fread(bytes, 1, sizeof bytes, f);

	fclose(f);
	bytes[n - 1] = (char)(bytes[n - 1] ^ flip);
	f = fopen(to, "wb");
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void what_files_hold_is_part_of_the_identity(void **state)
{
	char was[HASH_HEX], same[HASH_HEX], other[HASH_HEX], path[] = "/tmp/evo-npy-XXXXXX";
	struct problem_reference *ref;
	struct bound b;

	(void)state;
	open_task(&b, TASKS "good/golden_file.json");
	assert_ok(bind_task(&b), &b.e);
	ref = &task_problem(b.bound)->references[0];
	task_identity(b.bound, was);
	close(mkstemp(path));
	copy(ref->files[1], path, 0);
	free(ref->files[1]);
	ref->files[1] = mem_strdup(path);
	task_identity(b.bound, same);
	assert_string_equal(was, same);
	copy(path, path, 1);
	task_identity(b.bound, other);
	assert_string_not_equal(was, other);
	unlink(path);
	close_task(&b);
}

static void memory_is_checked_on_a_device_that_is_there(void **state)
{
	struct bound b;

	(void)state;
	open_task(&b, EVERYTHING);
	b.device.attr[DEVICE_MEMORY_BYTES] = 1000;
	assert_int_equal(bind_task(&b), ERR_INVALID);
	assert_says(&b.e, "shapes.small: it needs ");
	assert_says(&b.e, "Test GPU has 1000 ");
	b.device.assumed = true;
	assert_ok(bind_task(&b), &b.e);
	b.device.assumed = false;
	b.device.attr[DEVICE_MEMORY_BYTES] = 0; /* not known */
	assert_ok(bind_task(&b), &b.e);
	close_task(&b);
}

static void release(struct launch *launches, int n)
{
	for (int i = 0; i < n; i++)
		launch_release(&launches[i]);
	free(launches);
}

static void launches_follow_the_configuration(void **state)
{
	struct launch *l = NULL;
	uint16_t config[5];
	struct bound b;

	(void)state;
	open_task(&b, EVERYTHING);
	assert_ok(bind_task(&b), &b.e);
	assert_true(task_preset(b.bound, "wide", config));
	assert_ok(task_launches(b.bound, config, &l, &b.e), &b.e);
	assert_int_equal(l[1].grid[0], 16);
	assert_int_equal(l[1].grid[1], 2);
	assert_int_equal(l[1].grid[2], 3);
	assert_int_equal(l[1].block[0], 128);
	assert_int_equal(l[1].block[2], 1);
	assert_int_equal(l[1].shared_bytes, 128 * 4 * 4);
	assert_int_equal(l[1].n_scalars, 8);
	assert_float_equal(l[0].scalars[5], 1000, 0);
	assert_float_equal(l[1].scalars[6], 2, 0);
	assert_float_equal(l[1].scalars[7], 0.25, 0);
	assert_int_equal(l[1].n_scratch, 6);
	assert_int_equal(l[0].scratch[5], 128 * 1000);
	assert_int_equal(l[0].scratch[0], 0);
	release(l, 2);
	close_task(&b);
}

/* The constraint on device.max_threads would keep such configurations out of a search. */
static void a_launch_over_a_limit_is_refused_with_figure_and_limit(void **state)
{
	static const struct {
		enum device_attr attr;
		int64_t limit;
		const char *says;
	} cases[] = {
		{ DEVICE_MAX_THREADS, 100, "block: threads 128 is over the device's limit of 100" },
		{ DEVICE_MAX_SHARED_BYTES, 2047, "shared_bytes 2048 is over the device's limit" },
		{ DEVICE_MAX_GRID_X, 7, "grid[0] 8 is over the device's limit of 7" },
		{ DEVICE_MAX_GRID_Y, 1, "grid[1] 2 is over the device's limit of 1" },
		{ DEVICE_MEMORY_BYTES, 500000, "buffers.w: scratch of 128000 elements is over" },
	};
	static const char *const small[] = { "small" };
	struct launch *l = NULL;
	uint16_t config[5];
	struct bound b;

	(void)state;
	open_task(&b, EVERYTHING);
	choose(&b, small, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		/* Bound where everything fits; the limit is then passed by what the bound task
		 * holds of the device. */
		b.device = a_device();
		assert_ok(bind_task(&b), &b.e);
		assert_true(task_preset(b.bound, "wide", config));
		((struct device *)(uintptr_t)task_device(b.bound))->attr[cases[i].attr] =
			cases[i].limit;
		assert_int_equal(task_launches(b.bound, config, &l, &b.e), ERR_INVALID);
		assert_says(&b.e, "shape small: kernel: ");
		assert_says(&b.e, cases[i].says);
		assert_null(l);
	}
	close_task(&b);
}

static void work_is_of_the_configuration_and_the_shape(void **state)
{
	uint16_t config[8] = { 0 };
	struct bound b;
	struct work w;

	(void)state;
	open_task(&b, EVERYTHING);
	assert_ok(bind_task(&b), &b.e);
	config[1] = position_of(b.bound, 1, "2");
	assert_true(task_work(b.bound, config, 1, &w));
	assert_float_equal(w.bytes, 8 * 2048 * 3 + 4 * 2, 0);
	assert_float_equal(w.operations[UNIT_F32], 2 * 2048, 0);
	assert_float_equal(w.operations[UNIT_F16_TENSOR], 0, 0);
	assert_float_equal(w.operations[UNIT_S8_TENSOR], 0.5, 0);
	assert_float_equal(w.operations[UNIT_TF32_TENSOR], 0, 0);
	assert_true(w.cold);
	assert_true(w.footprint > 0);
	config[3] = position_of(b.bound, 3, "1");
	assert_true(task_work(b.bound, config, 0, &w));
	assert_float_equal(w.operations[UNIT_F16_TENSOR], 4 * 1000, 0);
	close_task(&b);
}

static void a_task_may_say_nothing_of_its_work(void **state)
{
	uint16_t config[8] = { 0 };
	struct bound b;
	struct work w;

	(void)state;
	open_task(&b, TASKS "good/smallest_cuda.json");
	assert_ok(bind_task(&b), &b.e);
	assert_false(task_work(b.bound, config, 0, &w));
	close_task(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chosen_shapes_keep_the_order_of_the_task),
		cmocka_unit_test(a_shape_for_checks_is_timed_when_it_is_the_only_one_chosen),
		cmocka_unit_test(an_unknown_shape_is_refused_with_those_there_are),
		cmocka_unit_test(narrowing_keeps_the_named_values_in_the_order_of_the_task),
		cmocka_unit_test(narrowing_to_what_is_not_there_is_refused),
		cmocka_unit_test(the_first_configurations_are_the_baseline_and_the_other_presets),
		cmocka_unit_test(a_preset_that_is_narrowed_away_is_not_among_the_first),
		cmocka_unit_test(
			a_preset_that_the_device_rules_out_is_left_out_unless_it_is_the_baseline),
		cmocka_unit_test(a_problem_has_every_size_and_fill_worked_out),
		cmocka_unit_test(references_have_their_own_gates_and_launches),
		cmocka_unit_test(golden_files_have_absolute_paths),
		cmocka_unit_test(what_files_hold_is_part_of_the_identity),
		cmocka_unit_test(memory_is_checked_on_a_device_that_is_there),
		cmocka_unit_test(launches_follow_the_configuration),
		cmocka_unit_test(a_launch_over_a_limit_is_refused_with_figure_and_limit),
		cmocka_unit_test(work_is_of_the_configuration_and_the_shape),
		cmocka_unit_test(a_task_may_say_nothing_of_its_work),
	};

	return cmocka_run_group_tests_name("task_bind", tests, NULL, NULL);
}

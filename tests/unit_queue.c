#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tuner/daemon/queue.h"

struct held {
	const char *runtime;
	int device; /* -1: none */
};

static bool busy(void *ctx, const char *runtime, int device)
{
	const struct held *h = ctx;

	return strcmp(h->runtime, runtime) == 0 && h->device == device;
}

static void add(struct queue *q, int64_t id, int priority, const char *runtime, const char *devices)
{
	struct run_record r = { .id = id,
				.priority = priority,
				.runtime = (char *)runtime,
				.devices = (char *)devices };

	queue_add(q, &r);
}

static void the_turn_goes_by_priority_and_then_by_age(void **state)
{
	struct held none = { "cuda", -1 };
	static const int64_t order[] = { 4, 2, 1, 3 };
	struct queue q;

	(void)state;
	queue_init(&q);
	add(&q, 3, 0, "cuda", "[0]");
	add(&q, 1, 0, "cuda", "[0]");
	add(&q, 2, 1, "cuda", "[0]");
	add(&q, 4, 9, "cuda", "[0]");
	add(&q, 4, 9, "cuda", "[0]");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(queue_next(&q, busy, &none), order[i]);
		queue_remove(&q, order[i]);
	}
	assert_int_equal(queue_next(&q, busy, &none), 0);
	queue_release(&q);
}

static void a_run_with_a_busy_device_does_not_hold_up_the_others(void **state)
{
	struct held one = { "cuda", 1 };
	struct queue q;

	(void)state;
	queue_init(&q);
	add(&q, 1, 5, "cuda", "[0,1]");
	add(&q, 2, 0, "cuda", "[1]");
	add(&q, 3, 0, "host", "[1]");
	assert_int_equal(queue_next(&q, busy, &one), 3);
	assert_true(queue_has(&q, 1));
	assert_false(queue_has(&q, 9));
	queue_remove(&q, 9);
	queue_release(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_turn_goes_by_priority_and_then_by_age),
		cmocka_unit_test(a_run_with_a_busy_device_does_not_hold_up_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

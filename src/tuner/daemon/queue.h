#ifndef DAEMON_QUEUE_H
#define DAEMON_QUEUE_H

#include "tuner/daemon/record.h"

/* Runs that wait for their devices: higher priority first, then the older one. A run whose devices
 * are busy does not hold up one whose devices are free. */
struct queue_item {
	int64_t run;
	int priority;
	char runtime[16];
	int devices[64];
	int n_devices;
};

struct queue {
	struct queue_item *items; /* in the order of their turn */
	int n;
};

void queue_init(struct queue *q);
void queue_release(struct queue *q);
void queue_add(struct queue *q, const struct run_record *r); /* once is enough */
void queue_remove(struct queue *q, int64_t run);
bool queue_has(const struct queue *q, int64_t run);

/* The first that `busy` does not know of any device of; 0: none. */
typedef bool queue_busy(void *ctx, const char *runtime, int device);
int64_t queue_next(const struct queue *q, queue_busy *busy, void *ctx);

#endif

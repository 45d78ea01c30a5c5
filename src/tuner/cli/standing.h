#ifndef CLI_STANDING_H
#define CLI_STANDING_H

#include "base/json.h"
#include "base/str.h"
#include "runtime/roofline.h"
#include "tuner/cli/stored.h"

/*
 * Where a time stands under the roofline: what rates it means, by the task's "work", and their
 * shares of what the device can do. Ceilings that were not measured are replaced by the limits that
 * follow from the device.
 */
struct standing {
	struct roofline at;
	bool measured; /* by ceilings that were measured on this device and driver */
};

/* False: the task does not say what its work is, or cannot be bound any more. device: an ordinal.
 * Binds the task where it is not bound yet. */
bool standing_of(struct stored *s, const char *config, int device, int shape, double ns,
		 struct standing *ret);

/* Of a p50 over all timed shapes: false where they are several. */
bool standing_of_p50(struct stored *s, const struct trial_record *t, struct standing *ret);

cJSON *standing_json(const struct standing *x);		      /* NULL x: null */
void standing_add(const struct standing *x, struct str *ret); /* a line for people */

#endif

#ifndef TASK_RECORDING_FORMAT_H
#define TASK_RECORDING_FORMAT_H

#include "base/json.h"
#include "tuner/task/recorded.h"
#include "tuner/task/recording.h"

/* The formats of recordings, one file each, and what they share. Only for recording*.c. */
struct recording_format {
	const char *name;   /* for people */
	const char *member; /* the member that only this format has */
	int (*read)(struct recording *r, const struct json_node *root, struct err *e);
};

extern const struct recording_format recording_kt;
extern const struct recording_format recording_t4;
extern const struct recording_format recording_bench;

/* The constant that equals the text; "recording" where none does. */
const char *recording_format_name(const char *text);

/* A whole file, unpacked, mended and parsed; r->hash and r->n_dropped learn of it. */
int recording_parse_file(struct recording *r, const char *path, cJSON **ret, struct err *e);

/* Parameters, all before the first entry. list holds the values. */
int recording_add_param(struct recording *r, const char *name, const struct json_node *list,
			struct err *e);
/* The position of a value that must be one of the parameter's. */
int recording_position(const struct recording *r, int param, const struct json_node *value,
		       uint16_t *ret, struct err *e);
/* The positions of an object {name: value, ...}; members of other names are skipped. */
int recording_config(const struct recording *r, const struct json_node *object, uint16_t *ret,
		     struct err *e);

/* Takes over what x owns, but for the key: NULL makes it from the values, otherwise it is copied.
 */
void recording_add(struct recording *r, const uint16_t *config, const struct recorded *x);

/* A value of the objective: a positive number. */
int recording_value(const struct json_node *n, double *ret, struct err *e);

/* An optional duration: n's member times `unit`; 0 where it is absent, not a number or negative. */
double recording_seconds(const struct json_node *n, const char *key, double unit);

/* Rates grow with speed, everything else shrinks: Kernel Tuner's own names. */
bool recording_is_rate(const char *objective);

#endif

#ifndef WORKER_WIRE_H
#define WORKER_WIRE_H

#include "base/err.h"
#include "runtime/runtime.h"

/*
 * What daemon and workers say to each other: one JSON object a line, both ways, at most
 * WIRE_LINE_MAX bytes. Every request carries an id; its one reply carries it back.
 *
 *   {"id":1,"do":"probe","runtime":"cuda"}                        {"id":1,"devices":[...]}
 *   {"id":2,"do":"compile","runtime":"cuda","job":{...}}          {"id":2,"artifact":{...}}
 *   {"id":6,"do":"warm","runtime":"cuda","ordinal":0,"problem":{...}}  {"id":6,"warm":true}
 *   {"id":3,"do":"open","runtime":"cuda","ordinal":0,"problem":{...}}  {"id":3,"opened":true}
 *   {"id":4,"do":"measure","job":{...}}                           {"id":4,"measurement":{...}}
 *   {"id":6,"do":"ceilings","runtime":"cuda","ordinal":0}         {"id":6,"ceilings":{...}}
 *   {"id":5,"do":"close"}                                         {"id":5,"closed":true}
 *
 * or {"id":N,"error":{"code":"missing","message":"..."}}. The problem of "warm" may lack what its
 * references compile to; when that of the next "open" is the same but for this, the inputs that
 * were filled for it are used. Numbers a double cannot hold travel as
 * strings (seeds); NaN and infinity as the strings "nan", "inf", "-inf". Peers are not trusted:
 * every field is checked for kind and range.
 */
enum { WIRE_LINE_MAX = 32 << 20 };

enum wire_verb {
	WIRE_PROBE,
	WIRE_COMPILE,
	WIRE_WARM,
	WIRE_OPEN,
	WIRE_MEASURE,
	WIRE_CLOSE,
	WIRE_CEILINGS,
	WIRE_VERB_COUNT
};

/* Each returns one line with its newline; free(). */
char *wire_ask_probe(int64_t id, const char *runtime);
char *wire_ask_compile(int64_t id, const char *runtime, const struct compile_job *job);
char *wire_ask_warm(int64_t id, const char *runtime, int ordinal, const struct problem *p);
char *wire_ask_open(int64_t id, const char *runtime, int ordinal, const struct problem *p);
char *wire_ask_measure(int64_t id, const struct measure_job *job);
char *wire_ask_close(int64_t id);
char *wire_ask_ceilings(int64_t id, const char *runtime, int ordinal);

struct wire_request {
	int64_t id;
	enum wire_verb verb;
	const struct runtime *runtime; /* probe, compile, warm, open */
	int ordinal;
	struct compile_job compile;
	struct problem *problem;
	struct measure_job measure;
	void *owned; /* what the above points to */
};
/* On failure ret->id is the request's id as far as it could be read, else 0. */
int wire_request_parse(const char *line, size_t len, struct wire_request *ret, struct err *e);
void wire_request_release(struct wire_request *r);

char *wire_tell_error(int64_t id, const struct err *e);
char *wire_tell_devices(int64_t id, const struct device *d, int n);
char *wire_tell_artifact(int64_t id, const struct artifact *a);
char *wire_tell_warm(int64_t id);
char *wire_tell_opened(int64_t id);
char *wire_tell_measurement(int64_t id, const struct measurement *m);
char *wire_tell_closed(int64_t id);
char *wire_tell_ceilings(int64_t id, const struct ceilings *c);

struct wire_reply {
	int64_t id;
	enum wire_verb verb; /* of the request it answers; meaningless if failed */
	bool failed;	     /* `error` says why */
	struct err error;
	struct device *devices;
	int n_devices;
	struct artifact artifact;
	struct measurement measurement;
	struct ceilings ceilings;
};
int wire_reply_parse(const char *line, size_t len, struct wire_reply *ret, struct err *e);
void wire_reply_release(struct wire_reply *r);

#endif

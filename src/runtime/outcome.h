#ifndef RUNTIME_OUTCOME_H
#define RUNTIME_OUTCOME_H

/*
 * How a trial ended: exactly one of these, stored. A variant that does not compile, faults or hangs
 * is a result, not an error; struct err is for what is wrong with us or with the machine.
 */
#define OUTCOME_MAP(X)                                                             \
	X(OK, "ok", "measured, and every gate passed")                             \
	X(REJECTED, "rejected", "a hard resource gate said no; it was not run")    \
	X(COMPILE_ERROR, "compile_error", "the compiler refused it")               \
	X(COMPILE_TIMEOUT, "compile_timeout", "the compile deadline passed")       \
	X(TOO_BIG, "too_big", "over a launch limit of the device")                 \
	X(FAULT, "fault", "it crashed or the device faulted")                      \
	X(HANG, "hang", "the measuring deadline passed")                           \
	X(WRONG, "wrong", "it ran and a correctness gate failed")                  \
	X(NONDETERMINISTIC, "nondeterministic", "a second launch gave other bits") \
	X(SUSPECT, "suspect", "faster than the device can do the task's work")     \
	X(LOST, "lost", "its worker died twice for no known reason")

enum outcome {
#define X(id, name, help) OUTCOME_##id,
	OUTCOME_MAP(X)
#undef X
		OUTCOME_COUNT
};

const char *outcome_name(enum outcome o);
const char *outcome_help(enum outcome o);
int outcome_parse(const char *name, enum outcome *ret); /* 0, or -1: no such outcome */

#endif

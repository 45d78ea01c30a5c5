#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tuner/cli/options.h"

/*
 * The commands: one file each, which fills one struct command; main.c has the table of them, parses
 * their options and prints what went wrong.
 */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_WORK = 1,		/* no correct configuration, a gate failed */
	EXIT_USAGE = 2,		/* bad usage, task or file */
	EXIT_DAEMON = 3,	/* no daemon, or it cannot be started */
	EXIT_INTERRUPTED = 130, /* the daemon goes on */
	EXIT_BY_ERROR = -100,	/* see struct command */
};

/* What a command is called with. Everything is borrowed. */
struct invocation {
	const char *db, *socket; /* of the options or the defaults */
	bool db_given;
	bool json;
	const void *options; /* the command's own struct */
	char **operands;
	int n_operands;
};

struct command {
	const char *name;
	const char *summary;	       /* one line of `evo-tuned --help` */
	const char *operands;	       /* as usage shows them: "[RUN]" */
	const char *notes;	       /* the end of its help; may be NULL */
	void (*more)(struct str *ret); /* of its help, after the options; may be NULL */
	int min_operands, max_operands;
	bool query;			   /* takes --json */
	const struct option_spec *options; /* its own; may be NULL */
	const void *defaults;		   /* of the struct they fill; `size` bytes */
	size_t size;
	/* The exit status. Negative: main prints the message in e, and the status is the negated
	 * value, or for EXIT_BY_ERROR what e's code stands for. */
	int (*run)(const struct invocation *v, struct err *e);
};

#define COMMAND_MAP(X) \
	X(start)       \
	X(resume)      \
	X(status)      \
	X(runs)        \
	X(watch)       \
	X(pause)       \
	X(cancel)      \
	X(stop)        \
	X(top)         \
	X(show)        \
	X(insights)    \
	X(export)      \
	X(check)       \
	X(bench)       \
	X(compare)     \
	X(final)       \
	X(replay)      \
	X(import)      \
	X(doctor)      \
	X(daemon)      \
	X(worker)

#define X(name) extern const struct command command_##name;
COMMAND_MAP(X)
#undef X

enum exit_code exit_of(const struct err *e);

/* Operands. A run is its number; *ret_trial is 0 where `RUN:TRIAL` names no trial. */
int operand_run(const char *text, int64_t *ret, struct err *e);
int operand_trial(const char *text, int64_t *ret_run, int64_t *ret_trial, struct err *e);

#endif

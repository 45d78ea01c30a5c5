#include "tuner/cli/command.h"

#include <errno.h>
#include <stdlib.h>

enum exit_code exit_of(const struct err *e)
{
	switch (e->code) {
	case ERR_OK:
		return EXIT_DONE;
	case ERR_FAILED:
	case ERR_FULL:
		return EXIT_WORK;
	case ERR_BUSY:
	case ERR_PROTOCOL:
		return EXIT_DAEMON;
	case ERR_INVALID:
	case ERR_IO:
	case ERR_MISSING:
		return EXIT_USAGE;
	}
	return EXIT_WORK;
}

/* A number from 1 on, which must end where `stop` is. */
static const char *number(const char *text, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	return text[0] < '0' || text[0] > '9' || errno || *ret < 1 ? NULL : end;
}

int operand_run(const char *text, int64_t *ret, struct err *e)
{
	const char *end = number(text, ret);

	if (!end || *end)
		return err_set(e, ERR_INVALID,
			       "RUN: expected a run's number (`evo-tuned runs` lists them), found "
			       "\"%.60s\"",
			       text);
	return 0;
}

int operand_trial(const char *text, int64_t *ret_run, int64_t *ret_trial, struct err *e)
{
	const char *end = number(text, ret_run);

	*ret_trial = 0;
	if (end && *end == ':')
		end = number(end + 1, ret_trial);
	if (!end || *end)
		return err_set(
			e, ERR_INVALID,
			"expected RUN or RUN:TRIAL, two numbers such as 3:17, found \"%.60s\"",
			text);
	return 0;
}

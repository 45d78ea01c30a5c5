#include "tuner/cli/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/str.h"

void print_json(cJSON *document)
{
	char *text = json_render_pretty(document);

	puts(text);
	free(text);
	cJSON_Delete(document);
}

void note(const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&s, fmt, ap);
	va_end(ap);
	fprintf(stderr, "evo-tuned: %s\n", s.data);
	str_release(&s);
}

static bool is_terminal(FILE *f)
{
	const char *term = getenv("TERM");

	return isatty(fileno(f)) && !(term && strcmp(term, "dumb") == 0);
}

bool stderr_is_terminal(void)
{
	return is_terminal(stderr);
}

int stderr_columns(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

const char *paint(enum paint p, FILE *to)
{
	static const char *const sequences[] = {
		[PAINT_NONE] = "\033[0m",
		[PAINT_GOOD] = "\033[32m",
		[PAINT_BAD] = "\033[31m",
	};
	const char *no = getenv("NO_COLOR");

	/* https://no-color.org: set and not empty */
	return (no && no[0]) || !is_terminal(to) ? "" : sequences[p];
}

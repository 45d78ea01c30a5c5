#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

static struct {
	char role[32];
	enum log_level level;
	bool stamps;
} state = { .level = LOG_LEVEL_INFO };

static const char *const names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_open(const char *role, enum log_level level, bool stamps)
{
	snprintf(state.role, sizeof state.role, "%s", role);
	state.level = level;
	state.stamps = stamps;
}

static void add_stamp(struct str *s)
{
	struct timespec now;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	str_addf(s, "%s.%03ldZ ", text, now.tv_nsec / 1000000);
}

static void emit(enum log_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void emit(enum log_level level, const char *fmt, va_list ap)
{
	struct str line = STR_INIT;
	ssize_t n;

	if (level > state.level)
		return;
	if (state.stamps)
		add_stamp(&line);
	str_addf(&line, "evo-tuned%s%s: ", state.role[0] ? " " : "", state.role);
	if (level != LOG_LEVEL_INFO)
		str_addf(&line, "%s: ", names[level]);
	str_vaddf(&line, fmt, ap);
	str_addc(&line, '\n');
	n = write(STDERR_FILENO, line.data, line.len);
	(void)n; /* there is nowhere left to complain */
	str_release(&line);
}

#define LOG_FUNCTION(name, level)       \
	void name(const char *fmt, ...) \
	{                               \
		va_list ap;             \
		va_start(ap, fmt);      \
		emit(level, fmt, ap);   \
		va_end(ap);             \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

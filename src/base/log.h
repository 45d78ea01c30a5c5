#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

/*
 * Messages for people, one a line on stderr, never on stdout. `log_open` names the role that every
 * line carries ("daemon", "measure 0"); with stamps on, lines start with UTC time to the
 * millisecond. One write(2) a line, so that lines of several processes do not mix.
 */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_open(const char *role, enum log_level level, bool stamps); /* copies role */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

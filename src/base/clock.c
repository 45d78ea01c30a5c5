#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_iso(int64_t wall_ms, char ret[CLOCK_ISO_MAX])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(ret, CLOCK_ISO_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* "+02:00", "-0130", "Z" or nothing, in seconds. */
static int64_t parse_offset(const char *text)
{
	int hours = 0, minutes = 0;
	char sign = 0;

	if (sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) < 3)
		(void)!sscanf(text, "%c%2d%2d", &sign, &hours, &minutes);
	if (sign != '+' && sign != '-')
		return 0;
	return (sign == '-' ? -60 : 60) * (INT64_C(60) * hours + minutes);
}

int64_t clock_parse(const char *iso)
{
	struct tm tm = { 0 };
	int at = 0;
	double fraction = 0;
	char separator;

	if (sscanf(iso, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &separator, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &at) < 7 ||
	    (separator != 'T' && separator != ' '))
		return 0;
	iso += at;
	if (*iso == '.' && sscanf(iso, "%9lf%n", &fraction, &at) == 1)
		for (iso += at; *iso >= '0' && *iso <= '9';)
			iso++;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return ((int64_t)timegm(&tm) - parse_offset(iso)) * 1000 + (int64_t)(fraction * 1000);
}

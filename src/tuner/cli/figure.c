#include "tuner/cli/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *unknown(char ret[FIGURE_MAX])
{
	memcpy(ret, "-", 2);
	return ret;
}

/* Four significant figures, never in scientific notation. */
static int decimals(double v)
{
	return v >= 999.95 ? 0 : v >= 99.995 ? 1 : v >= 9.9995 ? 2 : 3;
}

const char *figure_time(double ns, char ret[FIGURE_MAX])
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	int unit = 0;

	if (!(ns > 0) || !isfinite(ns))
		return unknown(ret);
	while (unit < 3 && ns >= 999.95) {
		ns /= 1000;
		unit++;
	}
	snprintf(ret, FIGURE_MAX, "%.*f %s", decimals(ns), ns, units[unit]);
	return ret;
}

const char *figure_us(double ns, char ret[FIGURE_MAX])
{
	double us = ns / 1000;

	if (!(ns > 0) || !isfinite(ns))
		return unknown(ret);
	snprintf(ret, FIGURE_MAX, "%.*f", decimals(us), us);
	return ret;
}

const char *figure_ratio(double ratio, char ret[FIGURE_MAX])
{
	if (!(ratio > 0) || !isfinite(ratio))
		return unknown(ret);
	snprintf(ret, FIGURE_MAX, "%.*fx", ratio >= 99.95 ? 0 : 2, ratio);
	return ret;
}

const char *figure_bytes(int64_t bytes, char ret[FIGURE_MAX])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes;
	int unit = 0;

	if (bytes < 0)
		return unknown(ret);
	while (unit < 4 && v >= 1024) {
		v /= 1024;
		unit++;
	}
	snprintf(ret, FIGURE_MAX, "%.*f %s", unit ? 1 : 0, v, units[unit]);
	return ret;
}

const char *figure_count(int64_t n, char ret[FIGURE_MAX])
{
	if (n < 0)
		return unknown(ret);
	snprintf(ret, FIGURE_MAX, "%" PRId64, n);
	return ret;
}

const char *figure_large(double n, char ret[FIGURE_MAX])
{
	char digits[FIGURE_MAX];
	int len, at = 0;

	if (!(n >= 0) || !isfinite(n))
		return unknown(ret);
	if (n >= 1e12) {
		snprintf(ret, FIGURE_MAX, "%.2e", n);
		return ret;
	}
	len = snprintf(digits, sizeof digits, "%.0f", n);
	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			ret[at++] = ',';
		ret[at++] = digits[i];
	}
	ret[at] = '\0';
	return ret;
}

const char *figure_seconds(double s, char ret[FIGURE_MAX])
{
	long whole;

	if (!(s >= 0) || s > 1e9)
		return unknown(ret);
	whole = lround(s);
	if (s < 9.95)
		snprintf(ret, FIGURE_MAX, "%.1f s", s);
	else if (whole < 60)
		snprintf(ret, FIGURE_MAX, "%ld s", whole);
	else if (whole < 3600)
		snprintf(ret, FIGURE_MAX, "%ld m %02ld s", whole / 60, whole % 60);
	else
		snprintf(ret, FIGURE_MAX, "%ld h %02ld m", whole / 3600, whole / 60 % 60);
	return ret;
}

const char *figure_rate(double per_s, const char *unit, char ret[FIGURE_MAX])
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
	size_t i = 0;

	if (!(per_s > 0))
		return unknown(ret);
	while (per_s >= 999.95 && i + 1 < sizeof prefixes / sizeof prefixes[0]) {
		per_s /= 1000;
		i++;
	}
	snprintf(ret, FIGURE_MAX, "%.*f %s%s",
		 per_s < 10    ? 2
		 : per_s < 100 ? 1
			       : 0,
		 per_s, prefixes[i], unit);
	return ret;
}

const char *figure_share(double share, char ret[FIGURE_MAX])
{
	if (!(share > 0))
		return unknown(ret);
	snprintf(ret, FIGURE_MAX, "%.*f %%", share < 0.0995 ? 1 : 0, 100 * share);
	return ret;
}

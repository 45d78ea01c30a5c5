#include "runtime/ptxas.h"

#include <stdlib.h>
#include <string.h>

void ptxas_clear(struct ptxas *ret)
{
#define X(field) ret->field = -1;
	PTXAS_MAP(X)
#undef X
}

bool ptxas_too_big(const char *log)
{
	return strstr(log, "uses too much shared data") != NULL;
}

/* Like strstr, within [at, end). */
static const char *find(const char *at, const char *end, const char *words)
{
	const char *hit = strstr(at, words);

	return hit && hit + strlen(words) <= end ? hit : NULL;
}

static const char *line_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline : end;
}

/* The whole number that stands right before `at`, or -1. */
static int64_t number_before(const char *start, const char *at)
{
	const char *p = at;

	while (p > start && p[-1] == ' ')
		p--;
	while (p > start && p[-1] >= '0' && p[-1] <= '9')
		p--;
	return *p >= '0' && *p <= '9' ? strtoll(p, NULL, 10) : -1;
}

/* The sum of "N WORDS" over a line, or `absent` where the line has none. */
static int64_t sum_of(const char *line, const char *end, const char *words, int64_t absent)
{
	const char *at = line;
	int64_t sum = -1;

	while ((at = find(at, end, words))) {
		int64_t n = number_before(line, at);

		if (n >= 0)
			sum = sum < 0 ? n : sum + n;
		at += strlen(words);
	}
	return sum < 0 ? absent : sum;
}

/* The part of the log that is about `entry`: [*ret, *ret_end). */
static bool find_entry(const char *log, const char *entry, const char **ret, const char **ret_end)
{
	static const char intro[] = "Compiling entry function '";
	size_t len = strlen(entry);
	const char *at = log;

	while ((at = strstr(at, intro))) {
		at += sizeof intro - 1;
		if (strncmp(at, entry, len) == 0 && at[len] == '\'') {
			const char *next = strstr(at, intro);

			*ret = at;
			*ret_end = next ? next : at + strlen(at);
			return true;
		}
	}
	return false;
}

/* "Function properties for NAME" also introduces device functions that were not inlined; the
 * figures are on the line after it. */
static void parse_frame(const char *at, const char *end, const char *entry, struct ptxas *ret)
{
	static const char intro[] = "Function properties for ";
	size_t len = strlen(entry);

	while ((at = find(at, end, intro))) {
		const char *line, *stop;

		at += sizeof intro - 1;
		stop = line_end(at, end);
		if (strncmp(at, entry, len) != 0 || at + len != stop || stop == end)
			continue;
		line = stop + 1;
		stop = line_end(line, end);
		ret->stack_bytes = sum_of(line, stop, " bytes stack frame", -1);
		ret->spill_store_bytes = sum_of(line, stop, " bytes spill stores", -1);
		ret->spill_load_bytes = sum_of(line, stop, " bytes spill loads", -1);
		return;
	}
}

bool ptxas_parse(const char *log, const char *entry, struct ptxas *ret)
{
	const char *at, *end, *line;

	ptxas_clear(ret);
	if (!find_entry(log, entry, &at, &end))
		return false;
	parse_frame(at, end, entry, ret);
	line = find(at, end, "Used ");
	if (!line)
		return true;
	end = line_end(line, end);
	ret->registers = sum_of(line, end, " registers", -1);
	ret->shared_bytes = sum_of(line, end, " bytes smem", 0);
	ret->constant_bytes = sum_of(line, end, " bytes cmem[", 0);
	ret->barriers = sum_of(line, end, " barriers", 0);
	return true;
}

#include "tuner/cli/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"

enum { OPTIONS_MAX = 48, FIRST_LONG = 256, LEFT_WIDTH = 28 };

/* The tables in one row, in the form that getopt_long wants. */
struct flat {
	const struct option_spec *spec[OPTIONS_MAX];
	void *values[OPTIONS_MAX];
	int n;
	struct option longs[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 2];
};

static void flatten(const struct option_set *sets, int n, struct flat *f)
{
	char *p = f->letters;

	*p++ = ':'; /* a missing value is told from an unknown option */
	for (int i = 0; i < n; i++) {
		for (const struct option_spec *s = sets[i].specs; s && s->name; s++) {
			int wants = s->kind == OPTION_FLAG ? no_argument : required_argument;

			assert(f->n < OPTIONS_MAX);
			f->longs[f->n] = (struct option){ s->name, wants, NULL, FIRST_LONG + f->n };
			if (s->letter)
				*p++ = (char)s->letter;
			if (s->letter && wants)
				*p++ = ':';
			f->values[f->n] = sets[i].values;
			f->spec[f->n++] = s;
		}
	}
}

static int find(const struct flat *f, int code)
{
	if (code >= FIRST_LONG)
		return code - FIRST_LONG;
	for (int i = 0; i < f->n; i++)
		if (f->spec[i]->letter == code)
			return i;
	abort(); /* getopt_long gives only codes of our tables */
}

static bool is_choice(const char *choices, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
		if (len && strncmp(p, word, len) == 0 && (p[len] == '|' || p[len] == '\0'))
			return true;
	return false;
}

static int read_int(const struct option_spec *s, const char *text, void *at, struct err *e)
{
	int64_t *ret = at;
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (end == text || *end || errno || (double)v < s->min || (double)v > s->max)
		return err_set(e, ERR_INVALID,
			       "--%s: expected a whole number from %.0f to %.0f, found \"%.60s\"",
			       s->name, s->min, s->max, text);
	*ret = v;
	return 0;
}

static int read_seed(const struct option_spec *s, const char *text, void *at, struct err *e)
{
	struct option_seed *ret = at;
	char *end;

	errno = 0;
	ret->value = strtoull(text, &end, 10);
	ret->given = true;
	if (text[0] < '0' || text[0] > '9' || *end || errno)
		return err_set(
			e, ERR_INVALID,
			"--%s: expected a whole number from 0 to 18446744073709551615, found "
			"\"%.60s\"",
			s->name, text);
	return 0;
}

static int read_real(const struct option_spec *s, const char *text, void *at, struct err *e)
{
	double *ret = at;
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (end == text || *end || errno || !isfinite(v) || v < s->min || v > s->max)
		return err_set(e, ERR_INVALID,
			       "--%s: expected a number from %g to %g, found \"%.60s\"", s->name,
			       s->min, s->max, text);
	*ret = v;
	return 0;
}

static int read_amount(const struct option_spec *s, const char *text, void *at, struct err *e)
{
	struct option_amount *ret = at;
	size_t len = strlen(text);
	char number[64];
	struct err why;

	ret->percent = len > 0 && text[len - 1] == '%';
	snprintf(number, sizeof number, "%.*s", (int)(len - ret->percent), text);
	if (len >= sizeof number || read_real(s, number, &ret->value, &why) < 0)
		return err_set(e, ERR_INVALID,
			       "--%s: expected a number from %g to %g, with a %% behind it or "
			       "without, found \"%.60s\"",
			       s->name, s->min, s->max, text);
	return 0;
}

static int read_text(const struct option_spec *s, const char *text, void *at, struct err *e)
{
	if (s->kind == OPTION_CHOICE && !is_choice(s->value, text))
		return err_set(e, ERR_INVALID, "--%s: expected %s, found \"%.60s\"", s->name,
			       s->value, text);
	if (!text[0])
		return err_set(e, ERR_INVALID, "--%s: expected %s, found an empty text", s->name,
			       s->value);
	*(const char **)at = text;
	return 0;
}

static void push(struct option_list *l, const char *text)
{
	l->items = mem_grow(l->items, (size_t)l->n + 1, sizeof *l->items);
	l->items[l->n++] = text;
}

static int assign(const struct option_spec *s, void *values, const char *text, struct err *e)
{
	void *at = (char *)values + s->offset;

	switch (s->kind) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return 0;
	case OPTION_INT:
		return read_int(s, text, at, e);
	case OPTION_SEED:
		return read_seed(s, text, at, e);
	case OPTION_REAL:
		return read_real(s, text, at, e);
	case OPTION_AMOUNT:
		return read_amount(s, text, at, e);
	case OPTION_TEXT:
	case OPTION_CHOICE:
		return read_text(s, text, at, e);
	case OPTION_LIST:
		push(at, text);
		return 0;
	}
	return 0;
}

static int unknown(const struct flat *f, const char *word, struct err *e)
{
	const char *names[OPTIONS_MAX];
	char name[64];
	const char *nearest;

	if (optopt && optopt < FIRST_LONG)
		return err_set(e, ERR_INVALID, "unknown option -%c; --help lists them", optopt);
	if (optopt) /* getopt_long names a known option here: --flag=VALUE */
		return err_set(e, ERR_INVALID, "--%s takes no value",
			       f->spec[find(f, optopt)]->name);
	for (int i = 0; i < f->n; i++)
		names[i] = f->spec[i]->name;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
	nearest = near_name(name + strspn(name, "-"), names, f->n);
	if (nearest)
		return err_set(e, ERR_INVALID, "unknown option %s; did you mean --%s?", name,
			       nearest);
	return err_set(e, ERR_INVALID, "unknown option %s; --help lists them", name);
}

int options_parse(const struct option_set *sets, int n, int argc, char **argv, int *ret_operands,
		  struct err *e)
{
	struct flat f = { 0 };
	int code;

	flatten(sets, n, &f);
	opterr = 0;
	optind = 0; /* glibc: start anew, also its own permutation state */
	while ((code = getopt_long(argc, argv, f.letters, f.longs, NULL)) != -1) {
		int i, r;

		if (code == '?')
			return unknown(&f, argv[optind - 1], e);
		i = find(&f, code == ':' ? optopt : code);
		if (code == ':')
			return err_set(e, ERR_INVALID, "--%s expects a value: %s", f.spec[i]->name,
				       f.spec[i]->value);
		r = assign(f.spec[i], f.values[i], optarg, e);
		if (r < 0)
			return r;
	}
	*ret_operands = optind;
	return 0;
}

void options_release(const struct option_set *sets, int n)
{
	for (int i = 0; i < n; i++) {
		for (const struct option_spec *s = sets[i].specs; s && s->name; s++) {
			void *at = (char *)sets[i].values + s->offset;
			struct option_list *l = at;

			if (s->kind != OPTION_LIST)
				continue;
			free(l->items);
			*l = (struct option_list){ NULL, 0 };
		}
	}
}

void options_help(const struct option_set *sets, int n, struct str *ret)
{
	for (int i = 0; i < n; i++) {
		for (const struct option_spec *s = sets[i].specs; s && s->name; s++) {
			size_t from = ret->len;

			if (s->letter)
				str_addf(ret, "  -%c, --%s", s->letter, s->name);
			else
				str_addf(ret, "      --%s", s->name);
			if (s->kind != OPTION_FLAG)
				str_addf(ret, " %s", s->value);
			if (ret->len - from > LEFT_WIDTH) {
				str_addc(ret, '\n');
				from = ret->len;
			}
			str_addf(ret, "%*s%s\n", (int)(LEFT_WIDTH + 2 - (ret->len - from)), "",
				 s->help);
		}
	}
}

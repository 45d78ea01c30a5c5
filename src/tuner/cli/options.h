#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Options of a command as tables: they are parsed, and their help is written, from the same rows.
 * A row says where in the command's own struct its value goes; what is not given keeps its value
 * there. Words of getopt_long: --name VALUE, --name=VALUE, -x VALUE, options and operands in any
 * order, `--` ends the options. Texts and list items are borrowed from argv.
 */
enum option_kind {
	OPTION_FLAG,   /* bool, set to true */
	OPTION_INT,    /* int64_t in [min, max] */
	OPTION_SEED,   /* struct option_seed: a uint64_t and whether it was given */
	OPTION_REAL,   /* double in [min, max] */
	OPTION_AMOUNT, /* struct option_amount in [min, max]: a number, or a share with % */
	OPTION_TEXT,   /* const char *, not empty */
	OPTION_CHOICE, /* const char *, one of the words of `value`, which `|` separates */
	OPTION_LIST    /* struct option_list; may be given again and again */
};

struct option_spec {
	const char *name; /* NULL ends a table */
	int letter;	  /* 0: none */
	enum option_kind kind;
	const char *value; /* how help calls its value */
	const char *help;
	size_t offset;
	double min, max;
};

struct option_list {
	const char **items;
	int n;
};

struct option_seed {
	unsigned long long value;
	bool given;
};

struct option_amount {
	double value; /* as it was given: 80 of "80%" */
	bool percent;
};

/* A table with the struct that its offsets are of. */
struct option_set {
	const struct option_spec *specs;
	void *values;
};

/* Parses argv[1..]; operands are moved behind the options and *ret_operands is the index of the
 * first. ERR_INVALID names the option, what it expects and the nearest name of an unknown one. */
int options_parse(const struct option_set *sets, int n, int argc, char **argv, int *ret_operands,
		  struct err *e);
void options_release(const struct option_set *sets, int n); /* frees what lists hold */

/* Two columns, one option a line. */
void options_help(const struct option_set *sets, int n, struct str *ret);

#endif

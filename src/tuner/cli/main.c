#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"
#include "tuner/cli/command.h"
#include "tuner/cli/paths.h"
#include "tuner/cli/print.h"
#include "version.h"

/* What every command takes; --json is a table of its own, since only queries take it. */
struct common {
	const char *db, *socket;
	bool help, json;
};

static const struct option_spec common_options[] = {
	{ .name = "db",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "the database (default $EVO_TUNED_DB, else in the XDG state folder)",
	  .offset = offsetof(struct common, db) },
	{ .name = "socket",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "the daemon's socket (default $EVO_TUNED_SOCKET, else in the runtime folder)",
	  .offset = offsetof(struct common, socket) },
	{ .name = "help",
	  .letter = 'h',
	  .kind = OPTION_FLAG,
	  .help = "show this",
	  .offset = offsetof(struct common, help) },
	{ 0 },
};

static const struct option_spec query_options[] = {
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .help = "print one JSON document",
	  .offset = offsetof(struct common, json) },
	{ 0 },
};

static const struct command *const commands[] = {
#define X(name) &command_##name,
	COMMAND_MAP(X)
#undef X
};
enum {
#define X(name) +1
	COMMANDS = 0 COMMAND_MAP(X),
#undef X
	SETS = 3
};

static void print_commands(FILE *to)
{
	fputs("evo-tuned tunes GPU kernels: it finds the fastest correct setting of their "
	      "macros.\n\nusage: evo-tuned COMMAND [OPTION...]\n\n",
	      to);
	for (int i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s  %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n`evo-tuned COMMAND --help` says more. A first try: evo-tuned start --budget "
	      "32\n",
	      to);
}

static void print_help(const struct command *c, const struct option_set *sets)
{
	struct str s = STR_INIT;

	options_help(sets, SETS, &s);
	if (c->more) {
		str_addc(&s, '\n');
		c->more(&s);
	}
	printf("usage: evo-tuned %s [OPTION...]%s%s\n\n%s\n\n%s", c->name, c->operands ? " " : "",
	       c->operands ? c->operands : "", c->summary, s.data);
	if (c->notes)
		printf("\n%s\n", c->notes);
	str_release(&s);
}

static const struct command *find(const char *name, struct err *e)
{
	const char *names[COMMANDS], *nearest;

	for (int i = 0; i < COMMANDS; i++) {
		names[i] = commands[i]->name;
		if (strcmp(name, names[i]) == 0)
			return commands[i];
	}
	nearest = near_name(name, names, COMMANDS);
	if (nearest)
		err_set(e, ERR_INVALID, "unknown command \"%.60s\"; did you mean \"%s\"?", name,
			nearest);
	else
		err_set(e, ERR_INVALID,
			"unknown command \"%.60s\"; `evo-tuned --help` lists the commands", name);
	return NULL;
}

static int check_operands(const struct command *c, int n, char *const *operands, struct err *e)
{
	if (n < c->min_operands)
		return err_set(e, ERR_INVALID, "%s: expected %s; see `evo-tuned %s --help`",
			       c->name, c->operands, c->name);
	if (n > c->max_operands)
		return err_set(e, ERR_INVALID,
			       "%s: unexpected operand \"%.60s\"; see `evo-tuned %s --help`",
			       c->name, operands[c->max_operands], c->name);
	return 0;
}

static int run_command(const struct command *c, const struct common *common, void *own, char **rest,
		       struct err *e)
{
	struct invocation v = { .json = common->json, .options = own, .operands = rest };
	char *db = path_db(), *socket = path_socket();
	int status;

	while (rest[v.n_operands])
		v.n_operands++;
	v.db = common->db ? common->db : db;
	v.db_given = common->db;
	v.socket = common->socket ? common->socket : socket;
	if (check_operands(c, v.n_operands, rest, e) < 0)
		status = -EXIT_USAGE;
	else
		status = c->run(&v, e);
	free(db);
	free(socket);
	return status;
}

static int dispatch(const struct command *c, int argc, char **argv, struct err *e)
{
	struct common common = { 0 };
	void *own = mem_alloc(c->size + 1);
	struct option_set sets[SETS] = { { c->options, own },
					 { c->query ? query_options : NULL, &common },
					 { common_options, &common } };
	int operands, status = -EXIT_USAGE;

	if (c->defaults)
		memcpy(own, c->defaults, c->size);
	if (options_parse(sets, SETS, argc, argv, &operands, e) < 0) {
		err_wrap(e, "%s", c->name);
	} else if (common.help) {
		print_help(c, sets);
		status = EXIT_DONE;
	} else {
		status = run_command(c, &common, own, argv + operands, e);
	}
	options_release(sets, SETS);
	free(own);
	return status;
}

/* A result that could not be written is not done. A reader that has seen enough is no failure. */
static int flushed(int status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE)
		return status;
	perror("evo-tuned: standard output");
	return status == EXIT_DONE ? EXIT_WORK : status;
}

static int answer(int argc, char **argv, struct err *e)
{
	const struct command *c;
	const char *word = argc > 1 ? argv[1] : "--help";

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
		print_commands(argc > 1 ? stdout : stderr);
		return argc > 1 ? EXIT_DONE : EXIT_USAGE;
	}
	if (strcmp(word, "--version") == 0) {
		printf("evo-tuned %s\n", EVO_TUNED_VERSION);
		return EXIT_DONE;
	}
	c = find(word, e);
	return c ? dispatch(c, argc - 1, argv + 1, e) : -EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	int status;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	status = answer(argc, argv, &e);
	if (status < 0) {
		fprintf(stderr, "%sevo-tuned:%s %s\n", paint(PAINT_BAD, stderr),
			paint(PAINT_NONE, stderr), e.msg);
		status = status == EXIT_BY_ERROR ? (int)exit_of(&e) : -status;
	}
	return flushed(status);
}

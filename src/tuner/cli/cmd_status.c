#include <stdio.h>
#include <string.h>

#include "tuner/cli/figure.h"
#include "tuner/cli/follow.h"
#include "tuner/cli/print.h"
#include "tuner/cli/table.h"

static const char *text_of(const struct json_node *n, const char *key, const char *other)
{
	struct err ignored = { 0 };
	const char *text = other;

	json_opt_string(n, key, &text, &ignored);
	return text;
}

static double number_of(const struct json_node *n, const char *key)
{
	struct err ignored = { 0 };
	double number = 0;

	json_opt_double(n, key, 0, 1e300, &number, &ignored);
	return number;
}

static void print_devices(const struct json_node *list)
{
	struct json_node device;

	for (bool more = json_first(list, &device); more; more = json_next(&device))
		printf("device   %.0f: %s (%s)%s%s\n", number_of(&device, "ordinal"),
		       text_of(&device, "name", "?"), text_of(&device, "runtime", "?"),
		       text_of(&device, "state", "")[0] ? ", " : "", text_of(&device, "state", ""));
}

/* A final is worth telling from the search before it. */
static const char *shown_state(const struct json_node *r)
{
	const char *phase = text_of(r, "phase", "");

	return strcmp(phase, "final") == 0 ? phase : text_of(r, "state", "?");
}

static void add_run(struct table *t, const struct json_node *r)
{
	char text[FIGURE_MAX];

	table_cellf(t, "%.0f", number_of(r, "run"));
	table_cell(t, text_of(r, "task", "?"));
	table_cell(t, shown_state(r));
	table_cellf(t, "%.0f/%.0f", number_of(r, "done"), number_of(r, "budget"));
	table_cellf(t, "%.0f", number_of(r, "ok"));
	table_cell(t, figure_time(number_of(r, "best_us") * 1000, text));
	table_cell(t, figure_ratio(number_of(r, "speedup"), text));
	table_cell(t, text_of(r, "reason", ""));
}

static void print_runs(const struct json_node *list)
{
	static const char *const titles[] = { ">run", "task",  "state",	   ">done",
					      ">ok",  ">best", ">speedup", "" };
	struct table *t = table_new();
	struct json_node r;

	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
		table_column(t, titles[i]);
	for (bool more = json_first(list, &r); more; more = json_next(&r))
		add_run(t, &r);
	putchar('\n');
	table_print(t, stdout);
	table_free(t);
}

static void print_status(const cJSON *status)
{
	struct json_node root = json_root(status), part;
	char uptime[FIGURE_MAX];

	printf("daemon   %s, process %.0f, up %s\n", text_of(&root, "version", "?"),
	       number_of(&root, "pid"), figure_seconds(number_of(&root, "uptime_s"), uptime));
	printf("database %s\nsocket   %s\n", text_of(&root, "db", "?"),
	       text_of(&root, "socket", "?"));
	if (json_get(&root, "devices", &part))
		print_devices(&part);
	if (json_get(&root, "runs", &part) && json_count(&part))
		print_runs(&part);
	else
		puts("no unfinished runs");
}

static int run(const struct invocation *v, struct err *e)
{
	struct client *client;
	cJSON *status;
	int r;

	if (daemon_reach(v, &client, e) < 0)
		return -EXIT_DAEMON;
	r = client_call(client, "daemon.status", NULL, &status, e);
	client_free(client);
	if (r < 0)
		return -EXIT_DAEMON;
	if (v->json) {
		print_json(status);
	} else {
		print_status(status);
		cJSON_Delete(status);
	}
	return EXIT_DONE;
}

const struct command command_status = {
	.name = "status",
	.summary = "the daemon, its devices and its unfinished runs",
	.query = true,
	.run = run,
};

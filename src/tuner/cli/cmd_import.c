#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tuner/cli/command.h"
#include "tuner/cli/follow.h"
#include "tuner/cli/print.h"
#include "tuner/daemon/import.h"

struct import_command {
	const char *t1, *name;
};

static const struct import_command defaults;

static const struct option_spec options[] = {
	{ .name = "t1",
	  .kind = OPTION_TEXT,
	  .value = "FILE",
	  .help = "the T1 description of T4 results (default: the one beside them, if any)",
	  .offset = offsetof(struct import_command, t1) },
	{ .name = "name",
	  .kind = OPTION_TEXT,
	  .value = "NAME",
	  .help = "of the run's task (default: the kernel's, else the file's)",
	  .offset = offsetof(struct import_command, name) },
	{ 0 },
};

/* For a daemon, whose working directory is another. */
static int absolute(const char *path, char **ret, struct err *e)
{
	*ret = realpath(path, NULL);
	return *ret ? 0 : err_sys(e, "%s", path);
}

static cJSON *params_of(const char *file, const char *t1, const char *name)
{
	cJSON *o = json_new_object();

	json_add_string(o, "file", file);
	if (t1)
		json_add_string(o, "t1", t1);
	if (name)
		json_add_string(o, "name", name);
	return o;
}

static int by_daemon(struct client *c, const struct import_request *q, cJSON **ret, struct err *e)
{
	char *file = NULL, *t1 = NULL;
	int r = absolute(q->file, &file, e);

	if (r == 0 && q->t1)
		r = absolute(q->t1, &t1, e);
	if (r == 0)
		r = client_call(c, "runs.import", params_of(file, t1, q->name), ret, e);
	free(file);
	free(t1);
	return r;
}

/* As the writer, which there is no other of: the store refuses a second one. */
static int by_ourselves(const char *db, const struct import_request *q, cJSON **ret, struct err *e)
{
	struct import_result x;
	struct store *s;
	int r = store_open(db, STORE_WRITE, &s, e);

	if (r < 0)
		return r;
	r = import_file(s, q, &x, e);
	if (r == 0)
		*ret = import_json(&x);
	store_close(s);
	return r;
}

static int64_t number(const cJSON *o, const char *key)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(n) ? (int64_t)n->valuedouble : 0;
}

static void say(const cJSON *o, const char *file)
{
	int64_t run = number(o, "run"), repeated = number(o, "repeated");
	int64_t illegal = number(o, "illegal"), dropped = number(o, "dropped_bytes");

	if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(o, "new"))) {
		note("%s is run %" PRId64 " already: nothing was added", file, run);
		return;
	}
	note("run %" PRId64 ": %" PRId64 " trials imported from %s; `evo-tuned top %" PRId64
	     "` shows the best",
	     run, number(o, "trials"), file, run);
	if (illegal)
		note("left out: %" PRId64 " configurations that broke a constraint", illegal);
	if (repeated)
		note("left out: %" PRId64 " records of configurations that came before", repeated);
	if (dropped)
		note("left out: %" PRId64 " bytes of an unfinished record at the end", dropped);
}

static int run(const struct invocation *v, struct err *e)
{
	const struct import_command *c = v->options;
	struct import_request q = { v->operands[0], c->t1, c->name };
	struct client *client = NULL;
	cJSON *answer = NULL;
	int r = client_connect(v->socket, &client, e);

	if (r == 0) {
		client_free(client);
		if (daemon_reach(v, &client, e) < 0)
			return -EXIT_DAEMON;
		r = by_daemon(client, &q, &answer, e);
		client_free(client);
	} else if (r == ERR_MISSING) {
		r = by_ourselves(v->db, &q, &answer, e);
	}
	if (r < 0)
		return EXIT_BY_ERROR;
	if (v->json) {
		print_json(answer);
		return EXIT_DONE;
	}
	say(answer, q.file);
	cJSON_Delete(answer);
	return EXIT_DONE;
}

const struct command command_import = {
	.name = "import",
	.summary = "make a run of someone else's recording",
	.operands = "FILE",
	.notes = "FILE is a Kernel Tuner cache, also one still in use, or T4 results; it may be "
		 "packed by gzip or\nxz. The run has ended and has no kernel: top, show, insights, "
		 "export and start --from take it,\nresume and compare do not. The same file is "
		 "imported once.",
	.min_operands = 1,
	.max_operands = 1,
	.query = true,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct import_command),
	.run = run,
};

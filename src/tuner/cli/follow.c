#include "tuner/cli/follow.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "tuner/cli/drift.h"
#include "tuner/cli/final_text.h"
#include "tuner/cli/live.h"
#include "tuner/cli/outcomes.h"
#include "tuner/cli/paths.h"
#include "tuner/cli/print.h"
#include "tuner/cli/top.h"

enum { POLL_MS = 500, TOP_ROWS = 10 };

/* The least time between two lines. */
static const int64_t terminal_ns = INT64_C(100) * 1000 * 1000,
		     plain_ns = INT64_C(5) * 1000 * 1000 * 1000;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_no)
{
	(void)signal_no;
	interrupted = 1;
}

/* --- reaching the daemon --- */

static bool same_file(const char *a, const char *b)
{
	char *x = realpath(a, NULL), *y = realpath(b, NULL);
	bool same = strcmp(x ? x : a, y ? y : b) == 0;

	free(x);
	free(y);
	return same;
}

/* Whoever names a database must get it, or be told. */
static int check_db(const struct invocation *v, struct client *c, struct err *e)
{
	struct json_node root;
	const char *db = NULL;
	cJSON *status;
	int r = client_call(c, "daemon.status", NULL, &status, e);

	if (r < 0)
		return r;
	root = json_root(status);
	r = json_opt_string(&root, "db", &db, e);
	if (r == 0 && db && !same_file(db, v->db))
		r = err_set(e, ERR_BUSY,
			    "the daemon on %s keeps the database %s, not %s; name its database "
			    "with --db, or another --socket for a daemon of its own",
			    v->socket, db, v->db);
	cJSON_Delete(status);
	return r;
}

static int checked(const struct invocation *v, struct client **c, struct err *e)
{
	int r = check_db(v, *c, e);

	if (r < 0) {
		client_free(*c);
		*c = NULL;
	}
	return r;
}

int daemon_reach(const struct invocation *v, struct client **ret, struct err *e)
{
	int r = client_connect(v->socket, ret, e);

	if (r == ERR_MISSING)
		return err_set(e, ERR_MISSING,
			       "no daemon answers on %s; `evo-tuned start` and `evo-tuned resume` "
			       "start one",
			       v->socket);
	return r < 0 ? r : checked(v, ret, e);
}

static char *absolute(const char *path)
{
	char here[PATH_MAX];

	return path[0] == '/' || !getcwd(here, sizeof here) ? mem_strdup(path)
							    : file_join(here, path);
}

int daemon_reach_or_start(const struct invocation *v, const char *nvrtc, int jobs,
			  struct client **ret, struct err *e)
{
	char *db = absolute(v->db), *socket = absolute(v->socket), *log = path_log(db);
	/* What is no path is a name that the loader looks for. */
	char *library = nvrtc && access(nvrtc, F_OK) == 0 ? absolute(nvrtc) : mem_strdup(nvrtc);
	struct client_spawn o = {
		.db = db, .socket = socket, .log = log, .nvrtc = library, .jobs = jobs
	};
	int r = client_spawn(&o, ret, e);

	free(db);
	free(socket);
	free(log);
	free(library);
	return r < 0 ? r : checked(v, ret, e);
}

int daemon_call_run(struct client *c, const char *method, cJSON *params, int64_t *ret_run,
		    struct err *e)
{
	struct json_node root, run;
	cJSON *result;
	int r = client_call(c, method, params, &result, e);

	if (r < 0)
		return r;
	root = json_root(result);
	r = json_need(&root, "run", &run, e);
	if (r == 0)
		r = json_int(&run, 1, INT64_C(1) << 53, ret_run, e);
	cJSON_Delete(result);
	return r < 0 ? err_wrap(e, "the daemon's answer to %s", method) : 0;
}

int follow_subscribe(struct client *c, struct err *e)
{
	cJSON *result;
	int r = client_call(c, "events.subscribe", NULL, &result, e);

	if (r == 0)
		cJSON_Delete(result);
	return r;
}

/* --- showing --- */

struct view {
	struct live live;
	bool terminal, dirty;
	bool shown; /* the live line stands on the terminal */
	int64_t painted_ns;
};

static void paint_line(struct view *w, const char *line)
{
	if (w->terminal) {
		fprintf(stderr, "\r\033[K%.*s", stderr_columns() - 1, line);
		w->shown = true;
	} else {
		note("%s", line);
	}
	fflush(stderr);
}

static void show(struct view *w, bool now)
{
	int64_t at = clock_mono_ns();
	struct str line = STR_INIT;

	if (!w->dirty || (!now && at - w->painted_ns < (w->terminal ? terminal_ns : plain_ns)))
		return;
	live_line(&w->live, &line);
	paint_line(w, line.data);
	w->painted_ns = at;
	w->dirty = false;
	str_release(&line);
}

/* --- following --- */

/* Where the run stands in the database; the end may have come before the first event. */
static int catch_up(const struct invocation *v, int64_t run, struct view *w, struct err *e)
{
	struct stored s;
	int r = stored_open(v->db, run, &s, e);

	if (r < 0)
		return r;
	live_init(&w->live, run, s.run.budget);
	live_summary(&w->live, &s.summary);
	snprintf(w->live.state, sizeof w->live.state, "%s", run_state_name(s.run.state));
	if (s.run.reason)
		snprintf(w->live.reason, sizeof w->live.reason, "%s", s.run.reason);
	w->dirty = true;
	w->painted_ns = w->terminal ? 0 : clock_mono_ns();
	stored_release(&s);
	return 0;
}

static int take_events(struct client *c, struct view *w, struct err *e)
{
	while (!interrupted && !live_ended(&w->live)) {
		cJSON *event;
		int r;

		show(w, false);
		r = client_next(c, POLL_MS, &event, e);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		w->dirty |= live_event(&w->live, event);
		cJSON_Delete(event);
	}
	return 0;
}

static int tell_interrupted(int64_t run)
{
	note("the daemon goes on with run %" PRId64 ": `evo-tuned watch %" PRId64
	     "` shows it, `evo-tuned cancel %" PRId64 "` ends it, `evo-tuned resume %" PRId64
	     "` carries on if it was stopped",
	     run, run, run, run);
	return EXIT_INTERRUPTED;
}

static void warn_of_drift(struct stored *s)
{
	struct str text = STR_INIT;

	if (drift_tell(s, &text))
		note("the baseline was %s", text.data);
	str_release(&text);
}

static int tell_best(struct stored *s, const struct top *top, struct err *e)
{
	int64_t run = s->run.id;

	top_print(top, stdout);
	if (s->summary.final)
		final_print(&top->final, stdout);
	fflush(stdout);
	warn_of_drift(s);
	note("`evo-tuned export %" PRId64 " --format header -o FILE.h` writes the best as a "
	     "header, `evo-tuned show %" PRId64 ":%" PRId64 "` says all about it",
	     run, run, top->rows[0].no);
	return top_tell(s, top, e);
}

/* The end of the run as people see it. */
static int tell_end(const struct invocation *v, int64_t run, struct err *e)
{
	struct stored s;
	struct top top = { 0 };
	bool uncrowned;
	int r;

	if (stored_open(v->db, run, &s, e) < 0)
		return EXIT_BY_ERROR;
	uncrowned = s.summary.final && !s.summary.best;
	if (s.run.state == RUN_FAILED)
		note("run %" PRId64 " failed: %s", run, s.run.reason ? s.run.reason : "");
	r = top_read(&s, TOP_ROWS, &top, e);
	if (r == 0 && uncrowned)
		final_print(&top.final, stderr);
	else if (r == 0 && top.n)
		r = tell_best(&s, &top, e);
	else if (r == 0 && s.run.state == RUN_CANCELLED)
		note("run %" PRId64 " was cancelled before it had a correct configuration", run);
	else if (r == 0)
		r = outcomes_tell(&s, e);
	if (r == 0 && (!top.n || uncrowned || s.run.state == RUN_FAILED))
		r = EXIT_WORK;
	top_release(&top);
	stored_release(&s);
	return r < 0 ? EXIT_BY_ERROR : r;
}

int follow_run(const struct invocation *v, struct client *c, int64_t run, struct err *e)
{
	struct sigaction act = { .sa_handler = on_interrupt }, before;
	struct view w = { .terminal = stderr_is_terminal() };
	int r;

	sigaction(SIGINT, &act, &before); /* no SA_RESTART: a wait ends at once */
	r = catch_up(v, run, &w, e);
	if (r == 0)
		r = take_events(c, &w, e);
	if (r == 0)
		show(&w, true);
	if (w.shown)
		fputc('\n', stderr);
	sigaction(SIGINT, &before, NULL);
	if (r == ERR_PROTOCOL || r == ERR_IO) {
		err_wrap(e,
			 "the daemon went away while run %" PRId64
			 " was going on; every finished trial is kept, `evo-tuned resume %" PRId64
			 "` carries on",
			 run, run);
		return -EXIT_DAEMON;
	}
	if (r < 0)
		return EXIT_BY_ERROR;
	return live_ended(&w.live) ? tell_end(v, run, e) : tell_interrupted(run);
}

#include "tuner/worker/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/worker/wire.h"
#include "tuner/worker/wire_problem.h"

enum { COMPILE_NICE = 5 };

struct server {
	const struct serve_options *o;
	int in, out;
	struct str buffer;	       /* what was read and not answered */
	const struct runtime *runtime; /* of the session */
	struct session *session;       /* NULL: none is open */
	struct problem *problem;       /* of the session, which borrows it */
	struct problem *warm;	       /* what the runtime was warmed up for; NULL: nothing */
};

/* The parent is gone: nothing that we or a compiler of ours still do is wanted. */
static void die_with_parent(int signal)
{
	(void)signal;
	if (getpgrp() == getpid())
		kill(0, SIGKILL);
	_exit(1);
}

/* SIGHUP, since a handler can take our children along and SIGKILL cannot. */
static bool tie_to_parent(pid_t parent)
{
	struct sigaction sa = { .sa_handler = die_with_parent };
	sigset_t hup;

	if (parent == 0)
		return true;
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigaction(SIGHUP, &sa, NULL);
	sigprocmask(SIG_UNBLOCK, &hup, NULL);
	prctl(PR_SET_PDEATHSIG, SIGHUP);
	return getppid() == parent; /* else it died before we asked to be told */
}

static void choose_cores(const struct serve_options *o)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set))
		return;
	if (o->cpu >= 0 && o->cpu < CPU_SETSIZE) {
		CPU_ZERO(&set);
		CPU_SET(o->cpu, &set);
	} else if (o->avoid_cpu >= 0 && o->avoid_cpu < CPU_SETSIZE && CPU_COUNT(&set) > 1) {
		CPU_CLR(o->avoid_cpu, &set);
	}
	if (sched_setaffinity(0, sizeof set, &set))
		log_warn("cannot choose cores: %s", strerror(errno));
}

static bool move_descriptors(struct server *s)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	s->in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	s->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (null < 0 || s->in < 0 || s->out < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		log_error("cannot set up descriptors: %s", strerror(errno));
		return false;
	}
	close(null);
	return true;
}

static void close_session(struct server *s)
{
	if (s->session)
		s->runtime->close(s->session);
	problem_free(s->problem);
	s->session = NULL;
	s->problem = NULL;
}

static char *answer_probe(const struct wire_request *q, struct err *e)
{
	struct device *devices;
	char *line;
	int n;

	if (q->runtime->probe(&devices, &n, e) < 0)
		return NULL;
	line = wire_tell_devices(q->id, devices, n);
	free(devices);
	return line;
}

static char *answer_compile(const struct wire_request *q, struct err *e)
{
	struct artifact a;
	char *line;

	if (q->runtime->compile(&q->compile, &a, e) < 0)
		return NULL;
	line = wire_tell_artifact(q->id, &a);
	artifact_release(&a);
	return line;
}

/* Takes the request's problem over. The earlier one is in use until the runtime has another. */
static char *answer_warm(struct server *s, struct wire_request *q, struct err *e)
{
	struct problem *before = s->warm;
	int r;

	s->warm = q->problem;
	q->problem = NULL;
	r = q->runtime->warm(q->ordinal, s->warm, e);
	problem_free(before);
	return r < 0 ? NULL : wire_tell_warm(q->id);
}

/* p, or what the runtime was warmed up for where that is the same. */
static struct problem *warm_or(struct server *s, struct problem *p)
{
	struct problem *warm = s->warm;

	if (!warm || !wire_problems_alike(warm, p))
		return p;
	for (int i = 0; i < p->n_references; i++) {
		struct problem_reference *from = &p->references[i], *to = &warm->references[i];
		char *artifact = to->artifact, *entry = to->entry;

		to->artifact = from->artifact;
		to->entry = from->entry;
		from->artifact = artifact;
		from->entry = entry;
	}
	problem_free(p);
	s->warm = NULL;
	return warm;
}

/* Takes the request's problem over. */
static char *answer_open(struct server *s, struct wire_request *q, struct err *e)
{
	close_session(s);
	s->problem = warm_or(s, q->problem);
	q->problem = NULL;
	s->runtime = q->runtime;
	if (q->runtime->open(q->ordinal, s->problem, &s->session, e) < 0) {
		s->session = NULL;
		close_session(s);
		return NULL;
	}
	return wire_tell_opened(q->id);
}

/* Runtimes index launches by what the problem says. */
static int check_launches(const struct problem *p, const struct measure_job *job, struct err *e)
{
	int r = 0;

	if (job->n_launches != p->n_shapes)
		return err_set(e, ERR_INVALID, "job.launches: expected %d, one a shape, found %d",
			       p->n_shapes, job->n_launches);
	for (int i = 0; r == 0 && i < job->n_launches; i++)
		r = wire_launch_fits(&job->launches[i], p->n_arguments, p->n_buffers, e);
	return r;
}

static char *answer_measure(struct server *s, const struct wire_request *q, struct err *e)
{
	struct measurement m;
	char *line;

	if (!s->session) {
		err_set(e, ERR_PROTOCOL, "nothing is open: send \"open\" first");
		return NULL;
	}
	if (check_launches(s->problem, &q->measure, e) < 0 ||
	    s->runtime->measure(s->session, &q->measure, &m, e) < 0)
		return NULL;
	line = wire_tell_measurement(q->id, &m);
	measurement_release(&m);
	return line;
}

static char *answer_ceilings(const struct wire_request *q, struct err *e)
{
	struct ceilings c = { 0 };

	if (q->runtime->ceilings(q->ordinal, &c, e) < 0)
		return NULL;
	return wire_tell_ceilings(q->id, &c);
}

static bool role_takes(const char *role, enum wire_verb verb)
{
	return verb == WIRE_PROBE || (verb == WIRE_COMPILE) == (strcmp(role, "compile") == 0);
}

static char *answer(struct server *s, struct wire_request *q, struct err *e)
{
	if (!role_takes(s->o->role, q->verb)) {
		err_set(e, ERR_PROTOCOL, "a %s worker does not do this", s->o->role);
		return NULL;
	}
	switch (q->verb) {
	case WIRE_PROBE:
		return answer_probe(q, e);
	case WIRE_COMPILE:
		return answer_compile(q, e);
	case WIRE_WARM:
		return answer_warm(s, q, e);
	case WIRE_OPEN:
		return answer_open(s, q, e);
	case WIRE_MEASURE:
		return answer_measure(s, q, e);
	case WIRE_CLOSE:
		close_session(s);
		return wire_tell_closed(q->id);
	case WIRE_CEILINGS:
		return answer_ceilings(q, e);
	case WIRE_VERB_COUNT:
		break;
	}
	return NULL;
}

static bool write_line(int fd, const char *line)
{
	size_t left = strlen(line);

	while (left) {
		ssize_t n = write(fd, line, left);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			line += n;
			left -= (size_t)n;
		}
	}
	return true;
}

static bool serve_line(struct server *s, const char *line, size_t len)
{
	struct err e = { .code = ERR_OK };
	struct wire_request q;
	char *reply = NULL;
	bool ok;

	if (wire_request_parse(line, len, &q, &e) == 0)
		reply = answer(s, &q, &e);
	if (!reply)
		reply = wire_tell_error(q.id, &e);
	wire_request_release(&q);
	ok = write_line(s->out, reply);
	free(reply);
	return ok;
}

/* Answers every whole line that has come; false when the peer is gone. */
static bool serve_buffered(struct server *s)
{
	size_t done = 0;
	bool ok = true;

	while (ok) {
		char *line = s->buffer.data + done;
		char *end = memchr(line, '\n', s->buffer.len - done);

		if (!end)
			break;
		*end = '\0';
		ok = serve_line(s, line, (size_t)(end - line));
		done += (size_t)(end - line) + 1;
	}
	str_drop(&s->buffer, done);
	return ok;
}

static int refuse_long_line(struct server *s)
{
	struct err e;
	char *reply;

	err_set(&e, ERR_PROTOCOL, "a line is longer than %d bytes", WIRE_LINE_MAX);
	log_error("%s", e.msg);
	reply = wire_tell_error(0, &e);
	write_line(s->out, reply);
	free(reply);
	return 1;
}

static int serve(struct server *s)
{
	static char chunk[1 << 16];

	for (;;) {
		ssize_t n = read(s->in, chunk, sizeof chunk);

		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			log_error("cannot read a request: %s", strerror(errno));
			return 1;
		}
		str_add(&s->buffer, chunk, (size_t)n);
		if (memchr(chunk, '\n', (size_t)n) && !serve_buffered(s))
			return 0;
		if (s->buffer.len > WIRE_LINE_MAX)
			return refuse_long_line(s);
	}
}

/* Compilers take all the cores there are; whoever measures, or serves, comes first. */
static void step_back(const struct serve_options *o)
{
	if (strcmp(o->role, "compile") == 0 && setpriority(PRIO_PROCESS, 0, COMPILE_NICE))
		log_warn("cannot lower the priority: %s", strerror(errno));
}

int worker_serve(const struct serve_options *o)
{
	struct server s = { .o = o, .buffer = STR_INIT };
	int status;

	signal(SIGPIPE, SIG_IGN);
	step_back(o);
	if (!tie_to_parent(o->parent) || !move_descriptors(&s))
		return 1;
	choose_cores(o);
	status = serve(&s);
	close_session(&s);
	problem_free(s.warm);
	str_release(&s.buffer);
	close(s.in);
	close(s.out);
	return status;
}

#include "tuner/daemon/meter.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "tuner/worker/wire_result.h"

enum state { STARTING, WARMING, WARM, OPENING, READY, MEASURING, SURVEYING, FAILED };

enum { OPEN_DEADLINE_S = 120, SURVEY_DEADLINE_S = 30 };

struct meter {
	struct meter_options o;
	struct meter_owner owner;
	struct proc *proc;
	enum state state;
	bool complete; /* the problem: it may be opened */
	void *what;    /* being measured */
	int tries;     /* opens in a row that came to nothing */
};

static void fail(struct meter *m, const char *why)
{
	m->state = FAILED;
	m->owner.failed(m->owner.ctx, why);
}

static void ask_open(struct meter *m)
{
	m->state = OPENING;
	proc_ask(m->proc,
		 wire_ask_open(proc_next_id(m->proc), m->o.runtime, m->o.ordinal, m->o.problem),
		 OPEN_DEADLINE_S);
}

static void ask_warm(struct meter *m)
{
	m->state = WARMING;
	proc_ask(m->proc,
		 wire_ask_warm(proc_next_id(m->proc), m->o.runtime, m->o.ordinal, m->o.problem),
		 OPEN_DEADLINE_S);
}

static void on_up(void *ctx)
{
	struct meter *m = ctx;

	if (m->state == FAILED)
		return;
	if (m->complete)
		ask_open(m);
	else
		ask_warm(m);
}

/* Whether that worked will be seen, and said, when it is opened. */
static void on_warm(struct meter *m)
{
	m->state = WARM;
	if (m->complete)
		ask_open(m);
}

static void on_opened(struct meter *m, const struct wire_reply *r)
{
	char why[ERR_MSG_MAX + 64];

	if (r->failed) {
		snprintf(why, sizeof why, "%s device %d: %s", m->o.runtime, m->o.ordinal,
			 r->error.msg);
		fail(m, why);
		return;
	}
	m->tries = 0;
	m->state = READY;
	m->owner.ready(m->owner.ctx);
}

static void on_measured(struct meter *m, struct wire_reply *r)
{
	static const struct proc_loss garbled = { .why = PROC_GARBLED, .asked = true };
	void *what = m->what;
	struct err e;
	bool fits = r->failed || wire_measurement_fits(&r->measurement, m->o.problem, &e) == 0;
	bool replace = r->failed || !fits || r->measurement.poisoned;

	m->what = NULL;
	m->state = replace ? STARTING : READY;
	if (replace)
		proc_restart(m->proc);
	if (!fits)
		log_error("measure worker: %s; it is replaced", e.msg);
	if (r->failed)
		m->owner.lost(m->owner.ctx, what, NULL, &r->error);
	else if (!fits)
		m->owner.lost(m->owner.ctx, what, &garbled, NULL);
	else
		m->owner.measured(m->owner.ctx, what, &r->measurement);
}

static void on_surveyed(struct meter *m, const struct wire_reply *r)
{
	m->state = READY;
	if (r->failed)
		log_warn("%s device %d: %s", m->o.runtime, m->o.ordinal, r->error.msg);
	m->owner.surveyed(m->owner.ctx, r->failed ? NULL : &r->ceilings);
}

static void on_reply(void *ctx, struct wire_reply *r)
{
	struct meter *m = ctx;

	if (m->state == WARMING)
		on_warm(m);
	else if (m->state == OPENING)
		on_opened(m, r);
	else if (m->state == MEASURING)
		on_measured(m, r);
	else if (m->state == SURVEYING)
		on_surveyed(m, r);
}

static const char *end_text(const struct proc_loss *l, char *ret, size_t size)
{
	switch (l->why) {
	case PROC_LATE:
		snprintf(ret, size, "was not done after %d s", OPEN_DEADLINE_S);
		break;
	case PROC_DIED:
		snprintf(ret, size, l->signal ? "was ended by signal %d" : "exited with status %d",
			 l->signal ? l->signal : l->status);
		break;
	case PROC_GARBLED:
		snprintf(ret, size, "broke the protocol");
		break;
	case PROC_NOT_BEGUN:
		snprintf(ret, size, "could not be started");
		break;
	}
	return ret;
}

static void on_lost(void *ctx, const struct proc_loss *l)
{
	struct meter *m = ctx;
	enum state was = m->state;
	void *what = m->what;
	char end[64], why[256];

	m->what = NULL;
	if (was == FAILED)
		return;
	m->state = STARTING;
	if (was == MEASURING) {
		m->owner.lost(m->owner.ctx, what, l, NULL);
		return;
	}
	if (was == SURVEYING) {
		m->owner.surveyed(m->owner.ctx, NULL);
		return;
	}
	if (was != READY && ++m->tries >= METER_TRIES) {
		snprintf(why, sizeof why,
			 "%s device %d: the measuring worker %s while it prepared the buffers and "
			 "references, %d times in a row; the daemon's log may say more",
			 m->o.runtime, m->o.ordinal, end_text(l, end, sizeof end), m->tries);
		fail(m, why);
	}
}

struct meter *meter_new(uv_loop_t *loop, struct proc *idle, const struct meter_options *o,
			const struct meter_owner *w)
{
	struct meter *m = mem_alloc(sizeof *m);
	struct proc_options po = { PROC_MEASURE, o->cpu, -1, o->nvrtc };
	struct proc_owner owner = { m, on_up, on_reply, on_lost };

	m->o = *o;
	m->owner = *w;
	if (!idle) {
		m->proc = proc_new(loop, &po, &owner);
		return m;
	}
	m->proc = idle;
	proc_hand_over(idle, &owner);
	on_up(m);
	return m;
}

void meter_open(struct meter *m)
{
	m->complete = true;
	if (m->state == WARM && proc_idle(m->proc))
		ask_open(m);
}

void meter_close(struct meter *m)
{
	if (!m)
		return;
	proc_close(m->proc);
	free(m);
}

bool meter_idle(const struct meter *m)
{
	return m->state == READY &&
	       proc_idle(m->proc); /* it may be ending, which we hear of later */
}

pid_t meter_pid(const struct meter *m)
{
	return proc_pid(m->proc);
}

void meter_measure(struct meter *m, void *what, const struct measure_job *job, double deadline_s)
{
	m->what = what;
	m->state = MEASURING;
	proc_ask(m->proc, wire_ask_measure(proc_next_id(m->proc), job), deadline_s);
}

void meter_survey(struct meter *m)
{
	m->state = SURVEYING;
	proc_ask(m->proc, wire_ask_ceilings(proc_next_id(m->proc), m->o.runtime, m->o.ordinal),
		 SURVEY_DEADLINE_S);
}

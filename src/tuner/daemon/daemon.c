#include "tuner/daemon/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "tuner/daemon/control.h"
#include "tuner/daemon/endpoint.h"
#include "tuner/daemon/engine.h"
#include "tuner/daemon/notify.h"
#include "tuner/daemon/server.h"
#include "version.h"

enum { N_SIGNALS = 2, IDLE_CHECK_MS = 1000 };
static const int stop_signals[N_SIGNALS] = { SIGTERM, SIGINT };

struct daemon {
	const struct daemon_options *o;
	uv_loop_t loop;
	uv_signal_t signals[N_SIGNALS];
	uv_timer_t watchdog, idle;
	struct endpoint endpoint;
	struct engine *engine;
	struct server *server;
	struct control control;
	int64_t busy_ns; /* when there was last something to do */
	bool stopping, closed;
};

/* --- ending --- */

/* A signal that comes on the way out changes nothing; without a handle it would be death. */
static void close_signals(struct daemon *d)
{
	sigset_t set, old;

	sigemptyset(&set);
	for (int i = 0; i < N_SIGNALS; i++)
		sigaddset(&set, stop_signals[i]);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	for (int i = 0; i < N_SIGNALS; i++) {
		uv_close((uv_handle_t *)&d->signals[i], NULL);
		signal(stop_signals[i], SIG_IGN);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void close_all(struct daemon *d)
{
	if (d->closed)
		return;
	d->closed = true;
	engine_close(d->engine);
	server_close(d->server);
	close_signals(d);
	uv_close((uv_handle_t *)&d->watchdog, NULL);
	uv_close((uv_handle_t *)&d->idle, NULL);
}

static void on_stopped(void *ctx)
{
	close_all(ctx);
}

static void stop(void *ctx)
{
	struct daemon *d = ctx;

	if (d->stopping)
		return;
	d->stopping = true;
	notify_send("STOPPING=1\nSTATUS=Ending what is in flight");
	log_info("ending when what is in flight has ended");
	engine_stop(d->engine);
}

static void on_signal(uv_signal_t *h, int number)
{
	struct daemon *d = h->data;

	(void)number;
	if (d->stopping) {
		log_info("ending at once");
		close_all(d);
	} else {
		stop(d);
	}
}

static void on_idle(uv_timer_t *h)
{
	struct daemon *d = h->data;
	int64_t now = clock_mono_ns();

	if (engine_busy(d->engine) || server_clients(d->server))
		d->busy_ns = now;
	else if (d->o->idle_exit_s > 0 && (double)(now - d->busy_ns) / 1e9 > d->o->idle_exit_s)
		stop(d);
}

static void on_watchdog(uv_timer_t *h)
{
	(void)h;
	notify_send("WATCHDOG=1");
}

/* --- wiring --- */

static void on_published(void *ctx, const struct event_record *v)
{
	struct daemon *d = ctx;

	if (d->server)
		server_publish(d->server, v);
}

static void on_changed(void *ctx)
{
	struct daemon *d = ctx;

	if (!d->stopping)
		notify_send("STATUS=%s", engine_busy(d->engine) ? "Tuning" : "Idle");
}

static void on_call(void *ctx, struct rpc_call *call)
{
	struct daemon *d = ctx;

	control_dispatch(&d->control, call);
}

static void subscribe(void *ctx, int64_t peer, int64_t from)
{
	struct daemon *d = ctx;

	server_subscribe(d->server, peer, from);
}

static int clients(void *ctx)
{
	struct daemon *d = ctx;

	return server_clients(d->server);
}

static void start_handles(struct daemon *d)
{
	int64_t every = notify_watchdog_ms();

	for (int i = 0; i < N_SIGNALS; i++) {
		uv_signal_init(&d->loop, &d->signals[i]);
		d->signals[i].data = d;
		uv_signal_start(&d->signals[i], on_signal, stop_signals[i]);
	}
	uv_timer_init(&d->loop, &d->watchdog);
	uv_timer_init(&d->loop, &d->idle);
	d->idle.data = d;
	d->busy_ns = clock_mono_ns();
	uv_timer_start(&d->idle, on_idle, IDLE_CHECK_MS, IDLE_CHECK_MS);
	if (every)
		uv_timer_start(&d->watchdog, on_watchdog, (uint64_t)every, (uint64_t)every);
}

static int start(struct daemon *d, struct err *e)
{
	struct engine_options eo = { d->o->db, d->o->configs, d->o->nvrtc, d->o->jobs };
	struct engine_io io = { d, on_published, on_changed, on_stopped };
	struct server_io so = { d, on_call };
	int fd, r = endpoint_open(d->o->socket, &d->endpoint, e);

	if (r == 0)
		r = engine_new(&d->loop, &eo, &io, &d->engine, e);
	if (r < 0)
		return r;
	fd = d->endpoint.fd;
	d->endpoint.fd = -1;
	r = server_new(&d->loop, fd, engine_store(d->engine), &so, &d->server, e);
	d->control = (struct control){
		.engine = d->engine,
		.db = d->o->db,
		.socket = d->o->socket,
		.started_ns = clock_mono_ns(),
		.ctx = d,
		.subscribe = subscribe,
		.stop = stop,
		.clients = clients,
	};
	return r;
}

static void tell_ready(const struct daemon *d)
{
	log_info("version %s, process %d, answers on %s, keeps %s", EVO_TUNED_VERSION,
		 (int)getpid(), d->o->socket, d->o->db);
	notify_send("READY=1\nMAINPID=%d\nSTATUS=Idle", (int)getpid());
}

/* Runs the loop dry, so that every handle has had its close callback. */
static void run_out(struct daemon *d)
{
	uv_run(&d->loop, UV_RUN_DEFAULT);
	server_free(d->server);
	engine_free(d->engine);
	endpoint_close(&d->endpoint);
	uv_loop_close(&d->loop);
}

int daemon_main(const struct daemon_options *o, struct err *e)
{
	struct daemon *d = mem_alloc(sizeof *d);
	int r;

	log_open("daemon", LOG_LEVEL_INFO, !isatty(STDERR_FILENO));
	signal(SIGPIPE, SIG_IGN);
	if (!o->foreground)
		signal(SIGHUP, SIG_IGN);
	d->o = o;
	d->endpoint = (struct endpoint){ NULL, -1, -1 };
	uv_loop_init(&d->loop);
	start_handles(d); /* before anyone can ask it to end */
	r = start(d, e);
	if (r == 0)
		tell_ready(d);
	else
		close_all(d);
	run_out(d);
	if (r == 0)
		log_info("ended");
	free(d);
	return r;
}

#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "tuner/daemon/rpc.h"

/*
 * The methods of the control socket. JSON-RPC 2.0, one object or one batch a line, both ways;
 * `socat - UNIX-CONNECT:SOCKET` is client enough. RUN is a run's number; where it may be left out,
 * the newest run that it makes sense for is meant.
 *
 *   search.start   {"task": absolute path or the name of a shipped task,
 *                   "budget"?: 128, "time_limit_s"?: 0, "stop_after_no_gain"?: 0,
 *                   "target_us"? or "target_percent"? (of the roofline): 0, "strategy"?: "full",
 * "settings"?: {}, "elite_k"?: 0, "seed"?: number or "decimal text", "runtime"?: the task's own,
 *                   "devices"?: [0] or "all", "jobs"?: 0, "shapes"?: [names],
 *                   "set"?: {NAME: "V,V"}, "priority"?: 0, "fresh"?: false,
 *                   "warm"?: {"from": text, "configs": [{NAME: value}], "mended"?, "dropped"?,
 *                   "past"?}} (see warm_json.h)
 *                  -> {"run"}          after the task was bound to its devices
 *   search.resume  {"run"?, "budget"?, "time_limit_s"?, "stop_after_no_gain"?,
 *                   "target_us"? or "target_percent"?}
 *                  -> {"run", "state", "budget"}; what is left out stays as it was, 0 lifts a rule
 *   search.pause   {"run"?}            -> {"run", "state"}
 *   search.cancel  {"run"?}            -> {"run", "state"}
 *   runs.list      {}                  -> {"runs": [RUN_OBJECT...]}, newest first
 *   runs.top       {"run"?, "k"?: 10}  -> {"run", "rows": [{"rank", "trial", "config", "p50_us",
 *                  "ci_us": [low, high], "speedup", "registers", "shared_bytes", "spill_bytes",
 *                  "cubin"}...]}
 *   runs.import    {"file": absolute path, "t1"?, "name"?} -> {"run", "new", "trials", "repeated",
 *                  "illegal", "dropped_bytes"}; see import.h
 *   events.subscribe {"from"?: the next one} -> {"from"}; then a notification for each event
 *                  numbered `from` or higher, in order, without gaps:
 *                  {"method": "event", "params": {"no", "at_ms", "run", "kind", "body": {...}}}
 *   daemon.status  {}                  -> {"pid", "version", "uptime_s", "db", "socket",
 *                  "devices", "runs": the unfinished ones, "workers", "clients"}
 *   daemon.stop    {}                  -> {"pid"}; ends when what is in flight has ended
 *
 * RUN_OBJECT: {"run", "task", "state", "reason", "strategy", "seed", "runtime", "devices",
 * "budget", "done", "trials", "ok", "reused", "failures": {outcome: n}, "best_us", "best_no",
 * "baseline_us", "speedup", "priority", "time_limit_s", "stop_after_no_gain", "target_us",
 * "target_percent", "found_percent" (the search's best, of the roofline, once that is known),
 * "settings", "created_ms", "started_ms", "ended_ms", "active_s"}; what is not known is null. The
 * state of a run that a dead daemon left behind is "interrupted".
 *
 * Body of an event of kind "run": {"state", "reason", "done", "budget", "best_us", "best_no",
 * "speedup"}; of kind "trial": {"no", "outcome", "origin", "done", "budget", "p50_us", "best_us",
 * "best_no", "speedup", "rate_per_s", "failures": {outcome: n}}; of kind "daemon": {"state"}.
 *
 * Error codes: those of JSON-RPC; -32000 + enum err_code for ours, with {"err": name} in data.
 */
struct engine;

struct control {
	struct engine *engine;
	const char *db, *socket;
	int64_t started_ns; /* monotonic */
	void *ctx;
	void (*subscribe)(void *ctx, int64_t peer, int64_t from);
	void (*stop)(void *ctx);
	int (*clients)(void *ctx);
};

/* Answers one call, now or later. */
void control_dispatch(struct control *c, struct rpc_call *call);

#endif

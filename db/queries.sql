-- Every statement of the store, prepared by name. Parameters are bound and columns read in the
-- order in which they stand here. A SELECT of several rows has a total ORDER BY, and none scans
-- trial, ptxas, timing, verification or event: tests/unit_store.c holds both.

-- name: begin_write
BEGIN IMMEDIATE;

-- name: begin_read
BEGIN;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: run_add
INSERT INTO run (task_name, task_path, task_text, task_hash, source_hash, identity, runtime,
	strategy, elite_k, seed, jobs, fresh, devices, shapes, narrow, settings, warm, created_ms,
	version, budget, time_limit_s, no_gain, target_ns, target_share, found_share, priority,
	baseline, environment, state, reason, started_ms, ended_ms, active_s)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
	?, ?, ?);

-- name: run_update
UPDATE run SET budget = ?, time_limit_s = ?, no_gain = ?, target_ns = ?, target_share = ?,
	found_share = ?, priority = ?, baseline = ?, environment = ?, state = ?, reason = ?,
	started_ms = ?, ended_ms = ?, active_s = ?
WHERE id = ?;

-- name: run_by_id
SELECT * FROM run WHERE id = ?;

-- name: run_each
SELECT * FROM run ORDER BY id DESC;

-- name: run_newest
SELECT id FROM run ORDER BY id DESC LIMIT 1;

-- name: run_newest_unfinished
SELECT id FROM run WHERE state NOT IN ('done', 'failed', 'cancelled') ORDER BY id DESC LIMIT 1;

-- name: run_recorded
SELECT id FROM run WHERE runtime = 'recorded' AND source_hash = ? ORDER BY id LIMIT 1;

-- name: source_add
INSERT INTO source (hash, text) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING;

-- name: run_source_add
INSERT INTO run_source (run, no, path, source)
VALUES (?, ?, ?, (SELECT id FROM source WHERE hash = ?));

-- name: source_each
SELECT r.path, s.text, s.hash FROM run_source r JOIN source s ON s.id = r.source
WHERE r.run = ? ORDER BY r.no;

-- name: ceiling_put
INSERT INTO ceiling (uuid, driver, measured_ms, body) VALUES (?, ?, ?, ?)
ON CONFLICT (uuid, driver) DO UPDATE SET measured_ms = excluded.measured_ms, body = excluded.body;

-- name: ceiling_of_device
SELECT body FROM ceiling WHERE uuid = ? AND driver = ?;

-- name: environment_add
INSERT INTO environment (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING;

-- name: environment_by_hash
SELECT id FROM environment WHERE hash = ?;

-- name: environment_by_id
SELECT body FROM environment WHERE id = ?;

-- name: identity_of_run
SELECT identity, baseline FROM run WHERE id = ?;

-- name: trial_add
INSERT INTO trial (run, no, ask, asked_before, key, config, op, parent_a, parent_b, generation,
	outcome, detail, origin, origin_trial, score_ns, p50_ns, ci_low_ns, ci_high_ns, gates,
	artifact, entry, artifact_bytes, compile_ms, load_ms, verify_ms, warm_ms, time_ms, search_ms,
	device, function_registers, function_shared_bytes, function_local_bytes,
	function_constant_bytes, function_max_threads, function_blocks_per_sm, sm_mhz, memory_mhz,
	celsius, watts, throttle, proposed_at, compile_start_at, compile_end_at, measure_start_at,
	measure_end_at, stored_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
	?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: ptxas_add
INSERT INTO ptxas (trial, registers, stack_bytes, spill_store_bytes, spill_load_bytes,
	shared_bytes, constant_bytes, barriers, log)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: timing_add
INSERT INTO timing (trial, no, shape, mode, l2, p50_ns, mean_ns, stddev_ns, min_ns, p90_ns, p99_ns,
	ci_low_ns, ci_high_ns, launches_per_sample, aborted, throttled, samples)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: verification_add
INSERT INTO verification (trial, no, shape, reference, seed, max_abs, mean_abs, rel_l2,
	bad_fraction, nans, unwritten, first_bad, guards_intact, inputs_intact, deterministic,
	passed, why)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: metric_add
INSERT INTO metric (trial, no, name, value) VALUES (?, ?, ?, ?);

-- name: trial_each
SELECT * FROM trial_row WHERE run = ? AND no > ? ORDER BY no;

-- name: trial_binaries
SELECT config, artifact FROM trial WHERE run = ? AND artifact IS NOT NULL ORDER BY no LIMIT ?;

-- name: trial_top
SELECT * FROM trial_row WHERE run = ? AND outcome = 'ok' ORDER BY score_ns, no LIMIT ?;

-- name: trial_by_no
SELECT * FROM trial_row WHERE run = ? AND no = ?;

-- name: trial_by_id
SELECT * FROM trial_row WHERE id = ?;

-- name: log_of_trial
SELECT log FROM ptxas WHERE trial = ?;

-- name: timing_each
SELECT shape, mode, l2, p50_ns, mean_ns, stddev_ns, min_ns, p90_ns, p99_ns, ci_low_ns, ci_high_ns,
	launches_per_sample, aborted, throttled, samples
FROM timing WHERE trial = ? ORDER BY no;

-- name: verification_each
SELECT shape, reference, seed, max_abs, mean_abs, rel_l2, bad_fraction, nans, unwritten, first_bad,
	guards_intact, inputs_intact, deterministic, passed, why
FROM verification WHERE trial = ? ORDER BY no;

-- name: metric_each
SELECT name, value FROM metric WHERE trial = ? ORDER BY no;

-- name: trial_known
SELECT t.id FROM trial t JOIN run r ON r.id = t.run
WHERE t.key = ? AND t.origin <> 'stored' AND t.outcome <> 'lost' AND t.outcome <> 'hang'
	AND t.outcome <> 'compile_timeout' AND r.identity = ? AND t.config = ?
ORDER BY t.id DESC LIMIT 1;

-- name: tally_each
SELECT outcome, origin, trials FROM tally WHERE run = ? ORDER BY outcome, origin;

-- name: trial_best
SELECT no, score_ns, p50_ns FROM trial WHERE run = ? AND outcome = 'ok'
ORDER BY score_ns, no LIMIT 1;

-- name: trial_of_key
SELECT no, CASE outcome WHEN 'ok' THEN p50_ns END FROM trial WHERE run = ? AND key = ?;

-- name: event_add
INSERT INTO event (at_ms, run, kind, body) VALUES (?, ?, ?, ?);

-- name: event_trim
DELETE FROM event WHERE no <= (SELECT seq FROM sqlite_sequence WHERE name = 'event') - ?;

-- name: event_each
SELECT no, at_ms, run, kind, body FROM event WHERE no > ? ORDER BY no LIMIT ?;

-- name: event_last
SELECT seq FROM sqlite_sequence WHERE name = 'event';

-- name: final_add
INSERT INTO final (run, trials, device, seed, rounds, settled, baseline, winner, speedup,
	speedup_low, speedup_high, began_at, ended_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: finalist_add
INSERT INTO finalist (final, place, trial, row, elite, tied, outcome, detail, penalty, p50_ns,
	ci_low_ns, ci_high_ns, spread, ratio, ratio_low, ratio_high)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: final_time_add
INSERT INTO final_time (final, step, round, trial, shape, p50_ns) VALUES (?, ?, ?, ?, ?, ?);

-- name: final_of_run
SELECT id, run, trials, device, seed, rounds, settled, baseline, winner, speedup, speedup_low,
	speedup_high, began_at, ended_at
FROM final WHERE run = ? ORDER BY id DESC LIMIT 1;

-- name: finalist_each
SELECT trial, row, elite, tied, outcome, detail, penalty, p50_ns, ci_low_ns, ci_high_ns, spread,
	ratio, ratio_low, ratio_high
FROM finalist WHERE final = ? ORDER BY place;

-- name: final_time_each
SELECT step, round, trial, shape, p50_ns FROM final_time WHERE final = ? ORDER BY step, shape;

-- name: drift_add
INSERT INTO drift (run, device, trials, at, p50_ns, ci_low_ns, ci_high_ns, sm_mhz, memory_mhz,
	celsius, watts, throttle)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: drift_each
SELECT id, run, device, trials, at, p50_ns, ci_low_ns, ci_high_ns, sm_mhz, memory_mhz, celsius,
	watts, throttle
FROM drift WHERE run = ? ORDER BY id;

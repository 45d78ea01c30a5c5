-- name: schema

-- The database, version 1: the step that makes an empty file one of ours. Later versions are steps
-- after it, so that a new file and an upgraded one are made by the same statements. Once released,
-- this text does not change.
--
-- Conventions: times are Unix milliseconds, intervals name their unit. What was never reached,
-- measured or reported is NULL, never 0 or -1. Seeds are decimal text, because they need 64 bits
-- without a sign. A vocabulary with a CHECK grows by an upgrade step only: an older program could
-- not read a new word in any case. It is spelt with OR where rows are many: for IN, SQLite makes a
-- temporary table at every insert, which was half of the time of storing a trial.

CREATE TABLE environment (
	id INTEGER PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE, -- SHA-256 of body
	body TEXT NOT NULL
) STRICT;

-- What a device can do at best, measured when a run on it had ended. body: JSON, figures a second.
CREATE TABLE ceiling (
	uuid TEXT NOT NULL,
	driver TEXT NOT NULL,
	measured_ms INTEGER NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (uuid, driver)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
	id INTEGER PRIMARY KEY,
	task_name TEXT NOT NULL,
	task_path TEXT,
	task_text TEXT NOT NULL,
	task_hash TEXT NOT NULL,
	source_hash TEXT NOT NULL,
	identity TEXT NOT NULL, -- runs of one identity may share results
	runtime TEXT NOT NULL,
	strategy TEXT NOT NULL,
	elite_k INTEGER NOT NULL CHECK (elite_k >= 0),
	seed TEXT NOT NULL CHECK (seed <> '' AND seed NOT GLOB '*[^0-9]*'),
	budget INTEGER NOT NULL CHECK (budget >= 0),
	time_limit_s REAL CHECK (time_limit_s > 0),
	no_gain INTEGER CHECK (no_gain > 0),
	target_ns REAL CHECK (target_ns > 0),
	priority INTEGER NOT NULL,
	jobs INTEGER CHECK (jobs > 0),
	fresh INTEGER NOT NULL CHECK (fresh IN (0, 1)),
	devices TEXT NOT NULL,
	shapes TEXT NOT NULL,
	narrow TEXT NOT NULL,
	settings TEXT NOT NULL, -- of the strategy: all of them, JSON
	warm TEXT, -- what was taken of an earlier search, JSON
	baseline TEXT,
	environment INTEGER REFERENCES environment (id),
	state TEXT NOT NULL CHECK (state IN
		('queued', 'running', 'paused', 'waiting', 'done', 'failed', 'cancelled')),
	reason TEXT,
	created_ms INTEGER NOT NULL,
	started_ms INTEGER,
	ended_ms INTEGER,
	active_s REAL NOT NULL CHECK (active_s >= 0),
	version TEXT NOT NULL
) STRICT;

CREATE INDEX run_unfinished ON run (id) WHERE state NOT IN ('done', 'failed', 'cancelled');

CREATE TABLE source (
	id INTEGER PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE,
	text BLOB NOT NULL
) STRICT;

CREATE TABLE run_source (
	run INTEGER NOT NULL REFERENCES run (id),
	no INTEGER NOT NULL,
	path TEXT NOT NULL,
	source INTEGER NOT NULL REFERENCES source (id),
	PRIMARY KEY (run, no),
	UNIQUE (run, path)
) STRICT, WITHOUT ROWID;

-- One row a finished trial, written once with its rows in ptxas, timing and verification.
-- key: the first 128 bits of the SHA-256 of the run's identity and the configuration. Within a run
-- it stands for the configuration, across runs for "the same question asked again".
CREATE TABLE trial (
	id INTEGER PRIMARY KEY,
	run INTEGER NOT NULL REFERENCES run (id),
	no INTEGER NOT NULL CHECK (no >= 1),
	ask INTEGER NOT NULL CHECK (ask >= 0),
	asked_before INTEGER NOT NULL CHECK (asked_before >= 0),
	key BLOB NOT NULL CHECK (length(key) = 16),
	config TEXT NOT NULL,
	op TEXT NOT NULL,
	parent_a INTEGER, -- asks
	parent_b INTEGER,
	generation INTEGER NOT NULL,
	outcome TEXT NOT NULL CHECK (
		outcome = 'ok' OR outcome = 'rejected' OR outcome = 'compile_error' OR
		outcome = 'compile_timeout' OR outcome = 'too_big' OR outcome = 'fault' OR
		outcome = 'hang' OR outcome = 'wrong' OR outcome = 'nondeterministic' OR
		outcome = 'suspect' OR outcome = 'lost'),
	detail TEXT,
	origin TEXT NOT NULL CHECK (
		origin = 'measured' OR origin = 'same_cubin' OR origin = 'stored'),
	origin_trial INTEGER REFERENCES trial (id),
	score_ns REAL,
	p50_ns REAL,
	ci_low_ns REAL,
	ci_high_ns REAL,
	gates TEXT NOT NULL,
	artifact TEXT, -- SHA-256 of the binary
	entry TEXT, -- the kernel's name in it
	artifact_bytes INTEGER,
	compile_ms REAL,
	load_ms REAL,
	verify_ms REAL,
	warm_ms REAL,
	time_ms REAL,
	search_ms REAL,
	device INTEGER,
	function_registers INTEGER, -- what the driver says of the loaded function
	function_shared_bytes INTEGER,
	function_local_bytes INTEGER,
	function_constant_bytes INTEGER,
	function_max_threads INTEGER,
	function_blocks_per_sm INTEGER,
	sm_mhz REAL,
	memory_mhz REAL,
	celsius REAL,
	watts REAL,
	throttle INTEGER,
	proposed_at REAL, -- when each phase began
	compile_start_at REAL,
	compile_end_at REAL,
	measure_start_at REAL,
	measure_end_at REAL,
	stored_at REAL,
	UNIQUE (run, no),
	UNIQUE (run, ask),
	UNIQUE (run, key),
	CONSTRAINT ok_has_a_median
		CHECK (outcome <> 'ok' OR (coalesce(score_ns, 0) > 0 AND coalesce(p50_ns, 0) > 0)),
	CONSTRAINT origin_names_its_trial
		CHECK ((origin = 'measured') = (origin_trial IS NULL))
) STRICT;

CREATE INDEX trial_best ON trial (run, score_ns, no) WHERE outcome = 'ok';
CREATE INDEX trial_known ON trial (key)
	WHERE origin <> 'stored' AND outcome <> 'lost' AND outcome <> 'hang'
		AND outcome <> 'compile_timeout';

-- How many trials of a run ended how, so that counting them costs the same in a run of a hundred
-- and of a million. The trigger keeps it true whoever writes the trial.
CREATE TABLE tally (
	run INTEGER NOT NULL REFERENCES run (id),
	outcome TEXT NOT NULL,
	origin TEXT NOT NULL,
	trials INTEGER NOT NULL,
	PRIMARY KEY (run, outcome, origin)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER trial_tally AFTER INSERT ON trial BEGIN
	INSERT INTO tally VALUES (NEW.run, NEW.outcome, NEW.origin, 1)
		ON CONFLICT (run, outcome, origin) DO UPDATE SET trials = trials + 1;
END;

CREATE TRIGGER trial_not_changed BEFORE UPDATE ON trial BEGIN
	SELECT RAISE (ABORT, 'a trial is written once');
END;

CREATE TRIGGER trial_not_deleted BEFORE DELETE ON trial BEGIN
	SELECT RAISE (ABORT, 'a trial is never deleted');
END;

-- What PTXAS said of a trial's entry, and the compiler's bounded log.
CREATE TABLE ptxas (
	trial INTEGER PRIMARY KEY REFERENCES trial (id),
	registers INTEGER,
	stack_bytes INTEGER,
	spill_store_bytes INTEGER,
	spill_load_bytes INTEGER,
	shared_bytes INTEGER,
	constant_bytes INTEGER,
	barriers INTEGER,
	log TEXT
) STRICT;

-- One row a timed shape. samples: little-endian IEEE 754 binary64, nanoseconds of one launch.
CREATE TABLE timing (
	trial INTEGER NOT NULL REFERENCES trial (id),
	no INTEGER NOT NULL,
	shape INTEGER NOT NULL,
	mode TEXT NOT NULL CHECK (
		mode = 'graph' OR mode = 'event' OR mode = 'cpu' OR mode = 'recorded'),
	l2 TEXT NOT NULL CHECK (l2 IN ('warm', 'cold')),
	p50_ns REAL NOT NULL CONSTRAINT timing_is_no_less_than_0 CHECK (p50_ns >= 0),
	mean_ns REAL,
	stddev_ns REAL,
	min_ns REAL,
	p90_ns REAL,
	p99_ns REAL,
	ci_low_ns REAL,
	ci_high_ns REAL,
	launches_per_sample INTEGER NOT NULL,
	aborted INTEGER NOT NULL CHECK (aborted IN (0, 1)),
	throttled INTEGER NOT NULL CHECK (throttled >= 0),
	samples BLOB NOT NULL CHECK (length(samples) % 8 = 0),
	PRIMARY KEY (trial, no)
) STRICT, WITHOUT ROWID;

-- Other figures of a trial that was imported, in its recording's own units.
CREATE TABLE metric (
	trial INTEGER NOT NULL REFERENCES trial (id),
	no INTEGER NOT NULL,
	name TEXT NOT NULL,
	value REAL NOT NULL,
	PRIMARY KEY (trial, no)
) STRICT, WITHOUT ROWID;

-- One row a shape, seed and reference. Figures are NULL where they are not numbers.
CREATE TABLE verification (
	trial INTEGER NOT NULL REFERENCES trial (id),
	no INTEGER NOT NULL,
	shape INTEGER NOT NULL,
	reference INTEGER NOT NULL,
	seed TEXT NOT NULL,
	max_abs REAL,
	mean_abs REAL,
	rel_l2 REAL,
	bad_fraction REAL,
	nans INTEGER NOT NULL,
	unwritten INTEGER NOT NULL,
	first_bad INTEGER,
	guards_intact INTEGER NOT NULL CHECK (guards_intact IN (0, 1)),
	inputs_intact INTEGER NOT NULL CHECK (inputs_intact IN (0, 1)),
	deterministic INTEGER NOT NULL CHECK (deterministic IN (0, 1)),
	passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
	why TEXT,
	PRIMARY KEY (trial, no)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: a number is never given twice, though old events are trimmed away.
CREATE TABLE event (
	no INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms INTEGER NOT NULL,
	run INTEGER REFERENCES run (id),
	kind TEXT NOT NULL,
	body TEXT NOT NULL
) STRICT;

-- A trial with its PTXAS figures, in the order in which the program reads them.
CREATE VIEW trial_row AS SELECT
	t.id, t.run, t.no, t.ask, t.asked_before, t.config, t.op, t.parent_a, t.parent_b,
	t.generation, t.outcome, t.detail, t.origin, t.origin_trial,
	t.score_ns, t.p50_ns, t.ci_low_ns, t.ci_high_ns, t.gates, t.artifact, t.entry,
	t.artifact_bytes,
	t.compile_ms, t.load_ms, t.verify_ms, t.warm_ms, t.time_ms, t.search_ms, t.device,
	t.function_registers, t.function_shared_bytes, t.function_local_bytes,
	t.function_constant_bytes, t.function_max_threads, t.function_blocks_per_sm,
	t.sm_mhz, t.memory_mhz, t.celsius, t.watts, t.throttle,
	t.proposed_at, t.compile_start_at, t.compile_end_at, t.measure_start_at, t.measure_end_at,
	t.stored_at,
	p.registers, p.stack_bytes, p.spill_store_bytes, p.spill_load_bytes, p.shared_bytes,
	p.constant_bytes, p.barriers
FROM trial t JOIN ptxas p ON p.trial = t.id;

-- A run's elites measured again, in rounds. The newest of a run counts, and only as long as the run
-- has no more trials than it had then. Trials are named by their no; their rows stay as told.
CREATE TABLE final (
	id INTEGER PRIMARY KEY,
	run INTEGER NOT NULL REFERENCES run (id),
	trials INTEGER NOT NULL, -- of the run then
	device INTEGER NOT NULL,
	seed TEXT NOT NULL CHECK (seed <> '' AND seed NOT GLOB '*[^0-9]*'), -- of the inputs
	rounds INTEGER NOT NULL,
	settled INTEGER NOT NULL CHECK (settled IN (0, 1)),
	baseline INTEGER,
	winner INTEGER, -- NULL: no finalist was found correct again
	speedup REAL,	-- over the baseline, with its 95 % interval
	speedup_low REAL,
	speedup_high REAL,
	began_at REAL NOT NULL,
	ended_at REAL NOT NULL
) STRICT;

CREATE INDEX final_of_run ON final (run, id);

-- place 1 is the winner, if there is one; those out come last. ratio: of its score over the
-- winner's. elite is 0 for a baseline that is there for comparison only.
CREATE TABLE finalist (
	final INTEGER NOT NULL REFERENCES final (id),
	place INTEGER NOT NULL CHECK (place >= 1),
	trial INTEGER NOT NULL,
	row INTEGER NOT NULL REFERENCES trial (id), -- whose measurement the search knew
	elite INTEGER NOT NULL CHECK (elite IN (0, 1)),
	tied INTEGER NOT NULL CHECK (tied IN (0, 1)),
	outcome TEXT NOT NULL,
	detail TEXT,
	penalty REAL NOT NULL CHECK (penalty >= 1),
	p50_ns REAL,
	ci_low_ns REAL,
	ci_high_ns REAL,
	spread REAL,
	ratio REAL,
	ratio_low REAL,
	ratio_high REAL,
	PRIMARY KEY (final, place),
	UNIQUE (final, trial)
) STRICT, WITHOUT ROWID;

-- step: what was measured when, over all rounds.
CREATE TABLE final_time (
	final INTEGER NOT NULL REFERENCES final (id),
	step INTEGER NOT NULL,
	round INTEGER NOT NULL,
	trial INTEGER NOT NULL,
	shape INTEGER NOT NULL,
	p50_ns REAL NOT NULL,
	PRIMARY KEY (final, step, shape)
) STRICT, WITHOUT ROWID;

-- The baseline measured again between trials. trials: how many were told when it was asked for.
CREATE TABLE drift (
	id INTEGER PRIMARY KEY,
	run INTEGER NOT NULL REFERENCES run (id),
	device INTEGER NOT NULL,
	trials INTEGER NOT NULL,
	at REAL NOT NULL,
	p50_ns REAL NOT NULL CHECK (p50_ns > 0),
	ci_low_ns REAL NOT NULL,
	ci_high_ns REAL NOT NULL,
	sm_mhz REAL,
	memory_mhz REAL,
	celsius REAL,
	watts REAL,
	throttle INTEGER
) STRICT;

CREATE INDEX drift_of_run ON drift (run, id);

-- name: upgrade_2

-- Version 2: shares of the roofline, one that a run is to reach and the one that its search found.
ALTER TABLE run ADD COLUMN target_share REAL CHECK (target_share > 0);
ALTER TABLE run ADD COLUMN found_share REAL CHECK (found_share > 0);

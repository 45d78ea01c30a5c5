#include "tuner/cli/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "runtime/nvml.h"
#include "tuner/cli/config.h"
#include "tuner/cli/drift.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/final_text.h"
#include "tuner/cli/outcomes.h"
#include "tuner/cli/report.h"
#include "tuner/cli/standing.h"
#include "tuner/cli/table.h"
#include "tuner/cli/top.h"

static struct table *section(void)
{
	struct table *t = table_new();

	table_column(t, "");
	table_column(t, "");
	return t;
}

static void line(struct table *t, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void line(struct table *t, const char *name, const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&s, fmt, ap);
	va_end(ap);
	table_cell(t, name);
	table_cell(t, s.data);
	str_release(&s);
}

static void finish(struct table *t, const char *title, FILE *to)
{
	if (table_rows(t)) {
		fprintf(to, "%s%s", title, title[0] ? "\n" : "");
		table_print(t, to);
	}
	table_free(t);
}

static void line_time(struct table *t, const char *name, int64_t wall_ms)
{
	char text[CLOCK_ISO_MAX];

	if (wall_ms <= 0)
		return;
	clock_iso(wall_ms, text);
	line(t, name, "%s", text);
}

/* --- a run --- */

static void show_warm(struct table *t, const char *warm)
{
	struct json_node root, list;
	struct err ignored;
	const char *from = "";
	cJSON *tree;

	if (json_parse(warm, strlen(warm), &tree, &ignored) < 0)
		return;
	root = json_root(tree);
	json_opt_string(&root, "from", &from, &ignored);
	line(t, "begun with", "%d configurations of %s",
	     json_get(&root, "configs", &list) ? json_count(&list) : 0, from);
	if (json_get(&root, "past", &list) && json_count(&list))
		line(t, "guided by", "%d of its trials", json_count(&list));
	cJSON_Delete(tree);
}

/* What a search was asked to do. */
static void add_wishes(struct table *t, const struct run_record *r)
{
	line(t, "runtime", "%s, devices %s", r->runtime, r->devices);
	if (strcmp(r->shapes, "[]") != 0)
		line(t, "shapes", "%s", r->shapes);
	if (strcmp(r->narrow, "{}") != 0)
		line(t, "narrowed to", "%s", r->narrow);
	line(t, "strategy", "%s, %d elites, seed %" PRIu64, r->strategy, r->elite_k, r->seed);
	if (strcmp(r->settings, "{}") != 0)
		line(t, "settings", "%s", r->settings);
	line(t, "budget", "%" PRId64 " new evaluations", r->budget);
	if (r->warm)
		show_warm(t, r->warm);
	if (r->time_limit_s > 0)
		line(t, "time limit", "%g s", r->time_limit_s);
	if (r->no_gain > 0)
		line(t, "ends after", "%" PRId64 " trials without gain", r->no_gain);
	if (r->target_ns > 0)
		line(t, "target", "%g us", r->target_ns / 1000);
	if (r->target_share > 0)
		line(t, "target", "%g %% of the roofline", 100 * r->target_share);
}

static void show_settings(const struct stored *s, FILE *to)
{
	const struct run_record *r = &s->run;
	struct table *t = section();

	line(t, "task", "%s (%s)", r->task_name, r->task_path ? r->task_path : "-");
	line(t, "task hash", "%s", r->task_hash);
	line(t, "source hash", "%s", r->source_hash);
	line(t, "state", "%s%s%s", stored_state(r, s->orphaned), r->reason ? ": " : "",
	     r->reason ? r->reason : "");
	if (run_recorded(r))
		line(t, "runtime", "%s", r->runtime);
	else
		add_wishes(t, r);
	line_time(t, "created", r->created_ms);
	line_time(t, "started", r->started_ms);
	line_time(t, "ended", r->ended_ms);
	line(t, "active", "%.1f s", r->active_s);
	line(t, "made by", "evo-tuned %s", r->version);
	finish(t, "", to);
}

static void show_counts(const struct run_summary *s, FILE *to)
{
	struct table *t = section();
	struct str outcomes = STR_INIT;
	char a[FIGURE_MAX], b[FIGURE_MAX];

	outcomes_add(s, &outcomes);
	line(t, "  trials", "%" PRId64 " (%" PRId64 " new, %" PRId64 " from earlier runs)",
	     s->trials, s->done, s->reused);
	line(t, "  outcomes", "%s", outcomes.data);
	if (s->baseline)
		line(t, "  baseline", "trial %" PRId64 ", %s", s->baseline,
		     figure_time(s->baseline_p50_ns, a));
	if (s->best)
		line(t, "  best", "trial %" PRId64 ", %s, speed-up %s", s->best,
		     figure_time(s->best_p50_ns, a), figure_ratio(s->speedup, b));
	str_release(&outcomes);
	finish(t, "\nresults", to);
}

static void show_drift(struct stored *s, FILE *to)
{
	struct str text = STR_INIT;

	drift_tell(s, &text);
	if (text.len)
		fprintf(to, "\nbaseline along the run: %s\n", text.data);
	str_release(&text);
}

static void show_final(struct stored *s, FILE *to)
{
	struct final_record f;
	struct err ignored;

	show_drift(s, to);
	if (!s->summary.final || store_final(s->store, s->run.id, false, &f, &ignored) < 0)
		return;
	fputc('\n', to);
	final_print(&f, to);
	final_print_table(&f, to);
	final_record_release(&f);
}

static void show_members(const cJSON *object, const char *title, const char *unit, FILE *to)
{
	struct json_node root, m;
	struct table *t = section();

	if (object) {
		root = json_root(object);
		for (bool more = json_first(&root, &m); more; more = json_next(&m)) {
			char *text = cJSON_IsString(m.value) ? NULL : json_render(m.value);

			table_cellf(t, "  %s", m.key ? m.key : "");
			if (cJSON_IsNumber(m.value) && unit[0])
				table_cellf(t, "%.1f%s", m.value->valuedouble, unit);
			else
				table_cell(t, text ? text : m.value->valuestring);
			free(text);
		}
	}
	finish(t, title, to);
}

static double member(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

static void show_busy(const cJSON *report, FILE *to)
{
	const cJSON *busy = cJSON_GetObjectItemCaseSensitive(report, "busy");
	double throttled = member(report, "throttled_trials");
	struct table *t = section();

	line(t, "  compile workers", "%.1f at work on average", member(busy, "compilers"));
	line(t, "  device", "with a trial %.0f %% of the time, %.0f %% of that for verification",
	     100 * member(busy, "devices"), 100 * member(busy, "verify_share"));
	if (throttled > 0)
		line(t, "  throttled", "%.0f trials were measured while the card was held back",
		     throttled);
	finish(t, "\nhow busy", to);
}

void show_run_text(struct stored *s, const cJSON *report, FILE *to)
{
	fprintf(to, "run %" PRId64 "\n", s->run.id);
	show_settings(s, to);
	show_counts(&s->summary, to);
	show_final(s, to);
	show_members(cJSON_GetObjectItemCaseSensitive(report, "spent_ms"),
		     "\nwhere the time went, summed over workers", " ms", to);
	show_busy(report, to);
	show_members(cJSON_GetObjectItemCaseSensitive(report, "environment"), "\nenvironment", "",
		     to);
}

/* --- a trial --- */

static void show_result(struct stored *s, const struct trial_record *t, FILE *to)
{
	struct table *lines = section();
	struct top_row row;
	char a[FIGURE_MAX], b[FIGURE_MAX], c[FIGURE_MAX], d[FIGURE_MAX];

	top_row_of(s, t, &row);
	line(lines, "outcome", "%s: %s", outcome_name(t->outcome),
	     t->no && run_recorded(&s->run) ? "as recorded" : outcome_help(t->outcome));
	if (t->detail && t->detail[0])
		line(lines, "because", "%.*s", (int)strcspn(t->detail, "\n"), t->detail);
	if (t->no && !run_recorded(&s->run)) {
		line(lines, "origin", "%s", trial_origin_name(t->origin));
		line(lines, "found by", "%s, generation %d, proposal %" PRId64, t->op,
		     t->generation, t->ask);
	}
	if (t->p50_ns > 0)
		line(lines, "p50", "%s (95 %%: %s .. %s us), speed-up %s",
		     figure_time(t->p50_ns, a), figure_us(t->ci_low_ns, b),
		     figure_us(t->ci_high_ns, c), figure_ratio(row.speedup, d));
	if (t->artifact[0])
		line(lines, "binary", "%s, %s", t->artifact, figure_bytes(t->artifact_bytes, a));
	if (t->gates && strcmp(t->gates, "[]") != 0)
		line(lines, "soft gates missed", "%s", t->gates);
	if (row.registers >= 0)
		line(lines, "resources",
		     "%" PRId64 " registers, %s shared, %s spilled, %s blocks per multiprocessor",
		     row.registers, figure_bytes(row.shared_bytes, a),
		     figure_bytes(row.spill_bytes, b), figure_count(t->function.blocks_per_sm, c));
	line(lines, "time", "compile %.0f ms, load %.1f, verify %.1f, warm up %.1f, measure %.1f",
	     t->compile_ms, t->load_ms, t->verify_ms, t->warm_ms, t->time_ms);
	if (t->clocks.sm_mhz > 0 && t->clocks.memory_mhz < 0)
		line(lines, "clocks", "%.0f MHz; there is no NVML to tell the rest",
		     t->clocks.sm_mhz);
	else if (t->clocks.sm_mhz > 0)
		line(lines, "clocks", "%.0f MHz, memory %.0f MHz, %.0f C, %.0f W%s",
		     t->clocks.sm_mhz, t->clocks.memory_mhz, t->clocks.celsius, t->clocks.watts,
		     nvml_throttled(t->clocks.throttle) ? ", throttled all the time" : "");
	else if (t->p50_ns > 0 && s->run.runtime && strcmp(s->run.runtime, "cuda") == 0)
		line(lines, "clocks", "unknown: there is no NVML to tell them");
	top_row_release(&row);
	finish(lines, "", to);
}

static void show_config(const struct trial_record *t, FILE *to)
{
	struct config config = { 0 };
	struct err ignored = { 0 };
	struct table *lines = section();

	if (config_parse(t->config, &config, &ignored) == 0)
		for (int i = 0; i < config.n; i++) {
			table_cellf(lines, "  %s", config.names[i]);
			table_cell(lines, config.values[i]);
		}
	config_release(&config);
	finish(lines, "\nconfiguration", to);
}

static void cell_shape(struct table *t, const struct stored *s, int shape)
{
	const struct problem *p = s->setup.bound ? task_problem(s->setup.bound) : NULL;

	if (p && shape >= 0 && shape < p->n_shapes)
		table_cell(t, p->shapes[shape].name);
	else
		table_cellf(t, "%d", shape);
}

static void show_metrics(const struct trial_record *t, FILE *to)
{
	struct table *lines = section();

	for (int i = 0; i < t->n_metrics; i++) {
		table_cellf(lines, "  %s", t->metrics[i].name);
		table_cellf(lines, "%.6g", t->metrics[i].value);
	}
	finish(lines, "\nother figures", to);
}

static void columns(struct table *t, const char *const *titles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		table_column(t, titles[i]);
}

static const char *stop_text(const struct stored *s, const struct timing *m)
{
	const char *stop = report_stop(s, m);

	if (m->aborted)
		return "stopped early: clearly slower";
	return stop && strcmp(stop, "limit") == 0 ? "not settled: limit of samples" : "";
}

static void show_timings(const struct stored *s, const struct trial_record *t, FILE *to)
{
	static const char *const titles[] = { "shape",		"mode", ">p50 us", ">95 % interval",
					      ">mean",		">min", ">p99",	   ">samples",
					      ">launches each", "" };
	struct table *table = table_new();
	char a[FIGURE_MAX], b[FIGURE_MAX];

	columns(table, titles, sizeof titles / sizeof *titles);
	for (int i = 0; i < t->n_timings; i++) {
		const struct timing *m = &t->timings[i];

		cell_shape(table, s, m->shape);
		table_cellf(table, "%s, %s", timing_mode_name(m->mode), timing_l2_name(m->l2));
		table_cell(table, figure_us(m->p50_ns, a));
		table_cellf(table, "%s .. %s", figure_us(m->ci_low_ns, a),
			    figure_us(m->ci_high_ns, b));
		table_cell(table, figure_us(m->mean_ns, a));
		table_cell(table, figure_us(m->min_ns, a));
		table_cell(table, figure_us(m->p99_ns, a));
		table_cellf(table, "%d", m->n_samples);
		table_cellf(table, "%d", m->launches_per_sample);
		table_cell(table, stop_text(s, m));
	}
	finish(table, "\ntimings", to);
}

static void show_standings(struct stored *s, const struct trial_record *t, FILE *to)
{
	struct table *table = section();

	for (int i = 0; i < t->n_timings; i++) {
		const struct timing *m = &t->timings[i];
		struct str text = STR_INIT;
		struct standing at;

		if (standing_of(s, t->config, t->device, m->shape, m->p50_ns, &at)) {
			standing_add(&at, &text);
			cell_shape(table, s, m->shape);
			table_cell(table, text.data);
		}
		str_release(&text);
	}
	finish(table, "\nunder the roofline", to);
}

static void show_checks(const struct stored *s, const struct trial_record *t, FILE *to)
{
	static const char *const titles[] = { "shape",	 ">seed",      ">reference",
					      "result",	 ">max abs",   ">mean abs",
					      ">rel l2", ">bad share", "why" };
	const struct problem *p = s->setup.bound ? task_problem(s->setup.bound) : NULL;
	struct table *table = table_new();

	columns(table, titles, sizeof titles / sizeof *titles);
	for (int i = 0; i < t->n_checks; i++) {
		const struct check *c = &t->checks[i];

		if (!c->passed)
			table_paint(table, PAINT_BAD);
		cell_shape(table, s, c->shape);
		table_cellf(table, "%" PRIu64, c->seed);
		table_cellf(table, "%d", c->reference);
		table_cell(table, c->passed ? "passed" : "FAILED");
		table_cellf(table, "%.3g", c->max_abs);
		table_cellf(table, "%.3g", c->mean_abs);
		table_cellf(table, "%.3g", c->rel_l2);
		/* Without its gate it would be compared with tolerances that nobody set. */
		if (p && c->reference < p->n_references &&
		    p->references[c->reference].gates.bad_fraction < 0)
			table_cell(table, "-");
		else
			table_cellf(table, "%.3g", c->bad_fraction);
		table_cell(table, c->why);
	}
	finish(table, "\nchecks", to);
}

/* A compiler's words, which may hold anything. */
static void show_log(const char *log, FILE *to)
{
	if (!log || !log[0])
		return;
	fputs("\ncompile log\n", to);
	for (const char *p = log; *p; p++) {
		bool plain = (unsigned char)*p >= ' ' || *p == '\n' || *p == '\t';

		if (p == log || p[-1] == '\n')
			fputs("  ", to);
		fputc(plain && *p != 0x7f ? *p : '?', to);
	}
	if (log[strlen(log) - 1] != '\n')
		fputc('\n', to);
}

void show_trial_text(struct stored *s, const struct trial_record *t, FILE *to)
{
	if (t->no)
		fprintf(to, "trial %" PRId64 ":%" PRId64 " of %s\n", t->run, t->no,
			s->run.task_name);
	else
		fprintf(to, "%s\n", s->run.task_name);
	show_result(s, t, to);
	show_config(t, to);
	show_timings(s, t, to);
	show_standings(s, t, to);
	show_checks(s, t, to);
	show_metrics(t, to);
	show_log(t->log, to);
}

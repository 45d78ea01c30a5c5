#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tuner/cli/export.h"
#include "tuner/cli/export_check.h"
#include "tuner/cli/export_header.h"
#include "tuner/cli/figure.h"
#include "version.h"

void header_macro(struct str *s, const char *text)
{
	for (; *text; text++)
		str_addc(s,
			 isalnum((unsigned char)*text) ? (char)toupper((unsigned char)*text) : '_');
}

void header_comment(struct str *s, const char *name, const char *fmt, ...)
{
	struct str text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	str_addf(s, " * %-9s ", name);
	for (const char *p = text.data; *p; p++) {
		bool closes = p[0] == '*' && p[1] == '/';

		str_addc(s, (unsigned char)*p < ' ' || closes ? ' ' : *p);
	}
	str_addc(s, '\n');
	str_release(&text);
}

static void add_checks(const struct stored *s, const struct trial_record *t, struct str *ret)
{
	const struct problem *p = task_problem(s->setup.bound);

	for (int i = 0; i < p->n_references; i++) {
		double max_abs = 0, mean_abs = 0, rel_l2 = 0, bad = 0;
		int n = 0;

		for (int c = 0; c < t->n_checks; c++) {
			const struct check *k = &t->checks[c];

			if (k->reference != i || !k->passed)
				continue;
			n++;
			max_abs = k->max_abs > max_abs ? k->max_abs : max_abs;
			mean_abs = k->mean_abs > mean_abs ? k->mean_abs : mean_abs;
			rel_l2 = k->rel_l2 > rel_l2 ? k->rel_l2 : rel_l2;
			bad = k->bad_fraction > bad ? k->bad_fraction : bad;
		}
		header_comment(
			ret, "gates",
			"%s: passed %d times; worst max_abs %.3g, mean_abs %.3g, rel_l2 %.3g, bad "
			"%.3g",
			p->references[i].name, n, max_abs, mean_abs, rel_l2, bad);
	}
}

static void add_result(const struct stored *s, const struct trial_record *t, struct str *ret)
{
	char a[FIGURE_MAX], b[FIGURE_MAX], c[FIGURE_MAX], date[CLOCK_ISO_MAX];

	clock_iso((int64_t)t->at.stored, date);
	header_comment(ret, "p50", "%s, 95 %% interval %s .. %s us", figure_time(t->p50_ns, a),
		       figure_us(t->ci_low_ns, b), figure_us(t->ci_high_ns, c));
	if (s->summary.baseline_p50_ns > 0)
		header_comment(ret, "baseline", "%s, speed-up %s",
			       figure_time(s->summary.baseline_p50_ns, a),
			       figure_ratio(stored_speedup(&s->summary, t->p50_ns), b));
	if (s->summary.final && s->summary.best == t->no && s->summary.speedup > 0)
		header_comment(ret, "final",
			       "%s, speed-up %s: measured again, in rounds with the baseline",
			       figure_time(s->summary.best_p50_ns, a),
			       figure_ratio(s->summary.speedup, b));
	if (t->outcome != OUTCOME_OK)
		header_comment(ret, "warning", "this configuration is not correct: %s",
			       outcome_name(t->outcome));
	add_checks(s, t, ret);
	header_comment(ret, "binary", "%s", t->artifact);
	header_comment(ret, "date", "%s", date);
}

static void add_provenance(const struct stored *s, const struct trial_record *t, struct str *ret)
{
	str_addz(ret, "/*\n * Written by evo-tuned " EVO_TUNED_VERSION
		      "; export it again instead of editing it. For #include or -include.\n *\n");
	header_comment(ret, "task", "%s, %s", task_name(s->setup.task), task_hash(s->setup.task));
	header_comment(ret, "sources", "%s", task_source_hash(s->setup.task));
	header_comment(ret, "trial", "%" PRId64 ":%" PRId64, t->run, t->no);
	header_comment(ret, "device", "%s, %s, driver %s", s->setup.devices->name,
		       s->setup.devices->arch, s->setup.devices->driver);
	header_comment(ret, "compiler", "%s", s->setup.devices->compiler);
	add_result(s, t, ret);
	str_addz(ret, " */\n");
}

static void add_figure(struct str *s, const char *what, const char *axis, const char *shape,
		       int64_t v)
{
	str_addf(s, "#define EVO_%s%s%s", what, axis[0] ? "_" : "", axis);
	if (shape) {
		str_addc(s, '_');
		header_macro(s, shape);
	}
	str_addf(s, " %" PRId64 "\n", v);
}

static void add_launch(struct str *s, const struct launch *l, const char *shape)
{
	static const char *const axes[] = { "X", "Y", "Z" };

	for (int i = 0; i < 3; i++)
		add_figure(s, "BLOCK", axes[i], shape, l->block[i]);
	add_figure(s, "SHARED_BYTES", "", shape, l->shared_bytes);
}

/* Block and shared memory once when all shapes agree, else by shape as the grid is. */
static void add_geometry(const struct problem *p, const struct launch *l, struct str *ret)
{
	bool same = true;

	for (int i = 1; i < p->n_shapes; i++)
		same &= memcmp(l[i].block, l[0].block, sizeof l->block) == 0 &&
			l[i].shared_bytes == l[0].shared_bytes;
	str_addz(ret, "\n/* The launch: block and dynamic shared memory, and the grid by shape. "
		      "*/\n");
	if (same)
		add_launch(ret, &l[0], NULL);
	for (int i = 0; i < p->n_shapes; i++) {
		if (!same)
			add_launch(ret, &l[i], p->shapes[i].name);
		add_figure(ret, "GRID", "X", p->shapes[i].name, l[i].grid[0]);
		add_figure(ret, "GRID", "Y", p->shapes[i].name, l[i].grid[1]);
		add_figure(ret, "GRID", "Z", p->shapes[i].name, l[i].grid[2]);
	}
}

static int write_text(const struct stored *s, const struct trial_record *t,
		      const uint16_t *position, struct str *ret, struct err *e)
{
	const struct space *space = task_space(s->setup.bound);
	struct launch *launches;
	struct str guard = STR_INIT;

	str_addz(&guard, "EVO_TUNED_");
	header_macro(&guard, task_name(s->setup.task));
	str_addz(&guard, "_H");
	add_provenance(s, t, ret);
	str_addf(ret, "#ifndef %s\n#define %s\n\n", guard.data, guard.data);
	for (int i = 0; i < space_params(space); i++) {
		char text[256];

		value_print(space_value(space, i, position[i]), text, sizeof text);
		str_addf(ret, "#define %s %s\n", space_name(space, i), text);
	}
	if (task_language(s->setup.task) == LANGUAGE_CUDA) {
		if (task_launches(s->setup.bound, position, &launches, e) < 0) {
			str_release(&guard);
			return e->code;
		}
		add_geometry(task_problem(s->setup.bound), launches, ret);
		for (int i = 0; i < task_problem(s->setup.bound)->n_shapes; i++)
			launch_release(&launches[i]);
		free(launches);
	}
	str_addf(ret, "\n#endif /* %s */\n", guard.data);
	str_release(&guard);
	return 0;
}

int export_header(struct stored *s, const char *nvrtc, const struct trial_record *t,
		  struct str *ret, struct err *e)
{
	uint16_t position[SPACE_PARAMS_MAX];
	int r;

	if (run_recorded(&s->run))
		return export_header_recorded(s, t, ret, e);
	r = s->setup.bound ? 0 : stored_bind(s, e);
	if (r == 0)
		r = task_config_parse(task_space(s->setup.bound), t->config, position, e);
	if (r == 0)
		r = write_text(s, t, position, ret, e);
	if (r < 0)
		return r;
	return export_check(&(struct export_check){ s, t, position, nvrtc, NULL }, ret, e);
}

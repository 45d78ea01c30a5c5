#include <inttypes.h>
#include <string.h>

#include "tuner/cli/config.h"
#include "tuner/cli/export.h"
#include "tuner/cli/top.h"

struct writer {
	struct stored *stored;
	struct config first; /* names the columns of parameters */
	struct str *out;
	bool headed;
};

/* RFC 4180, 2.5 to 2.7: a field with a quote, a comma or a line break is quoted. */
static void add_field(struct str *s, const char *text)
{
	if (!strpbrk(text, "\",\r\n")) {
		str_addz(s, text);
		return;
	}
	str_addc(s, '"');
	for (; *text; text++) {
		if (*text == '"')
			str_addc(s, '"');
		str_addc(s, *text);
	}
	str_addc(s, '"');
}

static void add_head(struct writer *w)
{
	str_addz(w->out, "run,trial,outcome,origin,p50_us,ci_low_us,ci_high_us,score_us,speedup,"
			 "registers,shared_bytes,spill_bytes,compile_ms,operator,generation,cubin,"
			 "detail");
	for (int i = 0; i < w->first.n; i++) {
		str_addc(w->out, ',');
		add_field(w->out, w->first.names[i]);
	}
	str_addz(w->out, "\r\n");
	w->headed = true;
}

/* What is not known is an empty field. */
static void add_us(struct str *s, double ns)
{
	str_addc(s, ',');
	if (ns > 0)
		str_addf(s, "%.6g", ns / 1000);
}

static void add_known(struct str *s, int64_t v)
{
	str_addc(s, ',');
	if (v >= 0)
		str_addf(s, "%" PRId64, v);
}

static void add_figures(struct writer *w, const struct trial_record *t)
{
	struct str *s = w->out;
	struct top_row row;

	top_row_of(w->stored, t, &row);
	str_addf(s, "%" PRId64 ",%" PRId64 ",%s,%s", t->run, t->no, outcome_name(t->outcome),
		 trial_origin_name(t->origin));
	add_us(s, t->p50_ns);
	add_us(s, t->ci_low_ns);
	add_us(s, t->ci_high_ns);
	add_us(s, t->score_ns);
	str_addc(s, ',');
	if (row.speedup > 0)
		str_addf(s, "%.6g", row.speedup);
	add_known(s, row.registers);
	add_known(s, row.shared_bytes);
	add_known(s, row.spill_bytes);
	str_addf(s, ",%.3f,%s,%d,%s,", t->compile_ms, t->op, t->generation, t->artifact);
	add_field(s, t->detail ? t->detail : "");
	top_row_release(&row);
}

static int add_trial(void *ctx, const struct trial_record *t, struct err *e)
{
	struct writer *w = ctx;
	struct config config = { 0 };
	int r = w->headed ? 0 : config_parse(t->config, &w->first, e);

	if (r == 0)
		r = config_parse(t->config, &config, e);
	if (r < 0)
		return r;
	if (!w->headed)
		add_head(w);
	add_figures(w, t);
	for (int i = 0; i < w->first.n; i++) {
		const char *v = config_value(&config, w->first.names[i]);

		str_addc(w->out, ',');
		add_field(w->out, v ? v : "");
	}
	str_addz(w->out, "\r\n");
	config_release(&config);
	return 0;
}

int export_csv(struct stored *s, struct str *ret, struct err *e)
{
	struct writer w = { .stored = s, .out = ret };
	int r = store_each_trial(s->store, s->run.id, 0, add_trial, &w, e);

	if (r == 0 && !w.headed)
		add_head(&w);
	config_release(&w.first);
	return r;
}

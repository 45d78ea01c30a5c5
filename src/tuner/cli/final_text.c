#include "tuner/cli/final_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/table.h"

static void print_winner(const struct final_record *f, FILE *to)
{
	const struct finalist_record *w = &f->finalists[0];
	char p50[FIGURE_MAX], low[FIGURE_MAX], high[FIGURE_MAX];

	fprintf(to, "final: trial %" PRId64 " wins with %s", w->trial, figure_time(w->p50_ns, p50));
	if (w->ci_low_ns < w->ci_high_ns)
		fprintf(to, " (95 %%: %s .. %s us)", figure_us(w->ci_low_ns, low),
			figure_us(w->ci_high_ns, high));
	if (f->speedup.ratio > 0)
		fprintf(to, ", %.3fx the baseline", f->speedup.ratio);
	if (f->speedup.ci_low < f->speedup.ci_high)
		fprintf(to, " (%.3f .. %.3f)", f->speedup.ci_low, f->speedup.ci_high);
	fprintf(to, ", in %d round%s of %d with fresh inputs%s\n", f->rounds,
		f->rounds == 1 ? "" : "s", f->n,
		f->settled ? "" : "; not all ties were decided within its limit");
}

static void print_tied(const struct final_record *f, FILE *to)
{
	struct str s = STR_INIT;

	for (int i = 1; i < f->n; i++)
		if (f->finalists[i].tied)
			str_addf(&s, "%s%" PRId64, s.len ? ", " : "", f->finalists[i].trial);
	if (s.len)
		fprintf(to,
			"tied with it: trial %s (of the tied, the steadiest count, then the one "
			"with fewest registers)\n",
			s.data);
	else if (f->n > 1)
		fputs("nothing is tied with it\n", to);
	str_release(&s);
}

void final_print(const struct final_record *f, FILE *to)
{
	if (f->winner) {
		print_winner(f, to);
		print_tied(f, to);
	} else {
		fputs("final: no winner: no finalist was correct on fresh inputs to the end\n", to);
	}
	for (int i = 0; i < f->n; i++) {
		const struct finalist_record *x = &f->finalists[i];
		const char *why = x->detail ? x->detail : "";

		if (x->outcome != OUTCOME_OK)
			fprintf(to, "out of the final: trial %" PRId64 ": %s: %.*s\n", x->trial,
				outcome_name(x->outcome), (int)strcspn(why, "\n"), why);
	}
}

static void add_row(struct table *t, const struct final_record *f, const struct finalist_record *x)
{
	char a[FIGURE_MAX], b[FIGURE_MAX];
	bool ok = x->p50_ns > 0;

	table_cellf(t, "  %" PRId64, x->trial);
	table_cell(t, x->outcome != OUTCOME_OK ? "out"
		      : x->trial == f->winner  ? "winner"
		      : x->tied		       ? "tied"
		      : x->elite	       ? ""
					       : "baseline");
	table_cell(t, ok ? figure_us(x->p50_ns, a) : "-");
	if (ok && x->ci_low_ns < x->ci_high_ns)
		table_cellf(t, "%s .. %s", figure_us(x->ci_low_ns, a), figure_us(x->ci_high_ns, b));
	else
		table_cell(t, "-"); /* a single round has no interval */
	if (!ok) {
		table_cell(t, "-");
		table_cell(t, "-");
		table_cell(t, "-");
		return;
	}
	table_cellf(t, "%.2f %%", 100 * x->spread);
	table_cellf(t, "%.4f", x->ratio.ratio);
	if (x->ratio.ci_low < x->ratio.ci_high)
		table_cellf(t, "%.4f .. %.4f", x->ratio.ci_low, x->ratio.ci_high);
	else
		table_cell(t, "-");
}

void final_print_table(const struct final_record *f, FILE *to)
{
	static const char *const titles[] = { ">  trial",	"",	   ">p50 us",
					      ">95 % interval", ">spread", ">to the winner",
					      ">interval" };
	struct table *t = table_new();

	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
		table_column(t, titles[i]);
	for (int i = 0; i < f->n; i++)
		add_row(t, f, &f->finalists[i]);
	table_print(t, to);
	table_free(t);
}

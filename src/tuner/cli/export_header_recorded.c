/* The header of an imported run: its #defines, which nothing here can be compiled with. */
#include <inttypes.h>

#include "base/clock.h"
#include "tuner/cli/export.h"
#include "tuner/cli/export_header.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/outline.h"
#include "tuner/cli/print.h"
#include "tuner/task/task_read.h"
#include "version.h"

static void add_provenance(const struct stored *s, const struct recording *r,
			   const struct trial_record *t, struct str *ret)
{
	char a[FIGURE_MAX], date[CLOCK_ISO_MAX];

	str_addz(ret, "/*\n * Written by evo-tuned " EVO_TUNED_VERSION
		      " from what someone else measured. For #include or -include.\n *\n");
	header_comment(ret, "task", "%s", s->run.task_name);
	header_comment(ret, "from", "%s, %s, %s", s->run.task_path, r->format, s->run.source_hash);
	header_comment(ret, "trial", "%" PRId64 ":%" PRId64, t->run, t->no);
	if (r->kernel[0])
		header_comment(ret, "kernel", "%s", r->kernel);
	if (r->device[0])
		header_comment(ret, "device", "%s", r->device);
	if (t->n_timings)
		header_comment(ret, "time", "%s, as recorded",
			       figure_time(t->timings[0].mean_ns, a));
	if (t->outcome != OUTCOME_OK)
		header_comment(ret, "warning", "this configuration failed: %s",
			       outcome_name(t->outcome));
	if (t->at.stored > 0) {
		clock_iso((int64_t)t->at.stored, date);
		header_comment(ret, "date", "%s", date);
	}
	header_comment(ret, "unchecked",
		       "not compiled: the kernel's source is not in the recording");
	str_addz(ret, " */\n");
}

static bool is_one_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f || *text == '\\')
			return false;
	return true;
}

static int add_defines(const struct recording *r, const uint16_t *config, struct str *ret,
		       struct err *e)
{
	for (int p = 0; p < space_params(r->space); p++) {
		const struct value *v = space_value(r->space, p, config[p]);
		const char *name = space_name(r->space, p);
		char text[256];

		value_print(v, text, sizeof text);
		if (!read_is_identifier(name) || !is_one_line(text))
			return err_set(e, ERR_INVALID,
				       "parameter %.80s = %.80s cannot be a #define: expected a C "
				       "identifier and a value of one line; --format json or csv "
				       "has it",
				       name, text);
		str_addf(ret, "#define %s %s\n", name, text);
	}
	return 0;
}

int export_header_recorded(struct stored *s, const struct trial_record *t, struct str *ret,
			   struct err *e)
{
	struct str guard = STR_INIT;
	struct recording *outline;
	struct outlined x;
	int r = outline_of(s, &outline, e);

	if (r < 0)
		return r;
	r = outline_trial(s, outline, t, &x, e);
	if (r == 0) {
		str_addz(&guard, "EVO_TUNED_");
		header_macro(&guard, s->run.task_name);
		str_addz(&guard, "_H");
		add_provenance(s, outline, t, ret);
		str_addf(ret, "#ifndef %s\n#define %s\n\n", guard.data, guard.data);
		r = add_defines(outline, x.config, ret, e);
	}
	if (r == 0) {
		str_addf(ret, "\n#endif /* %s */\n", guard.data);
		note("not compile-checked: run %" PRId64 " was imported, and a recording has no "
		     "source",
		     s->run.id);
	}
	str_release(&guard);
	recording_free(outline);
	return r;
}

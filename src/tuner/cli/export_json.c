#include <stdlib.h>

#include "tuner/cli/export.h"
#include "tuner/cli/report.h"

int export_json(struct stored *s, const struct trial_record *t, struct str *ret, struct err *e)
{
	cJSON *document, *run;
	char *text;
	int r = report_run(s, &run, e);

	if (r < 0)
		return r;
	document = json_new_object();
	json_add(document, "run", run);
	json_add(document, "trial", report_trial(s, t));
	text = json_render_pretty(document);
	str_addz(ret, text);
	str_addc(ret, '\n');
	free(text);
	cJSON_Delete(document);
	return 0;
}

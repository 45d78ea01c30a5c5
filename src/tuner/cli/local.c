#include "tuner/cli/local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "tuner/cli/print.h"

enum { PROBE_MS = 60000 };

int local_ask(struct call *c, char *line, int64_t deadline_ms, const char *what,
	      struct wire_reply *ret, struct err *e)
{
	enum call_end end;
	int signal_no = 0;
	int r = call_exchange(c, line, deadline_ms, &end, &signal_no, ret, e);

	if (r < 0)
		return err_wrap(e, "%s", what);
	switch (end) {
	case CALL_TIMEOUT:
		return err_set(e, ERR_FAILED, "%s: no answer within %lld s", what,
			       (long long)deadline_ms / 1000);
	case CALL_DIED:
		return err_set(e, ERR_FAILED, "%s: the worker died%s%s", what,
			       signal_no ? " by " : "", signal_no ? strsignal(signal_no) : "");
	case CALL_REPLIED:
		break;
	}
	if (!ret->failed)
		return 0;
	*e = ret->error;
	wire_reply_release(ret);
	return e->code;
}

int local_probe(const struct local *l, struct device **ret, int *ret_n, struct err *e)
{
	struct wire_reply reply = { 0 };
	struct call *c;
	int r = call_new("compile", l->nvrtc, &c, e);

	if (r < 0)
		return r;
	r = local_ask(c, wire_ask_probe(1, l->runtime), PROBE_MS, "probing for devices", &reply, e);
	call_free(c);
	if (r < 0)
		return r;
	*ret = reply.devices;
	*ret_n = reply.n_devices;
	reply.devices = NULL;
	reply.n_devices = 0;
	wire_reply_release(&reply);
	return 0;
}

int local_device(const struct local *l, int ordinal, struct device *ret, struct err *e)
{
	struct device *devices;
	int n, r = local_probe(l, &devices, &n, e);

	if (r < 0)
		return r;
	r = err_set(e, ERR_MISSING, "runtime %s has no device %d; it has %d, counted from 0",
		    l->runtime, ordinal, n);
	for (int i = n - 1; i >= 0; i--) {
		if (ordinal >= 0 && devices[i].ordinal != ordinal)
			continue;
		*ret = devices[i];
		r = 0;
	}
	free(devices);
	return r;
}

int local_check_device(const struct local *l, const struct device *then, const char *what,
		       struct err *e)
{
	struct device now;
	int r = local_device(l, then->ordinal, &now, e);

	if (r < 0 || (strcmp(now.name, then->name) == 0 && strcmp(now.arch, then->arch) == 0))
		return r;
	return err_set(e, ERR_MISSING, "%s was made on %s, and device %d here is %s", what,
		       then->name, then->ordinal, now.name);
}

int local_folder(char **ret, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	char *path = file_join(tmp && tmp[0] == '/' ? tmp : "/tmp", "evo-tuned-XXXXXX");

	if (!mkdtemp(path)) {
		err_sys(e, "%s", path);
		free(path);
		return e->code;
	}
	*ret = path;
	return 0;
}

void local_folder_remove(char *folder)
{
	struct err e = { 0 };

	if (folder && file_remove_tree(folder, &e) < 0)
		note("%s", e.msg);
	free(folder);
}

/* What a compiler did that never answered. */
static int unanswered(enum call_end end, int signal_no, double timeout_s, struct artifact *ret)
{
	char text[160];

	memset(ret, 0, sizeof *ret);
	ret->outcome = end == CALL_TIMEOUT ? OUTCOME_COMPILE_TIMEOUT : OUTCOME_LOST;
	if (end == CALL_TIMEOUT)
		snprintf(text, sizeof text, "not compiled within %g s", timeout_s);
	else
		snprintf(text, sizeof text, "the compiling process died%s%s",
			 signal_no ? " by " : "", signal_no ? strsignal(signal_no) : "");
	ret->log = mem_strdup(text);
	return 0;
}

int local_compile(const struct local *l, const struct compile_job *job, double timeout_s,
		  struct artifact *ret, struct err *e)
{
	struct wire_reply reply = { 0 };
	enum call_end end;
	struct call *c;
	int signal_no = 0;
	int r = call_new("compile", l->nvrtc, &c, e);

	if (r < 0)
		return r;
	r = call_exchange(c, wire_ask_compile(1, l->runtime, job), (int64_t)(timeout_s * 1000),
			  &end, &signal_no, &reply, e);
	call_free(c);
	if (r < 0)
		return r;
	if (end != CALL_REPLIED)
		return unanswered(end, signal_no, timeout_s, ret);
	if (reply.failed) {
		*e = reply.error;
		wire_reply_release(&reply);
		return e->code;
	}
	*ret = reply.artifact;
	memset(&reply.artifact, 0, sizeof reply.artifact);
	wire_reply_release(&reply);
	return 0;
}

#include "tuner/task/task_reference.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/task/task_buffers.h"
#include "tuner/task/task_gates.h"
#include "tuner/task/task_kernel.h"
#include "tuner/task/task_read.h"

static int read_files(struct task *t, struct task_reference *ref, const struct json_node *files,
		      struct err *e)
{
	struct json_node n;
	int r = json_object(files, e);

	ref->files = mem_array((size_t)t->n_buffers, sizeof *ref->files);
	ref->file_counts = mem_array((size_t)t->n_buffers, sizeof *ref->file_counts);
	for (bool ok = r == 0 && json_first(files, &n); ok && r == 0; ok = json_next(&n)) {
		int b = task_find_buffer(t, n.key);

		if (b < 0 || !task_buffer_compared(t, b))
			return json_wrong(&n, e, "no buffer of role out or inout has this name");
		r = buffer_read_npy(t, b, &n, &ref->files[b], &ref->file_counts[b], e);
	}
	return r;
}

static int read_content(struct task *t, struct task_reference *ref, const struct json_node *n,
			struct err *e)
{
	static const char *const with_files[] = { "name", "files", "gates", NULL };
	static const char *const with_kernel[] = { "name", KERNEL_KEYS, "gates", NULL };
	struct json_node files;
	int r = json_object(n, e);

	if (r < 0)
		return r;
	if (json_get(n, "files", &files)) {
		r = json_only(n, with_files, e);
		return r < 0 ? r : read_files(t, ref, &files, e);
	}
	r = json_only(n, with_kernel, e);
	return r < 0 ? r : kernel_read_common(t, n, &t->kernel, &ref->kernel, e);
}

static int read_name(struct task *t, struct task_reference *ref, const struct json_node *n,
		     struct err *e)
{
	const char *name = ref->files ? "files" : ref->kernel.entry;
	struct json_node m;
	int r = json_get(n, "name", &m) ? read_text(&m, &name, e) : 0;

	if (r < 0)
		return r;
	for (int i = 0; i < t->n_references - 1; i++)
		if (strcmp(t->references[i].name, name) == 0)
			return json_wrong(n, e,
					  "two references are named \"%.80s\": give each a "
					  "\"name\" of its own",
					  name);
	ref->name = mem_strdup(name);
	return 0;
}

static int read_gates(struct task *t, struct task_reference *ref, const struct json_node *n,
		      struct err *e)
{
	struct json_node m;
	int r = 0;

	ref->gates = t->gates;
	if (json_get(n, "gates", &m))
		r = gates_read_correctness(&m, true, &ref->gates, e);
	if (r == 0 && !gates_ask(&ref->gates))
		r = json_wrong(n, e,
			       "nothing is asked of it: set at least one of max_abs, "
			       "mean_abs, rel_l2 and bad_fraction in its \"gates\" or the "
			       "task's");
	return r;
}

static int read_reference(struct task *t, const struct json_node *n, struct err *e)
{
	struct task_reference *ref = &t->references[t->n_references++];
	int r = read_content(t, ref, n, e);

	if (r == 0)
		r = read_name(t, ref, n, e);
	if (r == 0)
		r = read_gates(t, ref, n, e);
	for (int b = 0; b < t->n_buffers && r == 0; b++) {
		bool given = ref->files ? ref->files[b] != NULL : kernel_takes(&ref->kernel, b);

		if (task_buffer_compared(t, b) && !given)
			r = json_wrong(n, e,
				       "it does not write the output \"%s\": a reference "
				       "gives every out and inout buffer",
				       t->buffers[b].name);
	}
	return r;
}

int references_read(struct task *t, const struct json_node *root, struct err *e)
{
	struct json_node list;
	int r = json_need(root, "reference", &list, e);

	if (r < 0)
		return r;
	if (!cJSON_IsArray(list.value)) {
		t->references = mem_alloc(sizeof *t->references);
		return read_reference(t, &list, e);
	}
	r = read_members(&list, false, TASK_LIST_MAX, e);
	if (r < 0)
		return r;
	t->references = mem_array((size_t)json_count(&list), sizeof *t->references);
	return read_each(t, &list, read_reference, e);
}

static bool is_origin(const struct task *t, int buffer)
{
	for (int b = 0; b < t->n_buffers; b++) {
		if (t->buffers[b].fill.fill.of == buffer)
			return true;
		for (int s = 0; s < t->n_shapes; s++)
			if (t->shapes[s].fills[b].fill.kind != FILL_NONE &&
			    t->shapes[s].fills[b].fill.of == buffer)
				return true;
	}
	return false;
}

static bool is_used(const struct task *t, int buffer)
{
	bool used = kernel_takes(&t->kernel, buffer) || is_origin(t, buffer);

	for (int i = 0; i < t->n_references; i++)
		used |= kernel_takes(&t->references[i].kernel, buffer);
	return used;
}

int references_check_buffers(const struct task *t, const struct json_node *root, struct err *e)
{
	struct json_node buffers, n;
	int outputs = 0, b = 0;

	if (!json_get(root, "buffers", &buffers))
		return 0;
	for (bool ok = json_first(&buffers, &n); ok; ok = json_next(&n), b++) {
		bool compared = task_buffer_compared(t, b);

		outputs += compared;
		if (compared && !kernel_takes(&t->kernel, b))
			return json_wrong(&n, e,
					  "the kernel does not get this output: name it in "
					  "kernel.arguments");
		if (!is_used(t, b))
			return json_wrong(&n, e,
					  "nothing uses this buffer: neither the kernel, a "
					  "reference nor another buffer's fill");
	}
	if (outputs == 0)
		return json_wrong(&buffers, e,
				  "no buffer has role out or inout: there is nothing "
				  "to check");
	return 0;
}

void references_release(struct task *t)
{
	for (int i = 0; i < t->n_references; i++) {
		read_free_strings(t->references[i].files, t->n_buffers);
		kernel_release(&t->references[i].kernel);
		free(t->references[i].file_counts);
		free(t->references[i].name);
	}
	free(t->references);
}

#include "tuner/daemon/warm_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "tuner/task/task.h"

static int read_config(const struct json_node *n, const struct space *s, uint16_t *ret,
		       struct err *e)
{
	char *text = json_render(n->value);
	int r = task_config_parse(s, text, ret, e);

	free(text);
	if (r < 0)
		return r;
	if (!space_legal(s, ret))
		return json_wrong(n, e, "breaks the constraint %s", space_violated(s, ret));
	return 0;
}

static int read_configs(const struct json_node *root, const struct space *s, struct warm_first *ret,
			struct err *e)
{
	size_t width = (size_t)space_params(s);
	struct json_node list, n;
	int r = json_need(root, "configs", &list, e);

	if (r == 0)
		r = json_list(&list, e);
	if (r < 0)
		return r;
	if (json_count(&list) > WARM_MAX)
		return json_expected(&list, e, "at most %d configurations", WARM_MAX);
	ret->config = mem_grow(ret->config, (size_t)(ret->n + json_count(&list)) * width + 1,
			       sizeof *ret->config);
	for (bool more = json_first(&list, &n); more && r == 0; more = json_next(&n)) {
		r = read_config(&n, s, ret->config + (size_t)ret->n * width, e);
		ret->n++;
		ret->n_warm++;
	}
	return r;
}

int warm_append(const char *text, const struct space *s, const uint16_t *first, int n_first,
		struct warm_first *ret, struct err *e)
{
	size_t cells = (size_t)n_first * (size_t)space_params(s);
	struct warm_first x = { .config = mem_array(cells + 1, sizeof *first), .n = n_first };
	struct json_node root;
	cJSON *tree;
	int r = 0;

	if (n_first)
		memcpy(x.config, first, cells * sizeof *first);
	if (text)
		r = json_parse(text, strlen(text), &tree, e);
	if (text && r == 0) {
		root = json_root(tree);
		r = read_configs(&root, s, &x, e);
		cJSON_Delete(tree);
	}
	if (r < 0) {
		free(x.config);
		return err_wrap(e, "warm");
	}
	*ret = x;
	return 0;
}

int warm_check(const char *text, const struct space *s, struct err *e)
{
	struct warm_first x = { 0 };
	int r = warm_append(text, s, NULL, 0, &x, e);

	free(x.config);
	return r;
}

#include "tuner/daemon/warm_json.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "tuner/search/prior.h"
#include "tuner/task/task.h"

static int parse_config(const struct json_node *n, const struct space *s, uint16_t *ret,
			struct err *e)
{
	char *text = json_render(n->value);
	int r = task_config_parse(s, text, ret, e);

	free(text);
	return r;
}

static int read_config(const struct json_node *n, const struct space *s, uint16_t *ret,
		       struct err *e)
{
	int r = parse_config(n, s, ret, e);

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

static int read_trial(const struct json_node *n, const struct space *s, uint16_t *ret_config,
		      struct observation *ret, struct err *e)
{
	static const char *const keys[] = { "config", "score", NULL };
	struct json_node config, score;
	double value = 0;
	int r = json_object(n, e);

	if (r == 0)
		r = json_only(n, keys, e);
	if (r == 0)
		r = json_need(n, "config", &config, e);
	if (r == 0)
		r = parse_config(&config, s, ret_config, e);
	if (r == 0)
		r = json_need(n, "score", &score, e);
	if (r == 0 && !cJSON_IsNull(score.value))
		r = json_double(&score, DBL_MIN, DBL_MAX, &value, e);
	if (r == 0)
		*ret = (struct observation){ ret_config, value > 0, value };
	return r;
}

static int read_past(const struct json_node *root, const struct space *s, struct warm_past *ret,
		     struct err *e)
{
	size_t width = (size_t)space_params(s);
	struct json_node list, n;
	int r;

	if (!json_get(root, "past", &list))
		return 0;
	r = json_list(&list, e);
	if (r < 0)
		return r;
	if (json_count(&list) > PRIOR_TRIALS)
		return json_expected(&list, e, "at most %d trials", PRIOR_TRIALS);
	ret->trial = mem_array(PRIOR_TRIALS, sizeof *ret->trial);
	ret->config = mem_array(PRIOR_TRIALS * width, sizeof *ret->config);
	for (bool more = json_first(&list, &n); more && r == 0; more = json_next(&n)) {
		r = read_trial(&n, s, ret->config + (size_t)ret->n * width, &ret->trial[ret->n], e);
		ret->n++;
	}
	return r;
}

int warm_past(const char *text, const struct space *s, struct warm_past *ret, struct err *e)
{
	struct warm_past p = { 0 };
	struct json_node root;
	cJSON *tree = NULL;
	int r = text ? json_parse(text, strlen(text), &tree, e) : 0;

	if (tree) {
		root = json_root(tree);
		r = read_past(&root, s, &p, e);
		cJSON_Delete(tree);
	}
	if (r < 0) {
		warm_past_release(&p);
		return err_wrap(e, "warm");
	}
	*ret = p;
	return 0;
}

void warm_past_release(struct warm_past *p)
{
	free(p->trial);
	free(p->config);
	*p = (struct warm_past){ 0 };
}

int warm_check(const char *text, const struct space *s, struct err *e)
{
	struct warm_first x = { 0 };
	struct warm_past past = { 0 };
	int r = warm_append(text, s, NULL, 0, &x, e);

	if (r == 0)
		r = warm_past(text, s, &past, e);
	warm_past_release(&past);
	free(x.config);
	return r;
}

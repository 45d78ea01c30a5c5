#include "tuner/task/task_value.h"

#include <math.h>

#include "base/mem.h"
#include "base/str.h"
#include "tuner/task/task_read.h"

int task_value_read(const struct json_node *n, struct value *ret, struct err *e)
{
	double d = n->value->valuedouble;
	const char *text = NULL;
	int64_t whole = 0;
	int r = 0;

	if (cJSON_IsBool(n->value)) {
		*ret = value_int(cJSON_IsTrue(n->value));
	} else if (cJSON_IsNumber(n->value) && isfinite(d) && d != floor(d)) {
		*ret = value_real(d);
	} else if (cJSON_IsNumber(n->value)) {
		r = json_int(n, -((int64_t)1 << 53), (int64_t)1 << 53, &whole, e);
		*ret = value_int(whole);
	} else if (cJSON_IsString(n->value)) {
		r = read_text(n, &text, e);
		*ret = value_text(text);
	} else {
		r = json_expected(n, e, "a number, a string, true or false");
	}
	return r;
}

char *task_value_text(const struct value *v)
{
	char number[64];

	if (v->kind == VALUE_TEXT)
		return mem_strdup(v->s);
	value_print(v, number, sizeof number);
	return mem_strdup(number);
}

char *task_value_quoted(const struct value *v)
{
	struct str s = STR_INIT;

	if (v->kind != VALUE_TEXT)
		return task_value_text(v);
	str_addf(&s, "\"%s\"", v->s);
	return str_detach(&s);
}

#include "tuner/daemon/rpc.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct rpc_batch {
	struct rpc_peer peer;
	struct str text; /* "[ANSWER,ANSWER" */
	int waits;	 /* calls without an answer yet */
};

static const struct {
	enum err_code code;
	const char *name;
} err_names[] = {
	{ ERR_INVALID, "invalid" },   { ERR_IO, "io" },	    { ERR_MISSING, "missing" },
	{ ERR_PROTOCOL, "protocol" }, { ERR_FULL, "full" }, { ERR_BUSY, "busy" },
	{ ERR_FAILED, "failed" },
};

const char *rpc_err_name(enum err_code code)
{
	for (size_t i = 0; i < sizeof err_names / sizeof err_names[0]; i++)
		if (err_names[i].code == code)
			return err_names[i].name;
	return "ok";
}

enum err_code rpc_err_code(int code)
{
	for (size_t i = 0; i < sizeof err_names / sizeof err_names[0]; i++)
		if (RPC_OURS + (int)err_names[i].code == code)
			return err_names[i].code;
	return code == RPC_INVALID_PARAMS || code == RPC_NO_METHOD ? ERR_INVALID : ERR_PROTOCOL;
}

static void send_text(const struct rpc_peer *peer, const char *text)
{
	struct str line = STR_INIT;

	str_addz(&line, text);
	str_addc(&line, '\n');
	peer->send(peer->ctx, peer->peer, str_detach(&line));
}

static void batch_add(struct rpc_batch *b, const char *answer)
{
	if (!answer)
		return;
	str_addc(&b->text, b->text.len ? ',' : '[');
	str_addz(&b->text, answer);
}

static void batch_send(struct rpc_batch *b)
{
	if (b->text.len) {
		str_addc(&b->text, ']');
		send_text(&b->peer, b->text.data);
	}
	str_release(&b->text);
	free(b);
}

/* Sends an answer, which is NULL for a notification. */
static void deliver(const struct rpc_peer *peer, struct rpc_batch *b, cJSON *answer)
{
	char *text = answer ? json_render(answer) : NULL;

	if (b) {
		batch_add(b, text);
		if (--b->waits == 0)
			batch_send(b);
	} else if (text) {
		send_text(peer, text);
	}
	free(text);
	cJSON_Delete(answer);
}

static cJSON *new_answer(const cJSON *id)
{
	cJSON *answer = json_new_object();

	json_add_string(answer, "jsonrpc", "2.0");
	json_add(answer, "id", id ? cJSON_Duplicate(id, true) : cJSON_CreateNull());
	return answer;
}

static cJSON *new_error(const cJSON *id, int code, const char *message)
{
	cJSON *answer = new_answer(id);
	cJSON *error = json_add_object(answer, "error");

	json_add_int(error, "code", code);
	json_add_string(error, "message", message);
	return answer;
}

static void add_error(struct rpc_batch *b, cJSON *error)
{
	char *text = json_render(error);

	batch_add(b, text);
	b->waits--;
	free(text);
	cJSON_Delete(error);
}

static void call_free(struct rpc_call *c)
{
	free(c->method);
	cJSON_Delete(c->params);
	cJSON_Delete(c->id);
	free(c);
}

static void answer_call(struct rpc_call *c, cJSON *answer)
{
	if (!c->id) {
		cJSON_Delete(answer);
		answer = NULL;
	}
	deliver(&c->peer, c->batch, answer);
	call_free(c);
}

void rpc_result(struct rpc_call *c, cJSON *result)
{
	cJSON *answer = new_answer(c->id);

	json_add(answer, "result", result);
	answer_call(c, answer);
}

void rpc_error(struct rpc_call *c, int code, const char *message)
{
	answer_call(c, new_error(c->id, code, message));
}

void rpc_fail(struct rpc_call *c, const struct err *e)
{
	cJSON *answer = new_error(c->id, RPC_OURS + (int)e->code, e->msg);
	cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");

	json_add_string(json_add_object(error, "data"), "err", rpc_err_name(e->code));
	answer_call(c, answer);
}

static bool id_is_fine(const cJSON *id)
{
	return !id || cJSON_IsString(id) || cJSON_IsNumber(id) || cJSON_IsNull(id);
}

/* What is wrong with a request; NULL: nothing. */
static const char *complaint(const struct json_node *n)
{
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(n->value, "jsonrpc");
	const cJSON *method = cJSON_GetObjectItemCaseSensitive(n->value, "method");
	const cJSON *params = cJSON_GetObjectItemCaseSensitive(n->value, "params");

	if (!cJSON_IsObject(n->value))
		return "a request must be an object";
	if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0)
		return "\"jsonrpc\" must be \"2.0\"";
	if (!cJSON_IsString(method))
		return "\"method\" must be a string";
	if (params && !cJSON_IsObject(params))
		return "\"params\" must be an object: parameters go by name";
	if (!id_is_fine(cJSON_GetObjectItemCaseSensitive(n->value, "id")))
		return "\"id\" must be a string, a number or null";
	return NULL;
}

static struct rpc_call *call_of(const cJSON *request, const struct rpc_peer *peer)
{
	const cJSON *params = cJSON_GetObjectItemCaseSensitive(request, "params");
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
	struct rpc_call *c = mem_alloc(sizeof *c);

	c->method = mem_strdup(
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "method")));
	c->params = params ? cJSON_Duplicate(params, true) : json_new_object();
	c->id = id ? cJSON_Duplicate(id, true) : NULL;
	c->peer = *peer;
	return c;
}

/* The call that a request makes; NULL: it is no good, and *ret_error is the answer to it. */
static struct rpc_call *call_or_error(const struct rpc_peer *peer, const struct json_node *n,
				      cJSON **ret_error)
{
	const char *wrong = complaint(n);
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(n->value, "id");

	if (!wrong)
		return call_of(n->value, peer);
	*ret_error = new_error(id_is_fine(id) ? id : NULL, RPC_INVALID_REQUEST, wrong);
	return NULL;
}

static void receive_one(const struct rpc_peer *peer, const struct json_node *n, rpc_on_call *f,
			void *ctx)
{
	cJSON *error = NULL;
	struct rpc_call *c = call_or_error(peer, n, &error);

	if (c)
		f(ctx, c);
	else
		deliver(peer, NULL, error);
}

/* All calls are made before the first is begun: the answer to the last one frees the batch. */
static void receive_batch(const struct rpc_peer *peer, const struct json_node *root, rpc_on_call *f,
			  void *ctx)
{
	struct rpc_call *calls[RPC_BATCH_MAX];
	int count = json_count(root), n_calls = 0;
	struct rpc_batch *b;
	struct json_node n;

	if (count < 1 || count > RPC_BATCH_MAX) {
		deliver(peer, NULL,
			new_error(NULL, RPC_INVALID_REQUEST,
				  count ? "a batch may have 64 requests" : "an empty batch"));
		return;
	}
	b = mem_alloc(sizeof *b);
	b->peer = *peer;
	b->waits = count;
	str_init(&b->text);
	for (bool ok = json_first(root, &n); ok; ok = json_next(&n)) {
		cJSON *error = NULL;
		struct rpc_call *c = call_or_error(peer, &n, &error);

		if (c) {
			c->batch = b;
			calls[n_calls++] = c;
		} else {
			add_error(b, error);
		}
	}
	if (!n_calls)
		batch_send(b);
	for (int i = 0; i < n_calls; i++)
		f(ctx, calls[i]);
}

void rpc_receive(const struct rpc_peer *peer, const char *line, size_t len, rpc_on_call *f,
		 void *ctx)
{
	struct json_node root;
	struct err e;
	cJSON *v;

	if (json_parse(line, len, &v, &e) < 0) {
		deliver(peer, NULL, new_error(NULL, RPC_PARSE_ERROR, e.msg));
		return;
	}
	root = json_root(v);
	if (cJSON_IsArray(v))
		receive_batch(peer, &root, f, ctx);
	else
		receive_one(peer, &root, f, ctx);
	cJSON_Delete(v);
}

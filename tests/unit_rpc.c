#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "tuner/daemon/rpc.h"

/* Answers "echo" with its params at once; keeps the calls of "later". */
struct peer {
	struct str sent;
	struct rpc_call *later[RPC_BATCH_MAX];
	int n_later;
};

static void on_send(void *ctx, int64_t peer, char *line)
{
	struct peer *p = ctx;

	assert_int_equal(peer, 7);
	str_addz(&p->sent, line);
	free(line);
}

static void on_call(void *ctx, struct rpc_call *call)
{
	struct peer *p = ctx;
	struct err e;

	if (strcmp(call->method, "echo") == 0) {
		rpc_result(call, cJSON_Duplicate(call->params, true));
	} else if (strcmp(call->method, "later") == 0) {
		p->later[p->n_later++] = call;
	} else if (strcmp(call->method, "busy") == 0) {
		err_set(&e, ERR_BUSY, "held by %d", 12);
		rpc_fail(call, &e);
	} else {
		rpc_error(call, RPC_NO_METHOD, "no such method");
	}
}

static void receive(struct peer *p, const char *line)
{
	struct rpc_peer peer = { p, on_send, 7 };

	rpc_receive(&peer, line, strlen(line), on_call, p);
}

static void expect(const char *line, const char *answer)
{
	struct peer p = { .sent = STR_INIT };

	receive(&p, line);
	assert_string_equal(p.sent.data, answer);
	str_release(&p.sent);
}

static void a_call_is_answered_under_its_id(void **state)
{
	(void)state;
	expect("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"echo\",\"params\":{\"x\":1}}",
	       "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"x\":1}}\n");
	expect("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"echo\"}",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n");
}

static void a_notification_is_not_answered(void **state)
{
	(void)state;
	expect("{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}", "");
	expect("{\"jsonrpc\":\"2.0\",\"method\":\"none\"}", "");
	expect("[{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}]", "");
}

static void our_errors_have_their_code_and_name(void **state)
{
	(void)state;
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"busy\"}",
	       "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32006,"
	       "\"message\":\"held by 12\",\"data\":{\"err\":\"busy\"}}}\n");
	for (int code = ERR_FAILED; code < 0; code++)
		assert_int_equal(rpc_err_code(RPC_OURS + code), code);
	assert_int_equal(rpc_err_code(RPC_INVALID_PARAMS), ERR_INVALID);
	assert_int_equal(rpc_err_code(0), ERR_PROTOCOL);
}

static void a_batch_is_answered_as_one_list_when_its_last_answer_is_there(void **state)
{
	struct peer p = { .sent = STR_INIT };

	(void)state;
	receive(&p, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"later\"},"
		    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"},"
		    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"later\"},7]");
	assert_int_equal(p.n_later, 2);
	assert_string_equal(p.sent.data, "");
	rpc_result(p.later[1], json_new_object());
	assert_string_equal(p.sent.data, "");
	rpc_result(p.later[0], json_new_object());
	assert_string_equal(p.sent.data,
			    "[{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"
			    "\"message\":\"a request must be an object\"}},"
			    "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}},"
			    "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}},"
			    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]\n");
	str_release(&p.sent);
}

static void a_batch_whose_calls_all_answer_at_once_is_whole(void **state)
{
	(void)state;
	expect("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"},"
	       "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"}]",
	       "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}},"
	       "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}]\n");
}

static void garbage_gets_an_error_and_never_harm(void **state)
{
	static const char valid[] = "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\","
				    "\"params\":{\"a\":[1,2,{\"b\":null}]}}]";
	struct rng rng;

	(void)state;
	rng_init(&rng, 3, 0);
	for (int round = 0; round < 20000; round++) {
		char line[sizeof valid];
		struct peer p = { .sent = STR_INIT };
		struct rpc_peer peer = { &p, on_send, 7 };
		size_t len = 1 + (size_t)rng_below(&rng, sizeof valid - 1);

		memcpy(line, valid, sizeof valid);
		for (int i = 0; i < 3; i++)
			line[rng_below(&rng, len)] = (char)rng_below(&rng, 256);
		line[len] = '\0';
		rpc_receive(&peer, line, len, on_call, &p);
		assert_true(p.sent.len == 0 || p.sent.data[p.sent.len - 1] == '\n');
		str_release(&p.sent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_answered_under_its_id),
		cmocka_unit_test(a_notification_is_not_answered),
		cmocka_unit_test(our_errors_have_their_code_and_name),
		cmocka_unit_test(a_batch_is_answered_as_one_list_when_its_last_answer_is_there),
		cmocka_unit_test(a_batch_whose_calls_all_answer_at_once_is_whole),
		cmocka_unit_test(garbage_gets_an_error_and_never_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

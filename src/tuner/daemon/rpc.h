#ifndef DAEMON_RPC_H
#define DAEMON_RPC_H

#include "base/json.h"

/*
 * JSON-RPC 2.0 (jsonrpc.org/specification): from a line to calls, and from answers to a line.
 * Batches are handled: the answers of one batch are sent as one list, when the last one is there.
 * Nothing here knows of sockets or methods.
 */
enum rpc_code {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_OURS = -32000, /* plus enum err_code */
};

enum { RPC_LINE_MAX = 1 << 20, RPC_BATCH_MAX = 64 };

/* Who gets what is to be sent. */
struct rpc_peer {
	void *ctx;
	void (*send)(void *ctx, int64_t peer, char *line); /* with its newline; taken over */
	int64_t peer;					   /* the peer may be gone by then */
};

struct rpc_batch;

/* One call that waits for its answer. Answering frees it. */
struct rpc_call {
	char *method;
	cJSON *params; /* never NULL: an empty object when there were none */
	cJSON *id;     /* NULL: a notification, whose answer is not sent */
	struct rpc_peer peer;
	struct rpc_batch *batch; /* NULL: it came alone */
};

/* Calls f for every well-formed call of the line; the others are answered with their error. */
typedef void rpc_on_call(void *ctx, struct rpc_call *call);
void rpc_receive(const struct rpc_peer *peer, const char *line, size_t len, rpc_on_call *f,
		 void *ctx);

void rpc_result(struct rpc_call *c, cJSON *result); /* takes result over */
void rpc_error(struct rpc_call *c, int code, const char *message);
void rpc_fail(struct rpc_call *c, const struct err *e); /* with a code of ours */

const char *rpc_err_name(enum err_code code);
enum err_code rpc_err_code(int code); /* what a received error code means here */

#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "tuner/daemon/client.h"
#include "tuner/daemon/endpoint.h"

static char folder[64], path[96];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/evo-client-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/sock", folder);
	return 0;
}

static int tear_down(void **state)
{
	struct err e;

	(void)state;
	return file_remove_tree(folder, &e);
}

/* A daemon that reads one line, says `script` and goes away. */
static pid_t serve(const char *script)
{
	struct endpoint p;
	struct err e;
	pid_t pid;

	assert_int_equal(endpoint_open(path, &p, &e), 0);
	pid = fork();
	if (pid == 0) {
		int fd;
		char c = 0;

		alarm(20);
		do
			fd = accept(p.fd, NULL, NULL);
		while (fd < 0);
		while (c != '\n' && read(fd, &c, 1) == 1)
			;
		_exit(write(fd, script, strlen(script)) < 0);
	}
	assert_true(pid > 0);
	close(p.fd);
	p.fd = -1;
	close(p.lock_fd);
	p.lock_fd = -1;
	endpoint_close(&p);
	return pid;
}

static void the_answer_is_found_among_notifications(void **state)
{
	pid_t pid = serve("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"no\":1}}\n"
			  "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"no\":2}}\n"
			  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":5}}\n"
			  "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"no\":3}}\n");
	struct client *c;
	struct err e;
	cJSON *v;

	(void)state;
	assert_int_equal(client_connect(path, &c, &e), 0);
	assert_int_equal(client_call(c, "daemon.status", NULL, &v, &e), 0);
	assert_int_equal(cJSON_GetObjectItemCaseSensitive(v, "x")->valueint, 5);
	cJSON_Delete(v);
	for (int no = 1; no <= 3; no++) {
		assert_int_equal(client_next(c, 20000, &v, &e), 1);
		assert_int_equal(cJSON_GetObjectItemCaseSensitive(v, "no")->valueint, no);
		cJSON_Delete(v);
	}
	assert_int_equal(client_next(c, 20000, &v, &e), ERR_PROTOCOL);
	client_free(c);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void check_failure(const char *script, enum err_code code, const char *part)
{
	pid_t pid = serve(script);
	struct client *c;
	struct err e;
	cJSON *v;

	assert_int_equal(client_connect(path, &c, &e), 0);
	assert_int_equal(client_call(c, "daemon.status", NULL, &v, &e), code);
	assert_int_equal(e.code, code);
	assert_non_null(strstr(e.msg, part));
	client_free(c);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	unlink(path);
}

static void errors_come_back_with_their_code_and_words(void **state)
{
	(void)state;
	check_failure("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32003,"
		      "\"message\":\"no run 9\"}}\n",
		      ERR_MISSING, "no run 9");
	check_failure("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}\n", ERR_PROTOCOL, "no reason");
	check_failure("{\"jsonrpc\":\"2.0\",\"id\":1}\n", ERR_PROTOCOL, "no result");
	check_failure("certainly\n", ERR_PROTOCOL, "garbled");
	check_failure("{\"jsonrpc\":\"2.0\",\"id\":1,\"resu", ERR_PROTOCOL, "went away");
	check_failure("", ERR_PROTOCOL, "went away");
}

static void expect_refusal(const char *where, enum err_code code, const char *part)
{
	struct client *c;
	struct err e;

	assert_int_equal(client_connect(where, &c, &e), code);
	assert_non_null(strstr(e.msg, part));
}

static void where_no_daemon_is_the_reason_is_told(void **state)
{
	struct str longest = STR_INIT;
	struct err e;

	(void)state;
	expect_refusal(path, ERR_MISSING, path);
	serve("");
	while (waitpid(-1, NULL, WNOHANG) == 0) {
		struct client *c;

		if (client_connect(path, &c, &e) == 0) {
			send(client_fd(c), "\n", 1, MSG_NOSIGNAL); /* it may be gone already */
			client_free(c);
		}
	}
	expect_refusal(path, ERR_MISSING, path); /* its socket is left behind */
	unlink(path);
	assert_int_equal(file_write(path, "x", 1, &e), 0);
	expect_refusal(path, ERR_INVALID, "--socket");
	for (int i = 0; i < 30; i++)
		str_addz(&longest, "/long");
	expect_refusal(longest.data, ERR_INVALID, "--socket");
	str_release(&longest);
}

static void two_daemons_cannot_hold_one_socket(void **state)
{
	struct endpoint a, b;
	char pid[24];
	struct err e;

	(void)state;
	assert_int_equal(endpoint_open(path, &a, &e), 0);
	assert_int_equal(endpoint_open(path, &b, &e), ERR_BUSY);
	snprintf(pid, sizeof pid, "process %d", (int)getpid());
	assert_non_null(strstr(e.msg, pid));
	endpoint_close(&a);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(endpoint_open(path, &b, &e), 0);
	endpoint_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_answer_is_found_among_notifications, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(errors_come_back_with_their_code_and_words, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(where_no_daemon_is_the_reason_is_told, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(two_daemons_cannot_hold_one_socket, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * Why a call failed. Functions that can fail return 0 or a negative enum err_code and fill the
 * caller's struct err. Callers add context on the way up with err_wrap, so that the message reads
 * outermost first: "task softmax.json: kernel.grid[1]: unknown name TILE_X". It is logged or
 * printed once, at the top.
 *
 * A variant that does not compile, faults or answers wrongly is not an error: see
 * runtime/outcome.h.
 */
enum err_code {
	ERR_OK = 0,
	ERR_INVALID = -1,  /* bad input: usage, a task, a file's content, a peer's message */
	ERR_IO = -2,	   /* the system said no */
	ERR_MISSING = -3,  /* no such file, run, device or library */
	ERR_PROTOCOL = -4, /* a peer broke the protocol or went away */
	ERR_FULL = -5,	   /* no space left; nothing was lost, try again later */
	ERR_BUSY = -6,	   /* someone else holds it: a second daemon, a locked database */
	ERR_FAILED =
		-7, /* the work was done and failed: no correct configuration, a gate said no */
};

enum { ERR_MSG_MAX = 1000 };

struct err {
	enum err_code code;
	char msg[ERR_MSG_MAX];
};

/* Each returns the code, so that `return err_set(e, ...)` is one line. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Appends ": strerror(errno)". ENOSPC and EDQUOT give ERR_FULL, ENOENT ERR_MISSING, others ERR_IO.
 */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prepends context and ": "; keeps the code. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

#include "tuner/daemon/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

/* A leading @ names a socket of the abstract kind, which is no file. */
static socklen_t address_of(const char *path, struct sockaddr_un *ret)
{
	size_t len = strlen(path);

	if (len < 2 || len >= sizeof ret->sun_path || (path[0] != '/' && path[0] != '@'))
		return 0;
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->sun_path, path, len);
	if (path[0] == '@')
		ret->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

void notify_send(const char *fmt, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct str text = STR_INIT;
	struct sockaddr_un a;
	socklen_t len = path ? address_of(path, &a) : 0;
	va_list ap;
	int fd;

	if (!len)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	/* A service manager that does not listen is no reason not to serve. */
	if (sendto(fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *)&a, len) < 0)
		text.len = 0;
	str_release(&text);
	close(fd);
}

int64_t notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long n = usec ? strtoll(usec, NULL, 10) : 0;

	if (n < 2000 || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return n / 2000;
}

#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

/* The service manager's end of things: datagrams to $NOTIFY_SOCKET as sd_notify(3) describes them.
 * Without a service manager nothing happens. */
void notify_send(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* How often WATCHDOG=1 is wanted: half of $WATCHDOG_USEC, in milliseconds; 0: never. */
int64_t notify_watchdog_ms(void);

#endif

/* sd_notify(3) without its library: a few bytes on a datagram socket. */
#ifndef PODPID_CLI_NOTIFY_H
#define PODPID_CLI_NOTIFY_H

#include <stdint.h>

/* Send text such as "READY=1\nSTATUS=..." to the service manager, if $NOTIFY_SOCKET names one.
 * Failures are ignored. */
void notify_send(const char *text);

/* How often to send WATCHDOG=1, in ns: half of $WATCHDOG_USEC; 0: the manager does not ask for it.
 */
int64_t notify_watchdog(void);

#endif

/* sd_notify(3) without its library: a few bytes on a datagram socket. */
#ifndef PODPID_CLI_NOTIFY_H
#define PODPID_CLI_NOTIFY_H

#include <stdint.h>

/* Tell the service manager, if there is one ($NOTIFY_SOCKET): "READY=1\nSTATUS=...". Failures are
 * nobody's business. */
void notify_send(const char *text);

/* How often to say WATCHDOG=1: half of $WATCHDOG_USEC, in ns; 0: nobody waits for it. */
int64_t notify_watchdog(void);

#endif

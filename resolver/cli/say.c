/* Messages on standard error, text made safe for a terminal, and the end of standard output. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "resolver/cli/cli.h"

/* Print "podpid: TEXT TAIL" as one line, whatever bytes the text holds. */
static void print_message(const char *tail, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
static void print_message(const char *tail, const char *fmt, va_list ap)
{
    CLI_AUTO(cli_free) char *text = NULL;
    CLI_AUTO(cli_free) char *safe = NULL;

    if (vasprintf(&text, fmt, ap) < 0) {
        text = NULL;
        return;
    }
    safe = podpid_escape(text);
    fprintf(stderr, "podpid: %s%s\n", safe ? safe : "", tail);
}

void cli_say(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print_message("", fmt, ap);
    va_end(ap);
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
    CLI_AUTO(cli_free) char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        text = NULL;
        return cli_nomem();
    }
    if (cli->verb) {
        cli_say("%s: %s (see podpid %s --help)", cli->verb->name, text, cli->verb->name);
    } else {
        cli_say("%s (see podpid --help)", text);
    }
    return CLI_USAGE;
}

int cli_fail(const struct podpid_error *error)
{
    if (error->hint[0]) {
        cli_say("%s: %s", error->message, error->hint);
    } else {
        cli_say("%s", error->message);
    }
    return podpid_exit_status(error->code);
}

int cli_nomem(void)
{
    cli_say("out of memory");
    return podpid_exit_status(PODPID_ERR_NOMEM);
}

static int write_errno; /* errno of a failed write in cli_write(); 0: none */

int cli_close_stdout(int status)
{
    int failed = ferror(stdout);

    errno = 0;
    if (fclose(stdout) != 0 || failed) {
        int why = errno ? errno : write_errno;

        cli_say("cannot write to standard output%s%s", why ? ": " : "", why ? strerror(why) : "");
        return status == CLI_OK ? CLI_NOT_WELL : status;
    }
    return status;
}

int cli_write(void *context, const char *data, size_t n)
{
    (void)context;
    if (fwrite(data, 1, n, stdout) == n) {
        return 0;
    }
    write_errno = errno;
    return -1;
}

/* Replace bytes beyond ASCII by \xNN: in an encoding other than UTF-8 they may be control bytes.
 */
static char *ascii_only(const char *text)
{
    char *safe = malloc(strlen(text) * 4 + 1), *p = safe;

    for (; safe && *text; text++) {
        unsigned char c = (unsigned char)*text;

        p += c < 0x80 ? sprintf(p, "%c", c) : sprintf(p, "\\x%02x", c);
    }
    if (safe) {
        *p = '\0';
    }
    return safe;
}

char *cli_text(const struct cli *cli, const char *text, size_t max)
{
    CLI_AUTO(cli_free) char *cut = NULL;
    char *safe, *ascii;

    if (!text) {
        return strdup("-");
    }
    if (strnlen(text, max + 1) > max) {
        size_t n = max;

        while (n > max - 3 && ((unsigned char)text[n] & 0xc0) == 0x80) {
            n--; /* do not cut within a character */
        }
        if (asprintf(&cut, "%.*s...", (int)n, text) < 0) {
            cut = NULL;
            return NULL;
        }
        text = cut;
    }
    safe = podpid_escape(text);
    if (!safe || cli->utf8) {
        return safe;
    }
    ascii = ascii_only(safe);
    free(safe);
    return ascii;
}

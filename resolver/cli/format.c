/* The output formats: one row each. A verb takes those that can write its kind of document, in the
 * order of this table; the first of them is its default. */
#include "resolver/cli/format.h"

#include <stdio.h>
#include <string.h>

static const struct cli_format formats[] = {
    {.name = "table",
     .snapshot = out_table,
     .report = out_report_table,
     .event = out_event_line,
     .answers = out_answers_table},
    {.name = "wide", .snapshot = out_wide},
    {.name = "tree", .snapshot = out_tree},
    {.name = "short", .report = out_report_short},
    {.name = "text", .cgroup = out_cgroup_text},
    {.name = "json",
     .snapshot = out_json,
     .report = out_report_json,
     .answers = out_answers_json,
     .cgroup = out_cgroup_json},
    {.name = "jsonl", .snapshot = out_jsonl, .event = out_event_json},
    {.name = "yaml", .snapshot = out_yaml},
    {.name = "pid", .snapshot = out_pid},
    {.name = "prom", .snapshot = out_prom, .report = out_report_prom},
};

static bool can_write(const struct cli_format *f, enum cli_document document)
{
    switch (document) {
    case CLI_NO_DOCUMENT:
        break;
    case CLI_SNAPSHOT:
        return f->snapshot;
    case CLI_REPORT:
        return f->report;
    case CLI_EVENT:
        return f->event;
    case CLI_ANSWERS:
        return f->answers;
    case CLI_CGROUP:
        return f->cgroup;
    }
    return false;
}

const struct cli_format *cli_format_find(enum cli_document document, const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (can_write(&formats[i], document) && (!name || strcmp(formats[i].name, name) == 0)) {
            return &formats[i];
        }
    }
    return NULL;
}

const char *cli_format_names(enum cli_document document, char *buffer, size_t size)
{
    size_t used = 0;

    buffer[0] = '\0';
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (can_write(&formats[i], document) && used < size) {
            used += (size_t)snprintf(buffer + used, size - used, "%s%s", used ? "|" : "",
                                     formats[i].name);
        }
    }
    return buffer;
}

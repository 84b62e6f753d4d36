/* The words of a scenario, and what {NAME} stands for in them: ids, uids, lets. */
#ifndef PODPID_TEST_SCENARIO_NAMES_H
#define PODPID_TEST_SCENARIO_NAMES_H

#include "test/support/scenario.h"

const char *scenario_set(struct scenario *s, const char *name, const char *text, bool is_id);

/* 64 hex digits that look like an id, always the same for one alias. */
const char *scenario_id(struct scenario *s, const char *alias);

/* The uid of a pod: digits of its id with dashes. */
const char *scenario_uid(struct scenario *s, const char *alias);

/* Append what name stands for; name is changed. */
void scenario_put_name(struct scenario *s, struct buf *b, char *name);

struct word {
    const char *key; /* NULL: a bare word */
    const char *value;
};

/* Cut one word off *p; "..." keeps spaces, \x escapes, {NAME} is replaced. False: none is left. */
bool scenario_word(struct scenario *s, const char **p, const char *end, struct word *ret);

#endif

/* The words of a scenario, with each {NAME} in them replaced by an ID, a UID or a text of let. */
#ifndef PODPID_TEST_SCENARIO_NAMES_H
#define PODPID_TEST_SCENARIO_NAMES_H

#include "test/support/scenario.h"

const char *scenario_set(struct scenario *s, const char *name, const char *text, bool is_id);

/* Make the ID of an alias: 64 hexadecimal digits, the same ones in every run. */
const char *scenario_id(struct scenario *s, const char *alias);

/* Make the UID of a pod: the first digits of its ID, with dashes. */
const char *scenario_uid(struct scenario *s, const char *alias);

/* Append the text that a name stands for; the name is overwritten. */
void scenario_put_name(struct scenario *s, struct buf *b, char *name);

struct word {
    const char *key; /* NULL: a bare word */
    const char *value;
};

/* Cut one word off *p. A word in "..." may hold spaces, \x is an escape, {NAME} is replaced. False:
 * no word is left. */
bool scenario_word(struct scenario *s, const char **p, const char *end, struct word *ret);

#endif

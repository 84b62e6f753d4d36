/* What the script says to a call. Internal to test/fake_cri. */
#ifndef PODPID_TEST_FAKE_CRI_ANSWER_H
#define PODPID_TEST_FAKE_CRI_ANSWER_H

#include "cri/base/clock.h"
#include "test/fake_cri/stream.h"

/* To a call that was asked in full: answers it, does to it what is to go wrong, or puts it off
 * (answered is false again, due says until when). */
void answer(struct stream *s, nsec now);

#endif

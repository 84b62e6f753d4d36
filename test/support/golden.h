/* Output held against a file in the tree. Running a test with UPDATE_GOLDEN=1 in the environment
 * writes the files anew: look at the difference before it is committed. */
#ifndef PODPID_TEST_GOLDEN_H
#define PODPID_TEST_GOLDEN_H

#include <stddef.h>

/* Fails the test unless text is what the file below fixtures/output/ holds. */
void assert_golden(const char *name, const char *text, size_t n);

#endif

/* cmocka, with the headers that it wants to stand before it. */
#ifndef PODPID_TEST_UNIT_H
#define PODPID_TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif

/*
 * patience.c - every .timeout of a Criterion program, for a machine that others use too.
 *
 * A .timeout says how long a test may take on a machine of its own, and ends one that hangs. Under
 * sanitizers, beside other tests, on a slow host, the same takes many times as long and is no
 * fault.
 */
#include <criterion/hooks.h>
#include <criterion/internal/ordered-set.h>
#include <criterion/types.h>

enum { PATIENCE = 8 };

static void be_patient(struct criterion_suite_set *suite)
{
    FOREACH_SET(struct criterion_test * test, suite->tests)
    {
        test->data->timeout *= PATIENCE;
    }
}

ReportHook(PRE_ALL)(struct criterion_test_set *all)
{
    FOREACH_SET(struct criterion_suite_set * suite, all->suites)
    {
        be_patient(suite);
    }
}

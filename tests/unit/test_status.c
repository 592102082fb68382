#include <criterion/criterion.h>
#include <string.h>

#include "base/status.h"

Test(status, fail_fills_the_line_and_returns_the_status, .timeout = 5)
{
    struct cnv_error err;

    cr_assert_eq(cnv_fail(&err, CNV_E_STALE, "round %d has closed", 3), CNV_E_STALE);
    cr_assert_str_eq(err.text, "round 3 has closed");
    cr_assert_eq(cnv_fail(NULL, CNV_E_SIZE, "x"), CNV_E_SIZE);
}

Test(status, a_long_line_is_cut_not_overrun, .timeout = 5)
{
    struct cnv_error err;
    char text[1000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void) cnv_fail(&err, CNV_E_INPUT, "%s", text);
    cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
}

Test(status, exit_codes_are_the_documented_ones, .timeout = 5)
{
    cr_assert_eq(cnv_status_exit(CNV_OK), 0);
    cr_assert_eq(cnv_status_exit(CNV_E_NOT_FINITE), 1);
    cr_assert_eq(cnv_status_exit(CNV_E_INPUT), 2);
    cr_assert_eq(cnv_status_exit(CNV_E_MISFIT), 3);
    cr_assert_eq(cnv_status_exit(CNV_E_UNREACHABLE), 3);
    cr_assert_eq(cnv_status_exit(CNV_E_TIMEOUT), 4);
    cr_assert_str_eq(cnv_status_name(CNV_E_MISFIT), "misfit");
    cr_assert_str_eq(cnv_status_name((enum cnv_status) - 99), "unknown");
}

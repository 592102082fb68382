#include <criterion/criterion.h>

#include "io/clock.h"

Test(clock, passes_as_the_loop_does, .timeout = 5)
{
    struct cnv_clock clock = { .seen_ms = 7000 };

    cr_assert_eq(cnv_clock_read(&clock, 7000), 7000);
    cr_assert_eq(cnv_clock_read(&clock, 7050), 7050);
    cr_assert_eq(cnv_clock_read(&clock, 7050 + CNV_STALL_MS), 7050 + CNV_STALL_MS);
}

Test(clock, leaves_an_absence_out_whoever_reads_it_first, .timeout = 5)
{
    struct cnv_clock clock = { .seen_ms = 7000 };

    cr_assert_eq(cnv_clock_read(&clock, 7010), 7010);
    uint64_t back_ms = cnv_clock_read(&clock, 67010);
    cr_assert_eq(back_ms, 7010 + CNV_TICK_MS);
    cr_assert_eq(cnv_clock_read(&clock, 67010), back_ms, "the time must not go back");
    cr_assert_eq(cnv_clock_read(&clock, 67020), back_ms + 10);
    cr_assert_eq(cnv_clock_read(&clock, 70000), back_ms + 10 + CNV_TICK_MS);
}

/* test_speed.c - local steps per second of computing. */
#include <criterion/criterion.h>

#include "main/speed.h"

Test(speed, the_first_step_counts_at_once, .timeout = 5)
{
    struct cnv_speed speed = { .steps = 0 };

    cnv_speed_round(&speed, 3);
    cr_assert(cnv_speed_step(&speed, 10000));
    cr_assert_float_eq(speed.steps_per_second, 100.0, 1e-9);
}

Test(speed, contributions_are_not_steps, .timeout = 5)
{
    struct cnv_speed speed = { .steps = 0 };

    cnv_speed_round(&speed, 1);
    cr_assert(cnv_speed_step(&speed, 1000));
    cr_assert_not(cnv_speed_step(&speed, 900000));
    cr_assert_float_eq(speed.steps_per_second, 1000.0, 1e-9);
}

Test(speed, follows_a_host_that_becomes_slow, .timeout = 5)
{
    struct cnv_speed speed = { .steps = 0 };

    cnv_speed_round(&speed, 1000);
    (void) cnv_speed_step(&speed, 1000);
    for (int i = 0; i < 100; i++) {
        (void) cnv_speed_step(&speed, 100000);
    }
    cr_assert_float_eq(speed.steps_per_second, 10.0, 0.1);
}

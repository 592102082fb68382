/* test_cli_interrupt.c - signals that come together are one wish, and one that comes later is
 * another.
 */
#include <criterion/criterion.h>

#include <signal.h>
#include <time.h>

#include "interrupt.h"

static long long now_ms(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

Test(cli_interrupt, two_signals_at_once_are_one_wish, .timeout = 10)
{
    cnv_interrupts_catch();
    cr_assert_eq(cnv_interrupts(), 0);
    cr_assert_eq(raise(SIGTERM), 0);
    cr_assert_eq(raise(SIGHUP), 0);
    cr_assert_eq(cnv_interrupts(), 1);
}

Test(cli_interrupt, a_key_held_down_is_a_second_wish, .timeout = 10)
{
    const struct timespec pause = { .tv_nsec = 20000000 };

    cnv_interrupts_catch();
    cr_assert_eq(raise(SIGINT), 0);
    const long long begin = now_ms();
    while (cnv_interrupts() < 2) {
        (void) nanosleep(&pause, NULL);
        cr_assert_eq(raise(SIGINT), 0);
        cr_assert_lt(now_ms() - begin, 5000, "signals 20 ms apart are never a second wish");
    }
    cr_assert_geq(now_ms() - begin, 249);
}

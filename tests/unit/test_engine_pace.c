#include <criterion/criterion.h>
#include <string.h>

#include "engine_script.h"

Test(engine_pace, tells_who_took_how_long_and_who_waited_for_whom, .timeout = 10)
{
    const char *const settings[] = { "run/agents=3", "run/rounds=9", NULL };
    struct script *script = script_new(settings);

    script_join_all(script, 3, 3);
    script_wait(script, 1000);
    script_offer(script, 1, 1.0);
    script_wait(script, 2000);
    cr_assert_eq(script_member(script, "a1").waited_ms, 2000, "the wait under way counts");
    script_offer(script, 2, 1.0);
    script_wait(script, 4000);
    script_offer(script, 3, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_member(script, "a1").took_ms, 1000);
    cr_assert_eq(script_member(script, "a2").took_ms, 3000);
    cr_assert_eq(script_member(script, "a3").took_ms, 7000);
    cr_assert_eq(script_member(script, "a1").wait_ms, 6000);
    cr_assert_eq(script_member(script, "a2").wait_ms, 4000);
    cr_assert_eq(script_member(script, "a3").wait_ms, 0);
    cr_assert_eq(script_member(script, "a2").held_ms, 0);
    cr_assert_eq(script_member(script, "a3").held_ms, 4000);
    cr_assert(script_noted(script, CNV_NOTE_COMMITTED, "a3 came 4.0 s after the others"));

    script_wait(script, 1000);
    script_offer(script, 3, 1.0);
    script_offer(script, 2, 1.0);
    script_wait(script, 500);
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_member(script, "a1").waited_ms, 6000);
    cr_assert_eq(script_member(script, "a1").held_ms, 500);
    cr_assert_eq(script_member(script, "a1").busy_ms, 1000 + 1500);
    cr_assert_eq(script_member(script, "a1").steps, 6);
    cr_assert_eq(script_member(script, "a3").wait_ms, 500);
    cr_assert_eq(script_member(script, "a3").waited_ms, 500);
    cr_assert_eq(script_member(script, "a3").held_ms, 4000);
    script_destroy(script);
}

Test(engine_pace, waits_in_all_exchanges_of_a_round, .timeout = 10)
{
    const char *const settings[] = { "run/agents=2", "run/rounds=9", "solver/kind=giant", NULL };
    struct script *script = script_new(settings);
    const double losses[10] = { 0 };

    script_join_all(script, 2, 3);
    for (int exchange = 0; exchange < 2; exchange++) {
        script_offer(script, 1, 1.0);
        script_wait(script, 300);
        script_offer(script, 2, 1.0);
    }
    script_offer_scalars(script, 1, losses, 10);
    script_wait(script, 300);
    script_offer_scalars(script, 2, losses, 10);
    cr_assert_eq(script_member(script, "a1").waited_ms, 900);
    cr_assert_eq(script_member(script, "a2").took_ms, 300, "the first exchange");
    script_destroy(script);
}

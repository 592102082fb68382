/* run/iterations: a budget of local steps, kept to the step. */
#include <criterion/criterion.h>

#include "engine_script.h"

Test(engine_iterations, cuts_the_last_round_and_ends_the_run, .timeout = 10)
{
    static const char *const settings[] = {
        "run/agents=2", "run/rounds=0", "run/iterations=7", "policy/local-steps=5", NULL
    };
    struct script *script = script_new(settings);
    const double loss[] = { 0.5 };

    script_join_all(script, 2, 3);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.local_steps, 5);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 1.0);
    cr_assert_eq(script_view(script).iteration, 5);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.local_steps, 2);
    cr_assert_str_eq(script_view(script).reason,
                     "L = 5 in every round; cut to the 2 that run/iterations leaves");
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 1.0);
    cr_assert_eq(script_view(script).iteration, 7);
    cr_assert_eq(script_view(script).version, 2);
    script_offer_scalars(script, 1, loss, 1);
    script_offer_scalars(script, 2, loss, 1);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_str_eq(script_view(script).state_reason, "run/iterations=7 reached");
    script_destroy(script);
}

Test(engine_iterations, cuts_the_first_round_too, .timeout = 10)
{
    static const char *const settings[] = { "run/agents=1", "run/iterations=2", NULL };
    struct script *script = script_new(settings);

    script_join_all(script, 1, 3);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.local_steps, 2);
    script_destroy(script);
}

/* sync/mode=quorum: who is late is left out of the round and is in the next one. */
#include <criterion/criterion.h>
#include <string.h>

#include "engine/quorum.h"
#include "engine_script.h"

static const char *const half[] = { "run/agents=3",
                                    "solver/kind=sgd",
                                    "sync/mode=quorum",
                                    "sync/quorum=0.6",
                                    "sync/deadline=0.5",
                                    "run/rounds=5",
                                    NULL };

static const cnv_peer_id everyone[] = { 1, 2, 3, 0 };

Test(engine_quorum, who_is_late_is_left_out_and_in_the_next_round, .timeout = 10)
{
    struct script *script = script_new(half);
    struct cnv_round_row row;

    script_join_all(script, 3, 2);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script_wait_beating(script, 400, everyone);
    cr_assert_eq(script_view(script).version, 0, "before the deadline all are waited for");
    script_wait_beating(script, 200, everyone);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    cr_assert_not(script_last(script, 3, CNV_KIND_COMMIT)->message.commit.counted);
    cr_assert_eq(script_last(script, 3, CNV_KIND_ANNOUNCE)->message.announce.round, 2);
    cnv_engine_row(script->engine, 0, &row);
    cr_assert_eq(row.contributors, 2);
    cr_assert_not_null(strstr(row.reason, "; 1 late after 0.50 s, a3 first"), "%s", row.reason);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 1.0);
    script_offer(script, 3, 1.0);
    cr_assert_eq(script_view(script).version, 2, "all in time: nobody waits for the deadline");
    script_destroy(script);
}

Test(engine_quorum, too_few_wait_on, .timeout = 10)
{
    struct script *script = script_new(half);

    script_join_all(script, 3, 2);
    script_offer(script, 1, 1.0);
    script_wait_beating(script, 2000, everyone);
    cr_assert_eq(script_view(script).version, 0, "one of three is less than 0.6");
    script_offer(script, 3, 1.0);
    cr_assert_eq(script_view(script).version, 1, "the deadline is long over");
    script_destroy(script);
}

Test(engine_quorum, a_late_offer_changes_nothing, .timeout = 10)
{
    struct script *script = script_new(half);

    script_join_all(script, 3, 2);
    struct cnv_msg_offer late = script_offer_head(script, 3, "f64", 10);
    double values[2] = { 9.0, 9.0 };
    late.scalars.count = 1;
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script_wait_beating(script, 700, everyone);
    script_offer_message(script, 3, &late, values);
    cr_assert_eq(script_last(script, 3, CNV_KIND_ERROR)->message.error.code, 3);
    cr_assert_eq(script_model(script, 0), 2.0);
    script_destroy(script);
}

Test(engine_quorum, the_deadline_is_learnt_within_its_bounds, .timeout = 5)
{
    uint64_t even[] = { 1000, 1100, 900, 1000, 1000 };
    uint64_t spread[] = { 1000, 2000, 1500, 900, 9000 };
    uint64_t quick[] = { 5, 6, 7 };
    uint64_t slow[] = { 50000, 60000, 70000 };

    cr_assert_eq(cnv_quorum_learn(even, 5, 20000), 1000);
    cr_assert_eq(cnv_quorum_learn(spread, 5, 20000), 1500 + 4 * 500);
    cr_assert_eq(cnv_quorum_learn(quick, 3, 20000), 250);
    cr_assert_eq(cnv_quorum_learn(slow, 3, 20000), 20000);
    cr_assert_eq(cnv_quorum_learn(NULL, 0, 20000), 20000);
}

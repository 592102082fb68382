#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "engine_script.h"

static const char *const two_agents[] = { "run/agents=2", "run/rounds=3", NULL };

Test(engine_round, opens_when_all_agents_are_ready, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_load(script, 1, "a1");
    cr_assert_str_eq(script_view(script).state_reason, "waiting for 2 of 2 agents");
    script_load(script, 2, "a2");
    script_ready(script, 1, 3);
    cr_assert_eq(script_view(script).state, CNV_RUN_WAITING);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ANNOUNCE), 0);
    script_ready(script, 2, 3);
    cr_assert_eq(script_view(script).state, CNV_RUN_RUNNING);
    for (cnv_peer_id peer = 1; peer <= 2; peer++) {
        const struct script_sent *announce = script_last(script, peer, CNV_KIND_ANNOUNCE);

        cr_assert_not_null(announce);
        cr_assert_eq(announce->message.announce.round, 1);
        cr_assert_eq(announce->message.announce.version, 0);
        cr_assert_eq(announce->message.announce.local_steps, 3);
        cr_assert_str_eq(announce->message.announce.plan, "model");
        cr_assert(announce->message.announce.evaluate);
        const struct script_sent *commit = script_last(script, peer, CNV_KIND_COMMIT);
        cr_assert_eq(commit->message.commit.version, 0);
        cr_assert_eq(commit->len, 24);
    }
    script_destroy(script);
}

Test(engine_round, commits_the_weighted_mean_and_announces_the_next, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_mark(script);
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 0);
    script_offer(script, 2, 4.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.5);
    cr_assert_eq(script_model(script, 2), 2.5);
    cr_assert_eq(script_view(script).iteration, 3);
    for (cnv_peer_id peer = 1; peer <= 2; peer++) {
        const struct script_sent *commit = script_last(script, peer, CNV_KIND_COMMIT);

        cr_assert_eq(commit->message.commit.version, 1);
        cr_assert(commit->message.commit.counted);
        cr_assert_eq(commit->message.commit.contributors, 2);
        cr_assert_eq(commit->message.commit.iteration, 3);
        cr_assert_eq(script_last(script, peer, CNV_KIND_ANNOUNCE)->message.announce.round, 2);
    }
    struct cnv_round_row row;
    cnv_engine_row(script->engine, 0, &row);
    cr_assert_eq(row.round, 1);
    cr_assert_eq(row.contributors, 2);
    cr_assert_eq(row.loss, 2.5);
    cr_assert_eq(row.variance, 3 * 1.5 * 1.5);
    cr_assert_eq(row.payload_up, 48);
    cr_assert(isnan(row.gradient_norm));
    script_destroy(script);
}

Test(engine_round, goes_on_without_a_loss_where_nobody_has_one, .timeout = 10)
{
    struct script *script = script_new(two_agents);
    struct cnv_round_row row;

    script_join_all(script, 2, 3);
    for (int round = 0; round < 3; round++) {
        for (cnv_peer_id peer = 1; peer <= 2; peer++) {
            const double values[] = { 1.0, 1.0, 1.0 };
            struct cnv_msg_offer offer = script_offer_head(script, peer, "f64", 10);

            script_offer_message(script, peer, &offer, values);
        }
    }
    cr_assert_eq(script_view(script).version, 3);
    script_offer_scalars(script, 1, NULL, 0);
    script_offer_scalars(script, 2, NULL, 0);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    for (size_t i = 0; i < cnv_engine_rows(script->engine); i++) {
        cnv_engine_row(script->engine, i, &row);
        cr_assert(isnan(row.loss));
    }
    script_destroy(script);
}

Test(engine_round, ends_with_the_loss_of_the_final_model, .timeout = 10)
{
    struct script *script = script_new(two_agents);
    const double loss[] = { 0.25 };

    script_join_all(script, 2, 3);
    for (int round = 0; round < 3; round++) {
        script_offer(script, 1, 1.0);
        script_offer(script, 2, 3.0);
    }
    cr_assert_eq(script_view(script).version, 3);
    cr_assert_eq(script_view(script).state, CNV_RUN_RUNNING);
    const struct script_sent *announce = script_last(script, 1, CNV_KIND_ANNOUNCE);
    cr_assert_str_eq(announce->message.announce.plan, "loss");
    cr_assert_eq(announce->message.announce.local_steps, 0);
    script_offer_scalars(script, 1, loss, 1);
    script_offer_scalars(script, 2, loss, 1);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_str_eq(script_view(script).state_reason, "run/rounds=3 reached");
    cr_assert_eq(script_view(script).version, 3);
    cr_assert_eq(cnv_engine_rows(script->engine), 4);
    struct cnv_round_row row;
    cnv_engine_row(script->engine, 3, &row);
    cr_assert_eq(row.round, 0);
    cr_assert_eq(row.loss, 0.25);
    cr_assert_eq(script_last(script, 2, CNV_KIND_FINISH)->message.finish.exit, 0);
    /* Who closes then is not lost. */
    script_gone(script, 2);
    cr_assert_eq(script_member(script, "a2").state, CNV_MEMBER_LEFT);
    cr_assert_str_eq(script_member(script, "a2").why, "the run is over");
    script_destroy(script);
}

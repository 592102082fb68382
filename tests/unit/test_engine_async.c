/*
 * sync/mode=async: a commit comes with every k contributions, each damped by its age, and nobody
 * waits for anybody.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "engine_script.h"

static const char *const one[] = { "run/agents=3",         "solver/kind=sgd", "sync/mode=async",
                                   "policy/local-steps=2", "run/rounds=50",   NULL };

/* An offer for what the member was told to work on last. */
static struct cnv_msg_offer task_head(struct script *script, cnv_peer_id peer)
{
    const struct cnv_msg_announce *announce =
        &script_last(script, peer, CNV_KIND_ANNOUNCE)->message.announce;
    struct cnv_msg_offer offer = script_offer_head(script, peer, "f64", 10);

    offer.round = announce->round;
    offer.attempt = announce->attempt;
    offer.version = announce->version;
    offer.exchange = 0;
    return offer;
}

static void offer_task(struct script *script, cnv_peer_id peer, double value)
{
    struct cnv_msg_offer offer = task_head(script, peer);
    double values[2] = { value, value };

    script_offer_message(script, peer, &offer, values);
}

Test(engine_async, each_contribution_is_a_commit_and_its_member_goes_on, .timeout = 10)
{
    struct script *script = script_new(one);

    script_join_all(script, 3, 2);
    script_mark(script);
    script_offer(script, 2, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_view(script).iteration, 2);
    cr_assert_eq(script_model(script, 0), 1.0);
    const struct cnv_msg_commit *commit = &script_last(script, 2, CNV_KIND_COMMIT)->message.commit;
    cr_assert_eq(commit->version, 1);
    cr_assert(commit->counted);
    const struct cnv_msg_announce *announce =
        &script_last(script, 2, CNV_KIND_ANNOUNCE)->message.announce;
    cr_assert_eq(announce->version, 1);
    cr_assert_eq(announce->iteration, 2);
    cr_assert_eq(script_count(script, 1, CNV_KIND_COMMIT), 0, "the others work on");
    cr_assert_eq(script_count(script, 1, CNV_KIND_ANNOUNCE), 0);
    script_destroy(script);
}

Test(engine_async, an_older_contribution_weighs_less, .timeout = 10)
{
    struct script *script = script_new(one);

    script_join_all(script, 3, 2);
    struct cnv_msg_offer old = task_head(script, 1);
    double values[2] = { 3.0, 3.0 };
    offer_task(script, 2, 1.0);
    offer_task(script, 2, 1.0);
    offer_task(script, 2, 1.0);
    cr_assert_eq(script_model(script, 0), 3.0);
    script_offer_message(script, 1, &old, values); /* three versions old: 1/2 */
    cr_assert_eq(script_view(script).version, 4);
    cr_assert_eq(script_model(script, 0), 3.0 + 3.0 * pow(4.0, -0.5));
    struct cnv_round_row row;
    cnv_engine_row(script->engine, 3, &row);
    cr_assert_eq(row.contributors, 1);
    cr_assert(isnan(row.loss) && isnan(row.variance));
    script_destroy(script);
}

Test(engine_async, a_contribution_counts_once, .timeout = 10)
{
    struct script *script = script_new(one);

    script_join_all(script, 3, 2);
    struct cnv_msg_offer offer = task_head(script, 1);
    double values[2] = { 1.0, 1.0 };
    script_offer_message(script, 1, &offer, values);
    script_offer_message(script, 1, &offer, values);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 1.0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, 3);
    script_destroy(script);
}

Test(engine_async, what_is_too_old_is_refused_by_name_and_goes_on_from_the_newest, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){
        "run/agents=2", "solver/kind=sgd", "sync/mode=async", "sync/staleness=1", NULL });

    script_join_all(script, 2, 2);
    struct cnv_msg_offer old = task_head(script, 1);
    double values[2] = { 9.0, 9.0 };
    offer_task(script, 2, 1.0);
    offer_task(script, 2, 1.0);
    script_mark(script);
    script_offer_message(script, 1, &old, values);
    cr_assert_eq(script_view(script).version, 2);
    cr_assert_eq(script_model(script, 0), 2.0);
    cr_assert(script_noted(script, CNV_NOTE_REFUSED, "the update of a1 is 2 versions old"));
    cr_assert_not(script_last(script, 1, CNV_KIND_COMMIT)->message.commit.counted);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.version, 2);
    offer_task(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 3);
    cr_assert_eq(script_member(script, "a1").rounds, 1);
    script_destroy(script);
}

Test(engine_async, the_first_k_are_averaged, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){
        "run/agents=3", "solver/kind=sgd", "sync/mode=async", "sync/contributions=2", NULL });

    script_join_all(script, 3, 2);
    script_offer(script, 3, 1.0);
    cr_assert_eq(script_view(script).version, 0);
    script_offer(script, 1, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    script_leave(script, 1);
    script_leave(script, 3);
    offer_task(script, 2, 4.0); /* the only one left: not so many can come */
    cr_assert_eq(script_view(script).version, 2);
    script_destroy(script);
}

Test(engine_async, an_offer_that_comes_while_another_is_made_durable_waits, .timeout = 10)
{
    struct script *script = script_new(one);

    script_join_all(script, 3, 2);
    script->holds_persist = true;
    offer_task(script, 1, 1.0);
    offer_task(script, 2, 1.0);
    cr_assert_eq(script_view(script).version, 0);
    script_persisted(script);
    script_persisted(script);
    cr_assert_eq(script_view(script).version, 2);
    cr_assert_eq(script_model(script, 0), 1.0 + pow(2.0, -0.5));
    cr_assert_eq(script_member(script, "a2").rounds, 1);
    script->holds_persist = false;
    script_destroy(script);
}

Test(engine_async, a_member_that_is_not_finite_waits_for_the_next_commit, .timeout = 10)
{
    struct script *script = script_new(one);

    script_join_all(script, 3, 2);
    offer_task(script, 1, NAN);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, 40);
    cr_assert_eq(script_view(script).version, 0);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ANNOUNCE), 1);
    offer_task(script, 2, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ANNOUNCE), 2);
    script_destroy(script);
}

Test(engine_async, three_times_nothing_valid_fails_the_run, .timeout = 10)
{
    struct script *script = script_new(
        (const char *const[]){ "run/agents=1", "solver/kind=sgd", "sync/mode=async", NULL });

    script_join_all(script, 1, 2);
    for (int i = 0; i < 3; i++) {
        offer_task(script, 1, NAN);
    }
    cr_assert_eq(script_view(script).state, CNV_RUN_FAILED);
    cr_assert_str_eq(
        script_view(script).state_reason,
        "all 1 updates not finite: a smaller solver/step or a larger problem/l2 may help");
    script_destroy(script);
}

Test(engine_async, who_lost_its_commit_gets_the_newest_and_hears_that_it_counted, .timeout = 10)
{
    struct script *script = script_new(one);

    script_join_all(script, 3, 2);
    offer_task(script, 1, 1.0);
    offer_task(script, 2, 1.0);
    script_wait(script, 3000);
    script_mark(script);
    script_beat(script, 1, 0, 1, 1, 0); /* still at version 0 */
    const struct cnv_msg_commit *commit = &script_last(script, 1, CNV_KIND_COMMIT)->message.commit;
    cr_assert_eq(commit->version, 2);
    cr_assert(commit->counted);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.version, 2);
    script_destroy(script);
}

Test(engine_async, the_last_loss_is_that_of_the_newest_model, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){
        "run/agents=2", "solver/kind=sgd", "sync/mode=async", "run/rounds=1", NULL });
    const double loss = 0.25;

    script_join_all(script, 2, 2);
    offer_task(script, 1, 1.0);
    cr_assert_eq(script_last(script, 2, CNV_KIND_COMMIT)->message.commit.version, 1);
    cr_assert_str_eq(script_last(script, 2, CNV_KIND_ANNOUNCE)->message.announce.plan, "loss");
    script_offer_scalars(script, 1, &loss, 1);
    script_offer_scalars(script, 2, &loss, 1);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    script_destroy(script);
}

Test(engine_async, an_offer_that_waits_when_the_run_ends_is_no_loss, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){
        "run/agents=2", "solver/kind=sgd", "sync/mode=async", "run/rounds=1", NULL });
    const double loss = 0.25;

    script_join_all(script, 2, 2);
    script->holds_persist = true;
    offer_task(script, 1, 1.0);
    offer_task(script, 2, 1.0); /* while the last commit is made durable */
    script->holds_persist = false;
    script_persisted(script);
    cr_assert_str_eq(script_last(script, 2, CNV_KIND_ANNOUNCE)->message.announce.plan, "loss");
    script_offer_scalars(script, 1, &loss, 1);
    cr_assert_eq(script_view(script).state, CNV_RUN_RUNNING, "the other has not said its loss");
    script_offer_scalars(script, 2, &loss, 1);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_eq(script_view(script).version, 1);
    struct cnv_round_row row;
    cnv_engine_row(script->engine, cnv_engine_rows(script->engine) - 1, &row);
    cr_assert_eq(row.loss, loss);
    script_destroy(script);
}

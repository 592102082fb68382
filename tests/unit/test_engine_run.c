#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "engine_script.h"

static const cnv_peer_id both[] = { 1, 2, 0 };

static struct script *start_with(const char *setting, const char *other)
{
    struct script *script =
        script_new((const char *const[]){ "run/agents=2", "run/rounds=0", setting, other, NULL });

    script_join_all(script, 2, 2);
    return script;
}

static void round_with(struct script *script, double value)
{
    script_offer(script, 1, value);
    script_offer(script, 2, value);
}

/* Ends the evaluation after the last round. */
static void evaluate(struct script *script, double loss)
{
    cr_assert_str_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.plan, "loss");
    script_offer_scalars(script, 1, &loss, 1);
    script_offer_scalars(script, 2, &loss, 1);
}

Test(engine_run, stops_after_its_seconds, .timeout = 10)
{
    struct script *script = start_with("run/seconds=5", NULL);

    round_with(script, 1.0);
    script_wait_beating(script, 5100, both);
    cr_assert_eq(script_view(script).state, CNV_RUN_RUNNING); /* the round in hand is finished */
    round_with(script, 1.0);
    evaluate(script, 0.5);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_str_eq(script_view(script).state_reason, "run/seconds=5 reached");
    cr_assert_float_eq(script_view(script).seconds, 5.1, 1e-9);
    script_wait(script, 1000);
    cr_assert_float_eq(script_view(script).seconds, 5.1, 1e-9);
    script_destroy(script);
}

Test(engine_run, its_seconds_also_end_a_run_that_waits, .timeout = 10)
{
    struct script *script = start_with("run/seconds=5", NULL);

    script_gone(script, 1);
    script_gone(script, 2);
    script_wait(script, 4900);
    cr_assert_eq(script_view(script).state, CNV_RUN_WAITING);
    script_wait(script, 200);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    script_destroy(script);
}

Test(engine_run, stops_at_a_loss, .timeout = 10)
{
    struct script *script = start_with("stop/loss=0.5", NULL);

    round_with(script, 0.75);
    cr_assert_eq(script_view(script).version, 1);
    round_with(script, 0.5);
    evaluate(script, 0.25);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_str_eq(script_view(script).state_reason,
                     "stop/loss=0.5 reached: loss 0.5 before round 2");
    script_destroy(script);
}

/* A round of giant to its end, whose gradient has that norm; the run ends behind it. */
static void stops_at(const char *rule, const char *reason)
{
    struct script *script = start_with("solver/kind=giant", rule);
    const double loss[] = { 0.5 };

    round_with(script, 0.0625);
    round_with(script, 1.0);
    script_offer_scalars(script, 1, loss, 1);
    script_offer_scalars(script, 2, loss, 1);
    for (cnv_peer_id peer = 1; peer <= 2; peer++) {
        struct cnv_msg_offer offer = script_offer_head(script, peer, "scaled", 10);
        double factor = -1.0;

        offer.reference = 1;
        script_offer_message(script, peer, &offer, &factor);
    }
    evaluate(script, 0.25);
    cr_assert_str_eq(script_view(script).state_reason, reason);
    script_destroy(script);
}

/* Two coordinates of 0.0625. */
Test(engine_run, stops_at_a_gradient, .timeout = 10)
{
    stops_at("stop/gradient=0.1", "stop/gradient=0.1 reached: norm 0.0884 before round 1");
    stops_at("stop/gradient-rms=0.0625", "stop/gradient-rms=0.0625 reached: 0.0625 before round 1");
}

Test(engine_run, stops_after_its_bytes, .timeout = 10)
{
    struct script *script = start_with("stop/bytes=4000", NULL);

    while (script_view(script).state == CNV_RUN_RUNNING &&
           strcmp(script_view(script).exchange_name, "loss") != 0) {
        round_with(script, 1.0);
    }
    cr_assert_gt(script_view(script).version, 1);
    struct cnv_round_row row;
    cnv_engine_row(script->engine, script_view(script).version - 1, &row);
    cr_assert_geq(row.bytes_up + row.bytes_down, 4000);
    cnv_engine_row(script->engine, script_view(script).version - 2, &row);
    cr_assert_lt(row.bytes_up + row.bytes_down, 4000);
    evaluate(script, 0.5);
    cr_assert(strstr(script_view(script).state_reason, "stop/bytes=4000 reached") != NULL);
    script_destroy(script);
}

Test(engine_run, a_drain_finishes_the_round_in_hand, .timeout = 10)
{
    struct script *script = start_with("policy/evaluate=1", NULL);

    round_with(script, 1.0);
    script_offer(script, 1, 1.0);
    cnv_engine_drain(script->engine, script->now_ms, "SIGTERM");
    cr_assert_eq(script_view(script).state, CNV_RUN_DRAINING);
    script_offer(script, 2, 1.0);
    cr_assert_eq(script_view(script).version, 2);
    evaluate(script, 0.5);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_str_eq(script_view(script).state_reason, "drained: SIGTERM");
    cr_assert_eq(script_last(script, 1, CNV_KIND_FINISH)->message.finish.exit, 0);
    script_destroy(script);
}

Test(engine_run, a_drain_gives_the_round_up_when_it_takes_too_long, .timeout = 10)
{
    struct script *script = start_with("limits/drain=8", NULL);

    round_with(script, 1.0);
    cnv_engine_drain(script->engine, script->now_ms, "SIGTERM");
    script_wait_beating(script, 7900, both);
    cr_assert_eq(script_view(script).state, CNV_RUN_DRAINING);
    script_wait_beating(script, 200, both);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_eq(script_view(script).version, 1);
    script_destroy(script);
}

Test(engine_run, a_drain_without_a_round_ends_at_once, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "run/agents=2", NULL });

    script_load(script, 1, "a1");
    cnv_engine_drain(script->engine, script->now_ms, "operator");
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_eq(script_count(script, 1, CNV_KIND_FINISH), 1);
    script_destroy(script);
}

Test(engine_run, stop_gives_the_round_up_but_not_a_commit_under_way, .timeout = 10)
{
    struct script *script = start_with("policy/evaluate=1", NULL);

    round_with(script, 1.0);
    script->holds_persist = true;
    round_with(script, 1.0);
    cnv_engine_stop(script->engine, script->now_ms, "operator");
    cr_assert_eq(script_view(script).state, CNV_RUN_RUNNING);
    script_persisted(script);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_eq(script_view(script).version, 2);
    cr_assert_eq(script_last(script, 1, CNV_KIND_COMMIT)->message.commit.version, 2);
    cr_assert_str_eq(script_view(script).state_reason, "stopped: operator");
    script_destroy(script);

    script = start_with("policy/evaluate=1", NULL);
    script_offer(script, 1, 1.0);
    cnv_engine_stop(script->engine, script->now_ms, "operator");
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_eq(script_view(script).version, 0);
    cnv_engine_stop(script->engine, script->now_ms, "again");
    cnv_engine_drain(script->engine, script->now_ms, "again");
    cr_assert_str_eq(script_view(script).state_reason, "stopped: operator");
    script_destroy(script);
}

Test(engine_run, the_last_loss_stays_unknown_when_all_are_gone, .timeout = 10)
{
    struct script *script = start_with("run/rounds=1", NULL);
    struct cnv_round_row row;

    round_with(script, 1.0);
    script_gone(script, 1);
    script_gone(script, 2);
    script_wait(script, 3100);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_str_eq(script_view(script).state_reason, "run/rounds=1 reached");
    cnv_engine_row(script->engine, 1, &row);
    cr_assert(isnan(row.loss));
    script_destroy(script);
}

Test(engine_run, finish_waits_for_who_receives_the_last_model, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "run/agents=1", NULL });
    struct cnv_message credit = { .kind = CNV_KIND_CREDIT };

    script_join_all(script, 1, 100000);
    script_attach(script, 1, 1001);
    cnv_engine_stop(script->engine, script->now_ms, "operator");
    cr_assert_eq(script_count(script, 1, CNV_KIND_FINISH), 0);
    credit.credit.transfer = 1;
    credit.credit.limit = 8;
    script_say(script, 1, &credit, NULL, 0);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), 1);
    cr_assert_eq(script_count(script, 1, CNV_KIND_FINISH), 0);
    credit.credit.next = 1;
    script_say(script, 1, &credit, NULL, 0);
    cr_assert_eq(script_count(script, 1, CNV_KIND_FINISH), 1);
    script_destroy(script);

    script = script_new((const char *const[]){ "run/agents=1", NULL });
    script_join_all(script, 1, 100000);
    cnv_engine_stop(script->engine, script->now_ms, "operator");
    script_wait(script, 7900);
    cr_assert_eq(script_count(script, 1, CNV_KIND_FINISH), 0);
    script_wait(script, 200);
    cr_assert_eq(script_count(script, 1, CNV_KIND_FINISH), 1);
    script_destroy(script);
}

Test(engine_run, a_beat_after_the_end_brings_finish_again, .timeout = 10)
{
    struct script *script = start_with("policy/evaluate=1", NULL);

    cnv_engine_stop(script->engine, script->now_ms, "operator");
    script_mark(script);
    script_beat(script, 1, 0, 1, 1, 0);
    cr_assert_eq(script_count(script, 1, CNV_KIND_FINISH), 1);
    script_destroy(script);
}

Test(engine_run, evaluates_every_so_many_rounds, .timeout = 10)
{
    struct script *script = start_with("policy/evaluate=3", NULL);
    static const bool expected[] = { true, false, false, true, false };

    for (size_t i = 0; i < 5; i++) {
        struct cnv_round_row row;

        cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.evaluate,
                     expected[i]);
        round_with(script, 1.0);
        cnv_engine_row(script->engine, i, &row);
        cr_assert_eq(!isnan(row.loss), expected[i]);
    }
    script_destroy(script);
}

Test(engine_run, adaptive_l_lags_one_round_and_ends_with_giant, .timeout = 10)
{
    struct script *script = start_with("policy/kind=adaptive-l", "policy/local-steps=2");
    static const struct {
        double loss; /* at the model the round starts from */
        uint32_t steps;
        const char *solver;
        const char *reason;
    } rounds[] = {
        { 0.75, 2, "newton", "L = 2 to begin with" },
        { 0.5, 2, "newton", "L stays 2: no two losses of the same members to compare yet" },
        { 0.498046875, 2, "newton", "L stays 2: loss fell by 2.5e-01, at least 1.0e-02" },
        { 0.5, 1, "newton", "L 2 -> 1: loss fell by 2.0e-03, less than 1.0e-02" },
        { 0.5, 1, "giant", "L 1 -> giant: loss rose by 2.0e-03" },
    };

    for (size_t i = 0; i < 5; i++) {
        const struct script_sent *announce = script_last(script, 1, CNV_KIND_ANNOUNCE);

        cr_assert_eq(announce->message.announce.local_steps, rounds[i].steps, "round %zu", i + 1);
        cr_assert_str_eq(announce->message.announce.solver, rounds[i].solver);
        cr_assert_str_eq(script_view(script).reason, rounds[i].reason);
        if (i < 4) {
            struct cnv_round_row row;

            round_with(script, rounds[i].loss);
            cnv_engine_row(script->engine, i, &row);
            cr_assert_eq(row.loss, rounds[i].loss);
            cr_assert_eq(row.local_steps, rounds[i].steps);
            cr_assert_str_eq(row.reason, rounds[i].reason);
        }
    }
    cr_assert_str_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.plan,
                     "gradient,direction,loss,model");
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.iteration, 7);
    script_destroy(script);
}

Test(engine_run, losses_of_different_members_are_not_compared, .timeout = 10)
{
    struct script *script = start_with("policy/kind=adaptive-l", NULL);

    round_with(script, 0.75);
    script_offer(script, 1, 0.75);
    script_leave(script, 2);
    cr_assert_eq(script_view(script).version, 2);
    cr_assert_str_eq(script_view(script).reason,
                     "L stays 3: no two losses of the same members to compare yet");
    script_offer(script, 1, 0.75);
    cr_assert_str_eq(script_view(script).reason,
                     "L 3 -> 2: loss fell by 0.0e+00, less than 1.0e-02");
    script_destroy(script);
}

Test(engine_run, the_record_holds_what_must_not_be_lost, .timeout = 10)
{
    struct script *script = start_with("policy/kind=adaptive-l", "policy/delta=inf");

    script->holds_persist = true;
    script_offer(script, 1, 1.0);
    script_mark(script);
    script_offer(script, 2, 1.0);
    cr_assert_eq(script->record.run, 77);
    cr_assert_eq(script->record.version, 1);
    cr_assert_eq(script->record.round, 1);
    cr_assert_eq(script->record.iteration, 3);
    cr_assert_eq(script->record.policy_state_len, 5);
    script_persisted(script);
    cr_assert_eq(script->record.digest, script_view(script).digest);
    script_destroy(script);
}

Test(engine_run, reports_are_summed_over_members_and_counted_once, .timeout = 10)
{
    struct script *script = start_with("policy/evaluate=0", NULL);
    struct cnv_message report = { .kind = CNV_KIND_REPORT };

    cr_assert_str_eq(script_view(script).test_metric, "");
    round_with(script, 1.0);
    report.report.run = 77;
    report.report.version = 1;
    report.report.rows = 10;
    report.report.value = 9;
    (void) snprintf(report.report.metric, sizeof(report.report.metric), "correct");
    script_say(script, 1, &report, NULL, 0);
    script_say(script, 1, &report, NULL, 0);
    report.report.rows = 30;
    report.report.value = 21;
    script_say(script, 2, &report, NULL, 0);
    cr_assert_str_eq(script_view(script).test_metric, "accuracy");
    cr_assert_eq(script_view(script).test_value, 0.75);
    cr_assert_eq(script_view(script).test_rows, 40);
    cr_assert_eq(script_view(script).test_version, 1);
    report.report.value = (double) NAN;
    script_say(script, 2, &report, NULL, 0);
    cr_assert_eq(script_view(script).test_value, 0.75);
    script_destroy(script);
}

Test(engine_run, a_probe_beats_to_every_connected_member, .timeout = 10)
{
    struct script *script = start_with("policy/evaluate=0", NULL);

    script_gone(script, 2);
    script_mark(script);
    cnv_engine_probe(script->engine, script->now_ms);
    cr_assert_eq(script_count(script, 1, CNV_KIND_BEAT), 1);
    cr_assert_eq(script_count(script, 2, CNV_KIND_BEAT), 0);
    cr_assert_str_eq(script_last(script, 1, CNV_KIND_BEAT)->message.beat.state, "running");
    script_destroy(script);
}

Test(engine_run, states_have_names, .timeout = 10)
{
    cr_assert_str_eq(cnv_run_state_name(CNV_RUN_WAITING), "waiting");
    cr_assert_str_eq(cnv_run_state_name(CNV_RUN_RUNNING), "running");
    cr_assert_str_eq(cnv_run_state_name(CNV_RUN_DRAINING), "draining");
    cr_assert_str_eq(cnv_run_state_name(CNV_RUN_FINISHED), "finished");
    cr_assert_str_eq(cnv_run_state_name(CNV_RUN_FAILED), "failed");
    cr_assert_str_eq(cnv_member_state_name(CNV_MEMBER_LOST), "lost");
    cr_assert_str_eq(cnv_member_state_name(CNV_MEMBER_OFFERED), "offered");
}

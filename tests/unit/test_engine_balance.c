#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "engine_script.h"

static const char *const balanced[] = {
    "run/agents=3",        "run/rounds=9",    "policy/local-steps=7",
    "policy/balance=time", "solver/kind=sgd", NULL,
};

static uint64_t told(struct script *script, cnv_peer_id peer)
{
    return script_last(script, peer, CNV_KIND_ANNOUNCE)->message.announce.local_steps;
}

static void tell_speed(struct script *script, cnv_peer_id peer, double steps_per_second)
{
    struct cnv_engine_view view = script_view(script);
    struct cnv_message message = { .kind = CNV_KIND_BEAT };

    message.beat.run = 77;
    message.beat.version = view.version;
    message.beat.round = view.round;
    message.beat.attempt = view.attempt;
    message.beat.steps_per_second = steps_per_second;
    script_say(script, peer, &message, NULL, 0);
}

/* Agent i offers value i once it has taken its steps, at 100, 200 and 400 ms each. */
static const uint64_t step_ms[] = { 0, 100, 200, 400 };

static void play_round(struct script *script)
{
    uint64_t now_ms = 0;
    uint64_t version = script_view(script).version;

    for (; script_view(script).version == version; now_ms += 100) {
        for (cnv_peer_id peer = 1; peer <= 3; peer++) {
            if (now_ms == told(script, peer) * step_ms[peer]) {
                script_offer(script, peer, (double) peer);
            }
        }
        if (script_view(script).version == version) {
            script_wait(script, 100);
        }
    }
}

Test(engine_balance, gives_faster_hosts_more_steps_from_the_second_round_on, .timeout = 10)
{
    struct script *script = script_new(balanced);

    script_join_all(script, 3, 3);
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        cr_assert_eq(told(script, peer), 7, "nothing is known yet");
    }
    play_round(script);
    cr_assert_eq(script_member(script, "a1").wait_ms, 2100);
    cr_assert_eq(told(script, 1), 12);
    cr_assert_eq(told(script, 2), 6);
    cr_assert_eq(told(script, 3), 3);
    cr_assert_eq(script_member(script, "a3").local_steps, 3);
    cr_assert(strstr(script_view(script).reason, "balanced: 3 (a3) to 12 (a1) steps in 1.2 s"),
              "%s",
              script_view(script).reason);
    cr_assert(script_noted(script, CNV_NOTE_BALANCED, "12 local steps where the policy says 7"));
    cr_assert_eq(script_view(script).local_steps, 7);
    play_round(script);
    cr_assert_eq(script_member(script, "a1").wait_ms, 0);
    cr_assert_eq(script_view(script).iteration, 14, "iterations count the policy's L");
    size_t notes = script->note_count;
    play_round(script);
    cr_assert_eq(told(script, 1), 12, "it stays");
    cr_assert_eq(script->note_count, notes + 1, "and nothing but the commit is noted");
    script_destroy(script);
}

Test(engine_balance, tells_the_link_from_the_steps, .timeout = 10)
{
    struct script *script = script_new(balanced);

    /* All take 0.1 s a step; the third needs 1.4 s more for its link. */
    script_join_all(script, 3, 3);
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        tell_speed(script, peer, 10);
    }
    script_wait(script, 700);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 1.0);
    script_wait(script, 1400);
    script_offer(script, 3, 1.0);
    cr_assert_eq(told(script, 1), 10);
    cr_assert_eq(told(script, 2), 10);
    cr_assert_eq(told(script, 3), 1, "2.1 s would be too long for more than one");
    script_destroy(script);
}

Test(engine_balance, normalises_by_steps_taken, .timeout = 10)
{
    struct script *script = script_new(balanced);

    script_join_all(script, 3, 3);
    play_round(script);
    cr_assert_eq(script_model(script, 0), (1.0 + 2.0 + 3.0) / 3, "equal steps are not touched");
    double before = script_model(script, 0);
    play_round(script);
    double mean_steps = (12.0 + 6 + 3) / 3;
    double expected = mean_steps * (1.0 / 12 + 2.0 / 6 + 3.0 / 3) / 3;
    cr_assert_float_eq(script_model(script, 0) - before, expected, 1e-12);
    struct cnv_round_row row;
    cnv_engine_row(script->engine, 1, &row);
    double variance = 0;
    for (int i = 1; i <= 3; i++) {
        double steps = i == 1 ? 12 : i == 2 ? 6 : 3;

        variance += 3 * pow(mean_steps * i / steps - expected, 2) / 3;
    }
    cr_assert_float_eq(row.variance, variance, 1e-12, "of the updates as they are averaged");
    cr_assert_eq(row.local_steps, 7);
    script_destroy(script);
}

Test(engine_balance, refuses_other_steps_than_it_asked_for, .timeout = 10)
{
    struct script *script = script_new(balanced);
    const double values[] = { 1, 1, 1 };

    script_join_all(script, 3, 3);
    struct cnv_msg_offer offer = script_offer_head(script, 1, "f64", 10);
    offer.steps = 1; /* would weigh seven times as much */
    script_offer_message(script, 1, &offer, values);
    cr_assert(script_noted(script, CNV_NOTE_REFUSED, "1 local steps taken, 7 were asked for"));
    script_offer(script, 2, 1.0);
    script_offer(script, 3, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_member(script, "a1").refused, 1);
    script_destroy(script);
}

static void join_with_own_data(struct script *script, cnv_peer_id peer, const char *name)
{
    script_hello_as(script, peer, name, peer, 1, 1);
    script_loaded(script, peer);
}

Test(engine_balance, gives_a_newcomer_what_the_policy_says, .timeout = 10)
{
    struct script *script = script_new(balanced);

    join_with_own_data(script, 1, "a1");
    join_with_own_data(script, 2, "a2");
    join_with_own_data(script, 3, "a3");
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        script_ready(script, peer, 3);
    }
    join_with_own_data(script, 4, "a4");
    script_ready(script, 4, 3);
    play_round(script);
    cr_assert_eq(told(script, 4), 7);
    cr_assert_eq(told(script, 1), 12, "the others divide theirs");
    cr_assert_eq(told(script, 3), 3);
    script_destroy(script);
}

Test(engine_balance, leaves_rounds_of_several_exchanges_alone, .timeout = 10)
{
    const char *const settings[] = {
        "run/agents=2",
        "policy/balance=time",
        "solver/kind=giant",
        NULL,
    };
    struct script *script = script_new(settings);

    script_join_all(script, 2, 3);
    script_wait(script, 500);
    script_offer(script, 1, 1.0);
    script_wait(script, 500);
    script_offer(script, 2, 1.0);
    cr_assert_eq(told(script, 1), 3);
    cr_assert_null(strstr(script_view(script).reason, "balanced"));
    script_destroy(script);
}

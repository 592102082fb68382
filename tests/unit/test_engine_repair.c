#include <criterion/criterion.h>
#include <string.h>

#include "engine_script.h"

static const char *const two_agents[] = { "run/agents=2", "limits/heartbeat=2", NULL };

/* Time for the beat that shows the loss: until then the message may still be on its way. */
static struct script *start(const char *const *settings)
{
    struct script *script = script_new(settings);

    script_join_all(script, 2, 2);
    return script;
}

Test(engine_repair, a_member_that_is_up_to_date_gets_nothing, .timeout = 10)
{
    struct script *script = start(two_agents);

    script->now_ms += 2000;
    script_mark(script);
    script_beat(script, 1, 0, 1, 1, 0);
    cr_assert_eq(script->sent_count, script->mark);
    script_destroy(script);
}

Test(engine_repair, a_beat_that_crossed_a_commit_costs_no_second_one, .timeout = 10)
{
    struct script *script = start(two_agents);

    script_mark(script);
    script_beat(script, 1, 0, 0, 0, 0);
    cr_assert_eq(script->sent_count, script->mark);
    script_destroy(script);
}

Test(engine_repair, commit_and_announce_come_again, .timeout = 10)
{
    struct script *script = start(two_agents);

    script->now_ms += 2000;
    script_mark(script);
    script_beat(script, 1, 0, 0, 0, 0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_COMMIT)->message.commit.version, 0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.round, 1);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 1.0);
    script->now_ms += 2000;
    script_mark(script);
    script_beat(script, 1, 0, 1, 1, 0);
    const struct script_sent *commit = script_last(script, 1, CNV_KIND_COMMIT);
    cr_assert_eq(commit->message.commit.version, 1);
    cr_assert(commit->message.commit.counted);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.round, 2);
    script_mark(script);
    script->now_ms += 2000;
    script_beat(script, 1, 1, 1, 1, 0); /* has the commit, not the announce */
    cr_assert_eq(script_count(script, 1, CNV_KIND_COMMIT), 0);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ANNOUNCE), 1);
    script_destroy(script);
}

Test(engine_repair, the_announce_of_a_new_attempt_comes_again, .timeout = 10)
{
    struct script *script = start(
        (const char *const[]){ "run/agents=2", "limits/heartbeat=2", "solver/kind=giant", NULL });

    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script_leave(script, 2);
    cr_assert_eq(script_view(script).attempt, 2);
    script->now_ms += 2000;
    script_mark(script);
    script_beat(script, 1, 0, 1, 1, 1);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.attempt, 2);
    cr_assert_eq(script_count(script, 1, CNV_KIND_SETTLED), 0);
    script_destroy(script);
}

Test(engine_repair, a_result_comes_again, .timeout = 10)
{
    struct script *script = start(
        (const char *const[]){ "run/agents=2", "limits/heartbeat=2", "solver/kind=giant", NULL });

    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script->now_ms += 2000;
    script_mark(script);
    script_beat(script, 1, 0, 1, 1, 0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_SETTLED)->message.settled.exchange, 0);
    script_mark(script);
    script->now_ms += 2000;
    script_beat(script, 1, 0, 1, 1, 1);
    cr_assert_eq(script_count(script, 1, CNV_KIND_SETTLED), 0);
    script_destroy(script);
}

Test(engine_repair, a_large_model_is_told_again_under_the_same_number, .timeout = 20)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 100000);
    uint64_t transfer = script_last(script, 1, CNV_KIND_COMMIT)->message.commit.transfer;
    script->now_ms += 2000;
    script_mark(script);
    script_beat(script, 1, 0, 0, 0, 0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_COMMIT)->message.commit.transfer, transfer);
    /* Once its credit has come it knows, and is not told again while the chunks travel. */
    struct cnv_message credit = { .kind = CNV_KIND_CREDIT };
    credit.credit.transfer = transfer;
    credit.credit.limit = 1;
    script_say(script, 1, &credit, NULL, 0);
    script->now_ms += 2000;
    script_mark(script);
    script_beat(script, 1, 0, 0, 0, 0);
    cr_assert_eq(script_count(script, 1, CNV_KIND_COMMIT), 0);
    script_destroy(script);
}

Test(engine_repair, a_shape_comes_again_with_a_repeated_loaded, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_load(script, 1, "a1");
    script_load(script, 2, "a2");
    script_mark(script);
    script_loaded(script, 1);
    cr_assert_eq(script_count(script, 1, CNV_KIND_SHAPE), 1);
    cr_assert_eq(script_view(script).total_rows, 20);
    script_ready(script, 1, 2);
    script_loaded(script, 1);
    script_ready(script, 1, 2);
    cr_assert_eq(script_member(script, "a1").state, CNV_MEMBER_READY);
    script_destroy(script);
}

Test(engine_repair, the_end_of_a_round_that_was_slept_through_is_told, .timeout = 10)
{
    struct script *script = start(two_agents);

    script_offer(script, 1, 1.0);
    script_wait_beating(script, 20200, (const cnv_peer_id[]){ 1, 0 });
    cr_assert_eq(script_view(script).version, 1);
    script_mark(script);
    script_offer(script, 2, 1.0); /* what it says when it wakes: for the round before */
    cr_assert_eq(script_member(script, "a2").state, CNV_MEMBER_READY);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code, 3);
    script_beat(script, 2, 0, 1, 1, 0);
    cr_assert_eq(script_last(script, 2, CNV_KIND_COMMIT)->message.commit.version, 1);
    cr_assert_not(script_last(script, 2, CNV_KIND_COMMIT)->message.commit.counted);
    cr_assert_eq(script_count(script, 2, CNV_KIND_ANNOUNCE), 0);
    script_destroy(script);
}

Test(engine_repair, beats_of_another_run_say_nothing_about_this_one, .timeout = 10)
{
    struct script *script = start(two_agents);
    struct cnv_message beat = { .kind = CNV_KIND_BEAT };

    script->now_ms += 2000;
    script_mark(script);
    beat.beat.run = 1;
    script_say(script, 1, &beat, NULL, 0);
    cr_assert_eq(script->sent_count, script->mark);
    script_destroy(script);
}

Test(engine_repair, the_server_beats_every_heartbeat, .timeout = 10)
{
    struct script *script = start(two_agents);

    script_mark(script);
    script_wait_beating(script, 10000, (const cnv_peer_id[]){ 1, 2, 0 });
    cr_assert_eq(script_count(script, 1, CNV_KIND_BEAT), 5);
    const struct script_sent *beat = script_last(script, 1, CNV_KIND_BEAT);
    cr_assert_eq(beat->message.beat.run, 77);
    cr_assert_eq(beat->message.beat.round, 1);
    script_destroy(script);
}

Test(engine_repair, what_was_not_queued_is_brought_by_beats, .timeout = 10)
{
    /* Nothing is queued for a while: beats bring back all of it. */
    struct script *script = script_new(two_agents);

    script_load(script, 1, "a1");
    script_load(script, 2, "a2");
    script_ready(script, 1, 2);
    script->is_full = true;
    script_ready(script, 2, 2);
    script->is_full = false;
    cr_assert_eq(script_count(script, 2, CNV_KIND_ANNOUNCE), 0);
    script->now_ms += 2000;
    script_beat(script, 2, 0, 0, 0, 0);
    cr_assert_eq(script_count(script, 2, CNV_KIND_COMMIT), 1);
    cr_assert_eq(script_count(script, 2, CNV_KIND_ANNOUNCE), 1);
    script_destroy(script);
}

/* 62 kB with every beat, while a slower member is waited for, would be more than the round's own.
 */
Test(engine_repair, an_offer_that_is_repeated_is_confirmed, .timeout = 10)
{
    struct script *script = script_new(two_agents);
    const double values[] = { 1.0, 1.0, 1.0 };

    script_join_all(script, 2, 3);
    struct cnv_msg_offer offer = script_offer_head(script, 1, "f64", 10);
    script_offer_message(script, 1, &offer, values);
    cr_assert_eq(script_count(script, 1, CNV_KIND_CREDIT), 0, "most rounds are over before");
    script_offer_message(script, 1, &offer, values);
    const struct script_sent *credit = script_last(script, 1, CNV_KIND_CREDIT);
    cr_assert_not_null(credit);
    cr_assert_eq(credit->message.credit.transfer, offer.transfer);
    cr_assert_eq(credit->message.credit.limit, 0);
    script_destroy(script);
}

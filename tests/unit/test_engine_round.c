#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/crc32c.h"
#include "engine_script.h"
#include "proto/vector.h"

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

Test(engine_round, weights_are_samples_or_uniform_and_capped, .timeout = 10)
{
    static const struct {
        const char *setting;
        double mean;
    } cases[] = {
        { "aggregate/weighting=samples", 1.0 * 9 / 12 + 5.0 * 3 / 12 },
        { "aggregate/weighting=uniform", 3.0 },
        { "limits/samples=3", 3.0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct script *script = script_new(
            (const char *const[]){ "run/agents=2", "policy/evaluate=0", cases[i].setting, NULL });
        double values[2][2] = { { 1.0, 1.0 }, { 5.0, 5.0 } };

        script_join_all(script, 2, 2);
        for (size_t k = 0; k < 2; k++) {
            struct cnv_msg_offer offer = script_offer_head(script, k + 1, "f64", k == 0 ? 9 : 3);

            script_offer_message(script, k + 1, &offer, values[k]);
        }
        cr_assert_eq(script_model(script, 0), cases[i].mean);
        script_destroy(script);
    }
}

Test(engine_round, order_of_arrival_leaves_the_same_bits, .timeout = 10)
{
    /* Sums that round differently in another order. */
    const double values[3] = { 1e16, 1.0, -1e16 };
    double first = 0;

    for (uint64_t order = 0; order < 6; order++) {
        struct script *script = script_new((const char *const[]){ "run/agents=3", NULL });
        uint64_t peers[3] = { 1 + order % 3, 0, 0 };

        peers[1] = 1 + (peers[0] + order / 3) % 3;
        peers[2] = 6 - peers[0] - peers[1];
        /* Joining in another order does not change ranks either. */
        for (size_t i = 0; i < 3; i++) {
            static const char *const names[] = { "", "x", "y", "z" };

            script_hello_as(script, peers[i], names[peers[i]], peers[i], (uint32_t) peers[i], 3);
            script_loaded(script, peers[i]);
        }
        for (size_t i = 0; i < 3; i++) {
            script_ready(script, peers[i], 1);
        }
        for (size_t i = 0; i < 3; i++) {
            script_offer(script, peers[2 - i], values[peers[2 - i] - 1]);
        }
        cr_assert_eq(script_view(script).version, 1);
        if (order == 0) {
            first = script_model(script, 0);
        }
        double model = script_model(script, 0);
        cr_assert_arr_eq(&model, &first, sizeof(model));
        script_destroy(script);
    }
}

Test(engine_round, rank_is_the_order_of_shards_not_of_names, .timeout = 10)
{
    const double values[] = { 1e16, -1e16, 1.0 };
    struct script *script =
        script_new((const char *const[]){ "run/agents=3", "aggregate/weighting=uniform", NULL });

    for (uint32_t i = 1; i <= 3; i++) {
        script_hello_as(script, i, i == 1 ? "z" : i == 2 ? "y" : "x", i, i, 3);
        script_loaded(script, i);
    }
    for (uint32_t i = 1; i <= 3; i++) {
        script_ready(script, i, 1);
        cr_assert_eq(script_member(script, "z").rank, 0);
    }
    cr_assert_eq(script_member(script, "x").rank, 2);
    for (uint32_t i = 1; i <= 3; i++) {
        script_offer(script, i, values[i - 1]);
    }
    double third = 1.0 / 3.0;
    cr_assert_eq(script_model(script, 0), third * 1e16 + third * -1e16 + third * 1.0);
    script_destroy(script);
}

Test(engine_round, counted_is_told_to_those_who_are_in_the_version, .timeout = 10)
{
    struct script *script =
        script_new((const char *const[]){ "run/agents=2", "policy/evaluate=0", NULL });
    double nan[] = { (double) NAN, 0, 0 };

    script_join_all(script, 2, 3);
    struct cnv_msg_offer offer = script_offer_head(script, 1, "f64", 10);
    offer.scalars.count = 1;
    script_offer_message(script, 1, &offer, nan);
    script_offer(script, 2, 1.0);
    cr_assert_not(script_last(script, 1, CNV_KIND_COMMIT)->message.commit.counted);
    cr_assert(script_last(script, 2, CNV_KIND_COMMIT)->message.commit.counted);
    cr_assert_eq(script_member(script, "a1").rounds, 0);
    cr_assert_eq(script_member(script, "a2").rounds, 1);
    script_destroy(script);
}

Test(engine_round, a_version_is_told_only_once_it_is_durable, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script->holds_persist = true;
    script_mark(script);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    cr_assert_eq(script->persisting, 1);
    cr_assert_eq(script->record.iteration, 3);
    cr_assert_eq(script_view(script).version, 0);
    script_wait_beating(script, 6000, (const cnv_peer_id[]){ 1, 2, 0 });
    cr_assert_eq(script_count(script, 1, CNV_KIND_COMMIT), 0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_BEAT)->message.beat.version, 0);
    /* A completion of something else changes nothing. */
    cnv_engine_persisted(script->engine, script->now_ms, 7);
    cr_assert_eq(script_view(script).version, 0);
    script_persisted(script);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_last(script, 1, CNV_KIND_COMMIT)->message.commit.version, 1);
    script_destroy(script);
}

Test(engine_round, the_committed_version_is_what_the_down_encoding_decodes_to, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "encoding/down=f32", NULL });
    double values[] = { 0.1, 1.0 / 3.0 };

    script_join_all(script, 1, 2);
    script_offer_values(script, 1, values);
    cr_assert_eq(script_model(script, 0), (double) 0.1F);
    const struct script_sent *commit = script_last(script, 1, CNV_KIND_COMMIT);
    cr_assert_eq(commit->len, 8);
    cr_assert_str_eq(commit->message.commit.encoding, "f32");
    cr_assert_eq(commit->message.commit.digest,
                 cnv_vector_digest(cnv_encoding_find("f32"), commit->bytes, 2));
    /* The next round starts from the rounded model. */
    double zeros[] = { 0.0, 0.0 };
    script_offer_values(script, 1, zeros);
    cr_assert_eq(script_view(script).version, 2);
    cr_assert_eq(script_model(script, 0), (double) 0.1F);
    script_destroy(script);
}

Test(engine_round, the_barrier_waits_for_everybody_who_beats, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 1, 1.0);
    script_wait_beating(script, 120000, (const cnv_peer_id[]){ 1, 2, 0 });
    cr_assert_eq(script_view(script).version, 0);
    cr_assert(script_member(script, "a2").is_waited_for);
    cr_assert_not(script_member(script, "a1").is_waited_for);
    cr_assert_eq(script_member(script, "a1").state, CNV_MEMBER_OFFERED);
    cr_assert_eq(script_member(script, "a2").state, CNV_MEMBER_WORKING);
    script_offer(script, 2, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    script_destroy(script);
}

Test(engine_round, goes_on_without_a_lost_member_after_its_grace, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 1, 1.0);
    script_gone(script, 2);
    cr_assert_eq(script_member(script, "a2").state, CNV_MEMBER_LOST);
    cr_assert_eq(script_view(script).version, 0);
    script_wait_beating(script, 2900, (const cnv_peer_id[]){ 1, 0 });
    cr_assert_eq(script_view(script).version, 0);
    script_wait_beating(script, 200, (const cnv_peer_id[]){ 1, 0 });
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 1.0);
    script_destroy(script);
}

Test(engine_round, silence_beyond_patience_drops_a_member_at_once, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 1, 1.0);
    script_wait_beating(script, 20000, (const cnv_peer_id[]){ 1, 0 });
    cr_assert_eq(script_view(script).version, 0);
    script_wait_beating(script, 200, (const cnv_peer_id[]){ 1, 0 });
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_str_eq(script_member(script, "a2").why, "silent for 20 s");
    /* A word brings it back for the next round. */
    script_mark(script);
    script_beat(script, 2, 0, 1, 1, 0);
    cr_assert_eq(script_member(script, "a2").state, CNV_MEMBER_READY);
    cr_assert_eq(script_last(script, 2, CNV_KIND_COMMIT)->message.commit.version, 1);
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 2);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ANNOUNCE)->message.announce.round, 3);
    script_destroy(script);
}

Test(engine_round, a_new_process_within_grace_takes_part_in_the_same_attempt, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 1, 1.0);
    script_gone(script, 2);
    script_wait_beating(script, 1000, (const cnv_peer_id[]){ 1, 0 });
    script_hello_as(script, 5, "a2", 50, 0, 0);
    /* It loads for longer than the grace, but not than patience. */
    script_wait_beating(script, 10000, (const cnv_peer_id[]){ 1, 5, 0 });
    cr_assert_eq(script_view(script).version, 0);
    script_loaded(script, 5);
    script_ready(script, 5, 3);
    const struct script_sent *announce = script_last(script, 5, CNV_KIND_ANNOUNCE);
    cr_assert_eq(announce->message.announce.round, 1);
    cr_assert_eq(announce->message.announce.attempt, 1);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ANNOUNCE), 1);
    script_offer(script, 5, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    script_destroy(script);
}

Test(engine_round, the_only_member_keeps_its_place_too, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "run/agents=1", NULL });

    script_join_all(script, 1, 3);
    script_gone(script, 1);
    script_hello_as(script, 5, "a1", 50, 0, 0);
    script_loaded(script, 5);
    script_ready(script, 5, 3);
    cr_assert_eq(script_last(script, 5, CNV_KIND_ANNOUNCE)->message.announce.attempt, 1);
    script_destroy(script);
}

Test(engine_round, a_new_process_that_loads_for_ever_is_not_waited_for, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 1, 1.0);
    script_gone(script, 2);
    script_hello_as(script, 5, "a2", 50, 0, 0);
    /* Dying and coming back does not win it more time. */
    script_wait_beating(script, 8000, (const cnv_peer_id[]){ 1, 5, 0 });
    script_gone(script, 5);
    script_hello_as(script, 6, "a2", 60, 0, 0);
    script_wait_beating(script, 11000, (const cnv_peer_id[]){ 1, 6, 0 });
    script_gone(script, 6);
    script_wait_beating(script, 900, (const cnv_peer_id[]){ 1, 0 });
    cr_assert_eq(script_view(script).version, 0);
    script_wait_beating(script, 200, (const cnv_peer_id[]){ 1, 0 });
    cr_assert_eq(script_view(script).version, 1);
    script_destroy(script);
}

Test(engine_round, an_offer_that_is_whole_counts_although_its_sender_died, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 2, 3.0);
    script_gone(script, 2);
    script_wait_beating(script, 4000, (const cnv_peer_id[]){ 1, 0 });
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    cr_assert_eq(script_member(script, "a2").rounds, 1);
    script_destroy(script);
}

Test(engine_round, a_new_process_does_not_count_twice, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 2, 3.0);
    script_gone(script, 2);
    script_hello_as(script, 5, "a2", 50, 0, 0);
    script_loaded(script, 5);
    script_ready(script, 5, 3);
    script->transfers[5] = 10;
    script_offer(script, 5, 100.0);
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    /* What the older process sent counts, and state of the new one must not advance by it. */
    cr_assert_eq(script_member(script, "a2").rounds, 1);
    cr_assert_not(script_last(script, 5, CNV_KIND_COMMIT)->message.commit.counted);
    script_gone(script, 1);
    script_hello_as(script, 6, "a1", 60, 0, 0);
    script_loaded(script, 6);
    script_ready(script, 6, 3);
    cr_assert_eq(script_last(script, 6, CNV_KIND_COMMIT)->message.commit.version, 1);
    cr_assert_not(script_last(script, 6, CNV_KIND_COMMIT)->message.commit.counted);
    script_destroy(script);
}

Test(engine_round, a_reconnect_keeps_the_offer, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 2, 3.0);
    script_gone(script, 2);
    script_hello_as(script, 5, "a2", 2, 0, 0);
    cr_assert_eq(script_member(script, "a2").state, CNV_MEMBER_OFFERED);
    cr_assert(script_noted(script, CNV_NOTE_RETURNED, ""));
    script_loaded(script, 5);
    script_ready(script, 5, 3);
    cr_assert_eq(script_member(script, "a2").state, CNV_MEMBER_OFFERED);
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_model(script, 0), 2.0);
    cr_assert_eq(script_last(script, 5, CNV_KIND_ANNOUNCE)->message.announce.round, 2);
    cr_assert_eq(script_count(script, 2, CNV_KIND_ERROR), 0);
    script_destroy(script);
}

Test(engine_round, the_next_round_waits_for_who_is_in_its_grace, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 2, 3.0);
    script_gone(script, 2);
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    script_hello_as(script, 5, "a2", 50, 0, 0);
    script_loaded(script, 5);
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    script_ready(script, 5, 3);
    cr_assert_eq(script_last(script, 5, CNV_KIND_COMMIT)->message.commit.version, 1);
    cr_assert_eq(script_last(script, 5, CNV_KIND_ANNOUNCE)->message.announce.round, 2);
    script_offer(script, 5, 3.0);
    cr_assert_eq(script_view(script).version, 2);
    cr_assert_eq(script_model(script, 0), 4.0);
    script_destroy(script);
}

Test(engine_round, a_successor_of_another_name_takes_the_place, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 1, 1.0);
    script_gone(script, 2);
    script_load(script, 5, "other");
    script_ready(script, 5, 3);
    cr_assert_eq(script_last(script, 5, CNV_KIND_ANNOUNCE)->message.announce.round, 1);
    script_offer(script, 5, 3.0);
    cr_assert_eq(script_model(script, 0), 2.0);
    script_destroy(script);
}

Test(engine_round, leaving_frees_the_round_at_once, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 1, 1.0);
    script_leave(script, 2);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 1.0);
    cr_assert_str_eq(script_member(script, "a2").why, "done here");
    script_destroy(script);
}

Test(engine_round, with_nobody_left_the_run_waits_and_says_so, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_gone(script, 1);
    script_gone(script, 2);
    script_wait(script, 3100);
    cr_assert_eq(script_view(script).state, CNV_RUN_WAITING);
    cr_assert_str_eq(script_view(script).state_reason, "waiting for agents: none is left");
    /* The first to come back waits a moment for the other. */
    script_hello_as(script, 5, "a1", 50, 0, 0);
    script_loaded(script, 5);
    script_ready(script, 5, 3);
    cr_assert_eq(script_view(script).state, CNV_RUN_WAITING);
    script_hello_as(script, 6, "a2", 60, 0, 0);
    script_loaded(script, 6);
    script_ready(script, 6, 3);
    cr_assert_eq(script_view(script).state, CNV_RUN_RUNNING);
    const struct script_sent *announce = script_last(script, 6, CNV_KIND_ANNOUNCE);
    cr_assert_eq(announce->message.announce.round, 1);
    cr_assert_eq(announce->message.announce.attempt, 2);
    script_offer(script, 5, 1.0);
    script_offer(script, 6, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    script_destroy(script);
}

Test(engine_round, one_that_comes_back_alone_goes_on_alone, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_gone(script, 1);
    script_gone(script, 2);
    script_wait(script, 3100);
    script_hello_as(script, 5, "a1", 50, 0, 0);
    script_loaded(script, 5);
    script_ready(script, 5, 3);
    script_wait_beating(script, 3100, (const cnv_peer_id[]){ 5, 0 });
    cr_assert_eq(script_view(script).state, CNV_RUN_RUNNING);
    script_offer(script, 5, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    script_destroy(script);
}

Test(engine_round, duplicates_and_stale_offers_change_nothing, .timeout = 10)
{
    struct script *script = script_new(two_agents);
    double values[] = { 1.0, 1.0, 1.0 };

    script_join_all(script, 2, 3);
    struct cnv_msg_offer offer = script_offer_head(script, 1, "f64", 10);
    offer.scalars.count = 1;
    for (int i = 0; i < 3; i++) {
        script_offer_message(script, 1, &offer, values);
    }
    cr_assert_eq(script_count(script, 1, CNV_KIND_ERROR), 0);
    script_offer(script, 2, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    script_mark(script);
    script_offer_message(script, 1, &offer, values);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, 3);
    cr_assert_not(script_last(script, 1, CNV_KIND_ERROR)->message.error.fatal);
    cr_assert_eq(script_member(script, "a1").state, CNV_MEMBER_WORKING);
    offer.run = 1;
    script_offer_message(script, 1, &offer, values);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ERROR), 2);
    offer = script_offer_head(script, 1, "f64", 10);
    offer.version--;
    script_offer_message(script, 1, &offer, values);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, 3);
    cr_assert_eq(script_member(script, "a1").state, CNV_MEMBER_WORKING);
    offer = script_offer_head(script, 1, "f64", 10);
    offer.round++;
    script_offer_message(script, 1, &offer, values);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, 4);
    cr_assert_eq(script_member(script, "a1").rounds, 1);
    cr_assert_eq(script_member(script, "a1").refused, 0);
    script_destroy(script);
}

/* One of two offers something wrong: refused with this status, the other counts alone. */
static void
assert_left_out(const struct cnv_msg_offer *head, const double *values, enum cnv_status status)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    struct cnv_msg_offer offer = script_offer_head(script, 2, "f64", 10);
    offer.scalars = head->scalars;
    offer.length += head->length;
    offer.bytes += head->bytes;
    offer.crc = head->crc;
    offer.samples += head->samples;
    if (head->encoding[0] != '\0') {
        memcpy(offer.encoding, head->encoding, sizeof(offer.encoding));
    }
    script_offer_message(script, 2, &offer, values);
    script_offer(script, 1, 7.0);
    const struct script_sent *error = script_last(script, 2, CNV_KIND_ERROR);
    cr_assert_not_null(error);
    cr_assert_eq(error->message.error.code, (uint64_t) -status);
    cr_assert_eq(error->message.error.round, 1);
    cr_assert_not(error->message.error.fatal);
    cr_assert(strstr(error->message.error.text, "a2") != NULL);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 1), 7.0);
    cr_assert_not(script_last(script, 2, CNV_KIND_COMMIT)->message.commit.counted);
    cr_assert(script_last(script, 1, CNV_KIND_COMMIT)->message.commit.counted);
    cr_assert_eq(script_member(script, "a2").refused, 1);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ERROR), 0);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ANNOUNCE)->message.announce.round, 2);
    script_destroy(script);
}

Test(engine_round, a_wrong_contribution_is_left_out_and_named, .timeout = 20)
{
    const double good[16] = { 1.0, 2.0, 3.0 };
    const double nan[16] = { 1.0, (double) NAN, 3.0 };
    const double inf[16] = { 1.0, 2.0, (double) -INFINITY };
    struct cnv_msg_offer head = { .scalars = { .count = 1 } };

    assert_left_out(&head, nan, CNV_E_NOT_FINITE);
    assert_left_out(&head, inf, CNV_E_NOT_FINITE);
    assert_left_out(
        &(struct cnv_msg_offer){ .scalars = { 1, { (double) NAN } } }, good, CNV_E_NOT_FINITE);
    assert_left_out(
        &(struct cnv_msg_offer){ .scalars = { 1, { 0 } }, .crc = 1 }, good, CNV_E_CHECKSUM);
    assert_left_out(&(struct cnv_msg_offer){ .scalars = { 1, { 0 } }, .length = 1, .bytes = 8 },
                    good,
                    CNV_E_SIZE);
    assert_left_out(&(struct cnv_msg_offer){ .scalars = { 1, { 0 } }, .length = (uint64_t) -1 },
                    good,
                    CNV_E_SIZE);
    assert_left_out(&(struct cnv_msg_offer){ .scalars = { 1, { 0 } }, .bytes = (uint64_t) -8 },
                    good,
                    CNV_E_SIZE);
    assert_left_out(
        &(struct cnv_msg_offer){ .scalars = { 1, { 0 } }, .encoding = "f32" }, good, CNV_E_SIZE);
    assert_left_out(
        &(struct cnv_msg_offer){ .scalars = { 1, { 0 } }, .encoding = "zip" }, good, CNV_E_SIZE);
    assert_left_out(
        &(struct cnv_msg_offer){ .scalars = { 1, { 0 } }, .encoding = "scaled" }, good, CNV_E_SIZE);
    assert_left_out(&(struct cnv_msg_offer){ .scalars = { 1, { 0 } }, .samples = (uint64_t) -10 },
                    good,
                    CNV_E_SIZE);
    /* One more than the rows it loaded. */
    assert_left_out(
        &(struct cnv_msg_offer){ .scalars = { 1, { 0 } }, .samples = 1 }, good, CNV_E_SIZE);
    assert_left_out(&(struct cnv_msg_offer){ .scalars = { 2, { 0 } } }, good, CNV_E_SIZE);
    /* The other, which comes first in rank, sent one scalar. */
    assert_left_out(&(struct cnv_msg_offer){ .scalars = { 0, { 0 } } }, good, CNV_E_SIZE);
}

Test(engine_round, a_refused_offer_that_is_repeated_is_refused_again, .timeout = 10)
{
    struct script *script = script_new(two_agents);
    double nan[] = { (double) NAN, 0, 0 };

    script_join_all(script, 2, 3);
    struct cnv_msg_offer offer = script_offer_head(script, 2, "f64", 10);
    offer.scalars.count = 1;
    offer.crc = 1;
    script_offer_message(script, 2, &offer, nan);
    script_offer_message(script, 2, &offer, nan);
    cr_assert_eq(script_count(script, 2, CNV_KIND_ERROR), 2);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code, 5);
    cr_assert_eq(script_member(script, "a2").refused, 1);
    script_destroy(script);
}

Test(engine_round, three_rounds_without_a_valid_contribution_fail_the_run, .timeout = 10)
{
    struct script *script =
        script_new((const char *const[]){ "run/agents=4", "policy/evaluate=0", NULL });

    script_join_all(script, 4, 3);
    for (uint64_t attempt = 1; attempt <= 3; attempt++) {
        cr_assert_eq(script_view(script).state, CNV_RUN_RUNNING);
        cr_assert_geq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.attempt, attempt);
        for (cnv_peer_id peer = 1; peer <= 4; peer++) {
            double values[] = { 0, (double) NAN, 0 };
            struct cnv_msg_offer offer = script_offer_head(script, peer, "f64", 10);

            script_offer_message(script, peer, &offer, values);
        }
    }
    cr_assert_eq(script_view(script).state, CNV_RUN_FAILED);
    cr_assert_str_eq(
        script_view(script).state_reason,
        "all 4 updates not finite: a smaller solver/step or a larger problem/l2 may help");
    cr_assert_eq(script_last(script, 1, CNV_KIND_FINISH)->message.finish.exit, 1);
    cr_assert_eq(script_view(script).version, 0);
    script_destroy(script);
}

Test(engine_round, one_valid_contribution_in_time_saves_the_run, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "policy/evaluate=0", NULL });
    double nan[] = { (double) NAN };

    script_join_all(script, 1, 1);
    for (int i = 0; i < 10; i++) {
        struct cnv_msg_offer offer = script_offer_head(script, 1, "f64", 10);

        if (i % 3 == 2) {
            script_offer(script, 1, 1.0);
        } else {
            script_offer_message(script, 1, &offer, nan);
        }
    }
    cr_assert_eq(script_view(script).state, CNV_RUN_RUNNING);
    cr_assert_eq(script_view(script).version, 3);
    script_destroy(script);
}

Test(engine_round, a_model_that_overflows_is_not_committed, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "encoding/down=f32", NULL });

    script_join_all(script, 1, 2);
    for (int i = 0; i < 3; i++) {
        script_offer(script, 1, 1e39); /* finite as it came, infinite as float32 */
    }
    cr_assert_eq(script_view(script).state, CNV_RUN_FAILED);
    cr_assert_str_eq(
        script_view(script).state_reason,
        "the averaged model is not finite: a smaller solver/step or a larger problem/l2 may help");
    cr_assert_eq(script_view(script).version, 0);
    script_destroy(script);
}

Test(engine_round, many_members_that_are_not_finite_cost_one_more_attempt, .timeout = 10)
{
    struct script *script =
        script_new((const char *const[]){ "run/agents=4", "policy/evaluate=0", NULL });

    script_join_all(script, 4, 3);
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        double values[] = { 0, (double) NAN, 0 };
        struct cnv_msg_offer offer = script_offer_head(script, peer, "f64", 10);

        offer.scalars.count = 1;
        script_offer_message(script, peer, &offer, values);
    }
    script_offer(script, 4, 2.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    cr_assert_eq(script->jobs_run, 2);
    script_destroy(script);
}

Test(engine_round, bytes_are_counted_for_each_member_and_in_total, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    uint64_t up = 0;
    uint64_t down = 0;
    for (cnv_peer_id peer = 1; peer <= 2; peer++) {
        struct cnv_member_view member = script_member(script, peer == 1 ? "a1" : "a2");
        uint64_t sent = 0;

        for (size_t i = 0; i < script->sent_count; i++) {
            sent += script->sent[i].peer == peer ? 100 + script->sent[i].len : 0;
        }
        cr_assert_eq(member.bytes_up, 4 * 100 + 16 + 24);
        cr_assert_eq(member.bytes_down, sent);
        up += member.bytes_up;
        down += member.bytes_down;
    }
    cr_assert_eq(script_view(script).bytes_up, up);
    cr_assert_eq(script_view(script).bytes_down, down);
    cr_assert_eq(script_view(script).payload_up, 48);
    script_destroy(script);
}

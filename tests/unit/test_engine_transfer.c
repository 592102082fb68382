#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "engine_script.h"
#include "proto/vector.h"

/* 200,000 coordinates: 4 slices, 1.6 MB; 7 chunks of 256 KiB (the last is short). */
enum { LENGTH = 200000, CHUNKS = 7 };

static const char *const two_agents[] = { "run/agents=2",         "limits/chunk=262144",
                                          "policy/evaluate=0",    "run/rounds=0",
                                          "limits/heartbeat=2.0", NULL };
static const cnv_peer_id both[] = { 1, 2, 0 };

static struct script *start_with(const char *const *settings)
{
    struct script *script = script_new(settings);

    script_join_all(script, 2, LENGTH);
    script_attach(script, 1, 1001);
    script_attach(script, 2, 1002);
    return script;
}

static struct script *start(void)
{
    return start_with(two_agents);
}

static void offer_all(struct script *script)
{
    script_offer(script, 1, 0);
    script_offer(script, 2, 0);
}

Test(engine_transfer, vectors_are_pulled_as_they_are_offered, .timeout = 30)
{
    struct script *script = start();
    const double values[] = { 1.0, 3.0 };

    script_offer(script, 1, 0);
    cr_assert_eq(script_count(script, 1, CNV_KIND_CREDIT), 1);
    script_offer(script, 2, 0);
    const struct script_sent *credit = script_last(script, 1, CNV_KIND_CREDIT);
    cr_assert_eq(credit->message.credit.transfer, 1);
    cr_assert_eq(credit->message.credit.attempt, 1);
    cr_assert_eq(credit->message.credit.next, 0);
    cr_assert_eq(credit->message.credit.limit, CHUNKS);
    cr_assert_not(credit->message.credit.rewind);
    script_upload_all(script, both, values);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    cr_assert_eq(script_model(script, LENGTH - 1), 2.0 + LENGTH - 1);
    cr_assert_eq(script_view(script).payload_up, 2 * LENGTH * 8);
    struct cnv_engine_view view = script_view(script);
    cr_assert_eq(
        view.digest,
        cnv_vector_digest(cnv_encoding_find("f64"), cnv_blob_data(view.model), view.dimension));
    script_destroy(script);
}

Test(engine_transfer, credit_rises_as_slices_are_merged_and_never_beyond_the_window, .timeout = 30)
{
    struct script *script = script_new((const char *const[]){
        "run/agents=2", "limits/chunk=65536", "limits/window=1", "policy/evaluate=0", NULL });
    uint64_t window = 2 * 8 + 2;

    script_join_all(script, 2, 300000);
    script_attach(script, 1, 1001);
    script_attach(script, 2, 1002);
    offer_all(script);
    cr_assert_eq(script_last(script, 1, CNV_KIND_CREDIT)->message.credit.limit, window);
    script_chunks(script, 1, 1001, 0, window, 1.0);
    /* Nothing is merged before the other's are in, so no more credit. */
    cr_assert_eq(script_last(script, 1, CNV_KIND_CREDIT)->message.credit.limit, window);
    script_chunks(script, 2, 1002, 0, 7, 1.0);
    cr_assert_eq(script_last(script, 2, CNV_KIND_CREDIT)->message.credit.limit, window);
    script_chunks(script, 2, 1002, 7, 8, 1.0);
    cr_assert_eq(script_last(script, 2, CNV_KIND_CREDIT)->message.credit.limit, window + 8);
    cr_assert_eq(script_last(script, 1, CNV_KIND_CREDIT)->message.credit.limit, window + 8);
    script_destroy(script);
}

Test(engine_transfer, no_more_than_a_window_of_chunks_is_held, .timeout = 30)
{
    struct script *script = start_with((const char *const[]){
        "run/agents=2", "limits/chunk=65536", "limits/window=1", "policy/evaluate=0", NULL });

    offer_all(script);
    size_t before = cnv_blob_alive();
    script_chunks(script, 1, 1001, 18, 25, 1.0); /* beyond its credit */
    cr_assert_eq(cnv_blob_alive(), before);
    script_chunks(script, 1, 1001, 0, 25, 1.0);
    cr_assert_eq(cnv_blob_alive() - before, 18);
    script_destroy(script);
}

Test(engine_transfer, chunk_size_order_and_threads_leave_the_same_bits, .timeout = 60)
{
    static const char *const chunks[] = { "limits/chunk=4096",
                                          "limits/chunk=5003",
                                          "limits/chunk=65536",
                                          "limits/chunk=524288",
                                          "limits/chunk=1048576" };
    const double values[] = { 0.1, 1.0 / 3.0 };
    uint32_t digest = 0;
    double variance = 0;

    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        struct script *script = start_with(
            (const char *const[]){ "run/agents=2", chunks[i], "policy/evaluate=0", NULL });
        struct cnv_round_row row;

        offer_all(script);
        script->holds_jobs = i % 2 == 1;
        script_upload_all(script, both, values);
        while (script->job_count > 0) {
            script_run_jobs(script, true);
            script_upload_all(script, both, values);
        }
        cr_assert_eq(script_view(script).version, 1, "%s", chunks[i]);
        cnv_engine_row(script->engine, 0, &row);
        if (i == 0) {
            digest = script_view(script).digest;
            variance = row.variance;
        }
        cr_assert_eq(script_view(script).digest, digest, "%s", chunks[i]);
        cr_assert_eq(row.variance, variance);
        script_destroy(script);
    }
}

Test(engine_transfer, chunks_may_come_in_any_order_and_twice, .timeout = 30)
{
    struct script *script = start();

    offer_all(script);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    for (uint64_t i = CHUNKS; i > 0; i--) {
        cr_assert_eq(script_view(script).version, 0);
        script_chunks(script, 2, 1002, i - 1, i, 3.0);
        script_chunks(script, 2, 1002, i - 1, i, 99.0); /* the second one is ignored */
    }
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 5), 7.0);
    script_destroy(script);
}

Test(engine_transfer, an_upload_that_stands_still_is_asked_for_again, .timeout = 30)
{
    struct script *script = start();

    offer_all(script);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    script_chunks(script, 2, 1002, 0, 2, 3.0);
    script_chunks(script, 2, 1002, 4, 5, 3.0);
    script_mark(script);
    /* A heartbeat of 2 s, and 32 s for 256 KiB on the slowest link. */
    script_wait_beating(script, 33900, both);
    cr_assert_eq(script_count(script, 2, CNV_KIND_CREDIT), 0);
    script_wait_beating(script, 200, both);
    const struct script_sent *credit = script_last(script, 2, CNV_KIND_CREDIT);
    cr_assert(credit->message.credit.rewind);
    cr_assert_eq(credit->message.credit.next, 2);
    cr_assert_eq(credit->message.credit.limit, CHUNKS);
    cr_assert_eq(script_count(script, 1, CNV_KIND_CREDIT), 0);
    script_chunks(script, 2, 1002, 2, 3, 3.0);
    script_wait_beating(script, 34100, both);
    cr_assert_eq(script_count(script, 2, CNV_KIND_CREDIT), 2);
    script_wait_beating(script, 15000, both);
    cr_assert_eq(script_count(script, 2, CNV_KIND_CREDIT), 2, "less and less often");
    script_chunks(script, 2, 1002, 3, CHUNKS, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    script_destroy(script);
}

Test(engine_transfer, a_slow_upload_comes_in_while_others_work, .timeout = 30)
{
    struct script *script = start();

    script_offer(script, 1, 0);
    for (uint64_t i = 0; i < CHUNKS; i++) {
        script_wait_beating(script, 1000, both);
        script_chunks(script, 1, 1001, i, i + 1, 1.0);
    }
    cr_assert_eq(script_member(script, "a1").took_ms, 7000, "it is whole");
    script_wait_beating(script, 3000, both);
    script_offer(script, 2, 0);
    cr_assert_eq(script_count(script, 1, CNV_KIND_CREDIT), 1, "it is not asked for again");
    script_chunks(script, 2, 1002, 0, CHUNKS, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    cr_assert_eq(script_member(script, "a1").wait_ms, 3000);
    script_destroy(script);
}

/* A window is not all of the 13 chunks: the rest has to wait for the other member, no time of its
 * own. */
Test(engine_transfer, waiting_for_credit_is_waiting, .timeout = 30)
{
    struct script *script = start_with((const char *const[]){ "run/agents=2",
                                                              "limits/chunk=131072",
                                                              "limits/window=8",
                                                              "policy/evaluate=0",
                                                              "limits/heartbeat=2.0",
                                                              NULL });
    uint64_t limit = 0;

    script_offer(script, 1, 0);
    limit = script_last(script, 1, CNV_KIND_CREDIT)->message.credit.limit;
    cr_assert_lt(limit, 13);
    script_wait_beating(script, 1000, both);
    script_chunks(script, 1, 1001, 0, limit, 1.0);
    script_wait_beating(script, 60000, both);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ERROR), 0);
    script_offer(script, 2, 0);
    script_chunks(script, 2, 1002, 0, limit, 1.0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_CREDIT)->message.credit.limit, 13);
    script_wait_beating(script, 1000, both);
    script_chunks(script, 1, 1001, limit, 13, 1.0);
    script_chunks(script, 2, 1002, limit, 13, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_member(script, "a1").took_ms, 2000);
    cr_assert_eq(script_member(script, "a1").wait_ms, 60000);
    script_destroy(script);
}

/* 256 KiB in 30 s: 0.07 Mbit/s. */
Test(engine_transfer, a_slow_link_is_neither_hurried_nor_given_up, .timeout = 30)
{
    struct script *script = start();

    offer_all(script);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    for (uint64_t i = 0; i < CHUNKS; i++) {
        script_wait_beating(script, 30000, both);
        cr_assert_eq(script_count(script, 2, CNV_KIND_CREDIT), 1);
        script_chunks(script, 2, 1002, i, i + 1, 3.0);
    }
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    script_destroy(script);
}

Test(engine_transfer, an_upload_that_stands_still_for_patience_is_left_out, .timeout = 30)
{
    struct script *script = start();

    offer_all(script);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    script_wait_beating(script, 51900, both);
    cr_assert_eq(script_count(script, 2, CNV_KIND_ERROR), 0);
    script_wait_beating(script, 300, both);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code, 26);
    const struct script_sent *credit = script_last(script, 1, CNV_KIND_CREDIT);
    cr_assert_eq(credit->message.credit.attempt, 2);
    cr_assert_eq(credit->message.credit.next, 0);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 1.0);
    script_destroy(script);
}

Test(engine_transfer, waiting_for_others_is_not_standing_still, .timeout = 30)
{
    struct script *script = start_with((const char *const[]){
        "run/agents=2", "limits/chunk=65536", "limits/window=1", "policy/evaluate=0", NULL });

    offer_all(script);
    script_chunks(script, 1, 1001, 0, 18, 1.0);
    for (uint64_t i = 0; i < 8; i++) {
        script_wait_beating(script, 15000, both);
        script_chunks(script, 2, 1002, i, i + 1, 1.0);
    }
    script_wait_beating(script, 1000, both);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ERROR), 0);
    cr_assert_eq(script_count(script, 2, CNV_KIND_ERROR), 0);
    script_destroy(script);
}

Test(engine_transfer, a_member_lost_after_the_freeze_means_a_new_attempt, .timeout = 30)
{
    struct script *script = start();

    offer_all(script);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    script_chunks(script, 2, 1002, 0, 3, 3.0); /* slices 0 is merged with it */
    script_gone(script, 2);
    script_wait_beating(script, 3100, (const cnv_peer_id[]){ 1, 0 });
    const struct script_sent *credit = script_last(script, 1, CNV_KIND_CREDIT);
    cr_assert_eq(credit->message.credit.attempt, 2);
    cr_assert_eq(credit->message.credit.transfer, 1);
    cr_assert_eq(credit->message.credit.next, 0);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ANNOUNCE), 1);
    script_chunks(script, 1, 1001, 0, CHUNKS, 5.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 5.0);
    script_destroy(script);
}

Test(engine_transfer, chunks_of_an_older_attempt_are_ignored, .timeout = 30)
{
    struct script *script = start();
    struct cnv_message stray = { .kind = CNV_KIND_CHUNK };

    offer_all(script);
    script_gone(script, 2);
    script_wait_beating(script, 3100, (const cnv_peer_id[]){ 1, 0 });
    stray.chunk.transfer = 1;
    stray.chunk.attempt = 1;
    script_say_bulk(script, 1001, &stray, "short and wrong", 15);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ERROR), 0);
    stray.chunk.attempt = 2;
    stray.chunk.transfer = 9;
    script_say_bulk(script, 1001, &stray, "short and wrong", 15);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ERROR), 0);
    script_destroy(script);
}

Test(engine_transfer, jobs_of_an_abandoned_attempt_may_come_back_late, .timeout = 30)
{
    for (int order = 0; order < 2; order++) {
        struct script *script = start();

        offer_all(script);
        size_t before = cnv_blob_alive();
        script->holds_jobs = true;
        script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
        script_chunks(script, 2, 1002, 0, 5, 3.0);
        size_t old = script->job_count;
        cr_assert_geq(old, 2);
        script_gone(script, 2);
        script_wait_beating(script, 3100, (const cnv_peer_id[]){ 1, 0 });
        script_chunks(script, 1, 1001, 0, CHUNKS, 5.0);
        cr_assert_eq(script->job_count, old + 4);
        script_run_jobs(script, order == 0);
        cr_assert_eq(script_view(script).version, 1);
        cr_assert_eq(script_model(script, 0), 5.0);
        cr_assert_leq(cnv_blob_alive(), before, "an abandoned attempt lets go of all it held");
        script_destroy(script);
    }
}

Test(engine_transfer, credit_is_not_restated_between_two_attempts, .timeout = 30)
{
    struct script *script = start();

    offer_all(script);
    script_chunks(script, 1, 1001, 0, 4, 1.0);
    script_gone(script, 2);
    script_hello_as(script, 5, "a2", 50, 0, 0); /* offers anew: all is pulled again */
    script_gone(script, 1);
    script_hello_as(script, 6, "a1", 1, 0, 0);
    script_attach(script, 6, 1006);
    cr_assert_eq(script_count(script, 6, CNV_KIND_CREDIT), 0);
    script_loaded(script, 5);
    script_ready(script, 5, LENGTH);
    script_attach(script, 5, 1005);
    script_offer(script, 5, 0);
    cr_assert_eq(script_last(script, 6, CNV_KIND_CREDIT)->message.credit.next, 0);
    script_chunks(script, 6, 1006, 0, CHUNKS, 1.0);
    script_chunks(script, 5, 1005, 0, CHUNKS, 3.0);
    cr_assert_eq(script_model(script, LENGTH - 1), 2.0 + LENGTH - 1);
    script_destroy(script);
}

Test(engine_transfer, a_lost_member_does_not_pin_an_old_model, .timeout = 30)
{
    struct script *script = start();
    size_t before = cnv_blob_alive();

    /* a2 has been told of the first model and never asks for it. */
    script_gone(script, 2);
    for (int round = 0; round < 2; round++) {
        script_offer(script, 1, 0);
        script_wait_beating(script, 3100, (const cnv_peer_id[]){ 1, 0 });
        script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    }
    cr_assert_eq(script_view(script).version, 2);
    cr_assert_eq(cnv_blob_alive(), before);
    script_destroy(script);
}

Test(engine_transfer, jobs_may_come_back_after_the_end, .timeout = 30)
{
    struct script *script = start();

    offer_all(script);
    script->holds_jobs = true;
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    script_chunks(script, 2, 1002, 0, CHUNKS, 1.0);
    cnv_engine_stop(script->engine, script->now_ms, "now");
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    script_run_jobs(script, false);
    cr_assert_eq(script_view(script).version, 0);
    script_destroy(script);
}

Test(engine_transfer, a_reconnect_keeps_uploaded_chunks, .timeout = 30)
{
    struct script *script = start();

    offer_all(script);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    script_chunks(script, 2, 1002, 0, 4, 3.0);
    script_gone(script, 2);
    script_gone(script, 1002);
    script_mark(script);
    script_hello_as(script, 5, "a2", 2, 0, 0);
    const struct script_sent *credit = script_last(script, 5, CNV_KIND_CREDIT);
    cr_assert_eq(credit->message.credit.next, 4);
    cr_assert_eq(credit->message.credit.attempt, 1);
    cr_assert(credit->message.credit.rewind);
    script_attach(script, 5, 1005);
    cr_assert_eq(script_count(script, 5, CNV_KIND_CREDIT), 2);
    script_chunks(script, 5, 1005, 4, CHUNKS, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    script_destroy(script);
}

Test(engine_transfer, a_new_process_uploads_anew_and_all_others_again, .timeout = 30)
{
    struct script *script = start();

    offer_all(script);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    script_chunks(script, 2, 1002, 0, 4, 99.0);
    script_gone(script, 2);
    script_gone(script, 1002);
    script_hello_as(script, 5, "a2", 50, 0, 0);
    script_loaded(script, 5);
    script_ready(script, 5, LENGTH);
    script_attach(script, 5, 1005);
    script_mark(script);
    script_offer(script, 5, 0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_CREDIT)->message.credit.attempt, 2);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    script_chunks(script, 5, 1005, 0, CHUNKS, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    script_destroy(script);
}

Test(engine_transfer, a_damaged_chunk_leaves_its_sender_out, .timeout = 30)
{
    struct script *script = start();
    struct cnv_message bad = { .kind = CNV_KIND_CHUNK };

    offer_all(script);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    bad.chunk.transfer = 1;
    bad.chunk.attempt = 1;
    script_say_bulk(script, 1002, &bad, "short", 5);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code, 41);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 1.0);
    script_destroy(script);

    static uint8_t zeros[262144];
    script = start();
    offer_all(script);
    bad.chunk.crc = 1;
    script_say_bulk(script, 1002, &bad, zeros, sizeof(zeros));
    cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code, 5);
    script_destroy(script);
}

Test(engine_transfer, nan_in_a_late_slice_leaves_its_sender_out, .timeout = 30)
{
    struct script *script = start();

    offer_all(script);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    script_chunks(script, 2, 1002, 0, 5, 1.0);
    script_chunks(script, 2, 1002, 5, CHUNKS, (double) INFINITY);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code, 40);
    cr_assert_eq(script_view(script).version, 0);
    script_chunks(script, 1, 1001, 0, CHUNKS, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 1.0);
    script_destroy(script);
}

/* --- Downloads ----------------------------------------------------------------------------- */

static void say_credit(struct script *script,
                       cnv_peer_id peer,
                       uint64_t transfer,
                       uint64_t next,
                       uint64_t limit,
                       bool rewind)
{
    struct cnv_message message = { .kind = CNV_KIND_CREDIT };

    message.credit.transfer = transfer;
    message.credit.next = next;
    message.credit.limit = limit;
    message.credit.rewind = rewind;
    script_say(script, peer, &message, NULL, 0);
}

static uint64_t told_transfer(struct script *script, cnv_peer_id peer)
{
    return script_last(script, peer, CNV_KIND_COMMIT)->message.commit.transfer;
}

Test(engine_transfer, a_download_is_paced_by_credit, .timeout = 30)
{
    struct script *script = start();
    const struct script_sent *commit = script_last(script, 1, CNV_KIND_COMMIT);

    cr_assert_eq(commit->message.commit.transfer, 1);
    cr_assert_eq(commit->len, 0);
    cr_assert_eq(commit->message.commit.bytes, LENGTH * 8);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), 0);
    say_credit(script, 1, 1, 0, 3, false);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), 3);
    say_credit(script, 1, 1, 0, 3, false);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), 3);
    say_credit(script, 1, 1, 3, 100, false);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), CHUNKS);
    const struct script_sent *chunk = script_last(script, 1001, CNV_KIND_CHUNK);
    cr_assert_eq(chunk->channel, CNV_BULK);
    cr_assert_eq(chunk->message.chunk.index, CHUNKS - 1);
    cr_assert_eq(chunk->len, LENGTH * 8 - (CHUNKS - 1) * 262144);
    /* Chunks were lost: again from where it says. */
    say_credit(script, 1, 1, 5, CHUNKS, true);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), CHUNKS + 2);
    say_credit(script, 1, 1, CHUNKS, CHUNKS, false);
    say_credit(script, 1, 1, 0, CHUNKS, true); /* it is forgotten */
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), CHUNKS + 2);
    script_destroy(script);
}

Test(engine_transfer, a_download_never_runs_ahead_more_than_the_window, .timeout = 30)
{
    struct script *script = start_with(
        (const char *const[]){ "run/agents=2", "limits/chunk=65536", "limits/window=1", NULL });

    say_credit(script, 1, 1, 0, 100, false);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), 18);
    say_credit(script, 1, 1, 2, UINT64_MAX, true);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), 36);
    cr_assert_eq(script_last(script, 1001, CNV_KIND_CHUNK)->message.chunk.index, 19);
    script_destroy(script);
}

Test(engine_transfer, a_chunk_that_was_not_queued_goes_with_the_next_tick, .timeout = 30)
{
    struct script *script = start();

    script->is_full = true;
    say_credit(script, 1, 1, 0, 3, false);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), 0);
    script->is_full = false;
    script_wait(script, 100);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), 3);
    script_destroy(script);
}

Test(engine_transfer, chunks_wait_for_the_bulk_connection, .timeout = 30)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, LENGTH);
    say_credit(script, 1, 1, 0, 3, false);
    script_attach(script, 1, 1001);
    cr_assert_eq(script_count(script, 1001, CNV_KIND_CHUNK), 3);
    script_destroy(script);
}

Test(engine_transfer, a_newer_commit_supersedes_a_download, .timeout = 30)
{
    struct script *script = start();
    const double values[] = { 1.0, 3.0 };
    struct cnv_message message = { .kind = CNV_KIND_HELLO };

    message.hello.version_min = 1;
    message.hello.version_max = 1;
    message.hello.instance = 5;
    (void) snprintf(message.hello.name, sizeof(message.hello.name), "f1");
    (void) snprintf(message.hello.role, sizeof(message.hello.role), "follower");
    script_say(script, 9, &message, NULL, 0);
    script_attach(script, 9, 1009);
    say_credit(script, 9, told_transfer(script, 9), 0, 2, false);
    cr_assert_eq(script_count(script, 1009, CNV_KIND_CHUNK), 2);
    offer_all(script);
    script_upload_all(script, both, values);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(told_transfer(script, 9), 2);
    say_credit(script, 9, 1, 2, 4, false);
    cr_assert_eq(script_count(script, 1009, CNV_KIND_CHUNK), 2);
    say_credit(script, 9, 2, 0, 1, false);
    cr_assert_eq(script_count(script, 1009, CNV_KIND_CHUNK), 3);
    cr_assert_eq(script_last(script, 1009, CNV_KIND_CHUNK)->message.chunk.transfer, 2);
    script_destroy(script);
}

Test(engine_transfer, at_most_three_models_are_held, .timeout = 30)
{
    struct script *script = start_with((const char *const[]){
        "run/agents=2", "limits/chunk=262144", "solver/kind=giant", "policy/evaluate=0", NULL });
    const double values[] = { 1.0, 3.0 };
    size_t before = cnv_blob_alive(); /* the model of the start, and the specification */

    for (int exchange = 0; exchange < 2; exchange++) {
        script_mark(script);
        offer_all(script);
        cr_assert_eq(script_view(script).exchange, (uint64_t) exchange);
        cr_assert_leq(cnv_blob_alive() - before, 2);
        script_upload_all(script, both, values);
        for (cnv_peer_id peer = 1; script_view(script).exchange == (uint64_t) exchange && peer <= 2;
             peer++) {
            script_chunks(script, peer, peer + 1000, 0, CHUNKS, 1.0);
        }
        cr_assert_eq(script_view(script).exchange, (uint64_t) exchange + 1);
    }
    cr_assert_eq(cnv_blob_alive() - before, 1);
    script_destroy(script);
}

Test(engine_transfer, a_bulk_connection_belongs_to_the_newest_attach, .timeout = 30)
{
    struct script *script = start();
    struct cnv_message bad = { .kind = CNV_KIND_ATTACH };

    bad.attach.token = 4711;
    script_say_bulk(script, 1009, &bad, NULL, 0);
    cr_assert_eq(script_count(script, 1009, CNV_KIND_REJOIN), 1);
    bad.attach.token = 0;
    script_say_bulk(script, 1009, &bad, NULL, 0);
    cr_assert_eq(script_count(script, 1009, CNV_KIND_REJOIN), 2);
    script_attach(script, 1, 1011);
    cr_assert(script_was_dropped(script, 1001));
    say_credit(script, 1, 1, 0, 1, false);
    cr_assert_eq(script_count(script, 1011, CNV_KIND_CHUNK), 1);
    script_destroy(script);
}

/*
 * test_engine_blocks.c - contributions in encoding `blocks`: the mean over all contributors, what
 * is counted, pulls in chunks whose places depend on the ids, attempts, and what lies.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/rng.h"
#include "encodings/blocks.h"
#include "engine_script.h"
#include "proto/vector.h"

enum { CHUNK = 65536, AGENTS = 2 };

/* An agent's contribution. */
struct part {
    struct cnv_blocks blocks;
    double *values;
    uint32_t *ids;
    uint8_t *bytes;
    size_t len;
    struct cnv_msg_offer offer;
};

/* count blocks of those there are, evenly spread from `from`; other coordinates are zero. */
static struct part part_new(size_t length, size_t block, size_t from, size_t count, uint64_t seed)
{
    struct part part = { .values = cnv_array_new(length, sizeof(double)),
                         .ids = cnv_array_new(count, sizeof(uint32_t)) };
    size_t there = (length - 1) / block + 1;
    struct cnv_rng rng;

    from = there == 1 ? 0 : from;
    cnv_rng_init(&rng, seed, CNV_RNG_SYNTHETIC, 0, 0);
    for (size_t i = 0; i < count; i++) {
        size_t id = from + i * (there - from) / count;

        part.ids[i] = (uint32_t) id;
        for (size_t j = id * block; j < (id + 1) * block && j < length; j++) {
            part.values[j] = cnv_rng_normal(&rng);
        }
    }
    part.blocks = (struct cnv_blocks){ part.values, length, block, part.ids, count };
    part.len = cnv_blocks_size(&part.blocks);
    part.bytes = cnv_array_new(part.len, 1);
    cnv_blocks_encode(&part.blocks, part.bytes);
    return part;
}

static void part_drop(struct part *part)
{
    cnv_free(part->values);
    cnv_free(part->ids);
    cnv_free(part->bytes);
}

static void offer(struct script *script, cnv_peer_id peer, struct part *part)
{
    struct cnv_msg_offer offer = script_offer_head(script, peer, "", 3 * peer);

    strcpy(offer.encoding, "blocks");
    offer.length = part->blocks.length;
    offer.bytes = part->len;
    part->offer = offer;
    script_offer_message(script, peer, &offer, part->bytes);
}

static void send_chunk(struct script *script, cnv_peer_id peer, const struct part *part, uint64_t i)
{
    const struct cnv_msg_credit *credit =
        &script_last(script, peer, CNV_KIND_CREDIT)->message.credit;
    struct cnv_message message = { .kind = CNV_KIND_CHUNK };
    size_t len = cnv_chunk_len(part->len, CHUNK, i);

    message.chunk.transfer = credit->transfer;
    message.chunk.attempt = credit->attempt;
    message.chunk.index = i;
    message.chunk.crc = cnv_crc32c(0, part->bytes + i * CHUNK, len);
    script_say_bulk(script, peer + 1000, &message, part->bytes + i * CHUNK, len);
}

/* Sends what credit allows until nobody is asked for more. */
static void upload(struct script *script, const struct part *parts)
{
    uint64_t version = script_view(script).version;
    uint64_t done[AGENTS] = { 0 };
    bool is_more = true;

    while (is_more) {
        is_more = false;
        for (size_t i = 0; i < AGENTS; i++) {
            const struct script_sent *credit = script_last(script, i + 1, CNV_KIND_CREDIT);
            uint64_t limit = credit == NULL ? 0 : credit->message.credit.limit;

            for (; done[i] < limit && script_view(script).version == version; done[i]++) {
                send_chunk(script, i + 1, &parts[i], done[i]);
                is_more = true;
            }
        }
    }
}

static struct script *start(size_t length, const char *const *settings)
{
    struct script *script = script_new(settings);

    script_join_all(script, AGENTS, length);
    for (cnv_peer_id peer = 1; peer <= AGENTS; peer++) {
        script_attach(script, peer, peer + 1000);
    }
    return script;
}

static const char *const settings[] = {
    "run/agents=2",       "encoding/up=blocks", "encoding/block=1000",
    "limits/chunk=65536", "policy/evaluate=0",  "solver/kind=blocks",
    "limits/window=1",    "sync/rejoin=0",      NULL,
};

/* The weights are 3 and 6 samples. */
static void check_mean(struct script *script, const struct part *parts, size_t length)
{
    double variance = 0;
    struct cnv_round_row row;

    for (size_t j = 0; j < length; j++) {
        double mean = 0.0;

        mean += 10.0 / 30.0 * parts[0].values[j];
        mean += 20.0 / 30.0 * parts[1].values[j];
        if (j % 97 == 0 || j + 2000 > length) {
            cr_assert_eq(script_model(script, j), mean, "coordinate %zu", j);
        }
        for (size_t i = 0; i < AGENTS; i++) {
            double distance = parts[i].values[j] - mean;

            variance += (double) (i + 1) / 3.0 * distance * distance;
        }
    }
    cnv_engine_row(script->engine, 0, &row);
    cr_assert_float_eq(row.variance, variance, 1e-12 * variance);
}

static void check_round(size_t length, size_t block, size_t count)
{
    struct script *script = start(length, settings);
    struct part parts[AGENTS] = { part_new(length, block, 0, count, 1),
                                  part_new(length, block, 1, count, 2) };
    size_t values = 0;

    for (size_t i = 0; i < AGENTS; i++) {
        offer(script, i + 1, &parts[i]);
        values += parts[i].len - cnv_blocks_head_len(parts[i].bytes);
    }
    upload(script, parts);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_view(script).payload_up, values);
    check_mean(script, parts, length);
    for (size_t i = 0; i < AGENTS; i++) {
        part_drop(&parts[i]);
    }
    script_destroy(script);
}

Test(engine_blocks, small_ones_come_with_the_offer, .timeout = 20)
{
    check_round(2000, 1000, 1);
    check_round(200000, 1000, 3);
    check_round(200000, 999, 7);
    check_round(200000, 150000, 0);
}

Test(engine_blocks, large_ones_are_pulled_by_chunks, .timeout = 60)
{
    check_round(200000, 1000, 100); /* blocks cross slices and chunks */
    check_round(200000, 7, 9000);   /* an index of more than half a chunk */
    check_round(300000, 100000, 1); /* slices without anything, at the end and at the beginning */
    check_round(300000, 65536, 2);
    check_round(400000, 400000, 1);
    check_round(131072, 1, 16000);
}

Test(engine_blocks, no_more_than_a_window_is_asked_for, .timeout = 20)
{
    struct script *script = start(2000000, settings);
    struct part parts[AGENTS] = { part_new(2000000, 1000, 0, 1500, 1),
                                  part_new(2000000, 1000, 1, 1500, 2) };
    uint64_t window = 2 * 8 + 2;

    offer(script, 1, &parts[0]);
    offer(script, 2, &parts[1]);
    cr_assert_eq(script_last(script, 1, CNV_KIND_CREDIT)->message.credit.limit, window);
    for (uint64_t i = 0; i < window; i++) {
        send_chunk(script, 1, &parts[0], i);
    }
    cr_assert_eq(script_last(script, 1, CNV_KIND_CREDIT)->message.credit.limit, window);
    upload(script, parts);
    cr_assert_eq(script_view(script).version, 1);
    check_mean(script, parts, 2000000);
    part_drop(&parts[0]);
    part_drop(&parts[1]);
    script_destroy(script);
}

Test(engine_blocks, another_attempt_pulls_again_from_the_index_on, .timeout = 20)
{
    struct script *script = start(200000, settings);
    struct part parts[AGENTS] = { part_new(200000, 1000, 0, 100, 1),
                                  part_new(200000, 1000, 1, 100, 2) };

    offer(script, 1, &parts[0]);
    offer(script, 2, &parts[1]);
    send_chunk(script, 1, &parts[0], 0);
    send_chunk(script, 1, &parts[0], 1);
    send_chunk(script, 2, &parts[1], 0);
    script_leave(script, 2);
    cr_assert_eq(script_last(script, 1, CNV_KIND_CREDIT)->message.credit.attempt, 2);
    cr_assert_eq(script_last(script, 1, CNV_KIND_CREDIT)->message.credit.next, 0);
    /* Chunk 1 before chunk 0: what lies where is not known yet. */
    for (uint64_t i = cnv_chunk_count(parts[0].len, CHUNK); i > 0; i--) {
        send_chunk(script, 1, &parts[0], i - 1);
    }
    cr_assert_eq(script_view(script).version, 1);
    for (size_t j = 0; j < 200000; j += 101) {
        cr_assert_eq(script_model(script, j), parts[0].values[j]);
    }
    part_drop(&parts[0]);
    part_drop(&parts[1]);
    script_destroy(script);
}

static void put(struct part *part, size_t at, uint32_t word)
{
    memcpy(part->bytes + at, &word, sizeof(word));
}

/* Agent 1 lies in its head; the round goes on with agent 2 alone. */
static void check_lie(size_t length, size_t count, size_t at, uint32_t word)
{
    struct script *script = start(length, settings);
    struct part parts[AGENTS] = { part_new(length, 1000, 0, count, 1),
                                  part_new(length, 1000, 1, count, 2) };

    put(&parts[0], at, word);
    offer(script, 1, &parts[0]);
    offer(script, 2, &parts[1]);
    if (script_last(script, 1, CNV_KIND_CREDIT) != NULL) {
        send_chunk(script, 1, &parts[0], 0);
    }
    upload(script, parts);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, -CNV_E_SIZE);
    cr_assert_eq(script_member(script, "a1").refused, 1);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, length - 1), parts[1].values[length - 1]);
    part_drop(&parts[0]);
    part_drop(&parts[1]);
    script_destroy(script);
}

Test(engine_blocks, an_index_that_lies_costs_its_sender_the_round, .timeout = 60)
{
    static const struct {
        size_t at;
        uint32_t word;
    } lies[] = { { 0, 0 },  { 0, 999 }, { 0, UINT32_MAX }, { 4, 0 },
                 { 4, 99 }, { 8, 150 }, { 8, UINT32_MAX }, { 4, UINT32_MAX } };

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        check_lie(4000, 2, lies[i].at, lies[i].word);
        check_lie(200000, 100, lies[i].at, lies[i].word);
    }
}

Test(engine_blocks, sizes_that_no_blocks_can_have_are_refused_at_the_offer, .timeout = 20)
{
    static const uint64_t sizes[] = { 0, 7, 8 + 12 * 2000 + 12, UINT64_MAX };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct script *script = start(2000, settings);
        struct part part = part_new(2000, 1000, 0, 1, 1);

        part.len = sizes[i];
        if (part.len <= CNV_INLINE_MAX) { /* it comes with the offer */
            cnv_free(part.bytes);
            part.bytes = cnv_array_new(part.len, 1);
        }
        offer(script, 1, &part);
        cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, -CNV_E_SIZE);
        part_drop(&part);
        script_destroy(script);
    }
}

Test(engine_blocks, a_number_that_is_not_finite_is_found_where_it_is, .timeout = 20)
{
    struct script *script = start(200000, settings);
    struct part parts[AGENTS] = { part_new(200000, 1000, 0, 100, 1),
                                  part_new(200000, 1000, 1, 100, 2) };
    const double bad = NAN;

    memcpy(parts[1].bytes + parts[1].len - 8, &bad, 8);
    offer(script, 1, &parts[0]);
    offer(script, 2, &parts[1]);
    upload(script, parts);
    cr_assert_eq(script_member(script, "a2").refused, 1);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code, -CNV_E_NOT_FINITE);
    upload(script, parts);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), parts[0].values[0]);
    part_drop(&parts[0]);
    part_drop(&parts[1]);
    script_destroy(script);
}

Test(engine_blocks, settings_that_do_not_fit_the_model_fail_the_run, .timeout = 20)
{
    struct script *script = script_new((const char *const[]){
        "encoding/up=blocks", "encoding/block=1000", "encoding/fraction=0.3", NULL });

    script_load(script, 1, "a1");
    script_ready(script, 1, 7000);
    cr_assert_eq(script_view(script).state, CNV_RUN_FAILED);
    cr_assert_not_null(
        strstr(script_view(script).state_reason, "encoding/fraction=0.3 of 7 blocks"));
    script_destroy(script);
    script = script_new((const char *const[]){ "encoding/up=blocks",
                                               "encoding/block=1",
                                               "encoding/fraction=1",
                                               "limits/chunk=4096",
                                               NULL });
    script_load(script, 1, "a1");
    script_ready(script, 1, 7000);
    cr_assert_eq(script_view(script).state, CNV_RUN_FAILED);
    cr_assert_not_null(strstr(script_view(script).state_reason, "larger blocks"));
    script_destroy(script);
}

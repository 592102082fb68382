/*
 * test_engine_scaled.c - optimiser `scaled`, whose members offer 2 or 3 numbers a coordinate and
 * whose commits have 2: the arithmetic, pulls in chunks, attempts, refusals, newcomers.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine_script.h"
#include "proto/vector.h"

enum { AGENTS = 2, KEPT = 2, WIDTH_MAX = 3 };

#define ALPHA 0.01
#define BETA2 0.75
#define STEP  0.5

static const char *const settings[] = {
    "run/agents=2",           "solver/kind=savic",  "optimiser/kind=scaled",
    "solver/scaling=rmsprop", "solver/alpha=0.01",  "solver/beta2=0.75",
    "solver/beta1=0",         "solver/step=0.5",    "policy/evaluate=0",
    "policy/local-steps=4",   "limits/window=1",    "sync/rejoin=0",
    "policy/kind=fixed",      "limits/chunk=65536", NULL,
};

static const char *const oasis[] = {
    "run/agents=2",         "solver/kind=savic", "optimiser/kind=scaled",
    "solver/scaling=oasis", "solver/alpha=0.01", "solver/beta2=0.75",
    "solver/beta1=0",       "solver/step=0.5",   "policy/evaluate=0",
    "policy/local-steps=4", "limits/window=1",   "sync/rejoin=0",
    "policy/kind=fixed",    "limits/chunk=8192", NULL,
};

static struct script *start(size_t length, const char *const *set)
{
    struct script *script = script_new(set);

    script_join_all(script, AGENTS, length);
    for (cnv_peer_id peer = 1; peer <= AGENTS; peer++) {
        script_attach(script, peer, peer + 1000);
    }
    return script;
}

/* Agent `peer` offers these count float64 numbers; 3 rows are behind those of the first, 6 behind
 * those of the second. */
static void offer(struct script *script, cnv_peer_id peer, const double *values, size_t count)
{
    struct cnv_msg_offer offer = script_offer_head(script, peer, "f64", 3 * peer);

    offer.length = count;
    offer.bytes = count * sizeof(*values);
    script_offer_message(script, peer, &offer, values);
}

/* Sends what credit allows until nobody is asked for more; stops before chunk `most`. */
static void upload(struct script *script, double *const *values, size_t count, uint64_t most)
{
    size_t chunk = (size_t) cnv_config_integer(script->config, "limits/chunk");
    uint64_t version = script_view(script).version;
    uint64_t done[AGENTS] = { 0 };
    bool is_more = true;

    while (is_more) {
        is_more = false;
        for (size_t i = 0; i < AGENTS; i++) {
            const struct script_sent *sent = script_last(script, i + 1, CNV_KIND_CREDIT);
            struct cnv_msg_credit credit =
                sent == NULL ? (struct cnv_msg_credit){ 0 } : sent->message.credit;

            for (;
                 done[i] < credit.limit && done[i] < most && script_view(script).version == version;
                 done[i]++) {
                const uint8_t *bytes = (const uint8_t *) values[i] + done[i] * chunk;
                struct cnv_message message = { .kind = CNV_KIND_CHUNK };
                size_t len = cnv_chunk_len(count * sizeof(double), chunk, done[i]);

                message.chunk.transfer = credit.transfer;
                message.chunk.attempt = credit.attempt;
                message.chunk.index = done[i];
                message.chunk.crc = cnv_crc32c(0, bytes, len);
                script_say_bulk(script, i + 1001, &message, bytes, len);
                is_more = true;
            }
        }
    }
}

/* Number i of the committed vector, width and all. */
static double committed(const struct script *script, size_t i)
{
    double value = 0;

    memcpy(&value, cnv_blob_data(script_view(script).model) + i * sizeof(value), sizeof(value));
    return value;
}

Test(engine_scaled, two_rounds_lead_where_they_do_by_hand, .timeout = 5)
{
    struct script *script = start(2, settings);
    static const double first[][4] = { { 0, 3, 0, -1 }, { 0, 0, 0, 0.5 } };
    static const double second[][4] = { { 0.3, 1, -0.6, 0 }, { 0, 4, 0.3, 0 } };
    const struct cnv_msg_commit *commit = NULL;

    offer(script, 1, first[0], 4);
    offer(script, 2, first[1], 4);
    /* D^2 = (9 + 2 x 0) / 3 = 3 and (1 + 2 x 0.25) / 3 = 0.5; mean g = 1 and 0. */
    cr_assert_float_eq(committed(script, 0), -0.5 / sqrt(3.0), 1e-12);
    cr_assert_float_eq(committed(script, 1), 3.0, 1e-12);
    cr_assert_float_eq(committed(script, 2), 0.0, 1e-12);
    cr_assert_float_eq(committed(script, 3), 0.5, 1e-12);
    commit = &script_last(script, 2, CNV_KIND_COMMIT)->message.commit;
    cr_assert_eq(commit->width, KEPT);
    cr_assert_eq(commit->length, 4);
    cr_assert_str_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.plan, "model");
    offer(script, 1, second[0], 4);
    offer(script, 2, second[1], 4);
    /* D^2 = 0.75 x 3 + 0.25 (1 + 2 x 16) / 3 = 5 and 0.75 x 0.5 = 0.375; mean g = 3 and 0; mean
     * update 0.1 and 0. */
    cr_assert_float_eq(committed(script, 0), -0.5 / sqrt(3.0) + 0.1 - 1.5 / sqrt(5.0), 1e-12);
    cr_assert_float_eq(committed(script, 1), 5.0, 1e-12);
    cr_assert_float_eq(committed(script, 2), 0.0, 1e-12);
    cr_assert_float_eq(committed(script, 3), 0.375, 1e-12);
    script_destroy(script);
}

Test(engine_scaled, the_variance_is_that_of_the_models_alone, .timeout = 5)
{
    struct script *script = start(2, settings);
    static const double sent[][4] = { { 3, 50, 0, -7 }, { 0, 20, 6, 80 } };
    struct cnv_round_row row;

    offer(script, 1, sent[0], 4);
    offer(script, 2, sent[1], 4);
    cnv_engine_row(script->engine, 0, &row);
    /* Means 1 and 4: (4 + 16) / 3 + 2 (1 + 4) / 3. */
    cr_assert_float_eq(row.variance, 10.0, 1e-12);
    script_destroy(script);
}

Test(engine_scaled, what_is_refused_leaves_no_trace_in_the_matrix, .timeout = 5)
{
    static const double good[4] = { 0.5, 2, 0, -1 };
    static const double narrow[2] = { 0.5, 2 };
    static const double bad[4] = { 0.5, NAN, 0, 1e200 };
    static const double too_large[4] = { 0, 1e200, 0, 0 }; /* its square is not finite */
    const double *others[] = { narrow, bad, too_large };

    for (size_t i = 0; i < 3; i++) {
        struct script *script = start(2, settings);

        offer(script, 1, good, 4);
        offer(script, 2, others[i], i == 0 ? 2 : 4);
        cr_assert_eq(script_view(script).version, 1);
        cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code,
                     -(int) (i == 0 ? CNV_E_SIZE : CNV_E_NOT_FINITE));
        cr_assert_float_eq(committed(script, 0), 0.5 - 0.5 * 2 / 2, 1e-12);
        cr_assert_float_eq(committed(script, 1), 4, 1e-12);
        cr_assert_float_eq(committed(script, 3), 1, 1e-12);
        cr_assert_not(script_last(script, 2, CNV_KIND_COMMIT)->message.commit.counted);
        script_destroy(script);
    }
}

Test(engine_scaled, a_newcomer_gets_the_matrix_with_the_model, .timeout = 5)
{
    struct script *script = start(2, settings);
    static const double sent[4] = { 0.5, 2, 0, -1 };
    const struct script_sent *commit = NULL;

    offer(script, 1, sent, 4);
    offer(script, 2, sent, 4);
    script_gone(script, 2);
    script_wait_beating(script, 2000, (const cnv_peer_id[]){ 1, 0 });
    script_load(script, 3, "a2");
    script_ready(script, 3, 2);
    commit = script_last(script, 3, CNV_KIND_COMMIT);
    cr_assert_eq(commit->message.commit.version, 1);
    cr_assert_eq(commit->message.commit.width, KEPT);
    cr_assert_eq(commit->len, 4 * sizeof(double));
    cr_assert_arr_eq(commit->bytes, cnv_blob_data(script_view(script).model), commit->len);
    script_destroy(script);
}

static double *drawn(size_t count, uint64_t seed)
{
    double *values = cnv_array_new(count, sizeof(*values));
    struct cnv_rng rng;

    cnv_rng_init(&rng, seed, CNV_RNG_SYNTHETIC, 0, 0);
    for (size_t j = 0; j < count; j++) {
        values[j] = cnv_rng_normal(&rng);
    }
    return values;
}

/* First round of the agents from `from` on: x and D of coordinate j, from the formulas. */
static void reference(double *const *sent, size_t from, size_t width, size_t j, double *ret)
{
    double total = from == 0 ? 30.0 : 20.0;
    double mean[WIDTH_MAX] = { 0 };

    for (size_t i = from; i < AGENTS; i++) {
        double weight = 10.0 * (double) (i + 1) / total;
        const double *part = sent[i] + j * width;
        double h = part[width - 1];

        mean[0] += weight * part[0];
        mean[1] += weight * part[1];
        mean[2] += weight * (width == 2 ? h * h : h);
    }
    ret[0] = mean[0] - STEP * mean[1] / fmax(ALPHA, width == 2 ? sqrt(mean[2]) : fabs(mean[2]));
    ret[1] = mean[2];
}

static void check_large(size_t length, size_t width, const char *const *set, bool is_one_lost)
{
    struct script *script = start(length, set);
    double *sent[AGENTS] = { drawn(length * width, 1), drawn(length * width, 2) };
    struct cnv_engine_view view;

    offer(script, 1, sent[0], length * width);
    offer(script, 2, sent[1], length * width);
    if (is_one_lost) {
        upload(script, sent, length * width, 7);
        cr_assert_eq(script_view(script).version, 0);
        script_gone(script, 1);
        script_wait_beating(script, 1000, (const cnv_peer_id[]){ 2, 0 });
    }
    upload(script, sent, length * width, UINT64_MAX);
    view = script_view(script);
    cr_assert_eq(view.version, 1);
    for (size_t j = 0; j < length; j++) {
        double expected[KEPT];

        reference(sent, is_one_lost ? 1 : 0, width, j, expected);
        cr_assert_float_eq(committed(script, KEPT * j), expected[0], 1e-12, "x of %zu", j);
        cr_assert_float_eq(committed(script, KEPT * j + 1), expected[1], 1e-12, "D of %zu", j);
    }
    cr_assert_eq(
        view.digest,
        cnv_vector_digest(cnv_encoding_find("f64"), cnv_blob_data(view.model), KEPT * length));
    cnv_free(sent[0]);
    cnv_free(sent[1]);
    script_destroy(script);
}

Test(engine_scaled, large_ones_are_pulled_by_chunks, .timeout = 60)
{
    check_large(4097, 2, settings, false);
    check_large(32768, 2, settings, false);
    check_large(150001, 2, settings, false);
    check_large(150001, 3, oasis, false);
}

Test(engine_scaled, another_attempt_begins_with_the_same_matrix, .timeout = 60)
{
    check_large(150001, 2, settings, true);
    check_large(150001, 3, oasis, true);
}

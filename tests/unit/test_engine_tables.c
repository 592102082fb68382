/*
 * test_engine_tables.c - server optimisers that remember what agents said: what is lost, refused or
 * given up leaves no trace, who comes back or takes a place over finds what was there.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/rng.h"
#include "encodings/blocks.h"
#include "engine_script.h"

enum { AGENTS = 3, LENGTH = 200000, BLOCK = 1000, BLOCKS = 200, SENT = 4 };

/* One block of four is a quarter of each slice; what a table and M are to be after each round. */
struct ledger {
    double *model;
    double *mean;
    double *rows[AGENTS];
    double *update;
};

static const char *const settings[] = {
    "run/agents=3",
    "encoding/up=blocks",
    "encoding/block=1000",
    "solver/kind=blocks",
    "policy/evaluate=0",
    "optimiser/kind=sega-table",
    "sync/rejoin=0",
    "limits/chunk=65536",
    "encoding/fraction=0.02",
    "policy/local-steps=1",
    NULL,
};

static struct ledger ledger_new(void)
{
    struct ledger ledger = { .model = cnv_array_new(LENGTH, sizeof(double)),
                             .mean = cnv_array_new(LENGTH, sizeof(double)),
                             .update = cnv_array_new(LENGTH, sizeof(double)) };

    for (size_t i = 0; i < AGENTS; i++) {
        ledger.rows[i] = cnv_array_new(LENGTH, sizeof(double));
    }
    return ledger;
}

static void ledger_drop(struct ledger *ledger)
{
    cnv_free(ledger->model);
    cnv_free(ledger->mean);
    cnv_free(ledger->update);
    for (size_t i = 0; i < AGENTS; i++) {
        cnv_free(ledger->rows[i]);
    }
}

/* What agent i says of coordinate j in a round, and in which blocks: one in each slice. */
static double value_of(size_t i, size_t round, size_t j)
{
    return sin((double) (j % 1013 + 17 * i + 31 * round));
}

static uint32_t block_of(size_t i, size_t round, size_t slice)
{
    return (uint32_t) (66 * slice + (7 * i + 13 * round) % (slice == 3 ? 2 : 60));
}

/* It was counted. */
static void enter(struct ledger *ledger, size_t i, size_t round)
{
    for (size_t slice = 0; slice < SENT; slice++) {
        size_t first = (size_t) block_of(i, round, slice) * BLOCK;

        for (size_t j = first; j < first + BLOCK; j++) {
            ledger->update[j] += 1.0 / AGENTS * (value_of(i, round, j) - ledger->rows[i][j]);
            ledger->rows[i][j] = value_of(i, round, j);
        }
    }
}

/* tau = 4 / 200. */
static void close_round(struct ledger *ledger, const struct script *script)
{
    for (size_t j = 0; j < LENGTH; j++) {
        ledger->model[j] += ledger->mean[j] + ledger->update[j] / 0.02;
        ledger->mean[j] += ledger->update[j];
        ledger->update[j] = 0;
    }
    for (size_t j = 0; j < LENGTH; j += 53) {
        cr_assert_float_eq(script_model(script, j),
                           ledger->model[j],
                           1e-10,
                           "version %lu, coordinate %zu",
                           script_view(script).version,
                           j);
    }
}

/* Agent i says it, with a NaN where it is bad. */
static void say(struct script *script, size_t i, size_t round, bool is_bad)
{
    double *values = cnv_array_new(LENGTH, sizeof(*values));
    uint32_t ids[SENT];
    struct cnv_msg_offer offer = script_offer_head(script, i + 1, "", 10);

    for (size_t slice = 0; slice < SENT; slice++) {
        ids[slice] = block_of(i, round, slice);
        for (size_t j = (size_t) ids[slice] * BLOCK; j < ((size_t) ids[slice] + 1) * BLOCK; j++) {
            values[j] = value_of(i, round, j);
        }
    }
    if (is_bad) {
        values[(size_t) ids[0] * BLOCK + 5] = NAN;
    }
    struct cnv_blocks blocks = { values, LENGTH, BLOCK, ids, SENT };
    uint8_t *bytes = cnv_array_new(cnv_blocks_size(&blocks), 1);

    cnv_blocks_encode(&blocks, bytes);
    strcpy(offer.encoding, "blocks");
    offer.length = LENGTH;
    offer.bytes = cnv_blocks_size(&blocks);
    script_offer_message(script, i + 1, &offer, bytes);
    cnv_free(bytes);
    cnv_free(values);
}

static void say_all(struct script *script, struct ledger *ledger, size_t agents, size_t round)
{
    for (size_t i = 0; i < agents; i++) {
        say(script, i, round, false);
        enter(ledger, i, round);
    }
}

static struct script *start(void)
{
    struct script *script = script_new(settings);

    script_join_all(script, AGENTS, LENGTH);
    return script;
}

Test(engine_tables, what_is_not_heard_leaves_model_and_rows_alone, .timeout = 60)
{
    struct script *script = start();
    struct ledger ledger = ledger_new();

    say_all(script, &ledger, 3, 1);
    close_round(&ledger, script);

    say(script, 0, 2, false); /* the second agent's is not finite */
    say(script, 1, 2, true);
    say(script, 2, 2, false);
    cr_assert_eq(script_member(script, "a2").refused, 1);
    enter(&ledger, 0, 2);
    enter(&ledger, 2, 2);
    close_round(&ledger, script);

    script_gone(script, 3); /* the third dies */
    script_wait(script, 200);
    say_all(script, &ledger, 2, 3);
    cr_assert_eq(script_view(script).version, 3);
    close_round(&ledger, script);

    say(script, 0, 4, false);
    script_hello_as(script, 3, "a3", 33, 3, 3); /* and is back, another process */
    script_loaded(script, 3);
    script_ready(script, 3, LENGTH);
    say(script, 1, 4, false);
    enter(&ledger, 0, 4);
    enter(&ledger, 1, 4);
    cr_assert_eq(script_view(script).version, 4);
    close_round(&ledger, script);
    say_all(script, &ledger, 3, 5);
    cr_assert_eq(script_view(script).version, 5);
    close_round(&ledger, script);

    script_leave(script, 3); /* another takes its shard over */
    say_all(script, &ledger, 2, 6);
    close_round(&ledger, script);
    script_hello_as(script, 3, "other", 34, 3, 3);
    script_loaded(script, 3);
    script_ready(script, 3, LENGTH);
    say_all(script, &ledger, 2, 7);
    close_round(&ledger, script);
    say_all(script, &ledger, 3, 8);
    cr_assert_eq(script_view(script).version, 8);
    close_round(&ledger, script);
    ledger_drop(&ledger);
    script_destroy(script);
}

Test(engine_tables, the_variance_is_not_known, .timeout = 20)
{
    struct script *script = start();
    struct ledger ledger = ledger_new();
    struct cnv_round_row row;

    say_all(script, &ledger, 3, 1);
    cnv_engine_row(script->engine, 0, &row);
    cr_assert(isnan(row.variance));
    ledger_drop(&ledger);
    script_destroy(script);
}

/* Job k of those that are held, alone. */
static void run_job(struct script *script, size_t k)
{
    struct cnv_job *job = script->jobs[k];

    script->job_count--;
    memmove(&script->jobs[k], &script->jobs[k + 1], (script->job_count - k) * sizeof(job));
    job->run(job);
    cnv_engine_job_done(script->engine, script->now_ms, job);
}

/* A merge that was given up still has jobs out, while the next one waits for them and ends. */
Test(engine_tables, late_jobs_of_an_older_attempt_do_no_harm, .timeout = 60)
{
    struct script *script = start();
    struct ledger ledger = ledger_new();

    script->holds_jobs = true;
    say(script, 0, 1, false);
    say(script, 1, 1, true);
    say(script, 2, 1, false);
    cr_assert_eq(script->job_count, 4);
    run_job(script, 0); /* it is the one that finds the NaN: the others are pulled again */
    cr_assert_eq(script_member(script, "a2").refused, 1);
    cr_assert_eq(script->job_count, 3);
    run_job(script, 2);
    run_job(script, 1);
    cr_assert_eq(script->job_count, 1);
    run_job(script, 0); /* the last: now the next attempt's begin */
    cr_assert_eq(script->job_count, 4);
    while (script->job_count > 0) {
        run_job(script, script->job_count - 1);
    }
    script_run_jobs(script, false); /* there are none: what came of them is persisted */
    enter(&ledger, 0, 1);
    enter(&ledger, 2, 1);
    cr_assert_eq(script_view(script).version, 1);
    close_round(&ledger, script);

    say(script, 0, 2, false);
    say(script, 1, 2, true);
    say(script, 2, 2, false);
    run_job(script, 0);
    cnv_engine_stop(script->engine, script->now_ms, "enough"); /* the next attempt with it */
    while (script->job_count > 0) {
        run_job(script, 0);
    }
    ledger_drop(&ledger);
    script_destroy(script);
}

static void join(struct script *script, cnv_peer_id peer, const char *name, uint64_t rows)
{
    struct cnv_message message = { .kind = CNV_KIND_LOADED };

    message.loaded.rows = rows;
    message.loaded.features = 3;
    script_hello_as(script, peer, name, peer, 1, 1);
    script_say(script, peer, &message, NULL, 0);
}

/* With data of one's own the name has the place. */
Test(engine_tables, there_are_places_for_the_agents_of_the_run, .timeout = 20)
{
    struct script *script = script_new(settings);

    join(script, 9, "goes", 10);
    script_leave(script, 9);
    join(script, 1, "b", 10);
    join(script, 2, "a", 20);
    join(script, 3, "c", 30);
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        script_ready(script, peer, LENGTH);
    }
    cr_assert_eq(script_view(script).state, CNV_RUN_RUNNING);
    script_mark(script);
    join(script, 4, "d", 10);
    cr_assert_eq(script_last(script, 4, CNV_KIND_ERROR)->message.error.code, -CNV_E_FULL);
    cr_assert_not_null(strstr(script_last(script, 4, CNV_KIND_ERROR)->message.error.text,
                              "optimiser/kind=sega-table remembers run/agents=3 agents"));
    script_gone(script, 2);
    join(script, 5, "a", 21);
    cr_assert_eq(script_last(script, 5, CNV_KIND_ERROR)->message.error.code, -CNV_E_MISFIT);
    cr_assert_not_null(
        strstr(script_last(script, 5, CNV_KIND_ERROR)->message.error.text, "has 21 rows"));
    join(script, 6, "a", 20);
    cr_assert_null(script_last(script, 6, CNV_KIND_ERROR));
    script_destroy(script);
}

/* --- Data that all share -------------------------------------------------------------------- */

static const char *const saga[] = {
    "run/agents=2",     "encoding/up=blocks",  "encoding/block=1", "optimiser/kind=saga-table",
    "data/shared=true", "policy/evaluate=0",   "run/seed=9",       "policy/local-steps=2",
    "run/rounds=10",    "encoding/fraction=1", "sync/rejoin=0",    NULL,
};

static void load_rows(struct script *script, cnv_peer_id peer, uint64_t rows)
{
    struct cnv_message message = { .kind = CNV_KIND_LOADED };

    message.loaded.rows = rows;
    message.loaded.features = 3;
    script_say(script, peer, &message, NULL, 0);
}

/* An offer of both coordinates of a model. */
static void say_two(struct script *script, cnv_peer_id peer, double first, double second)
{
    double values[2] = { first, second };
    uint32_t ids[2] = { 0, 1 };
    struct cnv_blocks blocks = { values, 2, 1, ids, 2 };
    uint8_t bytes[64];
    struct cnv_msg_offer offer = script_offer_head(script, peer, "", 5);

    cnv_blocks_encode(&blocks, bytes);
    strcpy(offer.encoding, "blocks");
    offer.length = 2;
    offer.bytes = cnv_blocks_size(&blocks);
    script_offer_message(script, peer, &offer, bytes);
}

/* Algorithm 4 over ten rounds, in the third of which the second agent's gradient is not finite.
 * The rows are those of the iteration that the round begins at, which counts local steps. */
Test(engine_tables, the_rows_of_shared_data_are_drawn_as_by_the_agents, .timeout = 20)
{
    enum { ROWS = 5 };
    struct script *script = script_new(saga);
    double alpha[ROWS][2] = { { 0 } };
    double mean[2] = { 0 };
    double x[2] = { 0 };

    for (cnv_peer_id peer = 1; peer <= 2; peer++) {
        script_hello_as(script, peer, peer == 1 ? "a1" : "a2", peer, (uint32_t) peer, 2);
        load_rows(script, peer, ROWS);
    }
    cr_assert_eq(script_view(script).total_rows, ROWS);
    script_ready(script, 1, 2);
    script_ready(script, 2, 2);
    for (uint64_t round = 1; round <= 10; round++) {
        size_t agents = round == 3 ? 1 : 2;
        double sum[2] = { 0 };
        double moved[2] = { 0 };
        uint64_t rows[2];
        struct cnv_rng rng;

        cnv_rng_init(&rng, 9, CNV_RNG_ROWS, 0, 2 * (round - 1));
        cnv_rng_distinct(&rng, ROWS, 2, rows);
        for (size_t i = 0; i < 2; i++) {
            double said[2] = { sin((double) (3 * round + i)), cos((double) (5 * round + i)) };

            say_two(script, i + 1, said[0], i < agents ? said[1] : NAN);
            for (size_t j = 0; i < agents && j < 2; j++) {
                double d = said[j] - alpha[rows[i]][j];

                sum[j] += (d + mean[j]) / 2;
                moved[j] += d / ROWS;
                alpha[rows[i]][j] = said[j];
            }
        }
        cr_assert_eq(script_view(script).version, round);
        for (size_t j = 0; j < 2; j++) {
            x[j] += sum[j];
            mean[j] += moved[j];
            cr_assert_float_eq(script_model(script, j), x[j], 1e-12, "round %lu", round);
        }
    }
    script_destroy(script);
}

Test(engine_tables, who_has_other_rows_is_refused_where_all_share_them, .timeout = 20)
{
    struct script *script = script_new(saga);

    script_hello_as(script, 1, "short", 1, 1, 2);
    load_rows(script, 1, 4);
    script_hello_as(script, 2, "a2", 2, 2, 2);
    load_rows(script, 2, 5);
    cr_assert_not_null(strstr(script_last(script, 1, CNV_KIND_ERROR)->message.error.text,
                              "short has 4 rows, others 5"));
    script_hello_as(script, 3, "a1", 3, 1, 2);
    load_rows(script, 3, 5);
    cr_assert_eq(script_view(script).total_rows, 5);
    script_gone(script, 3);
    script_hello_as(script, 4, "a1", 4, 1, 2);
    load_rows(script, 4, 6);
    cr_assert_eq(script_last(script, 4, CNV_KIND_ERROR)->message.error.code, -CNV_E_MISFIT);
    script_destroy(script);
}

Test(engine_tables, agents_of_shared_data_have_numbers, .timeout = 20)
{
    struct script *script = script_new(saga);

    script_hello_as(script, 1, "own", 1, 1, 1);
    load_rows(script, 1, 5);
    cr_assert_not_null(
        strstr(script_last(script, 1, CNV_KIND_ERROR)->message.error.text, "own has shard 1 of 1"));
    script_destroy(script);
}

Test(engine_tables, a_table_that_is_too_large_fails_the_run_in_words, .timeout = 20)
{
    struct script *script = script_new((const char *const[]){
        "optimiser/kind=sega-table", "encoding/up=blocks", "limits/table=1000", NULL });

    script_load(script, 1, "a1");
    script_ready(script, 1, 126);
    cr_assert_eq(script_view(script).state, CNV_RUN_FAILED);
    cr_assert_not_null(strstr(script_view(script).state_reason,
                              "sega-table remembers 1 x 126 numbers, 1.01e+03 bytes"),
                       "%s",
                       script_view(script).state_reason);
    script_destroy(script);
}

/* Under the sanitizers: what the first start made is made once. */
Test(engine_tables, a_run_that_failed_at_its_start_does_not_start_again, .timeout = 20)
{
    struct script *script = script_new((const char *const[]){ "optimiser/kind=sega-table",
                                                              "encoding/up=blocks",
                                                              "limits/table=1000",
                                                              "run/agents=2",
                                                              NULL });

    script_load(script, 1, "a1");
    script_load(script, 2, "a2");
    script_ready(script, 1, 126);
    cr_assert_eq(script_view(script).state, CNV_RUN_FAILED);
    script_ready(script, 2, 60); /* which would fit */
    cr_assert_eq(script_view(script).dimension, 0);
    script_destroy(script);
}

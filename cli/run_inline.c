/*
 * run_inline.c - convene run --inline: server and agents in this process, through the simulator
 * with no faults. The same engine, sessions, trainers and codecs as the programs: the same bits.
 *
 * Time is virtual: a step takes what it took on our clock, as if all agents had worked side by
 * side, so the seconds of rounds.csv are those of agents with a core each.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "config/config.h"
#include "data/load.h"
#include "interrupt.h"
#include "model/model.h"
#include "num/num.h"
#include "proto/npy.h"
#include "proto/vector.h"
#include "report/report.h"
#include "report/rows_csv.h"
#include "run.h"
#include "sim/sim.h"

struct inline_run {
    const struct cnv_run_setup *setup;
};

static uint64_t clock_us(void *self)
{
    struct timespec now;

    (void) self;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000U + (uint64_t) now.tv_nsec / 1000U;
}

/* The first agent alone scores the model: its trainer's test data comes from the whole file. */
static enum cnv_status load(void *self,
                            const struct cnv_config *config,
                            uint32_t shard,
                            uint32_t shards,
                            struct cnv_shard **ret_shard,
                            struct cnv_shard **ret_test,
                            struct cnv_error *err)
{
    const struct inline_run *run = self;
    struct cnv_config *own = cnv_config_copy(config);
    enum cnv_status status = CNV_OK;

    if (own == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    if (shard != 1) {
        status = cnv_config_set(own, "data/test", "", "inline", err);
    }
    if (status == CNV_OK) {
        status = cnv_data_load(run->setup->data, own, shard, shards, ret_shard, ret_test, err);
    }
    cnv_config_destroy(own);
    return status;
}

static void committed(void *self, const struct cnv_engine *engine)
{
    const struct inline_run *run = self;
    struct cnv_engine_view view;
    struct cnv_round_row row = { .loss = NAN };

    cnv_engine_view(engine, &view);
    if (view.version > 0) {
        cnv_engine_row(engine, view.version - 1, &row);
    }
    struct cnv_progress_view progress = {
        .state = cnv_run_state_name(view.state),
        .reason = view.state_reason,
        .version = view.version,
        .iteration = view.iteration,
        .local_steps = view.local_steps,
        .solver = view.solver,
        .loss = row.loss,
        .loss_round = row.round,
        .bytes = (double) view.bytes_up + (double) view.bytes_down,
        .seconds = view.seconds,
    };
    cnv_progress_show(run->setup->progress, &progress, (double) clock_us(NULL) * 1e-6);
}

static enum cnv_status step_to_end(struct cnv_sim *sim, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;
    bool is_more = true;
    bool is_draining = false;

    while (is_more && status == CNV_OK) {
        if (cnv_interrupts() >= 2) {
            return cnv_fail(err, CNV_E_SYSTEM, "interrupted");
        }
        if (cnv_interrupts() == 1 && !is_draining) {
            is_draining = true;
            cnv_sim_drain(sim, "interrupted");
        }
        status = cnv_sim_step(sim, &is_more, err);
    }
    return status;
}

static struct cnv_blob *csv_of(const struct cnv_engine *engine)
{
    size_t count = cnv_engine_rows(engine);
    struct cnv_round_row *rows = cnv_array_new(count, sizeof(*rows));
    struct cnv_blob *file = NULL;

    if (rows == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        cnv_engine_row(engine, i, &rows[i]);
    }
    file = cnv_rows_csv_file(rows, count);
    cnv_free(rows);
    return file;
}

static struct cnv_blob *npy_of(const struct cnv_engine_view *view)
{
    uint8_t head[CNV_NPY_HEAD_SIZE];
    size_t head_len = cnv_npy_head(view->model_encoding, view->dimension, head);
    size_t length = (size_t) view->dimension;
    size_t len = cnv_blob_len(view->model) / view->model_width;
    struct cnv_blob *file = cnv_blob_new(head_len + len);

    if (file != NULL) {
        memcpy(cnv_blob_edit(file), head, head_len);
        cnv_vector_first(cnv_blob_data(view->model),
                         length,
                         view->model_width,
                         len / length,
                         cnv_blob_edit(file) + head_len);
    }
    return file;
}

static enum cnv_status take_result(const struct cnv_sim *sim,
                                   const struct cnv_config *config,
                                   struct cnv_run_result *result,
                                   struct cnv_error *err)
{
    const struct cnv_engine *engine = cnv_sim_engine(sim);
    struct cnv_engine_view view;

    cnv_engine_view(engine, &view);
    result->status = cnv_report_agents(engine, cnv_sim_now_ms(sim));
    (void) json_object_set_new(result->status, "run", cnv_report_run(engine, config));
    (void) json_object_set_new(result->status, "policy", cnv_report_policy(engine));
    result->rows = csv_of(engine);
    result->model = view.model == NULL ? NULL : npy_of(&view);
    if (result->status == NULL || result->rows == NULL ||
        (result->model == NULL && view.version > 0)) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory for the report");
    }
    return CNV_OK;
}

enum cnv_status cnv_run_inline(const struct cnv_run_setup *setup,
                               struct cnv_run_result *result,
                               struct cnv_error *err)
{
    struct inline_run run = { .setup = setup };
    struct cnv_sim_setup sim_setup = {
        .config = setup->config,
        .seed = 1,
        .self = &run,
        .load = load,
        .committed = committed,
        .clock_us = clock_us,
    };
    struct cnv_sim *sim = NULL;
    struct cnv_start start = { .has_card = false };
    struct cnv_engine_start from = { .values = NULL };

    setup->progress->is_virtual = true;
    cnv_num_init();
    enum cnv_status status = cnv_start_read(setup->config, &start, err);
    if (status == CNV_OK && start.model.values != NULL) {
        from = (struct cnv_engine_start){
            .values = start.model.values,
            .labels = start.card.labels,
            .label_count = start.card.label_count,
            .has_labels = start.has_card,
        };
        sim_setup.start = &from;
    }
    if (status == CNV_OK) {
        status = cnv_sim_new(&sim_setup, &sim, err);
    }
    if (status == CNV_OK) {
        status = step_to_end(sim, err);
    }
    cnv_progress_end(setup->progress);
    if (status == CNV_OK) {
        status = take_result(sim, setup->config, result, err);
    }
    cnv_sim_destroy(sim);
    cnv_start_fini(&start);
    return status;
}

/* One run of its own; its last row says what came of it. */
static enum cnv_status run_once(const struct cnv_run_setup *setup,
                                const struct cnv_config *config,
                                struct cnv_round_row *ret_row,
                                struct cnv_engine_view *ret_view,
                                struct cnv_error *err)
{
    struct inline_run run = { .setup = setup };
    struct cnv_sim_setup sim_setup = { .config = config, .seed = 1, .self = &run, .load = load };
    struct cnv_sim *sim = NULL;
    enum cnv_status status = cnv_sim_new(&sim_setup, &sim, err);

    if (status == CNV_OK) {
        status = step_to_end(sim, err);
    }
    if (status == CNV_OK) {
        const struct cnv_engine *engine = cnv_sim_engine(sim);

        cnv_engine_view(engine, ret_view);
        cnv_engine_row(engine, cnv_engine_rows(engine) - 1, ret_row);
        if (ret_view->state == CNV_RUN_FAILED) {
            status = cnv_fail(err, CNV_E_SYSTEM, "the run failed: %s", ret_view->state_reason);
        }
    }
    cnv_sim_destroy(sim);
    return status;
}

enum cnv_status
cnv_run_repeats(const struct cnv_run_setup *setup, uint64_t count, FILE *out, struct cnv_error *err)
{
    struct cnv_config *config = cnv_config_copy(setup->config);
    uint64_t first = (uint64_t) cnv_config_integer(setup->config, "run/seed");
    enum cnv_status status = config == NULL ? cnv_fail(err, CNV_E_NOMEM, "out of memory") : CNV_OK;

    cnv_num_init();
    (void) fprintf(out, "seed,rounds,loss\n");
    for (uint64_t i = 0; i < count && status == CNV_OK && cnv_interrupts() == 0; i++) {
        struct cnv_round_row row;
        struct cnv_engine_view view;
        char loss[CNV_CSV_REAL_SIZE];
        char seed[24];

        (void) snprintf(seed, sizeof(seed), "%" PRIu64, first + i);
        status = cnv_config_set(config, "run/seed", seed, "--repeat", err);
        if (status == CNV_OK) {
            status = run_once(setup, config, &row, &view, err);
        }
        if (status == CNV_OK) {
            (void) cnv_csv_real(row.loss, loss);
            (void) fprintf(out, "%s,%" PRIu64 ",%s\n", seed, view.version, loss);
        }
    }
    cnv_config_destroy(config);
    return status;
}

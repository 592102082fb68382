/* world.c - see world.h. */
#include "world.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/mem.h"
#include "base/rng.h"

enum { NONZEROS = 8 };

/* --- Data --------------------------------------------------------------------------------- */

/* Sparse rows of NONZEROS ascending columns each; labels follow a fixed direction, with noise. */
static struct cnv_shard *shard_new(const struct world *world, uint64_t number, size_t rows)
{
    struct cnv_rng rng;
    size_t nonzeros = world->features < NONZEROS ? world->features : NONZEROS;
    size_t stride = world->features / nonzeros;
    struct cnv_shard *shard = cnv_object_new(struct cnv_shard);

    if (shard == NULL) {
        return NULL;
    }
    shard->rows = rows;
    shard->features = world->features;
    shard->labels = cnv_array_new(rows, sizeof(*shard->labels));
    shard->row_start = cnv_array_new(rows + 1, sizeof(*shard->row_start));
    shard->columns = cnv_array_new(rows * nonzeros, sizeof(*shard->columns));
    shard->values = cnv_array_new(rows * nonzeros, sizeof(*shard->values));
    if (shard->labels == NULL || shard->row_start == NULL || shard->columns == NULL ||
        shard->values == NULL) {
        cnv_shard_destroy(shard);
        return NULL;
    }
    cnv_rng_init(&rng, world->seed, CNV_RNG_SYNTHETIC, number, 0);
    for (size_t i = 0; i < rows; i++) {
        double score = cnv_rng_normal(&rng);

        shard->row_start[i + 1] = (i + 1) * nonzeros;
        for (size_t k = 0; k < nonzeros; k++) {
            size_t column = k * stride + (size_t) cnv_rng_below(&rng, stride);
            double value = cnv_rng_normal(&rng);

            shard->columns[i * nonzeros + k] = (uint32_t) column;
            shard->values[i * nonzeros + k] = value;
            score += value * (column % 3 == 0 ? 1.5 : -0.5);
        }
        double label = floor((1 + tanh(score / 3)) / 2 * (double) world->classes);
        shard->labels[i] = label < (double) world->classes ? label : (double) world->classes - 1;
    }
    /* Each shard shows all labels and the highest column, so that no late joiner misfits. */
    for (size_t i = 0; i < world->classes && i < rows; i++) {
        shard->labels[i] = (double) i;
    }
    shard->columns[nonzeros - 1] = (uint32_t) world->features - 1;
    return shard;
}

static enum cnv_status load(void *self,
                            const struct cnv_config *config,
                            uint32_t shard,
                            uint32_t shards,
                            struct cnv_shard **ret_shard,
                            struct cnv_shard **ret_test,
                            struct cnv_error *err)
{
    const struct world *world = self;

    uint32_t number = cnv_config_boolean(config, "data/shared") ? 1 : shard;

    (void) shards;
    *ret_shard = shard_new(world, number, world->rows + (number * 7) % 20);
    *ret_test = shard_new(world, 0, 20);
    if (*ret_shard == NULL || *ret_test == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "shard %u", shard);
    }
    return CNV_OK;
}

/* --- Settings ----------------------------------------------------------------------------- */

void world_set(struct world *world, const char *path, const char *value)
{
    struct cnv_error err = { 0 };

    if (cnv_config_set(world->config, path, value, "world", &err) != CNV_OK) {
        (void) fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

void world_set_number(struct world *world, const char *path, double value)
{
    char text[40];

    (void) snprintf(text, sizeof(text), "%.17g", value);
    world_set(world, path, text);
}

void world_init(struct world *world, size_t agents)
{
    *world = (struct world){ .seed = 1, .features = 6, .rows = 60, .classes = 2 };
    world->config = cnv_config_new();
    if (world->config == NULL) {
        abort();
    }
    world_set_number(world, "run/agents", (double) agents);
    world_set(world, "run/rounds", "4");
    world_set(world, "problem/l2", "1e-2");
    world_set(world, "limits/heartbeat", "1");
    world_set(world, "limits/patience", "4");
    world_set(world, "limits/chunk", "4096");
    world->limit_ms = 60000;
}

void world_set_features(struct world *world, size_t features)
{
    world->features = features;
    world->rows = 30;
    world_set(world, "solver/kind", "sgd");
    world_set(world, "solver/batch", "8");
}

void world_describe(const struct world *world, char *text, size_t size)
{
    const struct cnv_config *config = world->config;
    const struct cnv_sim_faults *faults = &world->faults;

    (void) snprintf(text,
                    size,
                    "%s %s %s %s%s %s balance=%s agents=%s rounds=%s features=%zu up=%s down=%s "
                    "window=%s chunk=%s\n"
                    "  delay=%u step=%u loss=%g duplicate=%g reorder=%g damage=%g poison=%g cut=%u "
                    "kill=%u freeze=%u gone=%g notice=%u away=%u defers=%d until=%" PRIu64
                    " guests=%" PRIu64 ",%" PRIu64 ",%" PRIu64 " drain=%" PRIu64 " set=%" PRIu64
                    " %s,%" PRIu64 " %s",
                    cnv_config_value(config, "problem/kind"),
                    cnv_config_value(config, "solver/kind"),
                    cnv_config_value(config, "optimiser/kind"),
                    cnv_config_value(config, "policy/kind"),
                    world->round_exchanges > 0 ? cnv_config_value(config, "policy/monitor") : "",
                    cnv_config_value(config, "sync/mode"),
                    cnv_config_value(config, "policy/balance"),
                    cnv_config_value(config, "run/agents"),
                    cnv_config_value(config, "run/rounds"),
                    world->features,
                    cnv_config_value(config, "encoding/up"),
                    cnv_config_value(config, "encoding/down"),
                    cnv_config_value(config, "limits/window"),
                    cnv_config_value(config, "limits/chunk"),
                    faults->delay_ms,
                    faults->step_ms,
                    faults->loss,
                    faults->duplicate,
                    faults->reorder,
                    faults->damage,
                    faults->poison,
                    faults->cut_every_ms,
                    faults->kill_every_ms,
                    faults->freeze_every_ms,
                    faults->gone,
                    faults->notice_ms,
                    faults->away_ms,
                    faults->defers_jobs,
                    faults->until_ms,
                    world->guests[0].at_ms,
                    world->guests[1].at_ms,
                    world->guests[2].at_ms,
                    world->drain_ms,
                    world->changes[0].at_ms,
                    world->changes[0].words,
                    world->changes[1].at_ms,
                    world->changes[1].words);
}

/* --- Life --------------------------------------------------------------------------------- */

enum cnv_status world_start(struct world *world, FILE *trace, struct cnv_error *err)
{
    world->setup.config = world->config;
    world->setup.seed = world->seed;
    world->setup.faults = &world->faults;
    world->setup.is_checked = true;
    world->setup.trace = trace;
    world->setup.self = world;
    world->setup.load = load;
    return cnv_sim_new(&world->setup, &world->sim, err);
}

static enum cnv_status
receive_guest(struct world *world, struct world_guest *guest, struct cnv_error *err)
{
    size_t number = 0;

    guest->at_ms = 0;
    return guest->role == NULL ? cnv_sim_twin(world->sim, guest->agent, &number, err)
                               : cnv_sim_add(world->sim, guest->role, guest->shard, &number, err);
}

/* Policies that do not fit the run (of iterations unknown, say) are refused, and nothing changes.
 */
static enum cnv_status
set_policy(struct world *world, struct world_change *change, struct cnv_error *err)
{
    struct cnv_config *config = cnv_config_copy(world->config);

    change->at_ms = 0;
    if (config == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "settings");
    }
    if (cnv_config_change_policy(config, change->words, NULL) != CNV_OK ||
        cnv_sim_set_policy(world->sim, config, "seed", NULL) != CNV_OK) {
        cnv_config_destroy(config);
        return CNV_OK;
    }
    change->config = world->config; /* the sim still holds it: let go of with the world */
    world->config = config;
    return CNV_OK;
}

enum cnv_status world_step(struct world *world, bool *ret_is_more, struct cnv_error *err)
{
    struct cnv_engine_view view;
    enum cnv_status status = cnv_sim_step(world->sim, ret_is_more, err);

    cnv_engine_view(cnv_sim_engine(world->sim), &view);
    if (world->drain_ms > 0 && cnv_sim_now_ms(world->sim) >= world->drain_ms) {
        world->drain_ms = 0;
        cnv_sim_drain(world->sim, "drained");
    }
    for (size_t i = 0; i < CHANGES_MAX && status == CNV_OK; i++) {
        if (world->changes[i].at_ms > 0 && cnv_sim_now_ms(world->sim) >= world->changes[i].at_ms) {
            status = set_policy(world, &world->changes[i], err);
        }
    }
    for (size_t i = 0; i < GUESTS_MAX && status == CNV_OK && *ret_is_more; i++) {
        struct world_guest *guest = &world->guests[i];

        if (guest->at_ms > 0 && cnv_sim_now_ms(world->sim) >= guest->at_ms &&
            view.state == CNV_RUN_RUNNING) {
            status = receive_guest(world, guest, err);
        }
    }
    return status;
}

enum cnv_status world_run(struct world *world, struct cnv_error *err)
{
    bool is_more = true;

    while (is_more) {
        enum cnv_status status = world_step(world, &is_more, err);
        struct cnv_engine_view view;

        if (status != CNV_OK) {
            return status;
        }
        if (is_more && cnv_sim_now_ms(world->sim) > world->limit_ms) {
            cnv_engine_view(cnv_sim_engine(world->sim), &view);
            return cnv_fail(err,
                            CNV_E_TIMEOUT,
                            "promise 4: after %" PRIu64 " ms the run is still %s (%s) in round "
                            "%" PRIu64 ", attempt %" PRIu64 ", exchange %" PRIu64,
                            cnv_sim_now_ms(world->sim),
                            cnv_run_state_name(view.state),
                            view.state_reason,
                            view.round,
                            view.attempt,
                            view.exchange);
        }
    }
    return CNV_OK;
}

bool world_fini(struct world *world)
{
    cnv_sim_destroy(world->sim);
    cnv_config_destroy(world->config);
    for (size_t i = 0; i < CHANGES_MAX; i++) {
        cnv_config_destroy(world->changes[i].config);
        world->changes[i].config = NULL;
    }
    world->sim = NULL;
    world->config = NULL;
    return cnv_blob_alive() == 0;
}

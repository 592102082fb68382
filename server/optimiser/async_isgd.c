/*
 * async_isgd.c - the server's side of asynchronous ISGD: a delay-tolerant mean of all agents.
 *
 * Mishchenko et al. 2020, Algorithm 8. With x_i what agent i last led
 * to, snap_i the model it was sent, w the mean of all x_i, on the arrival of -gamma (g_i)_U:
 *     new := snap_i - gamma (g_i)_U          blocks outside U go back to snap_i
 *     w := w + (new - x_i) / n;  x_i := new;  snap_i := prox(w): the next version
 * n is run/agents, divided by whoever answers. All x_i start at the start model.
 * R = optimiser/l1 |x|_1. The printed prox_{gamma R} has the fixed point of tau f + R; so the step
 * is prox_{gamma tau R}, unless optimiser/prox=printed (erratum). gamma is solver/step, tau
 * the share of blocks as it is; with solver isgd, which divides by tau itself, gamma is
 * solver/step / tau. State: (n + 4) d numbers.
 */
#include <string.h>

#include "base/mem.h"
#include "base/partition.h"
#include "prox.h"
#include "registry.h"

struct async_isgd {
    size_t length;
    size_t agents;
    double threshold; /* gamma tau l1, or gamma l1 */
    bool is_started;  /* start is known */
    bool *has;        /* [agents] x_i is another than start */
    double *all;      /* what the next six point into */
    double *start;
    double *w;
    double *pending_start;
    double *pending_w;
    double *pending_x;
    double *x;   /* [agents][length] */
    size_t slot; /* whose x is pending */
};

static void async_isgd_fini(void *memory)
{
    struct async_isgd *state = memory;

    cnv_free(state->has);
    cnv_free(state->all);
    *state = (struct async_isgd){ 0 };
}

static enum cnv_status async_isgd_init(void *memory,
                                       const struct cnv_config *config,
                                       size_t dimension,
                                       struct cnv_error *err)
{
    struct async_isgd *state = memory;
    size_t agents = (size_t) cnv_config_integer(config, "run/agents");
    double l1 = cnv_config_real(config, "optimiser/l1");
    struct cnv_partition partition = { .tau = 1 };

    *state = (struct async_isgd){ .length = dimension, .agents = agents };
    if (l1 > 0) {
        enum cnv_status status = cnv_partition_read(config, dimension, &partition, err);

        if (status != CNV_OK) {
            return status;
        }
    }
    bool is_scaled = strcmp(cnv_config_text(config, "solver/kind"), "isgd") == 0;
    bool is_printed = strcmp(cnv_config_text(config, "optimiser/prox"), "printed") == 0;
    double gamma = cnv_config_real(config, "solver/step") / (is_scaled ? partition.tau : 1.0);
    state->threshold = gamma * (is_printed ? 1.0 : partition.tau) * l1;
    state->has = cnv_array_new(agents, sizeof(*state->has));
    state->all = dimension <= SIZE_MAX / (agents + 5)
                     ? cnv_array_new((agents + 5) * dimension, sizeof(*state->all))
                     : NULL;
    if (state->has == NULL || state->all == NULL) {
        return cnv_fail(err,
                        CNV_E_NOMEM,
                        "out of memory for %zu models of %zu coordinates",
                        agents + 5,
                        dimension);
    }
    state->start = state->all;
    state->w = state->start + dimension;
    state->pending_start = state->w + dimension;
    state->pending_w = state->pending_start + dimension;
    state->pending_x = state->pending_w + dimension;
    state->x = state->pending_x + dimension;
    return CNV_OK;
}

static void async_isgd_apply_slice(void *memory, const struct cnv_apply_input *input, double *out)
{
    struct async_isgd *state = memory;
    const double *snapshot = input->snapshot == NULL ? input->base : input->snapshot;
    size_t slot = input->slot % state->agents;

    if (input->first == 0) {
        state->slot = slot; /* one job alone has the first slice */
    }
    for (size_t i = 0; i < input->count; i++) {
        size_t j = input->first + i;
        double start = state->is_started ? state->start[j] : input->base[i];
        double w = state->is_started ? state->w[j] : start;
        double x = state->has[slot] ? state->x[slot * state->length + j] : start;
        double new = snapshot[i] + input->update[i];

        state->pending_start[j] = start;
        state->pending_x[j] = new;
        state->pending_w[j] = w + (new - x) / (double) state->agents;
        out[i] = cnv_prox_l1(state->pending_w[j], state->threshold);
    }
}

static void async_isgd_conclude(void *memory, bool committed)
{
    struct async_isgd *state = memory;
    size_t bytes = state->length * sizeof(double);

    if (committed) {
        memcpy(state->start, state->pending_start, bytes);
        memcpy(state->w, state->pending_w, bytes);
        memcpy(state->x + state->slot * state->length, state->pending_x, bytes);
        state->has[state->slot] = true;
        state->is_started = true;
    }
}

static size_t saved_size(const struct async_isgd *state)
{
    return 1 + state->agents + (2 + state->agents) * state->length * sizeof(double);
}

/* is_started, has, start, w, x as they lie in memory. */
static size_t async_isgd_save(const void *memory, uint8_t *bytes, size_t size)
{
    const struct async_isgd *state = memory;
    size_t row = state->length * sizeof(double);
    size_t needed = saved_size(state);

    if (size >= needed) {
        bytes[0] = state->is_started;
        memcpy(bytes + 1, state->has, state->agents);
        memcpy(bytes + 1 + state->agents, state->start, 2 * row);
        memcpy(bytes + 1 + state->agents + 2 * row, state->x, state->agents * row);
    }
    return needed;
}

static enum cnv_status
async_isgd_load(void *memory, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    struct async_isgd *state = memory;
    size_t row = state->length * sizeof(double);

    if (size != saved_size(state)) {
        return cnv_fail(err, CNV_E_SIZE, "state of optimiser async-isgd has %zu bytes", size);
    }
    for (size_t i = 0; i <= state->agents; i++) {
        if (bytes[i] > 1) {
            return cnv_fail(err, CNV_E_MALFORMED, "state of optimiser async-isgd is damaged");
        }
    }
    state->is_started = bytes[0] == 1;
    memcpy(state->has, bytes + 1, state->agents);
    memcpy(state->start, bytes + 1 + state->agents, 2 * row);
    memcpy(state->x, bytes + 1 + state->agents + 2 * row, state->agents * row);
    return CNV_OK;
}

const struct cnv_optimiser_ops cnv_optimiser_async_isgd = {
    .name = "async-isgd",
    .text = "asynchronous ISGD (solver isgd or blocks): the mean of what all agents last led to, "
            "and an "
            "l1 prox; needs sync/mode=async",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 8",
    .keys = "solver/kind solver/step optimiser/l1 optimiser/prox " CNV_PARTITION_KEYS,
    .state_size = sizeof(struct async_isgd),
    .wants_snapshot = true,
    .init = async_isgd_init,
    .fini = async_isgd_fini,
    .apply_slice = async_isgd_apply_slice,
    .conclude = async_isgd_conclude,
    .save = async_isgd_save,
    .load = async_isgd_load,
};

/*
 * plateau.c - a policy as a plug-in: fewer local steps once the loss stands still, then the end.
 *
 * Long rounds are cheap as long as they help. So keep L while each few rounds bring the loss down
 * by a share of itself; else halve L, so that agents agree more often; at L = 1 stop the run.
 *
 *   cc -O2 -shared -fPIC -std=c17 -I. -Ilib -Iserver -Iagent examples/plugins/plateau.c \
 *       -o plateau.so
 *   convene run --agents 4 --data FILE --plugin ./plateau.so --set policy/kind=plugin:plateau \
 *       --set policy/local-steps=8 --set policy/options=share=0.001,patience=2
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policy/policy.h"

enum { SHARE, PATIENCE, STOPS, OPTIONS };

static const struct cnv_param options[] = {
    [SHARE] = { .path = "share",
                .type = CNV_PARAM_REAL,
                .unit = "",
                .low = 0,
                .high = 1,
                .initial = "0.01",
                .text = "A round is better when the loss falls by this share of the best." },
    [PATIENCE] = { .path = "patience",
                   .type = CNV_PARAM_INTEGER,
                   .unit = "rounds",
                   .low = 1,
                   .high = 1000000,
                   .initial = "3",
                   .text = "Rounds in a row that may be no better before L is halved." },
    [STOPS] = { .path = "stops",
                .type = CNV_PARAM_BOOLEAN,
                .unit = "",
                .initial = "true",
                .text = "Whether the run ends where L = 1 brings nothing any more." },
    [OPTIONS] = { .path = NULL },
};

/* What a checkpoint has to keep. */
struct memory {
    double best;
    uint32_t local_steps;
    uint32_t waited; /* rounds since the best */
};

struct plateau {
    double values[OPTIONS];
    struct memory memory;
};

static enum cnv_status
plateau_init(void *state, const struct cnv_config *config, struct cnv_error *err)
{
    struct plateau *plateau = state;
    int64_t steps = cnv_config_integer(config, "policy/local-steps");

    plateau->memory = (struct memory){ .best = INFINITY, .local_steps = (uint32_t) steps };
    return cnv_options_read(config, "policy/options", options, plateau->values, err);
}

/* So many rounds were no better. */
static void plateau_halve(struct plateau *plateau, struct cnv_decision *decision)
{
    struct memory *memory = &plateau->memory;
    uint32_t before = memory->local_steps;

    memory->waited = 0;
    memory->local_steps = before > 1 ? before / 2 : 1;
    decision->stop = before == 1 && plateau->values[STOPS] != 0.0;
    (void) snprintf(decision->reason,
                    sizeof(decision->reason),
                    "%s %u -> %u: loss not below %.6g by %g of it in %.0f rounds",
                    decision->stop ? "stop, L" : "L",
                    before,
                    memory->local_steps,
                    memory->best,
                    plateau->values[SHARE],
                    plateau->values[PATIENCE]);
}

static void
plateau_decide(void *state, const struct cnv_round_view *view, struct cnv_decision *decision)
{
    struct plateau *plateau = state;
    struct memory *memory = &plateau->memory;
    double enough = memory->best - plateau->values[SHARE] * fabs(memory->best);

    if (view->round == 0 || isnan(view->loss)) {
        (void) snprintf(decision->reason,
                        sizeof(decision->reason),
                        "L = %u, no loss to judge by",
                        memory->local_steps);
    } else if (isinf(memory->best) || view->loss < enough) {
        memory->best = view->loss;
        memory->waited = 0;
        (void) snprintf(decision->reason,
                        sizeof(decision->reason),
                        "L stays %u: loss %.6g is the best so far",
                        memory->local_steps,
                        view->loss);
    } else if (++memory->waited < (uint32_t) plateau->values[PATIENCE]) {
        (void) snprintf(decision->reason,
                        sizeof(decision->reason),
                        "L stays %u: loss %.6g, no better for %u of %.0f rounds",
                        memory->local_steps,
                        view->loss,
                        memory->waited,
                        plateau->values[PATIENCE]);
    } else {
        plateau_halve(plateau, decision);
    }
    decision->local_steps = memory->local_steps;
    decision->evaluate = true;
}

static size_t plateau_save(const void *state, uint8_t *bytes, size_t size)
{
    const struct plateau *plateau = state;

    if (size >= sizeof(plateau->memory)) {
        memcpy(bytes, &plateau->memory, sizeof(plateau->memory));
    }
    return sizeof(plateau->memory);
}

static enum cnv_status
plateau_load(void *state, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    struct plateau *plateau = state;

    if (size != sizeof(plateau->memory)) {
        return cnv_fail(err, CNV_E_SIZE, "state of plateau has %zu bytes", size);
    }
    memcpy(&plateau->memory, bytes, size);
    return CNV_OK;
}

static const struct cnv_policy_ops plateau = {
    .name = "plateau",
    .text = "half the local steps when the loss stands still; at one, the end of the run",
    .keys = "policy/local-steps policy/options",
    .state_size = sizeof(struct plateau),
    .init = plateau_init,
    .decide = plateau_decide,
    .save = plateau_save,
    .load = plateau_load,
};

CNV_POLICY_PLUGIN(&plateau, options);

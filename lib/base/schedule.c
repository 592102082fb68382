/* schedule.c - see schedule.h. The product is taken factor by factor: the same bits everywhere. */
#include "base/schedule.h"

#include <math.h>
#include <string.h>

#include "base/list.h"

static enum cnv_decay_kind kind_of(const char *name)
{
    if (strcmp(name, "inverse") == 0) {
        return CNV_DECAY_INVERSE;
    }
    return strcmp(name, "cosine") == 0 ? CNV_DECAY_COSINE : CNV_DECAY_STEPS;
}

enum cnv_status cnv_schedule_read(const struct cnv_config *config,
                                  struct cnv_schedule *ret_schedule,
                                  struct cnv_error *err)
{
    const char *text = cnv_config_text(config, "solver/decay-at");
    struct cnv_schedule schedule = {
        .kind = kind_of(cnv_config_text(config, "solver/decay-kind")),
        .step = cnv_config_real(config, "solver/step"),
        .decay = cnv_config_real(config, "solver/decay"),
        .scale = cnv_config_real(config, "solver/decay-scale"),
        .offset = cnv_config_real(config, "solver/decay-offset"),
        .iterations = (double) cnv_config_integer(config, "run/iterations"),
        .warm_up = (double) cnv_config_integer(config, "solver/warm-up"),
    };
    bool is_list = cnv_list_read(text, schedule.at, CNV_DECAYS_MAX, &schedule.count);

    for (size_t i = 1; is_list && i < schedule.count; i++) {
        is_list = schedule.at[i] > schedule.at[i - 1];
    }
    if (!is_list) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "solver/decay-at=%s: expected ascending iterations with commas between "
                        "them, like 1000,1500",
                        text);
    }
    *ret_schedule = schedule;
    return CNV_OK;
}

static double by_steps(const struct cnv_schedule *schedule, uint64_t iteration)
{
    double step = schedule->step;

    for (size_t i = 0; i < schedule->count && schedule->at[i] <= iteration; i++) {
        step *= schedule->decay;
    }
    return step;
}

double cnv_schedule_step(const struct cnv_schedule *schedule, uint64_t iteration)
{
    double k = (double) iteration;
    double step = schedule->step;

    switch (schedule->kind) {
    case CNV_DECAY_STEPS:
        step = by_steps(schedule, iteration);
        break;
    case CNV_DECAY_INVERSE:
        step = fmin(step, schedule->scale / (k + schedule->offset));
        break;
    case CNV_DECAY_COSINE:
        step *= 0.5 * (1.0 + cos(acos(-1.0) * fmin(k / schedule->iterations, 1.0)));
        break;
    }
    return k < schedule->warm_up ? step * (k + 1.0) / schedule->warm_up : step;
}

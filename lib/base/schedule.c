/* schedule.c - see schedule.h. The product is taken factor by factor: the same bits everywhere. */
#include "base/schedule.h"

#include "base/list.h"

enum cnv_status cnv_schedule_read(const struct cnv_config *config,
                                  struct cnv_schedule *ret_schedule,
                                  struct cnv_error *err)
{
    const char *text = cnv_config_text(config, "solver/decay-at");
    struct cnv_schedule schedule = {
        .step = cnv_config_real(config, "solver/step"),
        .decay = cnv_config_real(config, "solver/decay"),
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

double cnv_schedule_step(const struct cnv_schedule *schedule, uint64_t iteration)
{
    double step = schedule->step;

    for (size_t i = 0; i < schedule->count && schedule->at[i] <= iteration; i++) {
        step *= schedule->decay;
    }
    return step;
}

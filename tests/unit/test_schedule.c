#include <criterion/criterion.h>

#include <math.h>

#include "base/list.h"
#include "base/schedule.h"
#include "config/config.h"

Test(list, reads_whole_numbers_and_nothing_else, .timeout = 10)
{
    static const char *const bad[] = { ",",      "1,", ",1",   "1,,2", "-1",
                                       "+1",     " 1", "1 ,2", "1.5",  "1234567890123456",
                                       "1,2,3,4" };
    uint64_t values[3] = { 0 };
    size_t count = 9;

    cr_assert(cnv_list_read("", values, 3, &count));
    cr_assert_eq(count, 0);
    cr_assert(cnv_list_read("64,0,123456789012345", values, 3, &count));
    cr_assert_eq(count, 3);
    cr_assert_eq(values[0], 64);
    cr_assert_eq(values[1], 0);
    cr_assert_eq(values[2], 123456789012345);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        count = 9;
        cr_assert_not(cnv_list_read(bad[i], values, 3, &count), "%s", bad[i]);
        cr_assert_eq(count, 9);
    }
}

static struct cnv_schedule schedule_of(const char *const *set)
{
    struct cnv_config *config = cnv_config_new();
    struct cnv_schedule schedule;

    for (size_t i = 0; set[i] != NULL; i++) {
        cr_assert_eq(cnv_config_assign(config, set[i], "test", NULL), CNV_OK);
    }
    cr_assert_eq(cnv_config_check(config, NULL), CNV_OK);
    cr_assert_eq(cnv_schedule_read(config, &schedule, NULL), CNV_OK);
    cnv_config_destroy(config);
    return schedule;
}

/* min(2/(t+1), 1/2) of the growing intervals' second experiment. */
Test(schedule, falls_as_one_over_the_iteration_from_a_largest_step, .timeout = 10)
{
    const char *const set[] = {
        "solver/decay-kind=inverse", "solver/step=0.5", "solver/decay-scale=2", NULL
    };
    struct cnv_schedule schedule = schedule_of(set);

    cr_assert_eq(cnv_schedule_step(&schedule, 0), 0.5);
    cr_assert_eq(cnv_schedule_step(&schedule, 3), 0.5);
    cr_assert_eq(cnv_schedule_step(&schedule, 4), 2.0 / 5.0);
    cr_assert_eq(cnv_schedule_step(&schedule, 999), 2.0 / 1000.0);
}

Test(schedule, falls_as_half_a_cosine_behind_a_warm_up, .timeout = 10)
{
    const char *const set[] = {
        "solver/decay-kind=cosine", "solver/step=4", "run/iterations=8", "solver/warm-up=2", NULL
    };
    struct cnv_schedule schedule = schedule_of(set);

    cr_assert_eq(cnv_schedule_step(&schedule, 0), 2.0);
    cr_assert_float_eq(cnv_schedule_step(&schedule, 2), 2.0 + sqrt(2.0), 1e-15);
    cr_assert_float_eq(cnv_schedule_step(&schedule, 4), 2.0, 1e-15);
    cr_assert_float_eq(cnv_schedule_step(&schedule, 8), 0.0, 1e-15);
    cr_assert_float_eq(cnv_schedule_step(&schedule, 9), 0.0, 1e-15);
}

Test(schedule, multiplies_by_the_decay_from_each_listed_iteration_on, .timeout = 10)
{
    struct cnv_config *config = cnv_config_new();
    struct cnv_schedule schedule;

    cr_assert_eq(cnv_schedule_read(config, &schedule, NULL), CNV_OK);
    cr_assert_eq(cnv_schedule_step(&schedule, 1000000), 0.1);
    cr_assert_eq(cnv_config_set(config, "solver/step", "8", "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_set(config, "solver/decay", "0.5", "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_set(config, "solver/decay-at", "3,5", "test", NULL), CNV_OK);
    cr_assert_eq(cnv_schedule_read(config, &schedule, NULL), CNV_OK);
    cr_assert_eq(cnv_schedule_step(&schedule, 2), 8.0);
    cr_assert_eq(cnv_schedule_step(&schedule, 3), 4.0);
    cr_assert_eq(cnv_schedule_step(&schedule, 4), 4.0);
    cr_assert_eq(cnv_schedule_step(&schedule, 5), 2.0);
    cnv_config_destroy(config);
}

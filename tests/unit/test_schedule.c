#include <criterion/criterion.h>

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

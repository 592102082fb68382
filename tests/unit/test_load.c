/* test_load.c - which rows an agent loads. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "data/load.h"

static char path[] = "/tmp/convene-test-load-XXXXXX";

static void setup(void)
{
    int file = mkstemp(path);
    FILE *rows = fdopen(file, "w");

    cr_assert_not_null(rows);
    (void) fprintf(rows, "1 1:1\n2 1:2\n3 1:3\n4 1:4\n");
    cr_assert_eq(fclose(rows), 0);
}

static void teardown(void)
{
    (void) unlink(path);
}

TestSuite(load, .init = setup, .fini = teardown, .timeout = 20);

Test(load, shared_data_is_whole_and_in_the_same_order_for_all)
{
    struct cnv_config *config = cnv_config_new();
    struct cnv_shard *shard = NULL;
    struct cnv_shard *test = NULL;
    struct cnv_error err;
    double first[4] = { 0 };

    cr_assert_eq(cnv_data_load(path, config, 1, 2, &shard, &test, &err), CNV_OK);
    cr_assert_eq(shard->rows, 2U);
    cr_assert_eq(cnv_config_assign(config, "data/shared=true", "test", NULL), CNV_OK);
    for (uint32_t k = 1; k <= 8; k++) { /* there may be more agents than rows */
        cnv_shard_destroy(shard);
        cr_assert_eq(cnv_data_load(path, config, k, 8, &shard, &test, &err), CNV_OK);
        cr_assert_eq(shard->rows, 4U);
        for (size_t i = 0; i < 4; i++) {
            first[i] = k == 1 ? shard->labels[i] : first[i];
            cr_assert_eq(shard->labels[i], first[i]);
        }
    }
    cnv_shard_destroy(shard);
    cnv_config_destroy(config);
}

/* datasets.c - reads optima.json and the files it names. */
#include "datasets.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "synthetic.h"

/* The folder of the data sets, beside the sources unless CONVENE_TEST_DATA names another. */
static void data_path(char *path, size_t size, const char *file)
{
    const char *folder = getenv("CONVENE_TEST_DATA"); /* NOLINT(concurrency-mt-unsafe) */
    const char *root = getenv("CONVENE_SOURCE_ROOT"); /* NOLINT(concurrency-mt-unsafe) */

    if (folder != NULL) {
        (void) snprintf(path, size, "%s/%s", folder, file);
    } else {
        (void) snprintf(path, size, "%s/../shared/data/%s", root != NULL ? root : ".", file);
    }
    if (access(path, R_OK) != 0) {
        cr_skip_test("no real data: %s", path);
    }
}

/* The entry of that name in optima.json; *ret_all is to be released. */
static const json_t *find_problem(const char *problem, json_t **ret_all)
{
    char path[512];
    json_error_t error;
    size_t i = 0;
    const json_t *entry = NULL;

    data_path(path, sizeof(path), "optima.json");
    *ret_all = json_load_file(path, 0, &error);
    cr_assert_not_null(*ret_all, "%s", error.text);
    json_array_foreach(*ret_all, i, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "name")), problem) == 0) {
            return entry;
        }
    }
    cr_assert_fail("%s is not in optima.json", problem);
    return NULL;
}

struct dataset_optimum dataset_optimum(const char *problem, const char *l2)
{
    struct dataset_optimum found = { .loss = NAN, .train_correct = NAN };
    json_t *all = NULL;
    const json_t *entry = find_problem(problem, &all);
    const json_t *scale = json_object_get(entry, "scale");
    const json_t *optimum = NULL;
    size_t i = 0;

    found.scale = scale != NULL ? json_number_value(scale) : 0.0;
    json_array_foreach(json_object_get(entry, "optima"), i, optimum)
    {
        if (strcmp(json_string_value(json_object_get(optimum, "lambda_is")), l2) == 0) {
            const json_t *correct = json_object_get(optimum, "train_correct");

            found.loss = json_number_value(json_object_get(optimum, "f_star"));
            found.l2 = json_number_value(json_object_get(optimum, "lambda"));
            found.train_correct = correct != NULL ? json_number_value(correct) : NAN;
        }
    }
    json_decref(all);
    cr_assert(isfinite(found.loss), "%s has no optimum for l2 = %s", problem, l2);
    return found;
}

struct cluster *dataset_cluster(const char *problem, const char *l2, uint64_t seed, size_t agents)
{
    struct dataset_optimum optimum = dataset_optimum(problem, l2);
    struct cnv_shard *shards[CLUSTER_MAX];
    json_t *all = NULL;
    const json_t *entry = find_problem(problem, &all);
    const char *kind = json_string_value(json_object_get(entry, "loss"));
    char path[512];
    char setting[64];
    const char *const settings[] = { setting, NULL };

    data_path(path, sizeof(path), json_string_value(json_object_get(entry, "train")));
    (void) snprintf(setting, sizeof(setting), "problem/l2=%s", l2);
    struct cnv_data_options options = { .seed = seed, .shuffle = true, .scale = optimum.scale };
    struct cnv_shard *whole = NULL;
    struct cnv_error err = { .text = "" };
    cr_assert_eq(cnv_shard_read(path, &options, &whole, &err), CNV_OK, "%s", err.text);
    for (size_t k = 0; k < agents; k++) {
        shards[k] = synthetic_part(whole, k * whole->rows / agents, (k + 1) * whole->rows / agents);
    }
    cnv_shard_destroy(whole);
    struct cluster *cluster = cluster_new(kind, settings, shards, agents);
    json_decref(all);
    return cluster;
}

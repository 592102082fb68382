/* The real data sets: rows, nonzeros, dimensions and labels as written in their README. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/shard.h"

struct dataset {
    const char *name;
    size_t rows;
    size_t features; /* the file's own highest index */
    size_t nonzeros;
    size_t classes;  /* 0: real targets */
    size_t smallest; /* rows of the smallest label */
};

static const struct dataset datasets[] = {
    { "a1a.libsvm.xz", 1605, 119, 22249, 2, 1210 },
    { "a9a.libsvm.xz", 32561, 123, 451592, 2, 24720 },
    { "a9a.t.libsvm.xz", 16281, 122, 225731, 2, 12435 },
    { "w8a.libsvm.xz", 49749, 300, 579586, 2, 48270 },
    { "phishing.libsvm.xz", 11055, 68, 331650, 2, 4898 },
    { "mushrooms.libsvm.xz", 8124, 112, 170604, 2, 3916 },
    { "ijcnn1.libsvm.xz", 49990, 22, 649869, 2, 45137 },
    { "covtype20k.libsvm.xz", 20000, 54, 238920, 2, 10186 },
    { "money-fx.libsvm.xz", 7770, 8315, 339837, 2, 7232 },
    { "news20.libsvm.xz", 15935, 62061, 1272569, 20, 0 },
    { "digits.libsvm.xz", 1797, 64, 58736, 10, 0 },
    { "abalone_scale.libsvm.xz", 4177, 8, 32080, 28, 0 },
    { "casp.libsvm.xz", 45730, 10, 457300, 0, 0 },
    { "diabetes.libsvm.xz", 442, 11, 4862, 214, 0 },
};

/* The folder of the data sets, beside the sources unless CONVENE_TEST_DATA names another. */
static const char *data_folder(void)
{
    static char beside[400];
    const char *folder = getenv("CONVENE_TEST_DATA"); /* NOLINT(concurrency-mt-unsafe) */
    const char *root = getenv("CONVENE_SOURCE_ROOT"); /* NOLINT(concurrency-mt-unsafe) */

    (void) snprintf(beside, sizeof(beside), "%s/../shared/data", root != NULL ? root : ".");
    return folder != NULL ? folder : beside;
}

/* The shard; skips the test when the file is not there. */
static struct cnv_shard *read_set(const char *name, const struct cnv_data_options *options)
{
    char path[500];
    struct cnv_shard *shard = NULL;
    struct cnv_error err = { 0 };

    (void) snprintf(path, sizeof(path), "%s/%s", data_folder(), name);
    if (access(path, R_OK) != 0) {
        cr_skip_test("no real data sets at %s", data_folder());
    }
    cr_assert_eq(cnv_shard_read(path, options, &shard, &err), CNV_OK, "%s", err.text);
    return shard;
}

Test(datasets, text_has_the_rows_nonzeros_and_labels_it_should_have, .timeout = 60)
{
    for (size_t i = 0; i < sizeof(datasets) / sizeof(datasets[0]); i++) {
        const struct dataset *set = &datasets[i];
        struct cnv_shard *shard = read_set(set->name, &(struct cnv_data_options){ 0 });
        double labels[CNV_LABELS_MAX] = { 0 };
        size_t classes = 0;
        size_t smallest = 0;

        cr_assert_eq(shard->rows, set->rows, "%s: %zu rows", set->name, shard->rows);
        cr_assert_eq(shard->features, set->features, "%s: %zu", set->name, shard->features);
        cr_assert_eq(shard->row_start[shard->rows],
                     set->nonzeros,
                     "%s: %zu nonzeros",
                     set->name,
                     shard->row_start[shard->rows]);
        if (set->classes > 0) {
            cr_assert(cnv_shard_labels(shard, labels, &classes));
            cr_assert_eq(classes, set->classes, "%s: %zu labels", set->name, classes);
        }
        for (size_t row = 0; set->smallest > 0 && row < shard->rows; row++) {
            smallest += shard->labels[row] == labels[0];
        }
        cr_assert_eq(smallest, set->smallest, "%s", set->name);
        cnv_shard_destroy(shard);
    }
}

Test(datasets, rows_without_features_of_w8a_are_there, .timeout = 20)
{
    struct cnv_shard *shard = read_set("w8a.libsvm.xz", &(struct cnv_data_options){ 0 });
    size_t empty = 0;

    for (size_t row = 0; row < shard->rows; row++) {
        empty += shard->row_start[row] == shard->row_start[row + 1];
    }
    cr_assert_eq(empty, 4203U);
    cnv_shard_destroy(shard);
}

Test(datasets, mnist_has_the_images_and_labels_it_should_have, .timeout = 60)
{
    struct cnv_data_options quarter = { .seed = 1, .shuffle = true, .shard = 2, .shards = 4 };
    struct cnv_shard *shard =
        read_set("mnist-t10k-images-idx3-ubyte.gz", &(struct cnv_data_options){ 0 });
    double labels[CNV_LABELS_MAX] = { 0 };
    size_t classes = 0;
    size_t nonzeros = 0;

    cr_assert_eq(shard->rows, 10000U);
    cr_assert_eq(shard->features, 784U);
    for (size_t i = 0; i < shard->rows * shard->features; i++) {
        nonzeros += shard->values[i] != 0.0;
        cr_assert(shard->values[i] >= 0.0 && shard->values[i] <= 1.0);
    }
    cr_assert_eq(nonzeros, 1511219U);
    cr_assert(cnv_shard_labels(shard, labels, &classes));
    cr_assert_eq(classes, 10U);
    cr_assert_eq(shard->labels[0], 7.0, "the first test image is a seven");
    cnv_shard_destroy(shard);
    shard = read_set("mnist-train-images-idx3-ubyte.gz", &quarter);
    cr_assert_eq(shard->rows, 15000U);
    cnv_shard_destroy(shard);
}

Test(datasets, cifar_has_the_images_and_labels_it_should_have, .timeout = 60)
{
    static const double published[] = { 6, 9, 9, 4, 1 };
    struct cnv_shard *shard = read_set("cifar10-train5000.bin.xz", &(struct cnv_data_options){ 0 });
    size_t nonzeros = 0;
    size_t rows_of[10] = { 0 };

    cr_assert_eq(shard->rows, 5000U);
    cr_assert_eq(shard->features, 3072U);
    for (size_t i = 0; i < shard->rows * shard->features; i++) {
        nonzeros += shard->values[i] != 0.0;
    }
    cr_assert_eq(nonzeros, 15321075U);
    cr_assert_arr_eq(shard->labels, published, sizeof(published));
    for (size_t i = 0; i < shard->rows; i++) {
        rows_of[(size_t) shard->labels[i]]++;
    }
    for (size_t k = 0; k < 10; k++) {
        cr_assert(rows_of[k] >= 460 && rows_of[k] <= 520, "%zu of class %zu", rows_of[k], k);
    }
    cnv_shard_destroy(shard);
}

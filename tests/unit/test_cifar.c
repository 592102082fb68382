/* test_cifar.c - hand-made records of CIFAR-10. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "data/shard.h"

enum { PIXELS = 3072, RECORD = 1 + PIXELS, RECORDS = 3 };

static char path[] = "/tmp/convene-test-cifar-XXXXXX.bin";
static uint8_t records[RECORDS * RECORD];
static struct cnv_error err;
static struct cnv_shard *shard;

static uint8_t pixel(size_t row, size_t i)
{
    return (uint8_t) (row * 100 + i);
}

static void setup(void)
{
    static const uint8_t labels[RECORDS] = { 0, 9, 4 };
    int file = mkstemps(path, 4);

    cr_assert_geq(file, 0);
    cr_assert_eq(close(file), 0);
    for (size_t row = 0; row < RECORDS; row++) {
        records[row * RECORD] = labels[row];
        for (size_t i = 0; i < PIXELS; i++) {
            records[row * RECORD + 1 + i] = pixel(row, i);
        }
    }
}

static void teardown(void)
{
    cnv_shard_destroy(shard);
    (void) unlink(path);
}

TestSuite(cifar, .init = setup, .fini = teardown, .timeout = 20);

static void write_records(const char *mode, size_t len)
{
    gzFile file = gzopen(path, mode);

    cr_assert_not_null(file);
    cr_assert_eq(gzwrite(file, records, (unsigned) len), (int) len);
    cr_assert_eq(gzclose(file), Z_OK);
}

static enum cnv_status read_with(const struct cnv_data_options *options)
{
    cnv_shard_destroy(shard);
    shard = NULL;
    return cnv_shard_read(path, options, &shard, &err);
}

static void refuse(const char *message)
{
    cr_assert_eq(read_with(&(struct cnv_data_options){ 0 }), CNV_E_INPUT);
    cr_assert_null(shard);
    cr_assert_str_eq(err.text + strlen(path), message);
}

static void check_rows(size_t first)
{
    static const double labels[RECORDS] = { 0, 9, 4 };

    cr_assert_eq(shard->features, (size_t) PIXELS);
    for (size_t row = 0; row < shard->rows; row++) {
        cr_assert_eq(shard->labels[row], labels[first + row]);
        for (size_t i = 0; i < PIXELS; i++) {
            cr_assert_float_eq(
                shard->values[row * PIXELS + i], pixel(first + row, i) / 255.0, 1e-15);
        }
    }
}

Test(cifar, records_are_dense_rows_with_their_labels)
{
    write_records("wbT", sizeof(records));
    cr_assert_eq(read_with(&(struct cnv_data_options){ 0 }), CNV_OK, "%s", err.text);
    cr_assert_eq(shard->rows, (size_t) RECORDS);
    check_rows(0);
    cr_assert_str_eq(shard->about, "format=cifar10");
}

Test(cifar, packed_and_in_shards_too)
{
    write_records("wb", sizeof(records));
    cr_assert_eq(
        read_with(&(struct cnv_data_options){ .shard = 2, .shards = 3 }), CNV_OK, "%s", err.text);
    cr_assert_eq(shard->rows, 1U);
    check_rows(1);
}

Test(cifar, a_record_that_is_cut_is_refused)
{
    write_records("wbT", RECORD + 10);
    refuse(": offset 3073: expected a CIFAR-10 record of 3073 bytes, found 10");
}

Test(cifar, a_label_that_is_none_is_refused)
{
    records[2 * RECORD] = 10;
    write_records("wbT", sizeof(records));
    refuse(": offset 6146: expected the label of a CIFAR-10 record, 0 to 9, found 10");
}

/*
 * fuzz_csv.c - any bytes as a CSV file, in all the ways it may be read.
 *
 * Reading says no with a line that names the file, or gives rows that keep what shard.h promises,
 * and two shards that together are the file.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/shard.h"
#include "tests/fuzz/fuzz.h"

enum { ROWS_MAX = 10000 };

static void check_shard(const struct cnv_shard *shard)
{
    assert(shard->rows > 0 && shard->row_start[0] == 0);
    for (size_t row = 0; row < shard->rows; row++) {
        assert(isfinite(shard->labels[row]));
        assert(shard->row_start[row] <= shard->row_start[row + 1]);
        for (size_t i = shard->row_start[row]; i < shard->row_start[row + 1]; i++) {
            assert(shard->columns[i] < shard->features);
            assert(i == shard->row_start[row] || shard->columns[i - 1] < shard->columns[i]);
            assert(isfinite(shard->values[i]) && shard->values[i] != 0.0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cnv_data_options options = {
        .seed = 1,
        .shuffle = true,
        .max_rows = ROWS_MAX,
        .format = CNV_FORMAT_CSV,
        /* The bytes choose, so that the fuzzer reaches every way. */
        .csv = { .missing = size % 3,
                 .label = size % 2 == 0 ? "first" : NULL,
                 .labels = size % 5 == 0 ? "no,yes" : NULL },
    };
    struct cnv_shard *whole = NULL;
    struct cnv_error err = { .status = CNV_OK };
    enum cnv_status status = CNV_OK;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    char path[64];
    size_t rows = 0;

    assert(fd >= 0 && write(fd, data, size) == (ssize_t) size);
    (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    status = cnv_shard_read(path, &options, &whole, &err);
    if (status != CNV_OK) {
        assert(status == CNV_E_INPUT && whole == NULL);
        assert(strncmp(err.text, path, strlen(path)) == 0 && strchr(err.text, '\n') == NULL);
        (void) close(fd);
        return 0;
    }
    check_shard(whole);
    options.shards = 2;
    for (options.shard = 1; options.shard <= 2 && whole->rows >= 2; options.shard++) {
        struct cnv_shard *part = NULL;

        status = cnv_shard_read(path, &options, &part, &err);
        assert(status == CNV_OK);
        check_shard(part);
        assert(memcmp(part->labels, whole->labels + rows, part->rows * sizeof(double)) == 0);
        rows += part->rows;
        cnv_shard_destroy(part);
    }
    assert(rows == whole->rows || whole->rows < 2);
    cnv_shard_destroy(whole);
    (void) close(fd);
    return 0;
}

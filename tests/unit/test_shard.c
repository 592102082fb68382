/* Reading, shuffling and splitting of hand-made files; real data sets are in test_datasets.c. */
#include <criterion/criterion.h>
#include <ftw.h>
#include <lzma.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "data/shard.h"

static char folder[] = "/tmp/convene-test-data-XXXXXX";
static char path[200];
static struct cnv_error err;
static struct cnv_shard *shard;

static void use_name(const char *name)
{
    (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
}

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    use_name("data");
}

static int remove_entry(const char *name, const struct stat *about, int kind, struct FTW *walk)
{
    (void) about;
    (void) kind;
    (void) walk;
    return remove(name);
}

static void teardown(void)
{
    cnv_shard_destroy(shard);
    (void) nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS); /* NOLINT(concurrency-mt-unsafe) */
}

TestSuite(shard, .init = setup, .fini = teardown, .timeout = 20);

static void write_bytes(const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, len, file), len);
    cr_assert_eq(fclose(file), 0);
}

static void write_text(const char *text)
{
    write_bytes(text, strlen(text));
}

/* bytes as one gzip member; the caller frees. */
static uint8_t *pack_gzip(const void *bytes, size_t len, size_t *ret_len)
{
    z_stream stream = { 0 };
    uint8_t *packed = cnv_array_new(len + 1000, 1);
    uint8_t *copy = cnv_array_new(len, 1);

    memcpy(copy, bytes, len);
    cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = copy;
    stream.avail_in = (uInt) len;
    stream.next_out = packed;
    stream.avail_out = (uInt) (len + 1000);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *ret_len = stream.total_out;
    cr_assert_eq(deflateEnd(&stream), Z_OK);
    cnv_free(copy);
    return packed;
}

static uint8_t *pack_xz(const void *bytes, size_t len, size_t *ret_len)
{
    uint8_t *packed = cnv_array_new(len + 1000, 1);

    *ret_len = 0;
    cr_assert_eq(
        lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, bytes, len, packed, ret_len, len + 1000),
        LZMA_OK);
    return packed;
}

static enum cnv_status read_with(const struct cnv_data_options *options)
{
    cnv_shard_destroy(shard);
    shard = NULL;
    memset(&err, 0, sizeof(err));
    return cnv_shard_read(path, options, &shard, &err);
}

static enum cnv_status read_plain(void)
{
    return read_with(&(struct cnv_data_options){ 0 });
}

static void read_text(const char *text)
{
    write_text(text);
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
}

/* message is what stands behind the path. */
static void refuse(const char *message)
{
    cr_assert_eq(read_plain(), CNV_E_INPUT, "taken instead of \"%s\"", message);
    cr_assert_null(shard);
    cr_assert_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
    cr_assert_str_eq(err.text + strlen(path), message);
}

static void refuse_text(const char *text, const char *message)
{
    write_text(text);
    refuse(message);
}

Test(shard, sparse_rows_are_kept_sparse)
{
    read_text("+1 1:0.5 3:-2\n-1 2:1e-3\n");
    cr_assert_eq(shard->rows, 2U);
    cr_assert_eq(shard->features, 3U);
    cr_assert_eq(shard->labels[0], 1.0);
    cr_assert_eq(shard->labels[1], -1.0);
    cr_assert_eq(shard->row_start[0], 0U);
    cr_assert_eq(shard->row_start[1], 2U);
    cr_assert_eq(shard->row_start[2], 3U);
    cr_assert_eq(shard->columns[0], 0U);
    cr_assert_eq(shard->columns[1], 2U);
    cr_assert_eq(shard->columns[2], 1U);
    cr_assert_eq(shard->values[0], 0.5);
    cr_assert_eq(shard->values[1], -2.0);
    cr_assert_eq(shard->values[2], 1e-3);
}

Test(shard, blanks_comments_line_ends_and_signs_are_taken)
{
    read_text("# a comment\n"
              "\n"
              "  +1   1:1\t2:+2 \r\n"
              "-1.0 1:.5e1 # 9:9 not a feature\r\n"
              " \t\r\n"
              "1e0\n"
              "0 4:1. \t");
    cr_assert_eq(shard->rows, 4U);
    cr_assert_eq(shard->features, 4U);
    cr_assert_eq(shard->row_start[4], 4U);
    cr_assert_eq(shard->values[1], 2.0);
    cr_assert_eq(shard->values[2], 5.0);
    cr_assert_eq(shard->labels[1], -1.0);
    cr_assert_eq(shard->labels[2], 1.0);
}

Test(shard, a_row_without_features_is_a_row)
{
    read_text("1\n-1\n1 2:3\n-1");
    cr_assert_eq(shard->rows, 4U);
    cr_assert_eq(shard->row_start[1], 0U);
    cr_assert_eq(shard->row_start[2], 0U);
    cr_assert_eq(shard->row_start[4], 1U);
    cr_assert_eq(shard->features, 2U);
}

Test(shard, a_file_of_labels_alone_has_no_features)
{
    read_text("1\n2\n");
    cr_assert_eq(shard->features, 0U);
    cr_assert_eq(shard->row_start[2], 0U);
    cr_assert_not_null(shard->columns);
}

Test(shard, explicit_zeros_count_for_the_width_and_are_not_kept)
{
    read_text("1 1:0 2:5 7:0.0\n1 3:-0\n");
    cr_assert_eq(shard->features, 7U);
    cr_assert_eq(shard->row_start[2], 1U);
    cr_assert_eq(shard->columns[0], 1U);
}

static const char *const bad_texts[][2] = {
    { "1 0:1\n", ":1: expected an index from 1 to 4294967295, found \"0:1\"" },
    { "1 1:1\n1 -3:1\n", ":2: expected an index from 1 to 4294967295, found \"-3:1\"" },
    { "1 4294967296:1\n", ":1: expected an index from 1 to 4294967295, found \"4294967296:1\"" },
    { "1 99999999999999999999999:1\n",
      ":1: expected an index from 1 to 4294967295, found \"99999999999999999999999:1\"" },
    { "1 2:1 2:1\n", ":1: expected an index above 2 (they ascend), found \"2:1\"" },
    { "# c\n\n1 5:1 4:1\n", ":3: expected an index above 5 (they ascend), found \"4:1\"" },
    { "1 2:0 2:1\n", ":1: expected an index above 2 (they ascend), found \"2:1\"" },
    { "1 1:1 x\n", ":1: expected index:value, found \"x\"" },
    { "1 1:1 5\n", ":1: expected index:value, found \"5\"" },
    { "1 +1:1\n", ":1: expected index:value, found \"+1:1\"" },
    { "1 1.5:1\n", ":1: expected index:value, found \"1.5:1\"" },
    { "1 :1\n", ":1: expected index:value, found \":1\"" },
    { "1 1 :1\n", ":1: expected index:value, found \"1\"" },
    { "1 1:\n", ":1: expected a finite number behind the index, found \"1:\"" },
    { "1 1: 2\n", ":1: expected a finite number behind the index, found \"1:\"" },
    { "1 1:abc\n", ":1: expected a finite number behind the index, found \"1:abc\"" },
    { "1 1:2x\n", ":1: expected a finite number behind the index, found \"1:2x\"" },
    { "1 1:0x10\n", ":1: expected a finite number behind the index, found \"1:0x10\"" },
    { "1 1:1,2\n", ":1: expected a finite number behind the index, found \"1:1,2\"" },
    { "1 1:2:3\n", ":1: expected a finite number behind the index, found \"1:2:3\"" },
    { "1 1:nan\n", ":1: expected a finite number behind the index, found \"1:nan\"" },
    { "1 1:inf\n", ":1: expected a finite number behind the index, found \"1:inf\"" },
    { "1 1:-Infinity\n", ":1: expected a finite number behind the index, found \"1:-Infinity\"" },
    { "1 1:1e999\n", ":1: expected a finite number behind the index, found \"1:1e999\"" },
    { "1 1:1\n2:1 3:4\n", ":2: expected a finite number as the label, found \"2:1\"" },
    { "nan 1:1\n", ":1: expected a finite number as the label, found \"nan\"" },
    { "inf 1:1\n", ":1: expected a finite number as the label, found \"inf\"" },
    { "1e999\n", ":1: expected a finite number as the label, found \"1e999\"" },
    { "yes 1:1\n", ":1: expected a finite number as the label, found \"yes\"" },
    { "1,2 1:1\n", ":1: expected a finite number as the label, found \"1,2\"" },
    { "{\"label\": 1}\n", ":1: expected a finite number as the label, found \"{\"label\":\"" },
    { "1 qid:3 1:1\n",
      ":1: expected no query ids (ranking is not a problem convene solves), found \"qid:3\"" },
    { "a23456789012345678901234567890123456789012345\n",
      ":1: expected a finite number as the label, found "
      "\"a234567890123456789012345678901234567890...\"" },
    { "\x01\xff 1:1\n",
      ":1: expected a finite number as the label, found \"?"
      "?\"" },
    { "", ": the file is empty; expected LIBSVM text, CSV or IDX images" },
    { "\n# nothing\n",
      ": no rows; expected LIBSVM text (label index:value ...), CSV or IDX images" },
    { "BZh91AY&SY",
      ": packed with bzip2; expected plain text or IDX, or these packed with gzip or xz" },
};

Test(shard, a_malformed_text_is_refused_with_its_line)
{
    for (size_t i = 0; i < sizeof(bad_texts) / sizeof(bad_texts[0]); i++) {
        refuse_text(bad_texts[i][0], bad_texts[i][1]);
    }
}

Test(shard, a_zero_byte_in_a_text_is_refused)
{
    write_bytes("1 1:1\n1 1:\0 2\n", 14);
    refuse(":2: expected text, found a zero byte");
}

Test(shard, a_file_that_cannot_be_read_is_named)
{
    use_name("missing");
    refuse(": No such file or directory");
    use_name("");
    refuse(": not a regular file");
    use_name("fifo");
    cr_assert_eq(mkfifo(path, 0600), 0);
    /* opening it would wait for a writer */
    refuse(": not a regular file");
}

Test(shard, a_long_path_is_cut_at_its_front)
{
    char name[151];

    memset(name, 'n', 150);
    name[150] = '\0';
    use_name(name);
    write_text("1 1:x\n");
    cr_assert_eq(read_plain(), CNV_E_INPUT);
    cr_assert_eq(strncmp(err.text, "...nnn", 6), 0, "%s", err.text);
    cr_assert_not_null(strstr(err.text, "nn:1: expected a finite number"), "%s", err.text);
}

/* Hard to pack, so that packed files are longer than any buffer, too. */
static uint32_t noise(size_t i)
{
    return ((uint32_t) i * 2654435761U >> 8) + 1;
}

/* A text of many rows; the caller frees. */
static char *long_text(size_t rows, size_t *ret_len)
{
    char *text = cnv_array_new(rows * 60 + 1, 1);
    size_t len = 0;

    for (size_t i = 0; i < rows; i++) {
        len += (size_t) sprintf(
            text + len, "%zu %zu:%zu.25 100000:%u\n", i % 3, i % 1000 + 1, i, noise(i));
    }
    *ret_len = len;
    return text;
}

static void check_long(size_t rows)
{
    cr_assert_eq(shard->rows, rows);
    cr_assert_eq(shard->features, 100000U);
    for (size_t i = 0; i < rows; i++) {
        cr_assert_eq(shard->labels[i], (double) (i % 3));
        cr_assert_eq(shard->row_start[i], 2 * i);
        cr_assert_eq(shard->columns[2 * i], i % 1000);
        cr_assert_eq(shard->values[2 * i], (double) i + 0.25);
        cr_assert_eq(shard->values[2 * i + 1], (double) noise(i));
    }
}

Test(shard, packed_files_are_told_by_content_whatever_their_name)
{
    enum { ROWS = 40000 };
    size_t len = 0;
    size_t packed_len = 0;
    char *text = long_text(ROWS, &len);
    uint8_t *packed = NULL;

    use_name("plain.gz");
    write_bytes(text, len);
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
    check_long(ROWS);
    use_name("gzip.xz");
    packed = pack_gzip(text, len, &packed_len);
    cr_assert_gt(packed_len, 1U << 17);
    write_bytes(packed, packed_len);
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
    check_long(ROWS);
    cnv_free(packed);
    use_name("xz.txt");
    packed = pack_xz(text, len, &packed_len);
    write_bytes(packed, packed_len);
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
    check_long(ROWS);
    cnv_free(packed);
    cnv_free(text);
}

Test(shard, members_in_a_row_are_one_file)
{
    static const char first[] = "1 1:1\n1 2";
    static const char second[] = ":2\n1 3:3\n";
    uint8_t *(*const packers[])(const void *, size_t, size_t *) = { pack_gzip, pack_xz };

    for (size_t i = 0; i < 2; i++) {
        size_t first_len = 0;
        size_t second_len = 0;
        uint8_t *a = packers[i](first, sizeof(first) - 1, &first_len);
        uint8_t *b = packers[i](second, sizeof(second) - 1, &second_len);
        uint8_t *both = cnv_array_new(first_len + second_len, 1);

        memcpy(both, a, first_len);
        memcpy(both + first_len, b, second_len);
        write_bytes(both, first_len + second_len);
        cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
        cr_assert_eq(shard->rows, 3U);
        cr_assert_eq(shard->values[1], 2.0);
        cnv_free(a);
        cnv_free(b);
        cnv_free(both);
    }
}

Test(shard, a_cut_or_damaged_packed_file_is_refused_wherever_it_is_hit)
{
    enum { ROWS = 30 };
    size_t len = 0;
    char *text = long_text(ROWS, &len);
    uint8_t *(*const packers[])(const void *, size_t, size_t *) = { pack_gzip, pack_xz };
    static const size_t magic_len[] = { 2, 6 };

    for (size_t i = 0; i < 2; i++) {
        size_t packed_len = 0;
        uint8_t *packed = packers[i](text, len, &packed_len);

        for (size_t cut = magic_len[i]; cut < packed_len; cut++) {
            write_bytes(packed, cut);
            cr_assert_eq(read_plain(), CNV_E_INPUT, "cut to %zu of %zu bytes", cut, packed_len);
            cr_assert_not_null(strstr(err.text, "it ends early, the file was cut"), "%s", err.text);
        }
        /* behind the 10 bytes of gzip's header, which hold time and system */
        for (size_t at = 10; at < packed_len; at++) {
            packed[at] ^= 0x10;
            write_bytes(packed, packed_len);
            cr_assert_eq(read_plain(), CNV_E_INPUT, "byte %zu of %zu", at, packed_len);
            cr_assert_null(shard);
            packed[at] ^= 0x10;
        }
        cnv_free(packed);
    }
    cnv_free(text);
}

Test(shard, something_behind_the_packed_data_is_refused)
{
    size_t packed_len = 0;
    uint8_t *packed = pack_gzip("1 1:1\n", 6, &packed_len);
    static const uint8_t tail[] = { 't', 'a', 'i', 'l' };
    uint8_t *more = cnv_array_new(packed_len + sizeof(tail), 1);

    memcpy(more, packed, packed_len);
    memcpy(more + packed_len, tail, sizeof(tail));
    write_bytes(more, packed_len + sizeof(tail));
    refuse(": its gzip data is damaged: incorrect header check");
    cnv_free(packed);
    cnv_free(more);
}

Test(shard, a_line_longer_than_the_buffer_is_read)
{
    enum { FEATURES = 100000 };
    char *text = cnv_array_new(FEATURES * 12 + 20, 1);
    size_t len = (size_t) sprintf(text, "1 1:1\n-1");

    for (size_t i = 1; i <= FEATURES; i++) {
        len += (size_t) sprintf(text + len, " %zu:%zu", i, i % 9 + 1);
    }
    write_bytes(text, len);
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
    cr_assert_eq(shard->rows, 2U);
    cr_assert_eq(shard->row_start[2], (size_t) FEATURES + 1);
    cr_assert_eq(shard->values[FEATURES], (double) (FEATURES % 9 + 1));
    cnv_free(text);
}

Test(shard, values_are_scaled_and_must_stay_finite)
{
    write_text("1 1:4 2:8\n");
    cr_assert_eq(read_with(&(struct cnv_data_options){ .scale = 0.25 }), CNV_OK);
    cr_assert_eq(shard->values[0], 1.0);
    cr_assert_eq(shard->values[1], 2.0);
    write_text("1 1:4\n1 2:1e200\n");
    cr_assert_eq(read_with(&(struct cnv_data_options){ .scale = 1e200 }), CNV_E_INPUT);
    cr_assert_str_eq(
        err.text + strlen(path),
        ":2: feature 2: expected a value that stays finite when scaled by 1e+200, found 1e+200");
}

Test(shard, shards_are_disjoint_and_together_the_file)
{
    enum { ROWS = 103 };
    size_t len = 0;
    char *text = long_text(ROWS, &len);

    write_bytes(text, len);
    for (uint32_t shards = 1; shards <= ROWS; shards += 17) {
        size_t seen[ROWS] = { 0 };

        for (uint32_t k = 1; k <= shards; k++) {
            struct cnv_data_options options = {
                .seed = 3, .shuffle = true, .shard = k, .shards = shards
            };

            cr_assert_eq(read_with(&options), CNV_OK, "%s", err.text);
            cr_assert_eq(shard->rows,
                         (size_t) k * ROWS / shards - (size_t) (k - 1) * ROWS / shards);
            for (size_t i = 0; i < shard->rows; i++) {
                size_t row = (size_t) shard->values[shard->row_start[i]];

                cr_assert_lt(row, (size_t) ROWS);
                cr_assert_eq(shard->labels[i],
                             (double) (row % 3),
                             "label and features of one row stay together");
                cr_assert_eq(shard->columns[shard->row_start[i]], row % 1000);
                seen[row]++;
            }
        }
        for (size_t i = 0; i < ROWS; i++) {
            cr_assert_eq(seen[i], 1U);
        }
    }
    cnv_free(text);
}

Test(shard, every_shard_knows_the_highest_feature_of_the_file)
{
    write_text("1 7:1\n-1 2:1\n1 3:1\n-1 1:1\n");
    for (uint32_t k = 1; k <= 4; k++) {
        cr_assert_eq(read_with(&(struct cnv_data_options){ .shard = k, .shards = 4 }), CNV_OK);
        cr_assert_eq(shard->features, 7U);
    }
}

Test(shard, the_shards_are_parts_of_one_order_of_the_seed)
{
    enum { ROWS = 50 };
    size_t len = 0;
    char *text = long_text(ROWS, &len);
    double whole[ROWS];
    struct cnv_data_options options = { .seed = 5, .shuffle = true };
    size_t moved = 0;

    write_bytes(text, len);
    cr_assert_eq(read_with(&options), CNV_OK);
    for (size_t i = 0; i < ROWS; i++) {
        whole[i] = shard->values[2 * i];
        moved += whole[i] != (double) i + 0.25;
    }
    cr_assert_gt(moved, (size_t) ROWS / 2);
    options.shards = 3;
    for (options.shard = 1; options.shard <= 3; options.shard++) {
        cr_assert_eq(read_with(&options), CNV_OK);
        for (size_t i = 0; i < shard->rows; i++) {
            cr_assert_eq(shard->values[2 * i], whole[(options.shard - 1) * ROWS / 3 + i]);
        }
    }
    options = (struct cnv_data_options){ .seed = 6, .shuffle = true };
    cr_assert_eq(read_with(&options), CNV_OK);
    moved = 0;
    for (size_t i = 0; i < ROWS; i++) {
        moved += whole[i] != shard->values[2 * i];
    }
    cr_assert_gt(moved, (size_t) ROWS / 2, "another seed is another order");
    options = (struct cnv_data_options){ .shard = 2, .shards = 2 };
    cr_assert_eq(read_with(&options), CNV_OK);
    cr_assert_eq(shard->values[0], 25.25, "without shuffling the order is that of the file");
    cnv_free(text);
}

Test(shard, shards_that_cannot_be_are_refused)
{
    write_text("1 1:1\n2 1:1\n3 1:1\n");
    cr_assert_eq(read_with(&(struct cnv_data_options){ .shard = 1, .shards = 4 }), CNV_E_INPUT);
    cr_assert_str_eq(err.text + strlen(path),
                     ": expected at least a row for each of 4 shards, found 3 rows");
    cr_assert_eq(read_with(&(struct cnv_data_options){ .shard = 3, .shards = 3 }), CNV_OK);
    cr_assert_eq(shard->labels[0], 3.0);
    cr_assert_eq(read_with(&(struct cnv_data_options){ .shard = 3, .shards = 2 }), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "shard 3 of 2: expected the first number to be at most the second");
    cr_assert_eq(read_with(&(struct cnv_data_options){ .max_rows = 3 }), CNV_OK);
    cr_assert_eq(read_with(&(struct cnv_data_options){ .max_rows = 2 }), CNV_E_INPUT);
    cr_assert_str_eq(err.text + strlen(path), ":3: expected at most 2 rows, found more");
}

Test(shard, a_bad_line_in_another_shard_is_refused_too)
{
    write_text("1 1:1\n2 1:1\n3 1:x\n");
    cr_assert_eq(read_with(&(struct cnv_data_options){ .shard = 1, .shards = 3 }), CNV_E_INPUT);
    cr_assert_null(shard);
}

Test(shard, running_out_of_memory_anywhere_is_an_error_and_leaks_nothing)
{
    size_t len = 0;
    char *text = long_text(5000, &len);
    enum cnv_status status = CNV_E_NOMEM;
    uint64_t n = 1;

    write_bytes(text, len);
    for (; status != CNV_OK; n++) {
        cr_assert_lt(n, 100U);
        cnv_mem_fail_after(n);
        status = read_with(&(struct cnv_data_options){ .shuffle = true, .shard = 1, .shards = 2 });
        cnv_mem_fail_after(0);
        cr_assert(status == CNV_OK || status == CNV_E_NOMEM, "%s", err.text);
    }
    cr_assert_gt(n, 8U);
    cnv_free(text);
}

Test(shard, labels_are_given_once_and_in_order)
{
    double labels[CNV_LABELS_MAX];
    size_t count = 0;

    read_text("3\n-1\n2.5\n3\n-1\n-0\n0\n");
    cr_assert(cnv_shard_labels(shard, labels, &count));
    cr_assert_eq(count, 4U);
    cr_assert_eq(labels[0], -1.0);
    cr_assert_eq(labels[1], 0.0);
    cr_assert_not(signbit(labels[1]));
    cr_assert_eq(labels[2], 2.5);
    cr_assert_eq(labels[3], 3.0);
}

Test(shard, more_labels_than_the_limit_or_one_not_finite_are_no_set)
{
    static double many[CNV_LABELS_MAX + 1];
    double bad[] = { 1.0, NAN };
    struct cnv_shard rows = { .rows = CNV_LABELS_MAX, .labels = many };
    double labels[CNV_LABELS_MAX];
    size_t count = 7;

    for (size_t i = 0; i <= CNV_LABELS_MAX; i++) {
        many[i] = (double) (CNV_LABELS_MAX - i);
    }
    cr_assert(cnv_shard_labels(&rows, labels, &count));
    cr_assert_eq(count, (size_t) CNV_LABELS_MAX);
    cr_assert_eq(labels[0], 1.0);
    rows.rows = CNV_LABELS_MAX + 1;
    count = 7;
    cr_assert_not(cnv_shard_labels(&rows, labels, &count));
    cr_assert_eq(count, 7U);
    rows = (struct cnv_shard){ .rows = 2, .labels = bad };
    cr_assert_not(cnv_shard_labels(&rows, labels, &count));
}

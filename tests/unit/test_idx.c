/* Hand-made IDX pairs. */
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "data/shard.h"

static char folder[] = "/tmp/convene-test-images-XXXXXX";
static char images[200];
static char labels[200];
static struct cnv_error err;
static struct cnv_shard *shard;

/* Three images of 2 x 2 pixels and their labels. */
static const uint8_t image_bytes[] = { 0, 0, 8, 3, 0,   0, 0, 3, 0, 0, 0, 2, 0,   0,
                                       0, 2, 0, 1, 255, 3, 4, 5, 6, 7, 8, 9, 200, 51 };
static const uint8_t label_bytes[] = { 0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9 };

static void use_names(const char *image_name, const char *label_name)
{
    (void) snprintf(images, sizeof(images), "%s/%s", folder, image_name);
    (void) snprintf(labels, sizeof(labels), "%s/%s", folder, label_name);
}

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    use_names("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
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

TestSuite(idx, .init = setup, .fini = teardown, .timeout = 20);

static void write_bytes(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, len, file), len);
    cr_assert_eq(fclose(file), 0);
}

static void write_gzip(const char *path, const void *bytes, size_t len)
{
    gzFile file = gzopen(path, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(gzwrite(file, bytes, (unsigned) len), (int) len);
    cr_assert_eq(gzclose(file), Z_OK);
}

static enum cnv_status read_with(const struct cnv_data_options *options)
{
    cnv_shard_destroy(shard);
    shard = NULL;
    return cnv_shard_read(images, options, &shard, &err);
}

static enum cnv_status read_plain(void)
{
    return read_with(&(struct cnv_data_options){ 0 });
}

static void refuse(const char *path, const char *message)
{
    cr_assert_eq(read_plain(), CNV_E_INPUT, "taken instead of \"%s\"", message);
    cr_assert_null(shard);
    cr_assert_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
    cr_assert_str_eq(err.text + strlen(path), message);
}

static void check_shard(void)
{
    cr_assert_eq(shard->rows, 3U);
    cr_assert_eq(shard->features, 4U);
    cr_assert_null(shard->row_start);
    cr_assert_null(shard->columns);
    cr_assert_eq(shard->labels[0], 7.0);
    cr_assert_eq(shard->labels[1], 0.0);
    cr_assert_eq(shard->labels[2], 9.0);
    for (size_t i = 0; i < 12; i++) {
        cr_assert_float_eq(shard->values[i], image_bytes[16 + i] / 255.0, 1e-16);
    }
}

Test(idx, images_are_dense_rows_with_their_labels)
{
    write_bytes(images, image_bytes, sizeof(image_bytes));
    write_bytes(labels, label_bytes, sizeof(label_bytes));
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
    check_shard();
    cr_assert_eq(read_with(&(struct cnv_data_options){ .scale = 2.0 }), CNV_OK);
    cr_assert_eq(shard->values[2], 510.0);
}

Test(idx, labels_are_found_beside_the_images_packed_or_not)
{
    use_names("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz");
    write_gzip(images, image_bytes, sizeof(image_bytes));
    write_gzip(labels, label_bytes, sizeof(label_bytes));
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
    check_shard();
    use_names("a-images-idx3-ubyte.gz", "a-labels-idx1-ubyte");
    write_gzip(images, image_bytes, sizeof(image_bytes));
    write_bytes(labels, label_bytes, sizeof(label_bytes));
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
    check_shard();
    use_names("b-images-idx3-ubyte", "b-labels-idx1-ubyte.gz");
    write_bytes(images, image_bytes, sizeof(image_bytes));
    write_gzip(labels, label_bytes, sizeof(label_bytes));
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
    check_shard();
    use_names("images", "labels.xz");
    write_bytes(images, image_bytes, sizeof(image_bytes));
    write_bytes(labels, label_bytes, sizeof(label_bytes));
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
    check_shard();
}

Test(idx, only_the_own_name_of_the_file_is_changed_for_the_labels)
{
    use_names("images", "images");
    cr_assert_eq(mkdir(images, 0700), 0);
    use_names("images/my-images-images", "images/my-images-labels");
    write_bytes(images, image_bytes, sizeof(image_bytes));
    write_bytes(labels, label_bytes, sizeof(label_bytes));
    cr_assert_eq(read_plain(), CNV_OK, "%s", err.text);
    check_shard();
}

Test(idx, missing_labels_are_named)
{
    write_bytes(images, image_bytes, sizeof(image_bytes));
    refuse(
        images,
        ": the file of its labels is missing; expected train-labels-idx1-ubyte, plain, .gz or .xz");
    use_names("pictures", "");
    write_bytes(images, image_bytes, sizeof(image_bytes));
    refuse(images, ": IDX images, but \"images\" is not in the name: no way to find the labels");
}

Test(idx, the_label_file_is_not_the_data)
{
    char swap[200];

    write_bytes(labels, label_bytes, sizeof(label_bytes));
    (void) snprintf(swap, sizeof(swap), "%s", images);
    (void) snprintf(images, sizeof(images), "%s", labels);
    refuse(images, ": these are IDX labels; give the file of the images");
}

Test(idx, a_wrong_magic_is_refused)
{
    uint8_t bytes[sizeof(image_bytes)];

    memcpy(bytes, image_bytes, sizeof(bytes));
    bytes[2] = 0x0d; /* floats */
    write_bytes(images, bytes, sizeof(bytes));
    write_bytes(labels, label_bytes, sizeof(label_bytes));
    refuse(images,
           ": offset 0: expected the magic number 0x00000803 of IDX images (unsigned bytes), found "
           "0x00000d03");
    write_bytes(images, image_bytes, sizeof(image_bytes));
    write_bytes(labels, image_bytes, sizeof(image_bytes));
    refuse(labels,
           ": offset 0: expected the magic number 0x00000801 of IDX labels (unsigned bytes), found "
           "0x00000803");
}

Test(idx, sizes_that_do_not_fit_are_refused)
{
    uint8_t bytes[sizeof(image_bytes) + 1];

    write_bytes(labels, label_bytes, sizeof(label_bytes));
    write_bytes(images, image_bytes, 10);
    refuse(images, ": expected an IDX header of 16 bytes for images, found 10 bytes");
    write_bytes(images, image_bytes, sizeof(image_bytes) - 1);
    refuse(images,
           ": offset 27: expected 3 images of 4 pixels, found the end of the file in image 3");
    memcpy(bytes, image_bytes, sizeof(image_bytes));
    bytes[sizeof(image_bytes)] = 0;
    write_bytes(images, bytes, sizeof(bytes));
    refuse(images, ": offset 28: expected the end of the file, as its header says, found more");
    bytes[11] = 0;
    write_bytes(images, bytes, sizeof(image_bytes));
    refuse(images, ": offset 4: expected images of 1 to 67108864 pixels, found 3 images of 0 x 2");
    bytes[8] = 0xff;
    write_bytes(images, bytes, sizeof(image_bytes));
    refuse(images,
           ": offset 4: expected images of 1 to 67108864 pixels, found 3 images of 4278190080 x 2");
    bytes[7] = 0;
    write_bytes(images, bytes, sizeof(image_bytes));
    refuse(images,
           ": offset 4: expected images of 1 to 67108864 pixels, found 0 images of 4278190080 x 2");
}

Test(idx, labels_that_do_not_fit_the_images_are_refused)
{
    uint8_t bytes[sizeof(label_bytes) + 1] = { 0 };

    write_bytes(images, image_bytes, sizeof(image_bytes));
    memcpy(bytes, label_bytes, sizeof(label_bytes));
    write_bytes(labels, bytes, sizeof(bytes));
    refuse(labels, ": offset 11: expected the end of the file, as its header says, found more");
    write_bytes(labels, bytes, sizeof(label_bytes) - 1);
    refuse(labels, ": offset 10: expected 3 labels, found the end of the file after 2");
    write_bytes(labels, bytes, 5);
    refuse(labels, ": expected an IDX header of 8 bytes for labels, found 5 bytes");
    bytes[7] = 4;
    write_bytes(labels, bytes, sizeof(bytes));
    refuse(labels, ": offset 4: expected 3 labels, as many as images, found 4");
}

Test(idx, a_header_that_claims_terabytes_costs_no_memory)
{
    uint8_t image_header[17] = { 0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0x20, 0, 0, 0, 0x20, 0 };
    uint8_t label_header[9] = { 0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff };

    write_bytes(images, image_header, sizeof(image_header));
    write_bytes(labels, label_header, sizeof(label_header));
    refuse(labels, ": offset 9: expected 4294967295 labels, found the end of the file after 1");
    image_header[4] = image_header[5] = image_header[6] = label_header[4] = label_header[5] =
        label_header[6] = 0;
    image_header[7] = label_header[7] = 1;
    write_bytes(images, image_header, sizeof(image_header));
    write_bytes(labels, label_header, sizeof(label_header));
    refuse(
        images,
        ": offset 17: expected 1 images of 67108864 pixels, found the end of the file in image 1");
}

Test(idx, shards_of_images_are_parts_of_one_order)
{
    enum { ROWS = 100, PIXELS = 6 };
    uint8_t bytes[16 + ROWS * PIXELS] = { 0, 0, 8, 3, 0, 0, 0, ROWS, 0, 0, 0, 2, 0, 0, 0, 3 };
    uint8_t names[8 + ROWS] = { 0, 0, 8, 1, 0, 0, 0, ROWS };
    size_t seen[ROWS] = { 0 };

    for (size_t i = 0; i < ROWS; i++) {
        names[8 + i] = (uint8_t) i;
        memset(bytes + 16 + i * PIXELS, (int) i, PIXELS);
    }
    write_bytes(images, bytes, sizeof(bytes));
    write_bytes(labels, names, sizeof(names));
    for (uint32_t k = 1; k <= 7; k++) {
        struct cnv_data_options options = {
            .seed = 1, .shuffle = true, .scale = 1.0, .shard = k, .shards = 7
        };

        cr_assert_eq(read_with(&options), CNV_OK, "%s", err.text);
        for (size_t i = 0; i < shard->rows; i++) {
            size_t row = (size_t) shard->labels[i];

            for (size_t j = 0; j < PIXELS; j++) {
                cr_assert_eq(shard->values[i * PIXELS + j], (double) row);
            }
            seen[row]++;
        }
    }
    for (size_t i = 0; i < ROWS; i++) {
        cr_assert_eq(seen[i], 1U);
    }
    cr_assert_eq(read_with(&(struct cnv_data_options){ .shard = 1, .shards = 101 }), CNV_E_INPUT);
}

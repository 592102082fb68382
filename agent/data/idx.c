/*
 * idx.c - reads IDX files: a magic number, big-endian sizes, then bytes.
 *
 * Sizes in a header are claims: memory grows with the bytes that were really there, labels first,
 * so that a damaged header is an error and not an attempt to allocate what it says.
 */
#include "data/idx.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* Two zero bytes, the type (8: unsigned bytes), the number of dimensions. */
enum { MAGIC_LABELS = 0x00000801, MAGIC_IMAGES = 0x00000803 };

enum {
    HEADER_LABELS = 8,
    HEADER_IMAGES = 16,
    PIXELS_MAX = 1 << 26, /* of one image */
    LABELS_STEP = 1 << 16,
    PATH_SIZE = 4096,
};

static uint32_t read_be32(const uint8_t *bytes)
{
    return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 | (uint32_t) bytes[2] << 8 |
           bytes[3];
}

bool cnv_idx_matches(const uint8_t start[4])
{
    return start[0] == 0 && start[1] == 0;
}

static enum cnv_status read_header(struct cnv_input *input,
                                   uint32_t magic,
                                   uint8_t *ret_header,
                                   size_t size,
                                   struct cnv_error *err)
{
    const char *what = magic == MAGIC_IMAGES ? "images" : "labels";
    size_t len = 0;
    enum cnv_status status = cnv_input_read_all(input, ret_header, size, &len, err);

    if (status != CNV_OK) {
        return status;
    }
    if (len >= 4 && magic == MAGIC_IMAGES && read_be32(ret_header) == MAGIC_LABELS) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: these are IDX labels; give the file of the images",
                        cnv_input_name(input));
    }
    if (len >= 4 && read_be32(ret_header) != magic) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: offset 0: expected the magic number 0x%08x of IDX %s (unsigned "
                        "bytes), found 0x%08x",
                        cnv_input_name(input),
                        magic,
                        what,
                        read_be32(ret_header));
    }
    if (len < size) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: expected an IDX header of %zu bytes for %s, found %zu bytes",
                        cnv_input_name(input),
                        size,
                        what,
                        len);
    }
    return CNV_OK;
}

/* Fails when bytes follow behind the last one that the header speaks of. */
static enum cnv_status expect_end(struct cnv_input *input, size_t offset, struct cnv_error *err)
{
    uint8_t byte = 0;
    size_t len = 0;
    enum cnv_status status = cnv_input_read(input, &byte, 1, &len, err);

    if (status == CNV_OK && len > 0) {
        return cnv_fail(
            err,
            CNV_E_INPUT,
            "%s: offset %zu: expected the end of the file, as its header says, found more",
            cnv_input_name(input),
            offset);
    }
    return status;
}

static enum cnv_status
read_labels(struct cnv_input *input, struct cnv_idx *idx, struct cnv_error *err)
{
    uint8_t header[HEADER_LABELS] = { 0 };
    size_t claimed = 0;
    size_t capacity = 0;
    size_t len = 0;
    size_t rows = 0;
    enum cnv_status status = read_header(input, MAGIC_LABELS, header, sizeof(header), err);

    if (status != CNV_OK) {
        return status;
    }
    claimed = read_be32(header + 4);
    if (claimed != idx->rows) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: offset 4: expected %zu labels, as many as images, found %zu",
                        cnv_input_name(input),
                        idx->rows,
                        claimed);
    }
    while (rows < claimed) {
        if (rows == capacity) {
            size_t grown = capacity == 0 ? LABELS_STEP : capacity * 2;
            uint8_t *labels = NULL;

            grown = grown < claimed ? grown : claimed;
            labels = cnv_array_resize(idx->labels, capacity, grown, 1);
            if (labels == NULL) {
                return cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", cnv_input_name(input));
            }
            idx->labels = labels;
            capacity = grown;
        }
        status = cnv_input_read(input, idx->labels + rows, capacity - rows, &len, err);
        if (status != CNV_OK) {
            return status;
        }
        if (len == 0) {
            return cnv_fail(
                err,
                CNV_E_INPUT,
                "%s: offset %zu: expected %zu labels, found the end of the file after %zu",
                cnv_input_name(input),
                HEADER_LABELS + rows,
                claimed,
                rows);
        }
        rows += len;
    }
    return expect_end(input, HEADER_LABELS + rows, err);
}

/* Replaces the last occurrence of from, of the same length as to, in the file's own name. */
static bool replace_last(char *path, const char *from, const char *to)
{
    char *slash = strrchr(path, '/');
    char *found = NULL;

    for (char *at = strstr(slash == NULL ? path : slash, from); at != NULL;
         at = strstr(at + 1, from)) {
        found = at;
    }
    for (size_t i = 0; found != NULL && to[i] != '\0'; i++) {
        found[i] = to[i];
    }
    return found != NULL;
}

/* The name of the label file that exists, into ret_path[PATH_SIZE]. */
static enum cnv_status
find_labels(const struct cnv_input *images, const char *path, char *ret_path, struct cnv_error *err)
{
    static const char *const endings[] = { "", ".gz", ".xz" };
    char stem[PATH_SIZE];
    size_t len = strlen(path);

    if (len + sizeof(".gz") > sizeof(stem)) {
        return cnv_fail(err, CNV_E_INPUT, "%s: the path is too long", cnv_input_name(images));
    }
    (void) snprintf(stem, sizeof(stem), "%s", path);
    if (!replace_last(stem, "images", "labels")) {
        return cnv_fail(
            err,
            CNV_E_INPUT,
            "%s: IDX images, but \"images\" is not in the name: no way to find the labels",
            cnv_input_name(images));
    }
    (void) replace_last(stem, "idx3", "idx1");
    (void) snprintf(ret_path, PATH_SIZE, "%s", stem);
    if (access(ret_path, F_OK) == 0) {
        return CNV_OK;
    }
    if (len > 3 && (strcmp(stem + len - 3, ".gz") == 0 || strcmp(stem + len - 3, ".xz") == 0)) {
        stem[len - 3] = '\0';
    }
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        (void) snprintf(ret_path, PATH_SIZE, "%s%s", stem, endings[i]);
        if (access(ret_path, F_OK) == 0) {
            return CNV_OK;
        }
    }
    stem[len < 100 ? len : 100] = '\0';
    return cnv_fail(err,
                    CNV_E_INPUT,
                    "%s: the file of its labels is missing; expected %s, plain, .gz or .xz",
                    cnv_input_name(images),
                    strrchr(stem, '/') == NULL ? stem : strrchr(stem, '/') + 1);
}

static enum cnv_status read_sizes(struct cnv_idx *idx, struct cnv_error *err)
{
    uint8_t header[HEADER_IMAGES] = { 0 };
    uint64_t pixels = 0;
    enum cnv_status status = read_header(idx->images, MAGIC_IMAGES, header, sizeof(header), err);

    if (status != CNV_OK) {
        return status;
    }
    idx->rows = read_be32(header + 4);
    pixels = (uint64_t) read_be32(header + 8) * read_be32(header + 12);
    if (idx->rows == 0 || pixels == 0 || pixels > PIXELS_MAX) {
        return cnv_fail(
            err,
            CNV_E_INPUT,
            "%s: offset 4: expected images of 1 to %d pixels, found %zu images of %u x %u",
            cnv_input_name(idx->images),
            PIXELS_MAX,
            idx->rows,
            read_be32(header + 8),
            read_be32(header + 12));
    }
    idx->pixels = (size_t) pixels;
    idx->image = cnv_array_new(idx->pixels, 1);
    return idx->image != NULL
               ? CNV_OK
               : cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", cnv_input_name(idx->images));
}

enum cnv_status cnv_idx_open(const char *path,
                             struct cnv_input *images,
                             struct cnv_idx *ret_idx,
                             struct cnv_error *err)
{
    char labels_path[PATH_SIZE];
    struct cnv_input *labels = NULL;
    enum cnv_status status = CNV_OK;

    *ret_idx = (struct cnv_idx){ .images = images, .header = HEADER_IMAGES };
    status = read_sizes(ret_idx, err);
    if (status == CNV_OK) {
        status = find_labels(images, path, labels_path, err);
    }
    if (status == CNV_OK) {
        status = cnv_input_open(labels_path, &labels, err);
    }
    if (status == CNV_OK) {
        status = read_labels(labels, ret_idx, err);
    }
    cnv_input_close(labels);
    return status;
}

enum cnv_status cnv_idx_next(struct cnv_idx *idx, size_t row, struct cnv_error *err)
{
    uint8_t prefix[CNV_IDX_PREFIX_MAX];
    size_t len = 0;
    enum cnv_status status = cnv_input_read_all(idx->images, prefix, idx->prefix, &len, err);

    if (status == CNV_OK) {
        status = cnv_input_read_all(idx->images, idx->image, idx->pixels, &len, err);
    }

    if (status == CNV_OK && len < idx->pixels) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: offset %zu: expected %zu images of %zu pixels, found the end of the "
                        "file in image %zu",
                        cnv_input_name(idx->images),
                        idx->header + row * (idx->prefix + idx->pixels) + idx->prefix + len,
                        idx->rows,
                        idx->pixels,
                        row + 1);
    }
    return status;
}

enum cnv_status cnv_idx_finish(struct cnv_idx *idx, struct cnv_error *err)
{
    return expect_end(idx->images, idx->header + idx->rows * (idx->prefix + idx->pixels), err);
}

void cnv_idx_close(struct cnv_idx *idx)
{
    cnv_free(idx->labels);
    cnv_free(idx->image);
    *idx = (struct cnv_idx){ 0 };
}

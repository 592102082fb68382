/*
 * input.c - unpacks a file while it is read, so that neither form is ever in memory whole.
 *
 * The first bytes tell how a file is packed, not its name. Several gzip members or xz streams in
 * a row are one file, as with zcat and xzcat. The end counts as the end only where the packed
 * data says so: a cut file is an error, not a short one.
 */
#include "data/input.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"

enum { PACKED_BYTES = 1 << 16, NAME_BYTES_MAX = 100, FOUND_BYTES_MAX = 40 };

/* More than any preset of xz needs (-9: 65 MiB); a file that asks for more is not taken. */
#define XZ_MEMORY_MAX ((uint64_t) 1 << 30)

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_XZ };

struct cnv_input {
    char *name;
    FILE *file;
    enum packing packing;
    uint8_t packed[PACKED_BYTES];
    size_t at;     /* first byte of packed not yet used */
    size_t len;    /* bytes in packed */
    bool is_last;  /* packed holds the last bytes of the file */
    bool is_done;  /* everything was handed out */
    z_stream gzip; /* PACKING_GZIP */
    lzma_stream xz;
};

struct signature {
    const char *bytes;
    size_t len;
    const char *name;
};

static const struct signature signatures[] = {
    [PACKING_NONE] = { "", 0, "plain" },
    [PACKING_GZIP] = { "\x1f\x8b", 2, "gzip" },
    [PACKING_XZ] = { "\xfd"
                     "7zXZ",
                     6,
                     "xz" },
};

/* Met in practice: the LIBSVM page offers its data sets as bzip2. */
static const struct signature unsupported[] = {
    { "BZh", 3, "bzip2" },
    { "PK\x03\x04", 4, "zip" },
    { "\x28\xb5\x2f\xfd", 4, "zstd" },
};

static bool starts_with(const struct cnv_input *input, const struct signature *signature)
{
    return input->len >= signature->len &&
           memcmp(input->packed, signature->bytes, signature->len) == 0;
}

/* Fills packed from the file; only when all of it was used. */
static enum cnv_status refill(struct cnv_input *input, struct cnv_error *err)
{
    input->at = 0;
    input->len = fread(input->packed, 1, PACKED_BYTES, input->file);
    input->is_last = input->len < PACKED_BYTES;
    if (ferror(input->file) != 0) {
        return cnv_fail(err, CNV_E_SYSTEM, "%s: %s", input->name, strerrordesc_np(errno));
    }
    return CNV_OK;
}

static enum cnv_status start_unpacking(struct cnv_input *input, struct cnv_error *err)
{
    bool is_started = true;

    for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++) {
        if (starts_with(input, &unsupported[i])) {
            return cnv_fail(
                err,
                CNV_E_INPUT,
                "%s: packed with %s; expected plain text or IDX, or these packed with gzip or xz",
                input->name,
                unsupported[i].name);
        }
    }
    if (starts_with(input, &signatures[PACKING_GZIP])) {
        input->packing = PACKING_GZIP;
        input->gzip = (z_stream){ 0 };
        /* 16: with the gzip frame and its checksum */
        is_started = inflateInit2(&input->gzip, 15 + 16) == Z_OK;
    } else if (starts_with(input, &signatures[PACKING_XZ])) {
        input->packing = PACKING_XZ;
        input->xz = (lzma_stream) LZMA_STREAM_INIT;
        is_started = lzma_stream_decoder(&input->xz, XZ_MEMORY_MAX, LZMA_CONCATENATED) == LZMA_OK;
    }
    return is_started ? CNV_OK : cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", input->name);
}

/* The path, or "..." and its end. */
static char *name_of(const char *path)
{
    size_t len = strlen(path);
    size_t cut = len > NAME_BYTES_MAX ? len - NAME_BYTES_MAX : 0;
    char *name = cnv_array_new(NAME_BYTES_MAX + 4, 1);

    if (name != NULL) {
        (void) snprintf(name, NAME_BYTES_MAX + 4, "%s%s", cut > 0 ? "..." : "", path + cut);
    }
    return name;
}

static void stop_unpacking(struct cnv_input *input)
{
    if (input->packing == PACKING_GZIP) {
        (void) inflateEnd(&input->gzip);
    } else if (input->packing == PACKING_XZ) {
        lzma_end(&input->xz);
    }
    input->packing = PACKING_NONE;
}

enum cnv_status cnv_input_rewind(struct cnv_input *input, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;

    stop_unpacking(input);
    input->is_done = false;
    rewind(input->file);
    status = refill(input, err);
    if (status == CNV_OK && input->len == 0) {
        status = cnv_fail(err,
                          CNV_E_INPUT,
                          "%s: the file is empty; expected LIBSVM text, CSV or IDX images",
                          input->name);
    }
    return status == CNV_OK ? start_unpacking(input, err) : status;
}

enum cnv_status
cnv_input_open(const char *path, struct cnv_input **ret_input, struct cnv_error *err)
{
    struct cnv_input *input = cnv_array_new(1, sizeof(*input));
    struct stat about;
    enum cnv_status status = CNV_OK;
    int fd = -1;

    if (input == NULL || (input->name = name_of(path)) == NULL) {
        status = cnv_fail(err, CNV_E_NOMEM, "no memory to read a file");
        goto fail;
    }
    /* Without waiting, as a named pipe would until somebody writes. */
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0) {
        status = cnv_fail(err, CNV_E_INPUT, "%s: %s", input->name, strerrordesc_np(errno));
        goto fail;
    }
    if (!S_ISREG(about.st_mode)) {
        /* Text is read twice: a pipe would be empty the second time. */
        status = cnv_fail(err, CNV_E_INPUT, "%s: not a regular file", input->name);
        goto fail;
    }
    input->file = fdopen(fd, "rb");
    if (input->file == NULL) {
        status = cnv_fail(err, CNV_E_SYSTEM, "%s: %s", input->name, strerrordesc_np(errno));
        goto fail;
    }
    fd = -1;
    status = cnv_input_rewind(input, err);
    if (status != CNV_OK) {
        goto fail;
    }
    *ret_input = input;
    return CNV_OK;

fail:
    if (fd >= 0) {
        (void) close(fd);
    }
    cnv_input_close(input);
    return status;
}

static enum cnv_status
fail_damaged(const struct cnv_input *input, const char *why, struct cnv_error *err)
{
    return cnv_fail(err,
                    CNV_E_INPUT,
                    "%s: its %s data is damaged: %s",
                    input->name,
                    signatures[input->packing].name,
                    why);
}

/* One step of zlib from packed to bytes; ret_len may stay 0. */
static enum cnv_status unpack_gzip(
    struct cnv_input *input, void *bytes, size_t size, size_t *ret_len, struct cnv_error *err)
{
    z_stream *gzip = &input->gzip;
    int result = Z_OK;

    gzip->next_in = input->packed + input->at;
    gzip->avail_in = (uInt) (input->len - input->at);
    gzip->next_out = bytes;
    gzip->avail_out = size < PACKED_BYTES ? (uInt) size : PACKED_BYTES;
    *ret_len = gzip->avail_out;
    result = inflate(gzip, Z_NO_FLUSH);
    input->at = input->len - gzip->avail_in;
    *ret_len -= gzip->avail_out;
    if (result == Z_STREAM_END) {
        if (input->at == input->len && !input->is_last) {
            enum cnv_status status = refill(input, err);

            if (status != CNV_OK) {
                return status;
            }
        }
        input->is_done = input->at == input->len;
        return inflateReset(gzip) == Z_OK ? CNV_OK : fail_damaged(input, "cannot go on", err);
    }
    if (result == Z_MEM_ERROR) {
        return cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", input->name);
    }
    if (result != Z_OK && result != Z_BUF_ERROR) {
        return fail_damaged(input, gzip->msg == NULL ? "not gzip" : gzip->msg, err);
    }
    if (*ret_len == 0 && input->at == input->len && input->is_last) {
        return fail_damaged(input, "it ends early, the file was cut", err);
    }
    return CNV_OK;
}

static const char *describe_xz(lzma_ret result)
{
    switch ((int) result) {
    case LZMA_FORMAT_ERROR:
        return "not xz behind the end of a stream";
    case LZMA_OPTIONS_ERROR:
        return "options that are not supported";
    case LZMA_BUF_ERROR:
        return "it ends early, the file was cut";
    case LZMA_MEMLIMIT_ERROR:
        return "unpacking would need more than 1 GiB of memory";
    default:
        return "a checksum or a header does not fit";
    }
}

/* One step of liblzma from packed to bytes; ret_len may stay 0. */
static enum cnv_status
unpack_xz(struct cnv_input *input, void *bytes, size_t size, size_t *ret_len, struct cnv_error *err)
{
    lzma_stream *xz = &input->xz;
    lzma_ret result = LZMA_OK;

    xz->next_in = input->packed + input->at;
    xz->avail_in = input->len - input->at;
    xz->next_out = bytes;
    xz->avail_out = size;
    result = lzma_code(xz, input->is_last ? LZMA_FINISH : LZMA_RUN);
    input->at = input->len - xz->avail_in;
    *ret_len = size - xz->avail_out;
    if (result == LZMA_STREAM_END) {
        input->is_done = true;
        return CNV_OK;
    }
    if (result == LZMA_MEM_ERROR) {
        return cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", input->name);
    }
    return result == LZMA_OK ? CNV_OK : fail_damaged(input, describe_xz(result), err);
}

static void take_plain(struct cnv_input *input, void *bytes, size_t size, size_t *ret_len)
{
    size_t len = input->len - input->at;

    len = len < size ? len : size;
    memcpy(bytes, input->packed + input->at, len);
    input->at += len;
    input->is_done = input->at == input->len && input->is_last;
    *ret_len = len;
}

enum cnv_status cnv_input_read(
    struct cnv_input *input, void *bytes, size_t size, size_t *ret_len, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;
    size_t len = 0;

    while (status == CNV_OK && len == 0 && !input->is_done) {
        if (input->at == input->len && !input->is_last) {
            status = refill(input, err);
            if (status != CNV_OK) {
                return status;
            }
        }
        switch (input->packing) {
        case PACKING_NONE:
            take_plain(input, bytes, size, &len);
            break;
        case PACKING_GZIP:
            status = unpack_gzip(input, bytes, size, &len, err);
            break;
        case PACKING_XZ:
            status = unpack_xz(input, bytes, size, &len, err);
            break;
        }
    }
    *ret_len = len;
    return status;
}

enum cnv_status cnv_input_read_all(
    struct cnv_input *input, void *bytes, size_t size, size_t *ret_len, struct cnv_error *err)
{
    size_t used = 0;
    size_t len = 1;
    enum cnv_status status = CNV_OK;

    while (status == CNV_OK && used < size && len > 0) {
        status = cnv_input_read(input, (uint8_t *) bytes + used, size - used, &len, err);
        used += status == CNV_OK ? len : 0;
    }
    *ret_len = used;
    return status;
}

const char *cnv_input_name(const struct cnv_input *input)
{
    return input->name;
}

void cnv_input_close(struct cnv_input *input)
{
    if (input == NULL) {
        return;
    }
    stop_unpacking(input);
    if (input->file != NULL) {
        (void) fclose(input->file);
    }
    cnv_free(input->name);
    cnv_free(input);
}

void cnv_input_show(const char *found, char *ret_text)
{
    size_t len = 0;

    for (; len < FOUND_BYTES_MAX && strchr(" \t\r\n", found[len]) == NULL; len++) {
        ret_text[len] = found[len];
        if (found[len] < 0x20 || found[len] == 0x7f) {
            ret_text[len] = '?';
        }
    }
    (void) snprintf(ret_text + len, 4, "%s", len == FOUND_BYTES_MAX ? "..." : "");
}

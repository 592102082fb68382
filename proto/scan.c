/*
 * scan.c - looks a header frame over before msgpack-c does.
 *
 * msgpack-c reserves memory for the number of elements an array claims before it has seen them:
 * five bytes make it ask for 8 GiB. This walk allocates nothing, reads every byte at most once, and
 * lets pass only frames in which whatever is claimed is there. Types are the decoder's question:
 * fields of later versions may be of any type.
 */
#include "proto/message.h"

enum { SCAN_DEPTH = 4 };

struct scan {
    const uint8_t *bytes;
    size_t len;
    size_t at;
    size_t depth;            /* containers that are open */
    size_t left[SCAN_DEPTH]; /* elements each of them still lacks */
};

/* What one type byte announces: big-endian length bytes, bytes to skip, elements to come. */
struct scan_head {
    size_t length_bytes;
    size_t skip;      /* beside what the length says */
    size_t count;     /* elements of a container whose type byte holds the count */
    size_t per_count; /* elements per count: 1 in arrays, 2 in maps */
    bool is_container;
    bool is_bad;
};

static struct scan_head scan_fixed(uint8_t type)
{
    if (type <= 0x7f || type >= 0xe0) {
        return (struct scan_head){ 0 };
    }
    if (type <= 0x8f) {
        return (struct scan_head){ .is_container = true, .count = (type & 0x0fU) * 2UL };
    }
    if (type <= 0x9f) {
        return (struct scan_head){ .is_container = true, .count = type & 0x0fU };
    }
    return (struct scan_head){ .skip = type & 0x1fU };
}

static struct scan_head scan_head_of(uint8_t type)
{
    /* Indexed by type - 0xc0: the formats of the msgpack specification from nil to map 32. */
    static const struct scan_head table[0x20] = {
        [0x00] = { .skip = 0 },
        [0x01] = { .is_bad = true },
        [0x04] = { .length_bytes = 1 },
        [0x05] = { .length_bytes = 2 },
        [0x06] = { .length_bytes = 4 },
        [0x07] = { .length_bytes = 1, .skip = 1 },
        [0x08] = { .length_bytes = 2, .skip = 1 },
        [0x09] = { .length_bytes = 4, .skip = 1 },
        [0x0a] = { .skip = 4 },
        [0x0b] = { .skip = 8 },
        [0x0c] = { .skip = 1 },
        [0x0d] = { .skip = 2 },
        [0x0e] = { .skip = 4 },
        [0x0f] = { .skip = 8 },
        [0x10] = { .skip = 1 },
        [0x11] = { .skip = 2 },
        [0x12] = { .skip = 4 },
        [0x13] = { .skip = 8 },
        [0x14] = { .skip = 2 },
        [0x15] = { .skip = 3 },
        [0x16] = { .skip = 5 },
        [0x17] = { .skip = 9 },
        [0x18] = { .skip = 17 },
        [0x19] = { .length_bytes = 1 },
        [0x1a] = { .length_bytes = 2 },
        [0x1b] = { .length_bytes = 4 },
        [0x1c] = { .length_bytes = 2, .is_container = true, .per_count = 1 },
        [0x1d] = { .length_bytes = 4, .is_container = true, .per_count = 1 },
        [0x1e] = { .length_bytes = 2, .is_container = true, .per_count = 2 },
        [0x1f] = { .length_bytes = 4, .is_container = true, .per_count = 2 },
    };

    return type >= 0xc0 && type <= 0xdf ? table[type - 0xc0] : scan_fixed(type);
}

/* Opens a container of count elements. Every element has at least one byte. */
static enum cnv_status scan_open(struct scan *scan, size_t count, struct cnv_error *err)
{
    if (count > scan->len - scan->at) {
        return cnv_fail(err,
                        CNV_E_MALFORMED,
                        "header claims %zu elements at byte %zu, %zu bytes are left",
                        count,
                        scan->at,
                        scan->len - scan->at);
    }
    if (scan->depth == SCAN_DEPTH) {
        return cnv_fail(err, CNV_E_MALFORMED, "header is nested deeper than %d", SCAN_DEPTH);
    }
    scan->left[scan->depth++] = count;
    return CNV_OK;
}

static enum cnv_status scan_object(struct scan *scan, struct cnv_error *err)
{
    struct scan_head head = scan_head_of(scan->bytes[scan->at]);
    size_t length = 0;

    if (head.is_bad) {
        return cnv_fail(err, CNV_E_MALFORMED, "header has no msgpack type at byte %zu", scan->at);
    }
    scan->at++;
    if (head.length_bytes > scan->len - scan->at) {
        return cnv_fail(err, CNV_E_MALFORMED, "header ends within a length at byte %zu", scan->at);
    }
    for (size_t i = 0; i < head.length_bytes; i++) {
        length = length << 8 | scan->bytes[scan->at++];
    }
    if (head.is_container) {
        return scan_open(scan, head.count + length * head.per_count, err);
    }
    if (head.skip + length > scan->len - scan->at) {
        return cnv_fail(err,
                        CNV_E_MALFORMED,
                        "header claims %zu bytes at byte %zu, %zu are left",
                        head.skip + length,
                        scan->at,
                        scan->len - scan->at);
    }
    scan->at += head.skip + length;
    return CNV_OK;
}

enum cnv_status cnv_header_scan(const uint8_t *bytes, size_t len, struct cnv_error *err)
{
    struct scan scan = { .bytes = bytes, .len = len };

    if (len > CNV_HEADER_MAX) {
        return cnv_fail(err,
                        CNV_E_MALFORMED,
                        "header has %zu bytes, at most %d are allowed",
                        len,
                        CNV_HEADER_MAX);
    }
    do {
        enum cnv_status status = CNV_OK;

        if (scan.at == len) {
            return cnv_fail(err, CNV_E_MALFORMED, "header ends early, after %zu bytes", len);
        }
        if (scan.depth > 0) {
            scan.left[scan.depth - 1]--;
        }
        status = scan_object(&scan, err);
        if (status != CNV_OK) {
            return status;
        }
        while (scan.depth > 0 && scan.left[scan.depth - 1] == 0) {
            scan.depth--;
        }
    } while (scan.depth > 0);
    if (scan.at != len) {
        return cnv_fail(err, CNV_E_MALFORMED, "header has %zu bytes behind its end", len - scan.at);
    }
    return CNV_OK;
}

/* npy.c - magic, version, length of the rest, and a Python dictionary padded with blanks. */
#include "proto/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NPY_BEFORE_DICTIONARY = 10, NPY_DICTIONARY_MAX = 1024 };

size_t cnv_npy_head(const char *encoding, uint64_t length, uint8_t head[CNV_NPY_HEAD_SIZE])
{
    static const uint8_t start[NPY_BEFORE_DICTIONARY] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, CNV_NPY_HEAD_SIZE - NPY_BEFORE_DICTIONARY, 0
    };
    const char *type = NULL;
    char dictionary[CNV_NPY_HEAD_SIZE];

    if (strcmp(encoding, "f64") == 0) {
        type = "<f8";
    } else if (strcmp(encoding, "f32") == 0) {
        type = "<f4";
    } else {
        return 0;
    }
    int used = snprintf(dictionary,
                        sizeof(dictionary),
                        "{'descr': '%s', 'fortran_order': False, 'shape': (%" PRIu64 ",), }",
                        type,
                        length);
    memset(head, ' ', CNV_NPY_HEAD_SIZE);
    memcpy(head, start, sizeof(start));
    memcpy(head + sizeof(start), dictionary, (size_t) used);
    head[CNV_NPY_HEAD_SIZE - 1] = '\n';
    return CNV_NPY_HEAD_SIZE;
}

/* What stands behind "'name':" in the dictionary, or NULL. */
static const char *member_of(const char *dictionary, const char *name)
{
    const char *at = strstr(dictionary, name);

    at = at == NULL ? NULL : at + strlen(name);
    return at == NULL ? NULL : at + strspn(at, " ");
}

/* "(3, 4)": the product. */
static bool shape_parse(const char *text, uint64_t *ret_length)
{
    uint64_t length = 1;

    if (*text++ != '(') {
        return false;
    }
    for (;;) {
        char *end = NULL;
        unsigned long long size = 0;

        text += strspn(text, " ,");
        if (*text == ')') {
            *ret_length = length;
            return true;
        }
        size = strtoull(text, &end, 10);
        if (end == text || *text == '-' || __builtin_mul_overflow(length, size, &length)) {
            return false;
        }
        text = end;
    }
}

enum cnv_status
cnv_npy_parse(const uint8_t *bytes, size_t len, struct cnv_npy *ret_npy, struct cnv_error *err)
{
    char dictionary[NPY_DICTIONARY_MAX + 1];
    struct cnv_npy npy = { .length = 0 };
    size_t size = 0;

    if (len < NPY_BEFORE_DICTIONARY || memcmp(bytes, "\x93NUMPY", 6) != 0) {
        return cnv_fail(err, CNV_E_INPUT, "not a NumPy file");
    }
    size = (size_t) bytes[8] | (size_t) bytes[9] << 8;
    if (bytes[6] != 1 || size > NPY_DICTIONARY_MAX || size > len - NPY_BEFORE_DICTIONARY) {
        return cnv_fail(err, CNV_E_INPUT, "not a NumPy file of version 1.0 with a head as usual");
    }
    memcpy(dictionary, bytes + NPY_BEFORE_DICTIONARY, size);
    dictionary[size] = '\0';
    npy.offset = NPY_BEFORE_DICTIONARY + size;

    const char *type = member_of(dictionary, "'descr':");
    const char *order = member_of(dictionary, "'fortran_order':");
    const char *shape = member_of(dictionary, "'shape':");
    if (type != NULL && strncmp(type, "'<f8'", 5) == 0) {
        npy.encoding = cnv_encoding_find("f64");
    } else if (type != NULL && strncmp(type, "'<f4'", 5) == 0) {
        npy.encoding = cnv_encoding_find("f32");
    } else {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "expected float32 or float64 numbers, found %.8s",
                        type == NULL ? "none" : type);
    }
    if (order == NULL || strncmp(order, "False", 5) != 0 || shape == NULL ||
        !shape_parse(shape, &npy.length)) {
        return cnv_fail(err, CNV_E_INPUT, "expected an array in C order");
    }
    if (npy.length == 0 || npy.length > len ||
        npy.encoding->size((size_t) npy.length) != len - npy.offset) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "its head speaks of %" PRIu64 " numbers, %zu bytes follow",
                        npy.length,
                        len - npy.offset);
    }
    *ret_npy = npy;
    return CNV_OK;
}

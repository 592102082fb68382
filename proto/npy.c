/* npy.c - magic, version, length of the rest, and a Python dictionary padded with blanks. */
#include "proto/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NPY_BEFORE_DICTIONARY = 10 };

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

/* source_file.h - reads a text file of the source tree whole, for tests that compare it with the
 * code. */
#ifndef CNV_TESTS_SUPPORT_SOURCE_FILE_H
#define CNV_TESTS_SUPPORT_SOURCE_FILE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* The file as a NUL-terminated text (cnv_free), or NULL. The tree's root is CONVENE_SOURCE_ROOT as
 * meson sets it; by hand the test is run from a build folder in the tree. */
static inline char *source_file_read(const char *path)
{
    const char *root = getenv("CONVENE_SOURCE_ROOT"); /* NOLINT(concurrency-mt-unsafe) */
    char name[1024];
    char *text = NULL;
    FILE *file = NULL;
    long size = 0;

    (void) snprintf(name, sizeof(name), "%s/%s", root != NULL ? root : "..", path);
    file = fopen(name, "rb");
    if (file == NULL) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 &&
        fseek(file, 0, SEEK_SET) == 0) {
        text = cnv_array_new((size_t) size + 1, 1);
    }
    if (text != NULL && fread(text, 1, (size_t) size, file) != (size_t) size) {
        cnv_free(text);
        text = NULL;
    }
    (void) fclose(file);
    return text;
}

#endif

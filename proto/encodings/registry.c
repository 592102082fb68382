/* registry.c - every encoding by name. Adding one is a line here and a line in registry.h. */
#include "registry.h"

#include <string.h>

static const struct cnv_encoding_ops *const encodings[] = {
    &cnv_dense_f64, &cnv_dense_f32, &cnv_dense_bf16, &cnv_scaled, &cnv_blocks, &cnv_q8,
};

bool cnv_encoding_is_dense(const struct cnv_encoding_ops *encoding)
{
    return !encoding->is_relative && !encoding->is_sparse && !encoding->is_up_only &&
           encoding->encode_random == NULL;
}

const struct cnv_encoding_ops *cnv_encoding_at(size_t i)
{
    return i < sizeof(encodings) / sizeof(encodings[0]) ? encodings[i] : NULL;
}

const struct cnv_encoding_ops *cnv_encoding_find(const char *name)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        if (strcmp(encodings[i]->name, name) == 0) {
            return encodings[i];
        }
    }
    return NULL;
}

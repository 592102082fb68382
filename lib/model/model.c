/* model.c - the numbers of a model: a NumPy file, decoded and checked. */
#include "model/model.h"

#include <inttypes.h>
#include <math.h>

#include "base/file.h"
#include "proto/npy.h"
#include "proto/vector.h"

/* As the largest model that limits/dimension can allow by default, in float64. */
static const size_t file_max = (size_t) 1 << 34;

static enum cnv_status decode(const char *path,
                              const struct cnv_blob *file,
                              struct cnv_model *ret_model,
                              struct cnv_error *err)
{
    struct cnv_npy npy = { .length = 0 };
    struct cnv_error why;
    const uint8_t *bytes = NULL;
    size_t length = 0;

    if (cnv_npy_parse(cnv_blob_data(file), cnv_blob_len(file), &npy, &why) != CNV_OK) {
        return cnv_fail(err, why.status, "%.120s: %s", path, why.text);
    }
    length = (size_t) npy.length;
    bytes = cnv_blob_data(file) + npy.offset;
    struct cnv_blob *values = cnv_blob_new_raw(length * sizeof(double));
    if (values == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "%.120s: no memory for %zu numbers", path, length);
    }
    /* Blobs are aligned to 64 bytes. */
    double *numbers = (double *) (void *) cnv_blob_edit(values);
    npy.encoding->decode(bytes, length, NULL, numbers);
    for (size_t i = 0; i < length; i++) {
        if (!isfinite(numbers[i])) {
            cnv_blob_unref(values);
            return cnv_fail(
                err, CNV_E_INPUT, "%.120s: coordinate %zu is not a finite number", path, i);
        }
    }
    *ret_model = (struct cnv_model){
        .values = values,
        .length = length,
        .digest = cnv_vector_digest(npy.encoding, bytes, length),
    };
    return CNV_OK;
}

enum cnv_status cnv_model_read(const char *path, struct cnv_model *ret_model, struct cnv_error *err)
{
    struct cnv_blob *file = NULL;
    enum cnv_status status = cnv_file_read(path, file_max, &file, err);

    if (status == CNV_OK) {
        status = decode(path, file, ret_model, err);
    }
    cnv_blob_unref(file);
    return status;
}

void cnv_model_fini(struct cnv_model *model)
{
    cnv_blob_unref(model->values);
    *model = (struct cnv_model){ .length = 0 };
}

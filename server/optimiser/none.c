/*
 * none.c - the averaged update is added to the model: plain averaging of models.
 *
 * Stateless: nothing is pending, nothing is saved.
 */
#include "registry.h"

static enum cnv_status
none_init(void *state, const struct cnv_config *config, size_t dimension, struct cnv_error *err)
{
    (void) state;
    (void) config;
    (void) dimension;
    (void) err;
    return CNV_OK;
}

static void none_apply_slice(void *state, const struct cnv_apply_input *input, double *out)
{
    (void) state;
    for (size_t i = 0; i < input->count; i++) {
        out[i] = input->base[i] + input->update[i];
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as the table has it */
size_t cnv_optimiser_save_nothing(const void *state, uint8_t *bytes, size_t size)
{
    (void) state;
    (void) bytes;
    (void) size;
    return 0;
}

enum cnv_status
cnv_optimiser_load_nothing(void *state, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    (void) state;
    (void) bytes;
    if (size != 0) {
        return cnv_fail(
            err, CNV_E_SIZE, "state of a server optimiser without one has %zu bytes", size);
    }
    return CNV_OK;
}

const struct cnv_optimiser_ops cnv_optimiser_none = {
    .name = "none",
    .text = "the averaged update is added to the model",
    .state_size = 0,
    .init = none_init,
    .fini = NULL,
    .apply_slice = none_apply_slice,
    .conclude = NULL,
    .save = cnv_optimiser_save_nothing,
    .load = cnv_optimiser_load_nothing,
};

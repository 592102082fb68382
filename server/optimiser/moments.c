/*
 * moments.c - the vectors a server optimiser remembers, and what is pending of them.
 *
 * Invariants: pending differs from the state only between the first slice of an attempt and its
 * conclude; all slices of a commit are applied before it, so that the two can change places.
 */
#include "moments.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

static bool vector_new(size_t length, double initial, double **ret_vector)
{
    double *vector = cnv_array_new(length, sizeof(*vector));

    for (size_t j = 0; vector != NULL && j < length; j++) {
        vector[j] = initial;
    }
    *ret_vector = vector;
    return vector != NULL;
}

enum cnv_status cnv_moments_reserve(struct cnv_moments *moments,
                                    size_t length,
                                    unsigned kept,
                                    double initial,
                                    struct cnv_error *err)
{
    bool done = true;

    *moments = (struct cnv_moments){ .length = length };
    if ((kept & CNV_MOMENTS_M) != 0) {
        done = vector_new(length, 0, &moments->m) && vector_new(length, 0, &moments->pending_m);
    }
    if (done && (kept & CNV_MOMENTS_V) != 0) {
        done = vector_new(length, initial, &moments->v) &&
               vector_new(length, initial, &moments->pending_v);
    }
    return done ? CNV_OK
                : cnv_fail(err,
                           CNV_E_NOMEM,
                           "out of memory for the server optimiser's state of %zu coordinates",
                           length);
}

enum cnv_status cnv_moments_init(struct cnv_moments *moments,
                                 const struct cnv_config *config,
                                 size_t length,
                                 double default_step,
                                 unsigned kept,
                                 struct cnv_error *err)
{
    double step = cnv_config_real(config, "optimiser/step");
    bool has_m = (kept & CNV_MOMENTS_M) != 0;
    bool has_v = (kept & CNV_MOMENTS_V) != 0;
    double initial = has_v ? cnv_config_real(config, "optimiser/initial") : 0.0;
    enum cnv_status status = cnv_moments_reserve(moments, length, kept, initial, err);

    moments->step = step > 0 ? step : default_step;
    if (has_v) {
        moments->tau = cnv_config_real(config, "optimiser/tau");
    }
    if (has_m && has_v) {
        moments->beta1 = cnv_config_real(config, "optimiser/beta1");
        moments->beta2 = cnv_config_real(config, "optimiser/beta2");
    } else if (has_m) {
        moments->momentum = cnv_config_real(config, "optimiser/momentum");
    }
    return status;
}

void cnv_moments_fini(void *state)
{
    struct cnv_moments *moments = state;

    cnv_free(moments->m);
    cnv_free(moments->v);
    cnv_free(moments->pending_m);
    cnv_free(moments->pending_v);
}

static void swap(double **a, double **b)
{
    double *other = *a;

    *a = *b;
    *b = other;
}

void cnv_moments_conclude(void *state, bool committed)
{
    struct cnv_moments *moments = state;

    if (committed) {
        swap(&moments->m, &moments->pending_m);
        swap(&moments->v, &moments->pending_v);
    }
}

static size_t vector_size(const struct cnv_moments *moments, const double *vector)
{
    return vector == NULL ? 0 : moments->length * sizeof(*vector);
}

size_t cnv_moments_save(const void *state, uint8_t *bytes, size_t size)
{
    const struct cnv_moments *moments = state;
    size_t first = vector_size(moments, moments->m);
    size_t second = vector_size(moments, moments->v);

    if (size >= first + second) {
        if (first > 0) {
            memcpy(bytes, moments->m, first);
        }
        if (second > 0) {
            memcpy(bytes + first, moments->v, second);
        }
    }
    return first + second;
}

/* No optimiser can go on from a vector that is not finite, or a second moment below zero. */
static bool is_sound(const uint8_t *bytes, size_t count, double least)
{
    for (size_t j = 0; j < count; j++) {
        double value = 0;

        memcpy(&value, bytes + j * sizeof(value), sizeof(value));
        if (!isfinite(value) || value < least) {
            return false;
        }
    }
    return true;
}

enum cnv_status
cnv_moments_load(void *state, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    struct cnv_moments *moments = state;
    size_t first = vector_size(moments, moments->m);
    size_t second = vector_size(moments, moments->v);

    if (size != first + second) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "state of the server optimiser has %zu bytes, not %zu",
                        size,
                        first + second);
    }
    if (!is_sound(bytes, first / sizeof(double), -INFINITY) ||
        !is_sound(bytes + first, second / sizeof(double), 0)) {
        return cnv_fail(err, CNV_E_NOT_FINITE, "state of the server optimiser is not sound");
    }
    if (first > 0) {
        memcpy(moments->m, bytes, first);
    }
    if (second > 0) {
        memcpy(moments->v, bytes + first, second);
    }
    return CNV_OK;
}

/* mean.c - the mean of what contributors sent, from its definition and not by the server's code. */
#include "mean.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "encodings/encoding.h"
#include "tables.h"

bool sim_is_kind(const struct cnv_sim *sim, const char *key, const char *value)
{
    return strcmp(cnv_config_text(sim->setup.config, key), value) == 0;
}

bool sim_is_async(const struct cnv_sim *sim)
{
    return sim_is_kind(sim, "sync/mode", "async");
}

const struct vector_note *sim_find_result(const struct sim_promises *promises,
                                          uint64_t round,
                                          uint64_t attempt,
                                          uint32_t exchange)
{
    for (const struct vector_note *note = promises->notes; note != NULL; note = note->next) {
        if (note->agent == NULL && note->round == round && note->attempt == attempt &&
            note->exchange == exchange) {
            return note;
        }
    }
    return NULL;
}

bool sim_pass(const char *name, double *values, size_t length)
{
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(name);

    if (encoding->is_sparse) {
        return true; /* what is not sent was zero: see note_vector */
    }
    uint8_t *bytes = cnv_array_new(encoding->size(length), 1);
    if (bytes == NULL) {
        return false;
    }
    encoding->encode(values, length, bytes);
    encoding->decode(bytes, length, NULL, values);
    cnv_free(bytes);
    return true;
}

/* SAVIC with one round trip: update, gradient, and what its matrix is made of, one behind the
 * other, from what was offered. */
static bool contributed_wide(const struct cnv_sim *sim,
                             const struct vector_note *note,
                             double *values,
                             size_t length)
{
    size_t n = length / 3;
    bool is_oasis = sim_is_kind(sim, "solver/scaling", "oasis");
    size_t offered = is_oasis ? 3 * n : 2 * n;

    if (note->values == NULL || note->length != offered) {
        return false;
    }
    memcpy(values, note->values, offered * sizeof(*values));
    if (!sim_pass(cnv_config_text(sim->setup.config, "encoding/up"), values, offered)) {
        return false;
    }
    for (size_t j = 0; !is_oasis && j < n; j++) {
        values[2 * n + j] = values[n + j] * values[n + j];
    }
    return true;
}

/* The vector of a contribution as the server decodes it, into values[length]. */
static bool contributed(const struct cnv_sim *sim,
                        const struct vector_note *note,
                        double *values,
                        size_t length)
{
    const struct vector_note *result = NULL;

    if (note->is_model && sim_is_kind(sim, "optimiser/kind", "scaled")) {
        return contributed_wide(sim, note, values, length);
    }
    if (!note->is_scaled) {
        if (note->values == NULL || note->length != length) {
            return false;
        }
        memcpy(values, note->values, length * sizeof(*values));
        return sim_pass(cnv_config_text(sim->setup.config, "encoding/up"), values, length);
    }
    result = sim_find_result(sim->promises, note->round, note->attempt, note->reference);
    if (result == NULL || result->length != length) {
        return false;
    }
    for (size_t j = 0; j < length; j++) {
        values[j] = note->factor * result->values[j];
    }
    return true;
}

/* Whether all sent the same multiple of a settled result. */
static bool agree(const struct contributor *contributors, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (!contributors[i].note->is_scaled ||
            contributors[i].note->factor != contributors[0].note->factor ||
            contributors[i].note->reference != contributors[0].note->reference) {
            return false;
        }
    }
    return true;
}

/* The mean of the steps taken, with the weights of the mean; 0: they are equal, or nobody asks. */
static double mean_steps(const struct cnv_sim *sim,
                         const struct contributor *contributors,
                         size_t count,
                         bool is_uniform,
                         double total)
{
    bool is_balanced = strcmp(cnv_config_text(sim->setup.config, "policy/balance"), "time") == 0 &&
                       sim->promises->exchanges == 1;
    bool is_unequal = false;
    double mean = 0;

    for (size_t i = 0; is_balanced && i < count; i++) {
        const struct vector_note *note = contributors[i].note;

        is_unequal |= note->steps != contributors[0].note->steps;
        mean += (is_uniform ? 1.0 : (double) note->samples) / total * (double) note->steps;
    }
    return is_unequal ? mean : 0;
}

/* Where nobody is waited for: what a contribution counts for its age. */
static double damping(const struct cnv_sim *sim, const struct vector_note *note)
{
    uint64_t before = sim->promises->version_count - 2; /* the newest version but the one made */

    return sim_is_async(sim) ? pow(1 + (double) (before - note->version),
                                   -cnv_config_real(sim->setup.config, "sync/damping"))
                             : 1;
}

bool sim_take_mean(const struct cnv_sim *sim,
                   const struct contributor *contributors,
                   size_t count,
                   double *mean,
                   double *values,
                   size_t length)
{
    bool is_uniform =
        strcmp(cnv_config_text(sim->setup.config, "aggregate/weighting"), "uniform") == 0;
    double total = 0;

    /* What all agree on is taken once: a mean of equal numbers might round. */
    if (contributors[0].note->is_scaled) {
        is_uniform = true;
        count = agree(contributors, count) ? 1 : 0;
    }
    for (size_t i = 0; i < count; i++) {
        total += is_uniform ? 1.0 : (double) contributors[i].note->samples;
    }
    double steps = mean_steps(sim, contributors, count, is_uniform, total);
    memset(mean, 0, length * sizeof(*mean));
    for (size_t i = 0; i < count; i++) {
        double weight = (is_uniform ? 1.0 : (double) contributors[i].note->samples) / total;

        weight *= damping(sim, contributors[i].note);
        if (!contributed(sim, contributors[i].note, values, length)) {
            return false;
        }
        if (contributors[i].note->sent != NULL) {
            weight = sim_tables_weight(sim, &contributors[i]);
            sim_tables_compare(sim, &contributors[i], values);
        }
        double scale = steps > 0 ? steps / (double) contributors[i].note->steps : 1;
        for (size_t j = 0; j < length; j++) {
            mean[j] += weight * (values[j] * scale);
        }
    }
    return count > 0;
}

/*
 * promises.h - what the checks remember of a run.
 *
 *   averages.c   who contributed what, and that a committed model follows from it
 *   promises.c   all the rest
 */
#ifndef CNV_SIM_PROMISES_H
#define CNV_SIM_PROMISES_H

#include "state.h"

/* A vector somebody computed or was told: a contribution, or a settled result. */
struct vector_note {
    struct vector_note *next;
    const struct sim_agent *agent; /* NULL: a settled result */
    uint64_t round;
    uint64_t attempt;
    uint32_t exchange;
    bool is_model;    /* it was for the exchange model, whose number may differ between attempts */
    uint64_t version; /* it was made from */
    uint64_t samples;
    uint64_t steps;
    bool is_scaled;
    double factor;
    uint32_t reference;
    double *values; /* NULL: scalars only */
    bool *sent; /* [length] which of them the server hears of; NULL: all. Where it has a table */
    size_t length;
};

/* A committed version, as bytes. */
struct version_note {
    uint8_t *bytes;
    size_t len;
};

struct sim_promises {
    struct vector_note *notes;
    uint64_t round;     /* the newest that a trainer was told of, and that trains */
    uint32_t exchanges; /* in its plan */
    struct version_note *versions;
    size_t version_count;
    double smoothness; /* L, as the first of them was told */
    bool has_smoothness;
    double *momentum;   /* [length] of the server optimiser; NULL: none, or zeros still */
    double *table;      /* [rows x length] the same; NULL: none, or zeros still */
    uint64_t iteration; /* that the round in hand begins at */
    uint32_t digest;
    size_t blobs_before; /* alive when the simulation began */
};

/* Whoever is told of a round, and whenever: its steps follow from the same L. */
void sim_promises_smoothness(struct cnv_sim *sim, const char *name, double smoothness);

/* Checks that the newest version follows from the one before; forgets the notes of its round. */
void sim_averages_check(struct cnv_sim *sim, const struct cnv_engine_view *view, size_t length);
void sim_averages_forget(struct sim_promises *promises, uint64_t round);

#endif

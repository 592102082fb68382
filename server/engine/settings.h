/* settings.h - the run's configuration as the engine uses it. */
#ifndef CNV_SERVER_ENGINE_SETTINGS_H
#define CNV_SERVER_ENGINE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encodings/encoding.h"

/* Written once, by engine.c. */
struct cnv_settings {
    size_t agents;
    uint32_t shards; /* to lease, where no agent says how many */
    uint64_t rounds;
    uint64_t iterations;
    double seconds;
    double stop_gradient;
    double stop_gradient_rms; /* 0: off */
    double stop_loss;
    uint64_t stop_bytes;
    double start_mean;
    double start_scale; /* standard deviation of the start model's coordinates */
    uint64_t seed;
    uint32_t local_steps;
    uint32_t max_local_steps;
    bool is_balanced; /* policy/balance=time */
    bool is_uniform;  /* aggregate/weighting */
    bool is_shared;   /* data/shared: all members hold the same rows */
    bool is_async;
    bool is_quorum;
    double quorum;          /* share of the members that is enough at the deadline */
    uint64_t deadline_ms;   /* 0: learnt */
    uint64_t contributions; /* async: to a commit */
    uint64_t staleness;     /* async: most versions a contribution may be old */
    double damping;         /* async: exponent of its weight */
    uint64_t evaluate_every;
    uint64_t heartbeat_ms;
    uint64_t patience_ms;
    uint64_t drain_ms;
    uint64_t rejoin_ms;
    uint64_t chunk_bytes;
    uint64_t window; /* chunks */
    size_t members_max;
    uint64_t dimension_max;
    uint64_t samples_max; /* 0: no cap */
    uint64_t held_max;    /* bytes of contributions that are held whole */
    const struct cnv_encoding_ops *up;
    const struct cnv_encoding_ops *down;
};

#endif

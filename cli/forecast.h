/*
 * forecast.h - how fast a run goes of late, and how long it will still take.
 *
 * "Of late" is the last 16 samples, taken a second and a round apart at least: L, and with it the
 * length of a round, changes in the course of a run. Time is the run's own (seconds since round 1).
 */
#ifndef CNV_CLI_FORECAST_H
#define CNV_CLI_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CNV_FORECAST_SAMPLES = 16 };

/* Where a run is: what grows. */
struct cnv_forecast_point {
    double seconds;
    uint64_t rounds;
    uint64_t iterations;
    double bytes; /* both ways */
};

/* What may end it; 0: no limit. */
struct cnv_forecast_limits {
    uint64_t rounds;     /* run/rounds */
    uint64_t iterations; /* run/iterations */
    double seconds;      /* run/seconds */
    double bytes;        /* stop/bytes */
    bool is_at_most;     /* what the loss does may end it earlier: stop/loss, stop/gradient */
};

/* All zero: a run that begins. */
struct cnv_forecast {
    struct cnv_forecast_point at[CNV_FORECAST_SAMPLES]; /* a ring */
    size_t count;                                       /* ever taken */
    struct cnv_forecast_point now;
};

/* Tells where the run is now. A point behind the last one is another run's: all begins again. */
void cnv_forecast_note(struct cnv_forecast *forecast, const struct cnv_forecast_point *point);

/* Rounds and bytes a second; NaN: not known. */
double cnv_forecast_rounds(const struct cnv_forecast *forecast);
double cnv_forecast_bytes(const struct cnv_forecast *forecast);

/* Seconds until the first of the limits is reached; NaN: no limit, or no pace to tell by. */
double cnv_forecast_left(const struct cnv_forecast *forecast,
                         const struct cnv_forecast_limits *limits);

#endif

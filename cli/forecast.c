/* forecast.c - differences between now and the oldest sample of a ring. */
#include "forecast.h"

#include <math.h>

#define SAMPLE_EVERY_S 1.0

/* Where rates are counted from: the start of the run until the ring is full. */
static struct cnv_forecast_point oldest(const struct cnv_forecast *forecast)
{
    static const struct cnv_forecast_point start = { .seconds = 0.0 };

    return forecast->count < CNV_FORECAST_SAMPLES
               ? start
               : forecast->at[forecast->count % CNV_FORECAST_SAMPLES];
}

void cnv_forecast_note(struct cnv_forecast *forecast, const struct cnv_forecast_point *point)
{
    if (point->seconds < forecast->now.seconds || point->rounds < forecast->now.rounds) {
        *forecast = (struct cnv_forecast){ 0 };
    }
    const struct cnv_forecast_point *last =
        forecast->count == 0 ? NULL : &forecast->at[(forecast->count - 1) % CNV_FORECAST_SAMPLES];

    if (last == NULL ||
        (point->rounds > last->rounds && point->seconds - last->seconds >= SAMPLE_EVERY_S)) {
        forecast->at[forecast->count++ % CNV_FORECAST_SAMPLES] = *point;
    }
    forecast->now = *point;
}

/* value per second since the oldest sample; NaN before time has passed. */
static double rate(const struct cnv_forecast *forecast, double now, double then)
{
    double seconds = forecast->now.seconds - oldest(forecast).seconds;

    return seconds > 0.0 ? (now - then) / seconds : (double) NAN;
}

double cnv_forecast_rounds(const struct cnv_forecast *forecast)
{
    return rate(forecast, (double) forecast->now.rounds, (double) oldest(forecast).rounds);
}

double cnv_forecast_bytes(const struct cnv_forecast *forecast)
{
    return rate(forecast, forecast->now.bytes, oldest(forecast).bytes);
}

static double seconds_to(double limit, double now, double per_second)
{
    if (limit <= 0.0 || !(per_second > 0.0)) {
        return NAN;
    }
    return fmax(0.0, limit - now) / per_second;
}

double cnv_forecast_left(const struct cnv_forecast *forecast,
                         const struct cnv_forecast_limits *limits)
{
    const struct cnv_forecast_point *now = &forecast->now;
    double iterations =
        rate(forecast, (double) now->iterations, (double) oldest(forecast).iterations);
    double left = seconds_to(limits->seconds, now->seconds, 1.0);

    left = fmin(
        left,
        seconds_to((double) limits->rounds, (double) now->rounds, cnv_forecast_rounds(forecast)));
    left =
        fmin(left, seconds_to((double) limits->iterations, (double) now->iterations, iterations));
    return fmin(left, seconds_to(limits->bytes, now->bytes, cnv_forecast_bytes(forecast)));
}

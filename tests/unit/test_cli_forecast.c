/* test_cli_forecast.c - rates are of late, and the time left is that of the nearest limit or
 * unknown.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "forecast.h"

/* A run at its Nth round: 2 s, 3 iterations and 1000 bytes a round. */
static struct cnv_forecast at(uint64_t rounds)
{
    struct cnv_forecast forecast = { 0 };

    for (uint64_t n = 0; n <= rounds; n++) {
        struct cnv_forecast_point point = { 2.0 * (double) n, n, 3 * n, 1000.0 * (double) n };

        cnv_forecast_note(&forecast, &point);
    }
    return forecast;
}

static double left(uint64_t rounds, struct cnv_forecast_limits limits)
{
    struct cnv_forecast forecast = at(rounds);

    return cnv_forecast_left(&forecast, &limits);
}

Test(forecast, time_left_is_that_of_the_nearest_limit, .timeout = 5)
{
    cr_assert_float_eq(left(4, (struct cnv_forecast_limits){ .rounds = 10 }), 12.0, 1e-12);
    cr_assert_float_eq(
        left(4, (struct cnv_forecast_limits){ .rounds = 10, .seconds = 9.0 }), 1.0, 1e-12);
    cr_assert_float_eq(
        left(4, (struct cnv_forecast_limits){ .rounds = 10, .iterations = 15 }), 2.0, 1e-12);
    cr_assert_float_eq(left(4, (struct cnv_forecast_limits){ .bytes = 4500.0 }), 1.0, 1e-12);
    cr_assert_float_eq(left(4, (struct cnv_forecast_limits){ .rounds = 3 }), 0.0, 1e-12);
}

Test(forecast, time_left_is_unknown_without_limit_or_pace, .timeout = 5)
{
    cr_assert(isnan(left(4, (struct cnv_forecast_limits){ .rounds = 0 })));
    cr_assert(isnan(left(0, (struct cnv_forecast_limits){ .rounds = 10, .iterations = 10 })));
    cr_assert_float_eq(left(0, (struct cnv_forecast_limits){ .seconds = 7.0 }), 7.0, 1e-12);
}

Test(forecast, forgets_how_it_was_long_ago, .timeout = 5)
{
    struct cnv_forecast forecast = at(100);

    for (uint64_t n = 101; n <= 200; n++) { /* five rounds a second from now on */
        struct cnv_forecast_point point = { 200.0 + 0.2 * (double) (n - 100), n, 3 * n, 0.0 };

        cnv_forecast_note(&forecast, &point);
    }
    cr_assert_float_eq(cnv_forecast_rounds(&forecast), 5.0, 0.01);
    forecast = at(50);
    cr_assert_float_eq(cnv_forecast_bytes(&forecast), 500.0, 1e-9);
}

Test(forecast, slows_down_while_nothing_happens, .timeout = 5)
{
    struct cnv_forecast forecast = at(40);
    struct cnv_forecast_point point = forecast.now;

    point.seconds += 1000.0;
    cnv_forecast_note(&forecast, &point);
    cr_assert_lt(cnv_forecast_rounds(&forecast), 0.02);
}

Test(forecast, begins_again_with_another_run, .timeout = 5)
{
    struct cnv_forecast forecast = at(40);

    cnv_forecast_note(&forecast, &(struct cnv_forecast_point){ .seconds = 1.0, .rounds = 4 });
    cr_assert_float_eq(cnv_forecast_rounds(&forecast), 4.0, 1e-12);
}

/*
 * number.c - a quick way for short decimals, strtod for the rest.
 *
 * A decimal m * 10^e with integers m <= 2^53 and |e| <= 22 has m and 10^|e| exact as doubles, so
 * that one multiplication or division rounds once, which is correct rounding. Nearly all numbers
 * in data files are of this form; strtod costs ten times as much.
 * Source: Clinger 1990, "How to read floating point numbers accurately", section 3.
 */
#include "data/number.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#if FLT_EVAL_METHOD != 0
#error "doubles have to be computed in double: the quick way rounds twice otherwise"
#endif

enum {
    DIGITS_MAX = 18,      /* as many decimal digits as always fit 64 bits */
    POWER_MAX = 22,       /* 10^22 is the last power of ten that a double holds exactly */
    EXPONENT_MAX = 99999, /* enough to be sure of overflow or underflow; larger ones are cut */
};

#define MANTISSA_MAX ((uint64_t) 1 << 53)

static const double powers[POWER_MAX + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

struct decimal {
    uint64_t mantissa;
    int significant; /* digits in it, leading zeros not counted */
    int exponent;    /* of ten */
    bool has_digits;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *scan_digits(const char *at, int step, struct decimal *decimal)
{
    for (; is_digit(*at); at++) {
        decimal->has_digits = true;
        if (decimal->significant < DIGITS_MAX) {
            decimal->mantissa = decimal->mantissa * 10 + (uint64_t) (*at - '0');
            decimal->exponent -= step;
        }
        decimal->significant += decimal->mantissa > 0 && decimal->significant <= DIGITS_MAX;
    }
    return at;
}

/* An "e" without digits behind it does not belong to the number. */
static const char *scan_exponent(const char *at, struct decimal *decimal)
{
    const char *digits = at + 1;
    bool is_negative = false;
    int exponent = 0;

    if (*at != 'e' && *at != 'E') {
        return at;
    }
    if (*digits == '-' || *digits == '+') {
        is_negative = *digits == '-';
        digits++;
    }
    if (!is_digit(*digits)) {
        return at;
    }
    for (at = digits; is_digit(*at); at++) {
        exponent = exponent < EXPONENT_MAX ? exponent * 10 + (*at - '0') : exponent;
    }
    decimal->exponent += is_negative ? -exponent : exponent;
    return at;
}

bool cnv_number_parse(const char *text, const char **ret_end, double *ret_number)
{
    struct decimal decimal = { 0 };
    bool is_negative = *text == '-';
    const char *at = text + (*text == '-' || *text == '+');
    double number = 0.0;

    at = scan_digits(at, 0, &decimal);
    if (*at == '.') {
        at = scan_digits(at + 1, 1, &decimal);
    }
    if (!decimal.has_digits) {
        return false;
    }
    at = scan_exponent(at, &decimal);
    if (decimal.mantissa == 0) {
        number = is_negative ? -0.0 : 0.0;
    } else if (decimal.significant <= DIGITS_MAX && decimal.mantissa <= MANTISSA_MAX &&
               decimal.exponent >= -POWER_MAX && decimal.exponent <= POWER_MAX) {
        number = (double) decimal.mantissa;
        if (decimal.exponent < 0) {
            number /= powers[-decimal.exponent];
        } else {
            number *= powers[decimal.exponent];
        }
        number = is_negative ? -number : number;
    } else {
        number = strtod(text, NULL);
    }
    *ret_end = at;
    *ret_number = number;
    return isfinite(number);
}

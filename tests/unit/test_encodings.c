/* test_encodings.c - every encoding at any alignment and cut; rounding of f32 and bf16. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "encodings/encoding.h"

enum { LENGTH = 257 };

static double values[LENGTH];
static double back[LENGTH];
static uint8_t payload[LENGTH * 8 + 16];

static void fill_values(void)
{
    struct cnv_rng rng;

    cnv_rng_init(&rng, 7, CNV_RNG_SYNTHETIC, 0, 0);
    for (size_t i = 0; i < LENGTH; i++) {
        values[i] = rint(32 * cnv_rng_normal(&rng)) / 32; /* exact in f32 and bf16 too */
    }
}

/* Each coordinate for itself, and the same again whenever it is encoded. */
static bool is_plain(const struct cnv_encoding_ops *encoding)
{
    return !encoding->is_relative && !encoding->is_sparse && encoding->encode_random == NULL;
}

Test(encodings, are_found_by_name, .timeout = 5)
{
    cr_assert_str_eq(cnv_encoding_at(0)->name, "f64");
    for (size_t i = 0; cnv_encoding_at(i) != NULL; i++) {
        cr_assert_eq(cnv_encoding_find(cnv_encoding_at(i)->name), cnv_encoding_at(i));
        cr_assert_gt(strlen(cnv_encoding_at(i)->text), 0);
        cr_assert_leq(strlen(cnv_encoding_at(i)->name), 15);
    }
    cr_assert_null(cnv_encoding_find(""));
    cr_assert_null(cnv_encoding_find("f6"));
    cr_assert_null(cnv_encoding_find("f644"));
}

Test(encodings, dense_ones_come_back_at_any_alignment, .timeout = 10)
{
    fill_values();
    for (size_t e = 0; cnv_encoding_at(e) != NULL; e++) {
        const struct cnv_encoding_ops *encoding = cnv_encoding_at(e);

        for (size_t shift = 0; shift < 9 && is_plain(encoding); shift++) {
            size_t size = encoding->size(LENGTH);

            memset(payload, 0xee, sizeof(payload));
            encoding->encode(values, LENGTH, payload + shift);
            cr_assert_eq(payload[shift + size], 0xee, "%s wrote too much", encoding->name);
            memset(back, 0, sizeof(back));
            encoding->decode(payload + shift, LENGTH, NULL, back);
            cr_assert_arr_eq((const char *) back, (const char *) values, sizeof(values));
        }
    }
}

Test(encodings, extents_tile_the_payload, .timeout = 10)
{
    fill_values();
    for (size_t e = 0; cnv_encoding_at(e) != NULL; e++) {
        const struct cnv_encoding_ops *encoding = cnv_encoding_at(e);
        size_t end = 0;

        if (!is_plain(encoding)) {
            continue; /* blocks: test_blocks.c */
        }
        for (size_t first = 0; first < LENGTH; first += 50) {
            size_t count = LENGTH - first < 50 ? LENGTH - first : 50;
            struct cnv_extent extent = encoding->extent(LENGTH, first, count);

            cr_assert_eq(extent.offset, end);
            end += extent.len;
            encoding->encode(values + first, count, payload + extent.offset);
            encoding->decode(payload + extent.offset, count, NULL, back + first);
        }
        cr_assert_eq(end, encoding->size(LENGTH));
        cr_assert_arr_eq((const char *) back, (const char *) values, sizeof(values));
        cr_assert_eq(encoding->extent(LENGTH, 9, 0).len, 0);
        cr_assert_eq(encoding->size(0), 0);
    }
}

Test(encodings, f64_keeps_every_bit, .timeout = 5)
{
    const double odd[] = { -0.0, 5e-324, INFINITY, -INFINITY, NAN, 0.1 };
    static const uint8_t tenth[] = { 0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f };

    cnv_encoding_find("f64")->encode(odd, 6, payload + 1);
    cr_assert_arr_eq(payload + 1 + 40, tenth, 8);
    cnv_encoding_find("f64")->decode(payload + 1, 6, NULL, back);
    cr_assert_arr_eq((const char *) back, (const char *) odd, sizeof(odd));
}

Test(encodings, f32_rounds_to_nearest_ties_to_even, .timeout = 5)
{
    const double unit = ldexp(1, -23); /* between neighbours of 1 in float32 */
    const double in[] = { 1 + unit / 2,          1 + 3 * unit / 2, 1 + unit * 0.5000001,
                          -1 - unit / 2,         16777217,         16777219,
                          ldexp(1, -150),        ldexp(3, -150),   3.4028235677973366e38,
                          3.4028235677973362e38, -1e300,           0.1 };
    const double out[] = { 1,         1 + 2 * unit,
                           1 + unit,  -1,
                           16777216,  16777220,
                           0,         ldexp(1, -148),
                           INFINITY,  3.4028234663852886e38,
                           -INFINITY, 0.10000000149011612 };

    cnv_encoding_find("f32")->encode(in, 12, payload + 3);
    cnv_encoding_find("f32")->decode(payload + 3, 12, NULL, back);
    for (size_t i = 0; i < 12; i++) {
        cr_assert_eq(back[i], out[i], "%zu: %.17g gave %.17g", i, in[i], back[i]);
    }
}

/* Half of the last bit of 1 is 2^-8. What lies just beside a tie is none, even where float32 would
 * round it to one. */
Test(encodings, bf16_rounds_once_to_nearest_ties_to_even, .timeout = 5)
{
    const double half = ldexp(1, -8);
    const double beside = ldexp(1, -40);
    const double in[] = { 1 + half,
                          1 + 3 * half,
                          1 + half + beside,
                          1 + half - beside,
                          -1 - half,
                          -1 - half - beside,
                          1 + 3 * half - beside,
                          257,
                          ldexp(1, -134),
                          ldexp(1, -134) * (1 + beside),
                          ldexp(3, -134),
                          5e-324,
                          ldexp(511, 119),
                          ldexp(511 - beside, 119),
                          -1e300,
                          0.1 };
    const double out[] = { 1,        1 + 4 * half,          1 + 2 * half,   1,
                           -1,       -1 - 2 * half,         1 + 2 * half,   256,
                           0,        ldexp(1, -133),        ldexp(1, -132), 0,
                           INFINITY, 3.3895313892515355e38, -INFINITY,      0.10009765625 };
    const double odd[] = { NAN, -INFINITY, INFINITY, -0.0 };

    cnv_encoding_find("bf16")->encode(in, 16, payload + 3);
    cnv_encoding_find("bf16")->decode(payload + 3, 16, NULL, back);
    for (size_t i = 0; i < 16; i++) {
        cr_assert_eq(back[i], out[i], "%zu: %.17g gave %.17g", i, in[i], back[i]);
    }
    cnv_encoding_find("bf16")->encode(odd, 4, payload);
    cnv_encoding_find("bf16")->decode(payload, 4, NULL, back);
    cr_assert(isnan(back[0]));
    cr_assert_eq(back[1], -INFINITY);
    cr_assert_eq(back[2], INFINITY);
    cr_assert(back[3] == 0 && signbit(back[3]) != 0);
}

/* Updates only: the committed model is never so coarse. */
Test(encodings, results_travel_in_f64_and_f32_alone, .timeout = 5)
{
    for (size_t e = 0; cnv_encoding_at(e) != NULL; e++) {
        const char *name = cnv_encoding_at(e)->name;

        cr_assert_eq(cnv_encoding_is_dense(cnv_encoding_at(e)),
                     strcmp(name, "f64") == 0 || strcmp(name, "f32") == 0);
    }
}

Test(encodings, scaled_is_a_factor_of_the_reference, .timeout = 5)
{
    const struct cnv_encoding_ops *scaled = cnv_encoding_find("scaled");
    const double factor = -0.25;

    fill_values();
    cr_assert(scaled->is_relative);
    cr_assert_eq(scaled->size(1U << 30), 8);
    for (size_t first = 0; first < LENGTH; first += 100) {
        struct cnv_extent extent = scaled->extent(LENGTH, first, 57);

        cr_assert_eq(extent.offset, 0);
        cr_assert_eq(extent.len, 8);
    }
    scaled->encode(&factor, 1, payload + 5);
    scaled->decode(payload + 5, LENGTH, values, back);
    for (size_t i = 0; i < LENGTH; i++) {
        cr_assert_eq(back[i], factor * values[i]);
    }
}

/* Draws after draws: each coordinate's mean is the coordinate, and no draw is far off. */
Test(encodings, q8_rounds_without_bias, .timeout = 20)
{
    enum { DRAWS = 4000, LONG = 600 };
    const struct cnv_encoding_ops *q8 = cnv_encoding_find("q8");
    static double in[LONG];
    static double out[LONG];
    static double sum[LONG];
    static uint8_t bytes[LONG + 8];
    struct cnv_rng rng;
    double square = 0;

    cnv_rng_init(&rng, 9, CNV_RNG_SYNTHETIC, 0, 0);
    for (size_t j = 0; j < LONG; j++) {
        in[j] = j < 512 ? cnv_rng_normal(&rng) : 0;
        square += in[j] * in[j];
    }
    double unit = sqrt(square) / 127 * (1 + 1e-6);
    cr_assert_eq(q8->size(LONG), LONG + 8);
    cr_assert_eq(q8->extent(LONG, 512, 88).offset, 516);
    cr_assert_eq(q8->extent(LONG, 512, 88).len, 92);
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        struct cnv_rounding rounding = { 1, 2, draw };

        q8->encode_random(in, LONG, &rounding, bytes);
        q8->decode(bytes, LONG, NULL, out);
        for (size_t j = 0; j < LONG; j++) {
            cr_assert_leq(fabs(out[j] - in[j]), unit);
            sum[j] += out[j];
        }
    }
    for (size_t j = 0; j < LONG; j++) { /* a draw's deviation is half a unit at most */
        cr_assert_float_eq(sum[j] / DRAWS, in[j], 5 * unit / 2 / sqrt(DRAWS));
    }
    in[3] = NAN;
    q8->encode_random(in, LONG, &(struct cnv_rounding){ 1, 2, 3 }, bytes);
    q8->decode(bytes, LONG, NULL, out);
    cr_assert_not(isfinite(out[0]));
}

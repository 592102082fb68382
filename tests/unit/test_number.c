/* The quick way of reading decimals has to give the bits of strtod, always. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/number.h"

static uint64_t bits_of(double number)
{
    uint64_t bits = 0;

    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

static void same_as_strtod(const char *text)
{
    double number = 0.0;
    const char *end = NULL;
    char *wanted_end = NULL;
    double wanted = strtod(text, &wanted_end);

    cr_assert(cnv_number_parse(text, &end, &number), "%s was refused", text);
    cr_assert_eq(end, wanted_end, "%s ends elsewhere", text);
    cr_assert_eq(bits_of(number), bits_of(wanted), "%s: %a instead of %a", text, number, wanted);
}

Test(number, hand_picked_numbers_are_those_of_strtod, .timeout = 10)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "+0",
        "1",
        "+1",
        "-1",
        "1.",
        ".5",
        "-.5",
        "0.0",
        "00012",
        "0.1",
        "-2.5",
        "9.86899159742946E-02",
        "1e0",
        "1e+5",
        "1E-5",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993e1",
        "9007199254740991e22",
        "179769313486231570e291",
        "1.7976931348623157e308",
        "4.9e-324",
        "2.4e-324",
        "1e-400",
        "2.2250738585072011e-308",
        "0.000000000000000000000000000000000000000000001",
        "123456789012345678901234567890",
        "0.1234567890123456789012345678901234567890",
        "1000000000000000000000000000000e-30",
        "0e999999999999",
        "0.0e-999999999999",
        "1e-99999999999",
        "0000000000000000000000000000000000001.5",
        "3e",
        "3e+",
        "3ex",
        "3:4",
        "3 4",
        "5e5e5",
        "1.2.3",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        same_as_strtod(texts[i]);
    }
}

Test(number, random_doubles_and_decimals_are_those_of_strtod, .timeout = 60)
{
    struct cnv_rng rng;
    char text[64];

    cnv_rng_init(&rng, 11, CNV_RNG_SYNTHETIC, 0, 0);
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = cnv_rng_u64(&rng);
        double number = 0.0;
        int digits = (int) cnv_rng_below(&rng, 19) + 1;
        uint64_t mantissa = cnv_rng_u64(&rng) >> cnv_rng_below(&rng, 64);

        memcpy(&number, &bits, sizeof(number));
        if (isfinite(number)) {
            (void) snprintf(text, sizeof(text), "%.*g", digits, number);
            same_as_strtod(text);
        }
        (void) snprintf(text, sizeof(text), "%.*f", digits, cnv_rng_uniform(&rng) * 100.0 - 50.0);
        same_as_strtod(text);
        (void) snprintf(
            text, sizeof(text), "%" PRIu64 "e%d", mantissa, (int) cnv_rng_below(&rng, 60) - 30);
        same_as_strtod(text);
    }
}

Test(number, what_is_no_finite_number_is_refused, .timeout = 10)
{
    static const char *const texts[] = { "",    "-",   "+",        ".",     "-.",     "e5",
                                         ".e5", "nan", "inf",      "-inf",  "NaN",    " 1",
                                         "--1", "+-1", "infinity", "1e309", "-1e400", "abc" };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *end = NULL;
        double number = 0.0;

        cr_assert_not(cnv_number_parse(texts[i], &end, &number), "\"%s\" was taken", texts[i]);
    }
}

Test(number, hexadecimal_ends_behind_its_zero, .timeout = 10)
{
    const char *text = "0x1p3";
    const char *end = NULL;
    double number = 1.0;

    cr_assert(cnv_number_parse(text, &end, &number));
    cr_assert_eq(number, 0.0);
    cr_assert_str_eq(end, "x1p3");
}

/* test_text.c - one line of UTF-8: the edges of the ranges. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/text.h"

static size_t valid(const char *text)
{
    return cnv_text_valid(text, strlen(text));
}

Test(text, takes_characters_of_every_length, .timeout = 5)
{
    static const char *const good[] = { "",
                                        " ~",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf" };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cr_assert_eq(valid(good[i]), strlen(good[i]), "%zu", i);
    }
}

Test(text, stops_at_what_is_no_character, .timeout = 5)
{
    static const char *const bad[] = {
        "\x1f",
        "\n",
        "\x7f", /* control */
        "\x80",
        "\xbf", /* a continuation first */
        "\xc0\x80",
        "\xc1\xbf", /* over-long */
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", /* surrogate */
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc3",
        "\xe2\x82",
        "\xf0\x9f\x98", /* cut */
        "\xc3x",
        "\xe2\x82x",
        "\xf0\x9f\x98x",
    };
    char text[16];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(valid(bad[i]), 0, "%zu", i);
        (void) snprintf(text, sizeof(text), "ok%s", bad[i]);
        cr_assert_eq(valid(text), 2, "%zu", i);
    }
    cr_assert_eq(cnv_text_valid("a\0b", 3), 1);
}

Test(text, mends_a_cut_character_and_what_is_none, .timeout = 5)
{
    char text[] = "a\nb\xff\xfe\xc3\xa9 \xe2\x82";
    char good[] = "caf\xc3\xa9";

    cnv_text_mend(text);
    cnv_text_mend(good);
    cr_assert_str_eq(text, "a?b??\xc3\xa9 ??");
    cr_assert_str_eq(good, "caf\xc3\xa9");
}

/* test_rows_csv.c - rounds.csv can be read back without loss by any CSV reader. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/rows_csv.h"

static const struct cnv_round_row example = {
    .round = 3,
    .seconds = 0.1,
    .exchanges = 5,
    .local_steps = 4,
    .contributors = 2,
    .loss = 0.32337958246484744,
    .gradient_norm = NAN,
    .variance = 1e-300,
    .bytes_up = 18446744073709551615U,
    .bytes_down = 7,
    .payload_up = 8,
    .reason = "L 4, then \"3\"",
};

Test(rows_csv, writes_every_column_in_order, .timeout = 5)
{
    char text[CNV_ROWS_CSV_SIZE];
    size_t len = cnv_rows_csv(&example, text);

    cr_assert_str_eq(text,
                     "3,0.1,5,4,2,0.32337958246484744,,1e-300,"
                     "18446744073709551615,7,8,\"L 4, then \"\"3\"\"\"\n");
    cr_assert_eq(len, strlen(text));
}

Test(rows_csv, last_row_has_the_final_model_alone, .timeout = 5)
{
    char text[CNV_ROWS_CSV_SIZE];
    struct cnv_round_row last = example;

    last.round = 0;
    last.gradient_norm = 0.5;
    (void) cnv_rows_csv(&last, text);
    cr_assert_str_eq(text, ",0.1,5,,,0.32337958246484744,0.5,,18446744073709551615,7,8,\n");
}

Test(rows_csv, head_and_rows_have_equally_many_columns, .timeout = 5)
{
    char text[CNV_ROWS_CSV_SIZE];
    struct cnv_round_row row = example;
    size_t head = 0;
    size_t commas = 0;

    memset(row.reason, 0, sizeof(row.reason));
    (void) cnv_rows_csv(&row, text);
    for (const char *p = cnv_rows_csv_head; *p != '\0'; p++) {
        head += *p == ',';
    }
    for (const char *p = text; *p != '\0'; p++) {
        commas += *p == ',';
    }
    cr_assert_eq(head, 11);
    cr_assert_eq(commas, 11);
}

Test(rows_csv, a_number_has_no_more_digits_than_it_takes, .timeout = 5)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0.003, "0.003" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1.0 / 3.0, "0.3333333333333333" },
        { 86400.125, "86400.125" },
        { INFINITY, "inf" },
        { 5e-324, "4.94065645841247e-324" },
    };
    char text[CNV_ROWS_CSV_SIZE];
    struct cnv_round_row row = example;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        row.seconds = cases[i].value;
        (void) cnv_rows_csv(&row, text);
        cr_assert_eq(strncmp(text + 2, cases[i].text, strlen(cases[i].text)), 0, "%s", text);
        cr_assert_eq(text[2 + strlen(cases[i].text)], ',', "%s", text);
    }
}

Test(rows_csv, longest_row_fits, .timeout = 5)
{
    char text[CNV_ROWS_CSV_SIZE];
    struct cnv_round_row row = example;

    row.round = row.exchanges = row.contributors = row.bytes_down = row.payload_up = UINT64_MAX;
    row.local_steps = UINT32_MAX;
    row.seconds = row.loss = row.gradient_norm = row.variance = -2.2250738585072014e-308;
    memset(row.reason, '"', sizeof(row.reason) - 1);
    cr_assert_lt(cnv_rows_csv(&row, text), sizeof(text));
}

/* test_cli_format.c - numbers as people read them; tables; the progress of a run. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "progress.h"

Test(format, bytes_change_unit_before_they_need_four_digits, .timeout = 5)
{
    char text[CNV_FORMAT_SIZE];

    cr_assert_str_eq(cnv_format_bytes(text, 0), "0 B");
    cr_assert_str_eq(cnv_format_bytes(text, 999), "999 B");
    cr_assert_str_eq(cnv_format_bytes(text, 1000), "1.0 kB");
    cr_assert_str_eq(cnv_format_bytes(text, 999949), "999.9 kB");
    cr_assert_str_eq(cnv_format_bytes(text, 999950), "1.0 MB");
    cr_assert_str_eq(cnv_format_bytes(text, 64e6), "64.0 MB");
    cr_assert_str_eq(cnv_format_bytes(text, 1.8e19), "18000.0 PB");
    cr_assert_str_eq(cnv_format_bytes(text, (double) NAN), "-");
}

Test(format, seconds_get_coarser_as_they_grow, .timeout = 5)
{
    char text[CNV_FORMAT_SIZE];

    cr_assert_str_eq(cnv_format_seconds(text, 0.314), "0.31 s");
    cr_assert_str_eq(cnv_format_seconds(text, 42.4), "42 s");
    cr_assert_str_eq(cnv_format_seconds(text, 185.2), "3 min 05 s");
    cr_assert_str_eq(cnv_format_seconds(text, 7620), "2 h 07 min");
    cr_assert_str_eq(cnv_format_seconds(text, (double) NAN), "-");
}

/* What a function prints. The caller frees it. */
static char *printed(const struct cnv_table *table)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cnv_table_print(table, out);
    (void) fclose(out);
    return text;
}

Test(format, tables_align_by_characters_not_bytes, .timeout = 5)
{
    static const char *const headings[] = { "name", ">n", "why", NULL };
    static const char *const first[] = { "gr\xc3\xbc\xc3\x9f", "7", "x" };
    static const char *const second[] = { "a", "1234", "yy" };
    struct cnv_table *table = cnv_table_new(headings);

    cnv_table_add(table, first);
    cnv_table_add(table, second);
    char *text = printed(table);
    cr_assert_str_eq(text,
                     "name     n  why\n"
                     "gr\xc3\xbc\xc3\x9f     7  x\n"
                     "a     1234  yy\n");
    free(text);
    cnv_table_destroy(table);
}

static struct cnv_progress_view view_at(uint64_t version)
{
    return (struct cnv_progress_view){
        .state = "running",
        .reason = "",
        .version = version,
        .iteration = 3 * version,
        .local_steps = 3,
        .solver = "newton",
        .loss = 1.0 / (double) version,
        .loss_round = version,
        .bytes = 1000.0 * (double) version,
        .seconds = 2.0 * (double) version,
    };
}

Test(progress, inline_time_left_is_told_by_our_clock, .timeout = 5)
{
    struct cnv_progress progress;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cnv_progress_init(
        &progress, NULL, &(struct cnv_forecast_limits){ .rounds = 4, .is_at_most = true });
    progress.out = out;
    progress.is_virtual = true;
    for (uint64_t version = 0; version <= 2; version++) {
        struct cnv_progress_view view = view_at(version);

        cnv_progress_show(&progress, &view, 100.0 + 30.0 * (double) version);
    }
    (void) fclose(out);
    cr_assert_not_null(strstr(text, "4.00 s, at most 60 s left\n"), "%s", text);
    free(text);
}

Test(progress, pipe_gets_plain_lines_each_round_once, .timeout = 5)
{
    struct cnv_progress progress;
    struct cnv_progress_view unknown = { .state = "waiting", .reason = "" };
    struct cnv_progress_view waiting = { .state = "waiting",
                                         .reason = "waiting for 1 of 2 agents" };
    struct cnv_progress_view view = view_at(1);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cnv_progress_init(&progress, NULL, &(struct cnv_forecast_limits){ .rounds = 100 });
    progress.out = out;
    cnv_progress_show(&progress, &unknown, 0.0);
    cnv_progress_show(&progress, &waiting, 0.0);
    cnv_progress_show(&progress, &waiting, 0.1);
    cnv_progress_show(&progress, &view, 0.2);
    cnv_progress_show(&progress, &view, 0.3);
    view = view_at(2);
    cnv_progress_show(&progress, &view, 0.4);
    (void) fclose(out);
    cr_assert_str_eq(
        text,
        "waiting for 1 of 2 agents\n"
        "round 1/100  L 3 newton  loss 1  1.0 kB  2.00 s, 3 min 18 s left\n"
        "round 2/100  L 3 newton  loss 0.5 (fell 0.5)  2.0 kB  4.00 s, 3 min 16 s left\n");
    free(text);
}

Test(progress, long_runs_get_a_line_a_second_in_a_pipe, .timeout = 5)
{
    struct cnv_progress progress;
    char *text = NULL;
    size_t size = 0;
    size_t lines = 0;
    FILE *out = open_memstream(&text, &size);

    cnv_progress_init(&progress, NULL, &(struct cnv_forecast_limits){ 0 });
    progress.out = out;
    for (uint64_t version = 1; version <= 1000; version++) {
        struct cnv_progress_view view = view_at(version);

        cnv_progress_show(&progress, &view, 0.01 * (double) version);
    }
    (void) fclose(out);
    for (const char *p = text; *p != '\0'; p++) {
        lines += *p == '\n';
    }
    cr_assert_geq(lines, 20 + 9);
    cr_assert_leq(lines, 20 + 11);
    free(text);
}

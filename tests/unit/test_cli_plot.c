/* test_cli_plot.c - rounds.csv as points, and what gnuplot is told to draw. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plot.h"

#define HEAD                                                                                       \
    "round,seconds,exchanges,local_steps,contributors,loss,gradient_norm,variance,bytes_up,"       \
    "bytes_down,payload_up,reason\n"

static struct cnv_plot_run read_points(const char *csv)
{
    struct cnv_plot_run run = { .title = "it's: a_b^c" };
    struct cnv_error err;

    cr_assert_eq(cnv_plot_read(csv, &run, &err), CNV_OK, "%s", err.text);
    return run;
}

static char *script(const struct cnv_plot_run *runs, size_t count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cnv_plot_script(runs, count, "out.svg", out);
    cr_assert_eq(fclose(out), 0);
    return text;
}

Test(plot, a_loss_stands_where_its_round_began, .timeout = 5)
{
    struct cnv_plot_run run = read_points(HEAD "1,0.5,1,3,2,0.7,,0.1,100,50,80,\"a, \"\"b\"\"\"\n"
                                               "2,1.5,2,4,2,,,0.1,200,100,160,\"c\"\n"
                                               ",1.75,3,,,0.6,,,250,125,160,\n");

    cr_assert_eq(run.count, 3);
    cr_assert_eq(run.points[0].seconds, 0.0);
    cr_assert_eq(run.points[0].loss, 0.7);
    cr_assert_eq(run.points[1].rounds, 1.0);
    cr_assert_eq(run.points[1].seconds, 0.5);
    cr_assert_eq(run.points[1].bytes, 150.0);
    cr_assert(isnan(run.points[1].loss));
    cr_assert_eq(run.points[1].local_steps, 4.0);
    cr_assert_eq(run.points[2].bytes, 300.0);
    cr_assert_eq(run.points[2].loss, 0.6);
    cr_assert(isnan(run.points[2].local_steps));
    char *text = script(&run, 1);
    cr_assert_not_null(strstr(text, "$loss0 << END\n 0 0 0 0.69999999999999996\n 2 1.5 300 0.5"));
    cr_assert_not_null(strstr(text, "$steps0 << END\n 1 3\n 2 4\nEND\n"));
    cr_assert_not_null(strstr(text, "title 'it''s: a_b^c' noenhanced"));
    cr_assert_null(strstr(text, "logscale y"), "three points are no reason for logarithms");
    free(text);
    cnv_free(run.points);
}

Test(plot, a_damaged_table_is_named_by_its_line, .timeout = 5)
{
    struct cnv_plot_run run = { .count = 0 };
    struct cnv_error err;

    cr_assert_eq(cnv_plot_read(HEAD "1,0.5,x\n", &run, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "rounds.csv:2"), "%s", err.text);
    cnv_free(run.points);
}

Test(plot, losses_close_to_the_lowest_are_shown_in_logarithms, .timeout = 5)
{
    struct cnv_plot_point points[20] = { { .rounds = 0.0 } };
    const struct cnv_plot_run runs[] = { { .title = "a", .points = points, .count = 20 },
                                         { .title = "b", .points = points, .count = 20 } };

    for (size_t i = 0; i < 20; i++) {
        points[i] = (struct cnv_plot_point){ .rounds = (double) i,
                                             .seconds = 100.0 * (double) i,
                                             .bytes = 1e6 * (double) i,
                                             .loss = 2.0 + pow(0.1, (double) i),
                                             .local_steps = 1.0 };
    }
    char *text = script(runs, 2);
    cr_assert_not_null(strstr(text, "set logscale y"));
    cr_assert_not_null(strstr(text, "loss - lowest (2)"));
    cr_assert_not_null(strstr(text, "set xlabel 'minutes'"));
    cr_assert_not_null(strstr(text, "set xlabel 'MB sent, both ways'"));
    cr_assert_not_null(strstr(text, "linestyle 2 title 'b'"));
    free(text);
}

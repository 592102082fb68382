/* plot_script.c - four panels and, for several runs, a legend below them, in gnuplot's language. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plot.h"

/* What the loss's axis shows. */
struct scale {
    double lowest;
    bool is_gap; /* the loss less the lowest, in logarithms */
};

static int compare_numbers(const void *a, const void *b)
{
    double one = *(const double *) a;
    double other = *(const double *) b;

    return one < other ? -1 : one > other;
}

/* Where half of the losses lie within a fiftieth of the whole range, nothing could be told apart.
 */
static struct scale scale_of(const struct cnv_plot_run *runs, size_t count)
{
    struct scale scale = { .lowest = INFINITY };
    double highest = -INFINITY;
    size_t total = 0;
    size_t used = 0;

    for (size_t r = 0; r < count; r++) {
        total += runs[r].count;
    }
    double *losses = cnv_array_new(total + 1, sizeof(*losses));
    for (size_t r = 0; losses != NULL && r < count; r++) {
        for (size_t i = 0; i < runs[r].count; i++) {
            double loss = runs[r].points[i].loss;

            if (!isnan(loss)) {
                losses[used++] = loss;
                scale.lowest = fmin(scale.lowest, loss);
                highest = fmax(highest, loss);
            }
        }
    }
    if (used > 4) {
        qsort(losses, used, sizeof(*losses), compare_numbers);
        scale.is_gap = losses[used / 2] - scale.lowest < (highest - scale.lowest) / 50.0;
    }
    cnv_free(losses);
    return scale;
}

/* In single quotes nothing is special to gnuplot but the quote itself. */
static void put_quoted(FILE *out, const char *text)
{
    (void) fputc('\'', out);
    for (; *text != '\0'; text++) {
        (void) fputs(*text == '\'' ? "''" : "", out);
        if (*text != '\'') {
            (void) fputc((unsigned char) *text < ' ' ? ' ' : *text, out);
        }
    }
    (void) fputc('\'', out);
}

static void put_number(FILE *out, double value)
{
    if (isfinite(value)) {
        (void) fprintf(out, " %.17g", value);
    } else {
        (void) fputs(" NaN", out);
    }
}

/* Columns: rounds, seconds, bytes, loss as the scale shows it; and, of all rounds, round and L. */
static void put_data(const struct cnv_plot_run *run, size_t r, const struct scale *scale, FILE *out)
{
    double rounding = 1e-14 * fmax(1.0, fabs(scale->lowest)); /* a gap below it tells nothing */

    (void) fprintf(out, "$loss%zu << END\n", r);
    for (size_t i = 0; i < run->count; i++) {
        const struct cnv_plot_point *point = &run->points[i];
        double loss = point->loss - (scale->is_gap ? scale->lowest : 0.0);

        if (isfinite(loss) && !(scale->is_gap && loss <= rounding)) {
            put_number(out, point->rounds);
            put_number(out, point->seconds);
            put_number(out, point->bytes);
            put_number(out, loss);
            (void) fputc('\n', out);
        }
    }
    (void) fprintf(out, "END\n$steps%zu << END\n", r);
    for (size_t i = 0; i < run->count; i++) {
        const struct cnv_plot_point *point = &run->points[i];

        if (!isnan(point->local_steps)) {
            put_number(out, point->rounds + 1.0);
            put_number(out, point->local_steps);
            (void) fputc('\n', out);
        }
    }
    (void) fputs("END\n", out);
}

/* The unit in which the largest value reads well. */
struct unit {
    const char *name;
    double size;
};

static struct unit unit_of(const struct unit *units, double largest)
{
    size_t i = 0;

    while (units[i + 1].name != NULL && largest >= 2.0 * units[i + 1].size) {
        i++;
    }
    return units[i];
}

static void put_panel(const char *label,
                      const char *block,
                      const char *columns,
                      const char *style,
                      size_t count,
                      FILE *out)
{
    (void) fprintf(out, "set xlabel '%s' offset 0,0.5\nplot ", label);
    for (size_t r = 0; r < count; r++) {
        (void) fprintf(out,
                       "%s$%s%zu using %s with %s linestyle %zu notitle",
                       r == 0 ? "" : ", \\\n     ",
                       block,
                       r,
                       columns,
                       style,
                       r + 1);
    }
    (void) fputc('\n', out);
}

static void put_head(const struct cnv_plot_run *runs, size_t count, const char *svg, FILE *out)
{
    /* Colours that also those tell apart who see red and green alike (Okabe and Ito). */
    static const char *const colours[CNV_PLOT_RUNS] = {
        "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"
    };

    (void) fputs(
        "set encoding utf8\n"
        "set terminal svg size 1000,740 font 'sans-serif,16' background '#ffffff' enhanced\n"
        "set output ",
        out);
    put_quoted(out, svg);
    (void) fputs("\nset border 3 linecolor '#444444'\n"
                 "set tics nomirror out scale 0.5\n"
                 "unset mytics\n"
                 "set key noenhanced\n"
                 "set grid linecolor '#dddddd' linetype 1\n"
                 "set format x '%g'\n",
                 out);
    for (size_t r = 0; r < count; r++) {
        (void) fprintf(out,
                       "set style line %zu linecolor '%s' linewidth 2 pointtype 7 pointsize 0.4\n",
                       r + 1,
                       colours[r]);
    }
    (void) fputs("set multiplot layout 2,2 margins 0.115,0.975,", out);
    (void) fprintf(out,
                   "%.3f,0.91 spacing 0.13,0.16 title ",
                   0.13 + (count > 1 ? 0.04 * (double) count : 0.0));
    put_quoted(out, count == 1 ? runs[0].title : "Convergence");
    (void) fputs(" noenhanced font ',18'\n", out);
}

/* An empty plot at the bottom, for its legend. */
static void put_legend(const struct cnv_plot_run *runs, size_t count, FILE *out)
{
    (void) fprintf(out,
                   "set size 1,%.3f\nset origin 0,0\nset margins 0,0,0,0\n"
                   "unset border\nunset tics\nunset xlabel\nunset ylabel\nunset logscale\n"
                   "set key center center vertical maxcols 1 Left reverse\nset xrange [0:1]\nset "
                   "yrange [0:1]\nplot ",
                   0.015 + 0.04 * (double) count);
    for (size_t r = 0; r < count; r++) {
        (void) fprintf(out, "%sNaN with lines linestyle %zu title ", r == 0 ? "" : ", ", r + 1);
        put_quoted(out, runs[r].title);
    }
    (void) fputc('\n', out);
}

void cnv_plot_script(const struct cnv_plot_run *runs, size_t count, const char *svg, FILE *out)
{
    static const struct unit times[] = {
        { "seconds", 1.0 }, { "minutes", 60.0 }, { "hours", 3600.0 }, { NULL, 0.0 }
    };
    static const struct unit sizes[] = {
        { "kB", 1e3 }, { "MB", 1e6 }, { "GB", 1e9 }, { "TB", 1e12 }, { NULL, 0.0 }
    };
    struct scale scale = scale_of(runs, count);
    double seconds = 0.0;
    double bytes = 0.0;
    size_t most = 0;
    char label[64];
    char columns[64];

    for (size_t r = 0; r < count; r++) {
        const struct cnv_plot_point *last = &runs[r].points[runs[r].count - 1];

        seconds = fmax(seconds, last->seconds);
        bytes = fmax(bytes, last->bytes);
        most = runs[r].count > most ? runs[r].count : most;
    }
    struct unit time = unit_of(times, seconds);
    struct unit size = unit_of(sizes, bytes);
    const char *style = most > 60 ? "lines" : "linespoints"; /* few points are worth seeing */

    put_head(runs, count, svg, out);
    for (size_t r = 0; r < count; r++) {
        put_data(&runs[r], r, &scale, out);
    }
    if (scale.is_gap) {
        (void) fprintf(out,
                       "set logscale y\nset format y '10^{%%T}'\nset ylabel 'loss - lowest (%.6g)' "
                       "offset 1,0\n",
                       scale.lowest);
    } else {
        (void) fputs("set format y '%g'\nset ylabel 'loss'\n", out);
    }
    put_panel("rounds", "loss", "1:4", style, count, out);
    (void) snprintf(columns, sizeof(columns), "($2/%g):4", time.size);
    put_panel(time.name, "loss", columns, style, count, out);
    (void) snprintf(label, sizeof(label), "%s sent, both ways", size.name);
    (void) snprintf(columns, sizeof(columns), "($3/%g):4", size.size);
    put_panel(label, "loss", columns, style, count, out);
    (void) fputs(
        "unset logscale\nset format y '%g'\nset ylabel 'local steps L' offset -1,0\nset yrange "
        "[0:*]\nset offsets 0,0,graph 0.08,0\n",
        out);
    put_panel("round", "steps", "1:2", "steps", count, out);
    if (count > 1) {
        put_legend(runs, count, out);
    }
    (void) fputs("unset multiplot\n", out);
}

/* chart.c - values to bars, bars to characters. */
#include "chart.h"

#include <math.h>
#include <string.h>

#define LOGARITHMIC_ABOVE 20.0

/* The mean of what is finite in values[from..to); NaN: nothing is. */
static double mean(const double *values, size_t from, size_t to)
{
    double sum = 0.0;
    size_t count = 0;

    for (size_t i = from; i < to; i++) {
        if (isfinite(values[i])) {
            sum += values[i];
            count++;
        }
    }
    return count == 0 ? (double) NAN : sum / (double) count;
}

void cnv_chart_make(
    struct cnv_chart *chart, const double *values, size_t count, size_t columns, size_t rows)
{
    double means[CNV_CHART_COLUMNS];

    columns = columns > CNV_CHART_COLUMNS ? CNV_CHART_COLUMNS : columns;
    columns = columns > count ? count : columns;
    *chart = (struct cnv_chart){ .columns = columns, .rows = rows, .low = NAN, .high = NAN };
    for (size_t c = 0; c < columns; c++) {
        means[c] = mean(values, c * count / columns, (c + 1) * count / columns);
        chart->low = fmin(chart->low, means[c]);
        chart->high = fmax(chart->high, means[c]);
    }
    bool is_log = chart->low > 0.0 && chart->high / chart->low > LOGARITHMIC_ABOVE;
    double low = is_log ? log(chart->low) : chart->low;
    double span = (is_log ? log(chart->high) : chart->high) - low;
    double most = 8.0 * (double) rows - 1.0;

    for (size_t c = 0; c < columns; c++) {
        double value = is_log ? log(means[c]) : means[c];

        if (!isnan(value)) { /* a bar that stands for a value is never empty */
            chart->eighths[c] = (uint16_t) (1.5 + (span > 0.0 ? (value - low) / span * most : 0.0));
        }
    }
}

void cnv_chart_row(const struct cnv_chart *chart,
                   size_t row,
                   bool is_utf8,
                   char text[CNV_CHART_TEXT])
{
    static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    static const char *const marks[] = { " ", ".", ":", "-", "=", "+", "*", "%", "#" };
    size_t below = 8 * (chart->rows - 1 - row);
    size_t used = 0;

    for (size_t c = 0; c < chart->columns; c++) {
        size_t height = chart->eighths[c] > below ? chart->eighths[c] - below : 0;
        const char *mark = (is_utf8 ? blocks : marks)[height > 8 ? 8 : height];

        memcpy(text + used, mark, strlen(mark));
        used += strlen(mark);
    }
    text[used] = '\0';
}

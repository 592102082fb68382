/*
 * chart.h - a bar chart in characters: a column for each bucket of values, one or more rows high.
 * With UTF-8 in eighths of a character cell, else in ASCII characters of growing weight.
 */
#ifndef CNV_CLI_CHART_H
#define CNV_CLI_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CNV_CHART_COLUMNS = 512, CNV_CHART_TEXT = 4 * CNV_CHART_COLUMNS + 1 };

struct cnv_chart {
    size_t columns;
    size_t rows;
    uint16_t eighths[CNV_CHART_COLUMNS]; /* height of each bar; 0: no value */
    double low;                          /* of the buckets; NaN: no value at all */
    double high;
};

/*
 * Fills a chart of at most columns x rows. Fewer values than columns: a column each; more: means of
 * equal buckets. Values that are not finite are left out. Spread over more than a factor of 20
 * (and all above 0) the heights are logarithms.
 */
void cnv_chart_make(
    struct cnv_chart *chart, const double *values, size_t count, size_t columns, size_t rows);

/* One row of it as text, 0 the topmost. */
void cnv_chart_row(const struct cnv_chart *chart,
                   size_t row,
                   bool is_utf8,
                   char text[CNV_CHART_TEXT]);

#endif

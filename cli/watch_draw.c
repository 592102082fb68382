/*
 * watch_draw.c - one screen of a run: figures, charts, reasons, members, as far as there is room.
 *
 * The figures always have their lines; what is higher than ten lines goes to charts, reasons and
 * members. Everything read is taken leniently: an older or newer daemon can be watched too.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "envelope.h"
#include "format.h"
#include "sheet.h"

/* Lines of each part. */
struct layout {
    size_t loss;
    size_t steps;
    size_t reasons;
    size_t blanks;
    size_t members;
};

static struct layout lay_out(size_t height)
{
    enum { FIGURES = 4, FOOTER = 1 };
    size_t more = height > 12 ? height - 12 : 0;
    struct layout layout = {
        .loss = 1 + more / 6,
        .steps = 1 + more / 16,
        .reasons = 1 + more / 5,
        .blanks = more > 6 ? 2 : 0,
    };
    size_t used = FIGURES + FOOTER + layout.loss + layout.steps + layout.reasons + layout.blanks;

    layout.members = height > used ? height - used : 0;
    return layout;
}

static double limit_of(const json_t *config, const char *path)
{
    const char *text = json_string_value(json_object_get(config, path));

    return text == NULL ? 0.0 : strtod(text, NULL);
}

static bool is_state(const struct cnv_sheet *sheet, const char *state)
{
    return strcmp(cnv_json_text(sheet->watch->status, "run/state", ""), state) == 0;
}

/* "run: running, round 37 of 200" and how long it has taken and will take. */
static void draw_title(struct cnv_sheet *sheet)
{
    const json_t *status = sheet->watch->status;
    const json_t *config = cnv_json_at(status, "run/config");
    const struct cnv_forecast_limits limits = {
        .rounds = (uint64_t) limit_of(config, "run/rounds"),
        .iterations = (uint64_t) limit_of(config, "run/iterations"),
        .seconds = limit_of(config, "run/seconds"),
        .bytes = limit_of(config, "stop/bytes"),
        .is_at_most = limit_of(config, "stop/gradient") > 0.0 ||
                      limit_of(config, "stop/gradient-rms") > 0.0 ||
                      (json_object_get(config, "stop/loss") != NULL &&
                       isfinite(limit_of(config, "stop/loss"))),
    };
    double left = cnv_forecast_left(&sheet->watch->forecast, &limits);
    bool is_under_way = is_state(sheet, "running") || is_state(sheet, "draining");
    char line[CNV_SHEET_LINE] = "";
    char times[CNV_SHEET_LINE] = "";
    char text[CNV_FORMAT_SIZE];

    cnv_sheet_add(line,
                  "%.200s: %s, %" PRIu64,
                  cnv_json_text(status, "run/name", "?"),
                  cnv_json_text(status, "run/state", "?"),
                  cnv_json_count(status, "run/version"));
    if (limits.rounds > 0) {
        cnv_sheet_add(line, " of %" PRIu64, limits.rounds);
    }
    cnv_sheet_add(line, " rounds");
    cnv_sheet_add(times, "%s", cnv_format_seconds(text, cnv_json_number(status, "run/seconds")));
    if (is_under_way && !isnan(left)) {
        cnv_sheet_add(times,
                      ", %s%s left",
                      limits.is_at_most ? "at most " : "",
                      cnv_format_seconds(text, left));
    }
    cnv_sheet_line(sheet, CNV_STYLE_TITLE, line, times);
}

/* What the run is at: whom it waits for, why it waits or has ended; or that nobody answers. */
static void draw_state(struct cnv_sheet *sheet)
{
    const json_t *status = sheet->watch->status;
    const json_t *names = cnv_json_at(status, "waiting_for");
    size_t count = json_array_size(names);
    char line[CNV_SHEET_LINE] = "";
    char text[CNV_FORMAT_SIZE];

    if (sheet->watch->is_away) {
        cnv_sheet_add(line,
                      "the daemon has not answered for %s: trying again",
                      cnv_format_seconds(text, sheet->watch->away_seconds));
        cnv_sheet_line(sheet, CNV_STYLE_WRONG, line, "");
        return;
    }
    if (is_state(sheet, "running")) {
        cnv_sheet_add(line,
                      "round %" PRIu64 ", exchange %s",
                      cnv_json_count(status, "run/round"),
                      cnv_json_text(status, "run/exchange", "-"));
        if (cnv_json_count(status, "run/attempt") > 1) {
            cnv_sheet_add(line, ", attempt %" PRIu64, cnv_json_count(status, "run/attempt"));
        }
    } else {
        cnv_sheet_add(line, "%s", cnv_json_text(status, "run/reason", ""));
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));

        if (i == 0) {
            cnv_sheet_add(line, ": waiting for %zu: ", count);
        }
        cnv_sheet_add(line, "%s%s", i == 0 ? "" : ", ", name == NULL ? "?" : name);
    }
    cnv_sheet_line(sheet, is_state(sheet, "failed") ? CNV_STYLE_WRONG : CNV_STYLE_PLAIN, line, "");
}

/* The newest loss and how it has changed. */
static void add_loss(const struct cnv_sheet *sheet, char *line)
{
    const json_t *rows = sheet->watch->rows;
    double loss = cnv_json_number(sheet->watch->status, "run/loss");
    uint64_t at = cnv_json_count(sheet->watch->status, "run/loss_round");
    double before = NAN;
    char text[CNV_FORMAT_SIZE];

    for (size_t i = json_array_size(rows); i > 0 && isnan(before); i--) {
        const json_t *row = json_array_get(rows, i - 1);

        if (cnv_json_count(row, "round") < at) {
            before = cnv_json_number(row, "loss");
        }
    }
    cnv_sheet_add(line, "loss %s", cnv_format_number(text, loss, 7));
    if (!isnan(before - loss)) {
        cnv_sheet_add(line, " (%s %.2g)", before < loss ? "rose" : "fell", fabs(before - loss));
    }
}

static void draw_figures(struct cnv_sheet *sheet)
{
    const json_t *status = sheet->watch->status;
    const json_t *rows = sheet->watch->rows;
    const json_t *last = json_array_get(rows, json_array_size(rows) - 1);
    char line[CNV_SHEET_LINE] = "";
    char text[CNV_FORMAT_SIZE];

    add_loss(sheet, line);
    cnv_sheet_add(line,
                  "  L %" PRIu64 " %s  variance %s",
                  cnv_json_count(status, "policy/local_steps"),
                  cnv_json_text(status, "policy/solver", "?"),
                  cnv_format_number(text, cnv_json_number(last, "variance"), 3));
    if (!isnan(cnv_json_number(last, "gradient_norm"))) {
        cnv_sheet_add(line,
                      "  gradient %s",
                      cnv_format_number(text, cnv_json_number(last, "gradient_norm"), 3));
    }
    if (cnv_json_at(status, "run/test/value") != NULL) {
        cnv_sheet_add(line,
                      "  test %s %s",
                      cnv_json_text(status, "run/test/metric", "?"),
                      cnv_format_number(text, cnv_json_number(status, "run/test/value"), 4));
    }
    cnv_sheet_line(sheet, CNV_STYLE_PLAIN, line, "");
}

static void draw_traffic(struct cnv_sheet *sheet)
{
    const json_t *run = cnv_json_at(sheet->watch->status, "run");
    const struct cnv_forecast *forecast = &sheet->watch->forecast;
    char line[CNV_SHEET_LINE] = "";
    char text[CNV_FORMAT_SIZE];

    cnv_sheet_add(line, "sent %s up, ", cnv_format_bytes(text, cnv_json_number(run, "bytes_up")));
    cnv_sheet_add(line, "%s down", cnv_format_bytes(text, cnv_json_number(run, "bytes_down")));
    if (is_state(sheet, "running") && !sheet->watch->is_away) {
        cnv_sheet_add(line, "; %s/s, ", cnv_format_bytes(text, cnv_forecast_bytes(forecast)));
        cnv_sheet_add(
            line, "%s rounds/s", cnv_format_number(text, cnv_forecast_rounds(forecast), 4));
    }
    cnv_sheet_line(sheet, CNV_STYLE_PLAIN, line, "");
}

/* rows lines: a chart of one column of the table of rounds, with its range at the right. */
static void draw_chart(struct cnv_sheet *sheet, const char *title, const char *column, size_t rows)
{
    enum { TITLE_WIDTH = 5, RANGE_WIDTH = 11 };
    double values[CNV_WATCH_ROUNDS];
    const json_t *table = sheet->watch->rows;
    size_t count = json_array_size(table);
    size_t width = sheet->screen->width;
    struct cnv_chart chart;

    for (size_t i = 0; i < count; i++) {
        values[i] = cnv_json_number(json_array_get(table, i), column);
    }
    width = width > TITLE_WIDTH + RANGE_WIDTH ? width - TITLE_WIDTH - RANGE_WIDTH : 0;
    cnv_chart_make(&chart, values, count, width, rows);
    for (size_t row = 0; row < rows; row++) {
        char bars[CNV_CHART_TEXT];
        char line[CNV_CHART_TEXT + TITLE_WIDTH + 1];
        char range[2 * CNV_FORMAT_SIZE] = "";
        char text[CNV_FORMAT_SIZE];

        cnv_chart_row(&chart, row, sheet->screen->is_utf8, bars);
        (void) snprintf(line, sizeof(line), "%-*s%s", TITLE_WIDTH, row == 0 ? title : "", bars);
        if (count > 0 && rows == 1 && chart.low < chart.high) {
            (void) snprintf(range, sizeof(range), "%s-", cnv_format_number(text, chart.low, 4));
        }
        if (count > 0 && (row == 0 || row + 1 == rows)) {
            (void) strncat(range,
                           cnv_format_number(text, row == 0 ? chart.high : chart.low, 4),
                           CNV_FORMAT_SIZE);
        }
        cnv_sheet_line(sheet, CNV_STYLE_PLAIN, line, range);
    }
}

/* The last reasons, the newest first; rounds in a row with the same one share a line. */
static void draw_reasons(struct cnv_sheet *sheet, size_t lines)
{
    const json_t *rows = sheet->watch->rows;
    size_t i = json_array_size(rows);
    size_t until = sheet->lines + lines;

    while (i > 0 && sheet->lines < until) {
        const json_t *row = json_array_get(rows, --i);
        const char *reason = cnv_json_text(row, "reason", "");
        uint64_t last = cnv_json_count(row, "round");
        uint64_t first = last;
        char rounds[64];
        char line[CNV_SHEET_LINE] = "";

        while (i > 0 &&
               strcmp(cnv_json_text(json_array_get(rows, i - 1), "reason", ""), reason) == 0) {
            first = cnv_json_count(json_array_get(rows, --i), "round");
        }
        (void) snprintf(rounds, sizeof(rounds), "%" PRIu64 "-%" PRIu64, first, last);
        cnv_sheet_add(line, "%-9s %s", first == last ? strchr(rounds, '-') + 1 : rounds, reason);
        cnv_sheet_line(sheet, CNV_STYLE_PLAIN, line, "");
    }
    while (sheet->lines < until && sheet->lines < sheet->screen->height) {
        cnv_sheet_line(sheet, CNV_STYLE_PLAIN, "", "");
    }
}

void cnv_watch_draw(const struct cnv_watch *watch, const struct cnv_watch_screen *screen, FILE *out)
{
    struct cnv_sheet sheet = { .watch = watch, .screen = screen, .out = out };
    struct layout layout = lay_out(screen->height);
    char server[CNV_SHEET_LINE] = "";

    draw_title(&sheet);
    draw_state(&sheet);
    draw_figures(&sheet);
    draw_traffic(&sheet);
    draw_chart(&sheet, "loss", "loss", layout.loss);
    draw_chart(&sheet, "L", "local_steps", layout.steps);
    if (layout.blanks > 0) {
        cnv_sheet_line(&sheet, CNV_STYLE_PLAIN, "", "");
    }
    draw_reasons(&sheet, layout.reasons);
    if (layout.blanks > 0) {
        cnv_sheet_line(&sheet, CNV_STYLE_PLAIN, "", "");
    }
    cnv_sheet_members(&sheet, layout.members);
    while (sheet.lines + 1 < screen->height) {
        cnv_sheet_line(&sheet, CNV_STYLE_PLAIN, "", "");
    }
    cnv_sheet_add(server, "%.300s", cnv_json_text(watch->status, "server/control", ""));
    cnv_sheet_line(&sheet, CNV_STYLE_FAINT, screen->hint, server);
}

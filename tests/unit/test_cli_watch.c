/*
 * test_cli_watch.c - one screen of a run: what is on it in every size, that nothing is wider or
 * longer than the screen, whatever the daemon says, and that rounds are asked for once.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "chart.h"
#include "columns.h"
#include "watch.h"

static void set_locale(void)
{
    cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

/* agents members, the last of them waited for and the last but one lost, in round 8. */
static json_t *status_of(size_t agents, const char *name)
{
    json_t *list = json_array();
    char last[128] = "nobody";

    for (size_t i = 0; i < agents; i++) {
        (void) snprintf(last, sizeof(last), "%s-%zu", name, i + 1);
        const char *state = i + 1 == agents ? "working" : i + 2 == agents ? "lost" : "offered";

        cr_assert_eq(json_array_append_new(list,
                                           json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:f, s:f}",
                                                     "name",
                                                     last,
                                                     "host",
                                                     "host.example",
                                                     "state",
                                                     state,
                                                     "why",
                                                     i + 2 == agents ? "silent" : "",
                                                     "rounds",
                                                     7,
                                                     "bytes_up",
                                                     123456,
                                                     "steps_per_second",
                                                     1234.5,
                                                     "last_heard_seconds",
                                                     200.0)),
                     0);
    }
    return json_pack(
        "{s:{s:s, s:s, s:s, s:i, s:i, s:s, s:f, s:i, s:f, s:i, s:i, s:{s:s}}, s:{s:i, s:s},"
        " s:[s], s:o, s:{s:s}}",
        "run",
        "name",
        name,
        "id",
        "a1",
        "state",
        "running",
        "version",
        7,
        "round",
        8,
        "exchange",
        "model",
        "loss",
        0.25,
        "loss_round",
        7,
        "seconds",
        14.0,
        "bytes_up",
        70000,
        "bytes_down",
        70000,
        "config",
        "run/rounds",
        "100",
        "policy",
        "local_steps",
        3,
        "solver",
        "newton",
        "waiting_for",
        last,
        "agents",
        list,
        "server",
        "control",
        "ipc:///run/convene/control");
}

/* Rounds from..to; a loss of which every third is missing. */
static json_t *rows_of(uint64_t from, uint64_t to)
{
    json_t *rows = json_array();

    for (uint64_t round = from; round <= to; round++) {
        cr_assert_eq(json_array_append_new(
                         rows,
                         json_pack("{s:I, s:I, s:o, s:f, s:s}",
                                   "round",
                                   (json_int_t) round,
                                   "local_steps",
                                   (json_int_t) (1 + 8 / round),
                                   "loss",
                                   round % 3 == 2 ? json_null() : json_real(1.0 / (double) round),
                                   "variance",
                                   1e-5,
                                   "reason",
                                   round < 5 ? "the first" : "loss fell, that is Verbesserung: ü")),
                     0);
    }
    (void) json_array_append_new(rows, json_pack("{s:n, s:f}", "round", "loss", 0.1));
    return json_pack("{s:o}", "rows", rows);
}

static struct cnv_watch watch_of(size_t agents, const char *name)
{
    struct cnv_watch watch = { 0 };
    json_t *status = status_of(agents, name);
    json_t *rows = rows_of(1, 7);

    cr_assert_not_null(status);
    cnv_watch_status(&watch, status);
    cnv_watch_rows(&watch, rows);
    json_decref(status);
    json_decref(rows);
    return watch;
}

static char *drawn(const struct cnv_watch *watch, size_t width, size_t height, bool is_utf8)
{
    struct cnv_watch_screen screen = {
        .width = width, .height = height, .is_utf8 = is_utf8, .hint = "q quits"
    };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cnv_watch_draw(watch, &screen, out);
    cr_assert_eq(fclose(out), 0);
    return text;
}

/* Every line fits, is valid text, and there are just as many as the screen has. */
static void fits(const char *text, size_t width, size_t height)
{
    size_t lines = 0;
    char line[4096];
    wchar_t wide[1024];

    for (const char *at = text; *at != '\0'; lines++) {
        size_t len = strcspn(at, "\n");

        cr_assert_eq(at[len], '\n');
        cr_assert_lt(len, sizeof(line));
        memcpy(line, at, len);
        line[len] = '\0';
        size_t count = mbstowcs(wide, line, 1024);
        cr_assert_neq(count, (size_t) -1, "no valid text: %s", line);
        int columns = wcswidth(wide, count);
        cr_assert_geq(columns, 0, "control characters: %s", line);
        cr_assert_leq((size_t) columns, width, "%zux%zu: %s", width, height, line);
        at += len + 1;
    }
    cr_assert_eq(lines, height, "%zu lines of %zu", lines, height);
}

Test(watch, every_size_is_kept_whatever_is_shown, .init = set_locale, .timeout = 20)
{
    static const size_t widths[] = { 1, 8, 40, 80, 200, 700 };
    static const size_t heights[] = { 1, 4, 10, 24, 60, 200 };
    static const char *const names[] = {
        "agent",
        "grün-数据中心-agent-with-a-name-as-long-as-a-name-may-be-made",
        "bad\033[2Jname",
    };
    static const size_t agents[] = { 0, 1, 2, 16, 1000 };

    for (size_t w = 0; w < 6; w++) {
        for (size_t h = 0; h < 6; h++) {
            for (size_t n = 0; n < 15; n++) {
                struct cnv_watch watch = watch_of(agents[n % 5], names[n / 5]);

                watch.is_away = n % 2 == 1;
                for (int is_utf8 = 0; is_utf8 < 2; is_utf8++) {
                    char *text = drawn(&watch, widths[w], heights[h], is_utf8 == 1);

                    fits(text, widths[w], heights[h]);
                    free(text);
                }
                cnv_watch_fini(&watch);
            }
        }
    }
}

static void shows(const struct cnv_watch *watch, size_t width, size_t height, const char *wanted)
{
    char *text = drawn(watch, width, height, true);

    cr_assert_not_null(strstr(text, wanted), "\"%s\" is not in\n%s", wanted, text);
    free(text);
}

Test(watch, a_screen_of_80x24_tells_all, .init = set_locale, .timeout = 10)
{
    struct cnv_watch watch = watch_of(16, "agent");

    shows(&watch, 80, 24, "agent: running, 7 of 100 rounds");
    shows(&watch, 80, 24, "14 s, 3 min 06 s left\n");
    shows(&watch, 80, 24, "round 8, exchange model: waiting for 1: agent-16");
    shows(&watch, 80, 24, "loss 0.25 (rose 0.083)  L 3 newton  variance 1e-05"); /* of round 6 */
    shows(&watch, 80, 24, "sent 70.0 kB up, 70.0 kB down; 10.0 kB/s, 0.5 rounds/s");
    shows(&watch, 80, 24, "loss █");
    shows(&watch, 80, 24, "5-7       loss fell, that is Verbesserung: ü\n1-4       the first\n");
    shows(&watch, 80, 24, "* agent-16");
    shows(&watch, 80, 24, "and 8 more: 8 offered");
    shows(&watch, 80, 24, "ipc:///run/convene/control");
    shows(&watch, 80, 60, "  agent-14  ");
    watch.is_away = true;
    watch.away_seconds = 65.0;
    shows(&watch, 80, 24, "the daemon has not answered for 65 s: trying again");
    cnv_watch_fini(&watch);
}

Test(watch, those_waited_for_and_lost_stand_first, .init = set_locale, .timeout = 10)
{
    struct cnv_watch watch = watch_of(1000, "agent");
    char *text = drawn(&watch, 80, 24, true);
    const char *waited = strstr(text, "\n* agent-1000");
    const char *lost = strstr(text, "\n  agent-999 ");
    const char *first = strstr(text, "\n  agent-1 ");

    cr_assert(waited != NULL && lost != NULL && first != NULL, "%s", text);
    cr_assert(waited < lost && lost < first, "%s", text);
    cr_assert_not_null(strstr(text, "and 992 more: 992 offered"), "%s", text);
    free(text);
    /* Round by round it would only jump about. */
    json_t *next = json_deep_copy(watch.status);
    (void) json_object_set_new(json_object_get(next, "run"), "round", json_integer(9));
    cnv_watch_status(&watch, next);
    json_decref(next);
    shows(&watch, 80, 24, "heard        up\n  agent-999 ");
    cnv_watch_fini(&watch);
}

Test(watch, without_any_loss_it_shows_none, .init = set_locale, .timeout = 10)
{
    struct cnv_watch watch = { 0 };
    json_t *status =
        json_pack("{s:{s:s, s:n, s:i}}", "run", "state", "running", "loss", "version", 1);
    json_t *rows = json_pack("{s:[{s:i, s:n, s:n}]}", "rows", "round", 1, "loss", "variance");

    cr_assert(status != NULL && rows != NULL);
    cnv_watch_status(&watch, status);
    cnv_watch_rows(&watch, rows);
    shows(&watch, 80, 24, "\nloss -  L 0 ?  variance -\n");
    char *text = drawn(&watch, 80, 24, true);
    cr_assert_null(strstr(text, "nan"), "%s", text);
    free(text);
    json_decref(status);
    json_decref(rows);
    cnv_watch_fini(&watch);
}

Test(watch, asks_for_new_rounds_alone_and_forgets_another_run, .timeout = 10)
{
    struct cnv_watch watch = { 0 };
    json_t *status = status_of(1, "a");
    json_t *run = json_object_get(status, "run");
    json_t *rows = rows_of(1, 7);
    uint64_t after = 99;

    cnv_watch_status(&watch, status);
    cr_assert(cnv_watch_lacks_rows(&watch, &after));
    cr_assert_eq(after, 0);
    cnv_watch_rows(&watch, rows);
    cnv_watch_rows(&watch, rows);
    cr_assert_eq(json_array_size(watch.rows), 7);
    cr_assert_not(cnv_watch_lacks_rows(&watch, &after));

    json_t *later = json_deep_copy(status);
    (void) json_object_set_new(json_object_get(later, "run"), "version", json_integer(9));
    cnv_watch_status(&watch, later);
    cr_assert(cnv_watch_lacks_rows(&watch, &after));
    cr_assert_eq(after, 7);
    (void) json_object_set_new(run, "version", json_integer(9000));
    cnv_watch_status(&watch, status);
    cr_assert(cnv_watch_lacks_rows(&watch, &after));
    cr_assert_eq(after, 9000 - CNV_WATCH_ROUNDS, "of a long run only the newest");

    json_t *other = json_deep_copy(status);
    (void) json_object_set_new(json_object_get(other, "run"), "id", json_string("b2"));
    cnv_watch_status(&watch, other);
    cr_assert_eq(json_array_size(watch.rows), 0);
    json_decref(status);
    json_decref(later);
    json_decref(other);
    json_decref(rows);
    cnv_watch_fini(&watch);
}

Test(chart, bars_rise_with_values_and_gaps_stay_empty, .timeout = 5)
{
    const double values[] = { 0.0, NAN, 4.0, INFINITY, 7.0 };
    const double wide[] = { 1e-6, 1.0 };
    struct cnv_chart chart;
    char text[CNV_CHART_TEXT];

    cnv_chart_make(&chart, values, 5, 80, 1);
    cnv_chart_row(&chart, 0, true, text);
    cr_assert_str_eq(text, "▁ ▅ █");
    cr_assert_eq(chart.low, 0.0);
    cr_assert_eq(chart.high, 7.0);
    cnv_chart_row(&chart, 0, false, text);
    cr_assert_str_eq(text, ". + #");
    cnv_chart_make(&chart, values, 5, 80, 2);
    cnv_chart_row(&chart, 0, false, text);
    cr_assert_str_eq(text, "  : #");
    cnv_chart_row(&chart, 1, false, text);
    cr_assert_str_eq(text, ". # #");
    cnv_chart_make(&chart, wide, 2, 1, 1);
    cr_assert_eq(chart.columns, 1);
    cr_assert_float_eq(chart.low, 0.5000005, 1e-12);
    cnv_chart_make(&chart, NULL, 0, 80, 1);
    cr_assert(isnan(chart.low));
}

Test(columns, takes_columns_not_bytes, .init = set_locale, .timeout = 5)
{
    static const struct {
        const char *text;
        size_t columns;
        bool is_utf8;
        const char *wanted;
    } cases[] = {
        { "plain", 3, true, "pla" },      { "grün", 3, true, "grü" },
        { "数据", 3, true, "数" },        { "grün", 9, false, "gr?n" },
        { "a\033[2J", 9, true, "a?[2J" }, { "x\xff\xfey", 9, true, "x??y" },
        { "\xe6\x95", 9, true, "??" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);

        (void) cnv_columns_put(out, cases[i].text, cases[i].columns, cases[i].is_utf8);
        cr_assert_eq(fclose(out), 0);
        cr_assert_str_eq(text, cases[i].wanted);
        free(text);
    }
}

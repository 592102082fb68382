/*
 * plot.c - reads reports, has gnuplot draw them.
 *
 * Happy path: rounds.csv and run.json of each directory are read, the commands for gnuplot are
 * written into a directory of our own, gnuplot draws beside the target, and the file is renamed.
 * What can fail: a directory is no report, no loss was evaluated, gnuplot is not there, or it
 * fails: then its last words are ours.
 */
#include "plot.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "children.h"
#include "envelope.h"

enum { DRAW_MS = 60000 };

/* The columns of rounds.csv up to the reason. */
enum {
    ROUND,
    SECONDS,
    EXCHANGES,
    LOCAL_STEPS,
    CONTRIBUTORS,
    LOSS,
    GRADIENT_NORM,
    VARIANCE,
    BYTES_UP,
    BYTES_DOWN,
    COLUMNS,
};

/* Numbers of one line; NaN where a field is empty. False: it has too few, or one is no number. */
static bool read_line(const char *line, double fields[COLUMNS])
{
    for (size_t c = 0; c < COLUMNS; c++) {
        char *end = NULL;

        fields[c] = *line == ',' ? (double) NAN : strtod(line, &end);
        line = end == NULL ? line : end;
        if (*line++ != ',') {
            return false;
        }
    }
    return true;
}

/* Keeps every nth point, the first and the last: more than there are pixels help nobody. */
static void thin_out(struct cnv_plot_run *run)
{
    size_t every = 1 + run->count / CNV_PLOT_POINTS;
    size_t kept = 0;

    for (size_t i = 0; i < run->count; i++) {
        if (i % every == 0 || i + 1 == run->count) {
            run->points[kept++] = run->points[i];
        }
    }
    run->count = kept;
}

enum cnv_status cnv_plot_read(const char *csv, struct cnv_plot_run *run, struct cnv_error *err)
{
    struct cnv_plot_point next = { 0 }; /* seconds and bytes of a row are those of its end */
    size_t lines = 0;

    for (const char *at = csv; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    run->points = cnv_array_new(lines + 1, sizeof(*run->points));
    if (run->points == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    for (size_t line = 1; *csv != '\0'; line++) {
        double fields[COLUMNS];

        if (line > 1 && !read_line(csv, fields)) {
            return cnv_fail(err, CNV_E_INPUT, "rounds.csv:%zu: expected a row of numbers", line);
        }
        if (line > 1) {
            struct cnv_plot_point *point = &run->points[run->count++];

            *point = next;
            point->loss = fields[LOSS];
            point->local_steps = fields[LOCAL_STEPS];
            next = (struct cnv_plot_point){ .rounds = next.rounds + 1.0,
                                            .seconds = fields[SECONDS],
                                            .bytes = fields[BYTES_UP] + fields[BYTES_DOWN] };
        }
        csv += strcspn(csv, "\n");
        csv += *csv == '\n';
    }
    return CNV_OK;
}

/* A whole file as text, the caller's to cnv_free. NULL: it cannot be read. */
static char *text_of(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    long size = -1;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
        rewind(file);
    }
    if (size >= 0) {
        text = cnv_array_new((size_t) size + 1, 1);
    }
    if (text != NULL) {
        text[fread(text, 1, (size_t) size, file)] = '\0';
    }
    if (file != NULL) {
        (void) fclose(file);
    }
    return text;
}

/* "NAME: policy P, solver S"; among others the directory tells runs apart that share a name. */
static void make_title(const char *directory, const json_t *json, bool is_alone, char *title)
{
    const json_t *settings = cnv_json_at(json, "specification");
    const char *policy = json_string_value(json_object_get(settings, "policy/kind"));
    const char *solver = json_string_value(json_object_get(settings, "solver/kind"));
    const char *problem = json_string_value(json_object_get(settings, "problem/kind"));
    size_t len = strlen(directory);

    while (len > 1 && directory[len - 1] == '/') {
        len--;
    }
    const char *slash = memrchr(directory, '/', len - (len > 1));
    const char *name = slash == NULL || len == 1 ? directory : slash + 1;
    len -= (size_t) (name - directory);
    if (is_alone) {
        name = cnv_json_text(json, "name", "run");
        len = strlen(name);
    }
    (void) snprintf(title,
                    CNV_PLOT_TITLE,
                    "%.*s: %.48s, policy %.48s, solver %.48s",
                    len > 80 ? 80 : (int) len,
                    name,
                    problem == NULL ? "?" : problem,
                    policy == NULL ? "?" : policy,
                    solver == NULL ? "?" : solver);
}

static enum cnv_status
read_report(const char *directory, bool is_alone, struct cnv_plot_run *run, struct cnv_error *err)
{
    char path[CNV_PATH_SIZE];
    json_error_t why;
    enum cnv_status status = cnv_path_join(path, directory, "rounds.csv", err);

    if (status != CNV_OK) {
        return status;
    }
    char *csv = text_of(path);
    if (csv == NULL) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%.100s holds no rounds.csv: expected the report of a run",
                        directory);
    }
    status = cnv_plot_read(csv, run, err);
    cnv_free(csv);
    if (status == CNV_OK) {
        status = cnv_path_join(path, directory, "run.json", err);
    }
    if (status != CNV_OK) {
        return status;
    }
    json_t *json = json_load_file(path, 0, &why);
    make_title(directory, json, is_alone, run->title);
    json_decref(json);
    for (size_t i = 0; i < run->count; i++) {
        if (isfinite(run->points[i].loss)) {
            thin_out(run);
            return CNV_OK;
        }
    }
    return cnv_fail(err, CNV_E_INPUT, "no loss was evaluated in %.100s", directory);
}

/* Runs gnuplot on a script; its words go into a log beside it. */
static enum cnv_status draw(const char *workspace, const char *script, struct cnv_error *err)
{
    struct cnv_child child = { .name = "gnuplot" };
    char name[] = "gnuplot";
    char file[CNV_PATH_SIZE];
    char *arguments[] = { name, file, NULL };
    char program[CNV_PATH_SIZE];
    char line[CNV_ERROR_TEXT_SIZE];
    enum cnv_status status = CNV_OK;

    if (cnv_program_find("gnuplot", program, NULL) != CNV_OK) {
        return cnv_fail(
            err, CNV_E_UNREACHABLE, "gnuplot is not installed (Debian's package is gnuplot-nox)");
    }
    (void) snprintf(file, sizeof(file), "%s", script);
    status = cnv_path_join(child.log, workspace, "log", err);
    if (status == CNV_OK) {
        status = cnv_child_start(&child, program, arguments, err);
    }
    if (status != CNV_OK) {
        return status;
    }
    cnv_child_wait(&child, DRAW_MS);
    cnv_child_last_line(&child, line, sizeof(line));
    if (child.exit_code != 0) {
        return cnv_fail(err, CNV_E_SYSTEM, "gnuplot failed: %.160s", line);
    }
    return CNV_OK;
}

/* In a directory of its own, which is removed by the caller. */
static enum cnv_status draw_runs(const struct cnv_plot_run *runs,
                                 size_t count,
                                 const char *workspace,
                                 const char *svg,
                                 struct cnv_error *err)
{
    char script[CNV_PATH_SIZE];
    char partial[CNV_PATH_SIZE];
    char text[128];
    enum cnv_status status = cnv_path_join(script, workspace, "script", err);

    if (status == CNV_OK && strlen(svg) + 32 > CNV_PATH_SIZE) {
        status = cnv_fail(err, CNV_E_INPUT, "%.40s...: the path is too long", svg);
    }
    if (status != CNV_OK) {
        return status;
    }
    (void) snprintf(
        partial, sizeof(partial), "%.*s.partial-%ld", CNV_PATH_SIZE - 32, svg, (long) getpid());
    /* Of what it cannot write gnuplot does not say where. */
    FILE *out = fopen(partial, "we");
    if (out == NULL) {
        return cnv_fail(err,
                        CNV_E_SYSTEM,
                        "cannot write %.100s: %s",
                        svg,
                        strerror_r(errno, text, sizeof(text)));
    }
    (void) fclose(out);
    out = fopen(script, "we");
    if (out == NULL) {
        return cnv_fail(err, CNV_E_SYSTEM, "cannot write %s", script);
    }
    cnv_plot_script(runs, count, partial, out);
    if (fclose(out) != 0) {
        return cnv_fail(err, CNV_E_SYSTEM, "cannot write %s", script);
    }
    status = draw(workspace, script, err);
    if (status == CNV_OK && rename(partial, svg) != 0) {
        status = cnv_fail(err,
                          CNV_E_SYSTEM,
                          "cannot write %.100s: %s",
                          svg,
                          strerror_r(errno, text, sizeof(text)));
    }
    (void) unlink(partial);
    return status;
}

enum cnv_status
cnv_plot(const char *const *directories, size_t count, const char *svg, struct cnv_error *err)
{
    struct cnv_plot_run runs[CNV_PLOT_RUNS] = { 0 };
    char workspace[CNV_PATH_SIZE] = "/tmp/convene-plot-XXXXXX";
    enum cnv_status status = CNV_OK;

    if (count == 0 || count > CNV_PLOT_RUNS) {
        return cnv_fail(
            err, CNV_E_INPUT, "expected the reports of 1 to %d runs", (int) CNV_PLOT_RUNS);
    }
    for (size_t i = 0; i < count && status == CNV_OK; i++) {
        status = read_report(directories[i], count == 1, &runs[i], err);
    }
    if (status == CNV_OK && mkdtemp(workspace) == NULL) {
        status = cnv_fail(err, CNV_E_SYSTEM, "cannot make a directory in /tmp");
    } else if (status == CNV_OK) {
        status = draw_runs(runs, count, workspace, svg, err);
        cnv_directory_remove(workspace);
    }
    for (size_t i = 0; i < count; i++) {
        cnv_free(runs[i].points);
    }
    return status;
}

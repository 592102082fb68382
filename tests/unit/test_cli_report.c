/* test_cli_report.c - a report appears whole, replaces only its like, and nothing else is touched.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "envelope.h"
#include "report.h"

static char directory[64];

static void make(void)
{
    (void) snprintf(directory, sizeof(directory), "/tmp/convene-test-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
}

static void clean(void)
{
    cnv_directory_remove(directory);
}

static const char *in(const char *name)
{
    static char path[CNV_PATH_SIZE];

    cr_assert_eq(cnv_path_join(path, directory, name, NULL), CNV_OK);
    return path;
}

static void put(const char *name)
{
    cr_assert_eq(cnv_file_replace(in(name), "x", 1, NULL), CNV_OK);
}

static void write_report(void)
{
    struct cnv_config *config = cnv_config_new();
    struct cnv_run_setup setup = { .config = config, .data = "a9a", .scale = 0.5 };
    struct cnv_run_result result = {
        .status = json_pack("{s:{s:s, s:i, s:i, s:[f,f], s:s}}",
                            "run",
                            "state",
                            "finished",
                            "version",
                            3,
                            "dimension",
                            2,
                            "labels",
                            -1.0,
                            1.0,
                            "digest",
                            "0badcafe"),
        .rows = cnv_blob_copy("round\n", 6),
        .model = cnv_blob_copy("model", 5),
    };
    struct cnv_error plot = { 0 };
    struct cnv_error err;

    cr_assert_not_null(result.status);
    cr_assert_eq(cnv_report_check(in("out"), &err), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_report_write(in("out"), &setup, &result, &plot, &err), CNV_OK, "%s", err.text);
    cr_assert_neq(plot.status, CNV_OK, "there is no loss to be seen");
    cnv_run_result_fini(&result);
    cnv_config_destroy(config);
}

static bool count(void *self, const char *name)
{
    (void) name;
    ++*(int *) self;
    return true;
}

Test(report,
     is_written_whole_and_replaces_an_earlier_one,
     .init = make,
     .fini = clean,
     .timeout = 10)
{
    json_error_t why;
    int files = 0;
    int beside = 0;

    write_report();
    write_report();
    (void) cnv_directory_each(in("out"), count, &files);
    (void) cnv_directory_each(directory, count, &beside);
    cr_assert_eq(files, 4);
    cr_assert_eq(beside, 1);

    json_t *model = json_load_file(in("out/model.json"), 0, &why);
    cr_assert_str_eq(cnv_json_text(model, "fingerprint", ""), "crc32c:0badcafe");
    cr_assert_eq(cnv_json_count(model, "classes"), 2);
    cr_assert_eq(cnv_json_number(model, "scale"), 0.5);
    cr_assert_eq(cnv_json_count(model, "dimension"), 2);
    json_decref(model);
    json_t *run = json_load_file(in("out/run.json"), 0, &why);
    cr_assert_str_eq(cnv_json_text(cnv_json_at(run, "specification"), "", "?"), "?");
    cr_assert_str_eq(
        json_string_value(json_object_get(json_object_get(run, "specification"), "run/seed")), "1");
    cr_assert_str_eq(cnv_json_text(run, "final/state", ""), "finished");
    json_decref(run);
}

Test(report, refuses_a_directory_with_other_files, .init = make, .fini = clean, .timeout = 10)
{
    struct cnv_error err;

    cr_assert_eq(mkdir(in("out"), 0777), 0);
    put("out/thesis.tex");
    cr_assert_eq(cnv_report_check(in("out"), &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "--out"), "%s", err.text);
    cr_assert_eq(access(in("out/thesis.tex"), F_OK), 0);
}

Test(report, refuses_a_file_and_a_missing_parent, .init = make, .fini = clean, .timeout = 10)
{
    struct cnv_error err;

    put("file");
    cr_assert_eq(cnv_report_check(in("file"), &err), CNV_E_INPUT);
    cr_assert_eq(cnv_report_check(in("a/b"), &err), CNV_E_INPUT);
    cr_assert_eq(cnv_report_check("", &err), CNV_E_INPUT);
    cr_assert_eq(cnv_report_check(in("out///"), &err), CNV_OK, "%s", err.text);
}

Test(report, files_that_cannot_be_read_are_named, .init = make, .fini = clean, .timeout = 10)
{
    struct cnv_error err;

    cr_assert_eq(cnv_file_check("--data", in("missing"), &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "--data"), "%s", err.text);
    cr_assert_eq(cnv_file_check("--data", directory, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "directory"), "%s", err.text);
}

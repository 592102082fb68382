/* test_joinfile.c - join files: what was written is read back, and every damage is named. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/joinfile.h"

#define KEY_A "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define KEY_B "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

static const struct cnv_joinfile example = {
    .endpoint = "tcp://host.example:5550",
    .server_key = KEY_A,
    .name = "gpu-3",
    .public_key = KEY_B,
    .secret_key = KEY_A,
};

static char folder[] = "/tmp/cnv-join-XXXXXX";
static char path[64];

static void open_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    (void) snprintf(path, sizeof(path), "%s/x.join", folder);
}

static void close_folder(void)
{
    (void) unlink(path);
    (void) rmdir(folder);
}

TestSuite(joinfile, .init = open_folder, .fini = close_folder, .timeout = 5);

static void put(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "we");

    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(chmod(path, mode), 0);
}

static const char *refusal(void)
{
    static struct cnv_error err;
    struct cnv_joinfile file = { .name = "untouched" };

    cr_assert_eq(cnv_joinfile_read(path, &file, &err), CNV_E_INPUT);
    cr_assert_str_eq(file.name, "untouched");
    return err.text;
}

Test(joinfile, what_is_written_is_read_back)
{
    struct cnv_joinfile file;
    struct cnv_error err;
    struct stat facts;

    cr_assert_eq(cnv_joinfile_write(path, &example, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(stat(path, &facts), 0);
    cr_assert_eq(facts.st_mode & 0777, 0600);
    cr_assert_eq(cnv_joinfile_read(path, &file, &err), CNV_OK, "%s", err.text);
    cr_assert_str_eq(file.endpoint, example.endpoint);
    cr_assert_str_eq(file.server_key, example.server_key);
    cr_assert_str_eq(file.name, example.name);
    cr_assert_str_eq(file.public_key, example.public_key);
    cr_assert_str_eq(file.secret_key, example.secret_key);
}

Test(joinfile, an_existing_file_is_not_overwritten)
{
    struct cnv_error err;

    put("precious", 0600);
    cr_assert_eq(cnv_joinfile_write(path, &example, &err), CNV_E_INPUT);
    cr_assert_str_eq(refusal() + strlen("join file ") + strlen(path),
                     ", line 1: expected the section server or agent");
}

Test(joinfile, a_bad_field_is_not_written)
{
    struct cnv_joinfile file = example;
    struct cnv_error err;

    (void) snprintf(file.name, sizeof(file.name), "two words");
    cr_assert_eq(cnv_joinfile_write(path, &file, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "agent/name"));
    cr_assert_neq(access(path, F_OK), 0);
}

Test(joinfile, comments_and_other_quotes_are_fine)
{
    struct cnv_joinfile file;
    struct cnv_error err;

    put("# for gpu-3\n\nserver\n    endpoint = tcp://h:1\n    public-key = '" KEY_A "'\n"
        "agent\n    # who\n    name = a\n    public-key = \"" KEY_B "\"\n"
        "    secret-key = \"" KEY_A "\"",
        0600);
    cr_assert_eq(cnv_joinfile_read(path, &file, &err), CNV_OK, "%s", err.text);
    cr_assert_str_eq(file.endpoint, "tcp://h:1");
    cr_assert_str_eq(file.secret_key, KEY_A);
}

Test(joinfile, readable_by_others_is_refused)
{
    struct cnv_error err;

    cr_assert_eq(cnv_joinfile_write(path, &example, &err), CNV_OK);
    cr_assert_eq(chmod(path, 0640), 0);
    cr_assert_not_null(strstr(refusal(), "0640"));
}

Test(joinfile, a_missing_file_a_folder_and_a_binary_are_named)
{
    cr_assert_not_null(strstr(refusal(), "No such file"));
    (void) snprintf(path, sizeof(path), "%s", folder);
    cr_assert_not_null(strstr(refusal(), "not a regular file"));
    (void) snprintf(path, sizeof(path), "%s/x.join", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert_eq(write(fd, "server\0\1", 8), 8);
    cr_assert_eq(close(fd), 0);
    cr_assert_not_null(strstr(refusal(), "not a text file"));
}

Test(joinfile, a_missing_field_is_named)
{
    put("server\n    endpoint = \"tcp://h:1\"\nagent\n    name = \"a\"\n", 0600);
    cr_assert_not_null(strstr(refusal(), "server/public-key is missing"));
    put("", 0600);
    cr_assert_not_null(strstr(refusal(), "server/endpoint is missing"));
}

Test(joinfile, a_bad_value_is_named_with_its_line_but_never_shown)
{
    put("server\n    endpoint = \"tcp://h:1\"\nagent\n    secret-key = \"tooshort\"\n", 0600);
    const char *text = refusal();
    cr_assert_not_null(strstr(text, "line 4: agent/secret-key must be a key: 40"), "%s", text);
    cr_assert_null(strstr(text, "tooshort"));
    put("agent\n    secret-key " KEY_A "\n", 0600);
    cr_assert_null(strstr(refusal(), KEY_A));
    put("server\n    color = \"red\"\n", 0600);
    cr_assert_not_null(strstr(refusal(), "server/color is not known here"));
}

/* files.c - temporary name first, then rename: nobody ever sees half a file. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum cnv_status fail_with_errno(struct cnv_error *err, const char *verb, const char *path)
{
    char text[128];

    return cnv_fail(
        err, CNV_E_SYSTEM, "cannot %s %s: %s", verb, path, strerror_r(errno, text, sizeof(text)));
}

static bool write_all(int fd, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        at += n;
        len -= (size_t) n;
    }
    return true;
}

enum cnv_status
cnv_file_replace(const char *path, const void *bytes, size_t len, struct cnv_error *err)
{
    char temporary[CNV_PATH_SIZE];
    int n = snprintf(temporary, sizeof(temporary), "%s.partial-%ld", path, (long) getpid());

    if (n < 0 || (size_t) n >= sizeof(temporary)) {
        return cnv_fail(err, CNV_E_INPUT, "the path %.40s... is too long", path);
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return fail_with_errno(err, "write", path);
    }
    bool done = write_all(fd, bytes, len) && fsync(fd) == 0;
    done = close(fd) == 0 && done;
    if (done && rename(temporary, path) == 0) {
        return CNV_OK;
    }
    enum cnv_status status = fail_with_errno(err, "write", path);
    (void) unlink(temporary);
    return status;
}

enum cnv_status cnv_file_check(const char *what, const char *path, struct cnv_error *err)
{
    struct stat about;
    char text[128];

    if (stat(path, &about) != 0 || access(path, R_OK) != 0) {
        return cnv_fail(
            err, CNV_E_INPUT, "%s %s: %s", what, path, strerror_r(errno, text, sizeof(text)));
    }
    if (S_ISDIR(about.st_mode)) {
        return cnv_fail(err, CNV_E_INPUT, "%s %s: is a directory, expected a file", what, path);
    }
    return CNV_OK;
}

enum cnv_status cnv_path_join(char text[CNV_PATH_SIZE],
                              const char *directory,
                              const char *name,
                              struct cnv_error *err)
{
    int n = snprintf(text, CNV_PATH_SIZE, "%s/%s", directory, name);

    if (n < 0 || n >= CNV_PATH_SIZE) {
        return cnv_fail(err, CNV_E_INPUT, "the path %.40s... is too long", directory);
    }
    return CNV_OK;
}

enum cnv_status cnv_file_copy(const char *from, const char *to, struct cnv_error *err)
{
    uint8_t buffer[65536];
    enum cnv_status status = CNV_OK;
    ssize_t n = 0;
    int in = open(from, O_RDONLY | O_CLOEXEC);

    if (in < 0) {
        return fail_with_errno(err, "read", from);
    }
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (out < 0) {
        status = fail_with_errno(err, "write", to);
        (void) close(in);
        return status;
    }
    while (status == CNV_OK && (n = read(in, buffer, sizeof(buffer))) > 0) {
        if (!write_all(out, buffer, (size_t) n)) {
            status = fail_with_errno(err, "write", to);
        }
    }
    if (n < 0) {
        status = fail_with_errno(err, "read", from);
    }
    (void) close(in);
    (void) close(out);
    return status;
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void) about;
    (void) kind;
    (void) where;
    (void) remove(path);
    return 0;
}

void cnv_directory_remove(const char *path)
{
    /* This program has one thread of its own. */
    (void) nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS); /* NOLINT(concurrency-mt-unsafe) */
}

bool cnv_directory_each(const char *path, bool (*entry)(void *self, const char *name), void *self)
{
    DIR *directory = opendir(path);
    bool all = true;

    if (directory == NULL) {
        return errno == ENOENT;
    }
    for (;;) {
        /* As above. */
        const struct dirent *at = readdir(directory); /* NOLINT(concurrency-mt-unsafe) */

        if (at == NULL || !all) {
            break;
        }
        if (strcmp(at->d_name, ".") != 0 && strcmp(at->d_name, "..") != 0) {
            all = entry(self, at->d_name);
        }
    }
    (void) closedir(directory);
    return all;
}

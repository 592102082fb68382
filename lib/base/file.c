/* file.c - see file.h. Not for data files, which are read piece by piece (agent/data/input.c). */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum cnv_status fail_with_errno(const char *path, struct cnv_error *err)
{
    return cnv_fail(err, CNV_E_INPUT, "%.160s: %s", path, strerrordesc_np(errno));
}

static enum cnv_status
read_all(int fd, const char *path, size_t len, struct cnv_blob **ret_blob, struct cnv_error *err)
{
    struct cnv_blob *blob = cnv_blob_new_raw(len);
    size_t done = 0;

    if (blob == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "%.160s: no memory for %zu bytes", path, len);
    }
    while (done < len) {
        ssize_t n = read(fd, cnv_blob_edit(blob) + done, len - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            cnv_blob_unref(blob);
            return n < 0 ? fail_with_errno(path, err)
                         : cnv_fail(err, CNV_E_INPUT, "%.160s: changed while it was read", path);
        }
        done += (size_t) n;
    }
    *ret_blob = blob;
    return CNV_OK;
}

enum cnv_status
cnv_file_read(const char *path, size_t most, struct cnv_blob **ret_blob, struct cnv_error *err)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum cnv_status status = CNV_OK;

    if (fd < 0 || fstat(fd, &facts) != 0) {
        status = fail_with_errno(path, err);
    } else if (!S_ISREG(facts.st_mode)) {
        status = cnv_fail(err, CNV_E_INPUT, "%.160s: expected a regular file", path);
    } else if ((uint64_t) facts.st_size > most) {
        status = cnv_fail(
            err, CNV_E_INPUT, "%.160s: expected at most %zu bytes, found more", path, most);
    } else {
        status = read_all(fd, path, (size_t) facts.st_size, ret_blob, err);
    }
    if (fd >= 0) {
        (void) close(fd);
    }
    return status;
}

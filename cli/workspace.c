/*
 * workspace.c - the directory of a run holds a file that its process has locked. The kernel lets go
 * of the lock however the process ends, and so the next run knows which directories are nobody's.
 */
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "convene-run-";
static const char lock_name[] = "lock";

/* Takes the lock; -1: somebody has it, or there is none. */
static int lock(const char *path, int flags)
{
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

    if (descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        (void) close(descriptor);
        return -1;
    }
    return descriptor;
}

/* Removes the directory if it is a workspace of this user, and nobody's any more. */
static bool remove_if_left(void *self, const char *name)
{
    char path[CNV_PATH_SIZE];
    char file[CNV_PATH_SIZE];
    struct stat about;

    (void) self;
    if (strncmp(name, prefix, strlen(prefix)) != 0 ||
        cnv_path_join(path, "/tmp", name, NULL) != CNV_OK ||
        cnv_path_join(file, path, lock_name, NULL) != CNV_OK || lstat(path, &about) != 0 ||
        !S_ISDIR(about.st_mode) || about.st_uid != geteuid()) {
        return true;
    }
    int descriptor = lock(file, 0);
    if (descriptor >= 0) {
        cnv_directory_remove(path);
        (void) close(descriptor);
    }
    return true;
}

enum cnv_status cnv_workspace_make(char path[CNV_PATH_SIZE], int *ret_lock, struct cnv_error *err)
{
    char file[CNV_PATH_SIZE];
    char text[128];

    *ret_lock = -1;
    (void) cnv_directory_each("/tmp", remove_if_left, NULL);
    /* Between making and locking it, another run may take it for one that was left. */
    for (int tries = 0; *ret_lock < 0 && tries < 8; tries++) {
        (void) snprintf(path, CNV_PATH_SIZE, "/tmp/%sXXXXXX", prefix);
        if (mkdtemp(path) == NULL) {
            break;
        }
        (void) snprintf(file, sizeof(file), "%.64s/%s", path, lock_name);
        *ret_lock = lock(file, O_CREAT);
    }
    if (*ret_lock < 0) {
        path[0] = '\0';
        return cnv_fail(err,
                        CNV_E_SYSTEM,
                        "cannot make a directory in /tmp: %s",
                        strerror_r(errno, text, sizeof(text)));
    }
    return CNV_OK;
}

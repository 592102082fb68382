/* files.h - files that appear whole or not at all. */
#ifndef CNV_CLI_FILES_H
#define CNV_CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum { CNV_PATH_SIZE = 4096 };

/* Writes the file beside path and renames it there. On failure what was there stays. */
CNV_MUST_CHECK enum cnv_status
cnv_file_replace(const char *path, const void *bytes, size_t len, struct cnv_error *err);

/* CNV_E_INPUT unless path is a file that can be read; what names it in the error ("--data"). */
CNV_MUST_CHECK enum cnv_status
cnv_file_check(const char *what, const char *path, struct cnv_error *err);

/* "DIRECTORY/NAME" into text; CNV_E_INPUT when it is too long. */
CNV_MUST_CHECK enum cnv_status cnv_path_join(char text[CNV_PATH_SIZE],
                                             const char *directory,
                                             const char *name,
                                             struct cnv_error *err);

/* Copies a file of any size. */
CNV_MUST_CHECK enum cnv_status
cnv_file_copy(const char *from, const char *to, struct cnv_error *err);

/* Removes a directory with all that is in it. What is not there is no failure. */
void cnv_directory_remove(const char *path);

/*
 * Calls entry with the name of each file in the directory until it returns false. Returns whether
 * all calls returned true; a directory that is not there counts as empty.
 */
bool cnv_directory_each(const char *path, bool (*entry)(void *self, const char *name), void *self);

#endif

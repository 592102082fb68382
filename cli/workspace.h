/* workspace.h - a private directory in /tmp for as long as a run lasts. */
#ifndef CNV_CLI_WORKSPACE_H
#define CNV_CLI_WORKSPACE_H

#include "base/status.h"
#include "files.h"

/*
 * Makes one. It is ours while *ret_lock, a descriptor that the caller closes, is open: those that
 * killed runs of this user have left behind are removed first. On failure path is "".
 */
CNV_MUST_CHECK enum cnv_status
cnv_workspace_make(char path[CNV_PATH_SIZE], int *ret_lock, struct cnv_error *err);

#endif

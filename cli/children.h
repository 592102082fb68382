/*
 * children.h - the processes "convene run" starts: a daemon and its agents.
 *
 * A child gets its own process group (Ctrl-C reaches us alone, who drain the run), its stderr goes
 * to a file, and the kernel ends it when we die, however we die.
 */
#ifndef CNV_CLI_CHILDREN_H
#define CNV_CLI_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"
#include "files.h"

struct cnv_child {
    char name[32]; /* "convened", "agent-3" */
    char log[CNV_PATH_SIZE];
    pid_t pid; /* 0: not started */
    bool is_over;
    bool is_told;  /* its end has been dealt with */
    int exit_code; /* of one that is over; -1: ended by a signal */
    int signal;
};

/* Finds a program of ours: beside the running executable, then in PATH. CNV_E_INPUT: nowhere. */
CNV_MUST_CHECK enum cnv_status
cnv_program_find(const char *name, char path[CNV_PATH_SIZE], struct cnv_error *err);

/*
 * Starts program with argv (argv[0] included, ended by NULL) and our environment without settings
 * of convene: what counts is on the command line. child->name and child->log are set by the caller.
 */
CNV_MUST_CHECK enum cnv_status cnv_child_start(struct cnv_child *child,
                                               const char *program,
                                               char *const *argv,
                                               struct cnv_error *err);

/* Looks whether it has ended, without waiting. Returns child->is_over. */
bool cnv_child_poll(struct cnv_child *child);

/* Waits until it has ended by itself; after patience_ms it is killed. */
void cnv_child_wait(struct cnv_child *child, int patience_ms);

/* Ends all that still run: asks (SIGTERM), waits up to patience_ms, then kills. Reaps them all. */
void cnv_children_end(struct cnv_child *children, size_t count, int patience_ms);

/* The last line of its log, without the newline; "" if it wrote nothing. */
void cnv_child_last_line(const struct cnv_child *child, char *text, size_t size);

#endif

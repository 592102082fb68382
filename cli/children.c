/*
 * children.c - fork and exec with three things set in between: process group, death signal, stderr.
 *
 * posix_spawn cannot set the death signal, so this is a plain fork; between fork and exec only
 * async-signal-safe calls are made.
 */
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

extern char **environ;

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

/* Looks for name in the directories of PATH. */
static bool find_in_path(const char *name, char path[CNV_PATH_SIZE])
{
    /* Nothing in this process changes the environment. */
    const char *list = getenv("PATH"); /* NOLINT(concurrency-mt-unsafe) */

    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ":");
        int n = snprintf(path, CNV_PATH_SIZE, "%.*s/%s", (int) len, list, name);

        if (n > 0 && n < CNV_PATH_SIZE && is_program(path)) {
            return true;
        }
        list += len;
        list += *list == ':';
    }
    return false;
}

enum cnv_status cnv_program_find(const char *name, char path[CNV_PATH_SIZE], struct cnv_error *err)
{
    char own[CNV_PATH_SIZE];
    ssize_t len = readlink("/proc/self/exe", own, CNV_PATH_SIZE - 1);

    if (len > 0) {
        memcpy(path, own, (size_t) len);
        path[len] = '\0';
        char *slash = strrchr(path, '/');
        size_t room = CNV_PATH_SIZE - (size_t) (slash - path) - 1;

        if (strlen(name) < room) {
            memcpy(slash + 1, name, strlen(name) + 1);
            if (is_program(path)) {
                return CNV_OK;
            }
        }
    }
    if (find_in_path(name, path)) {
        return CNV_OK;
    }
    return cnv_fail(err,
                    CNV_E_INPUT,
                    "the program %s is neither beside this one nor in PATH: build or install it",
                    name);
}

/* Our environment without CONVENE_ settings, but with CONVENE_TEST_ ones. NULL: out of memory. */
static char **environment_for_child(void)
{
    size_t count = 0;
    size_t kept = 0;

    while (environ[count] != NULL) {
        count++;
    }
    char **list = cnv_array_new(count + 1, sizeof(*list));
    for (size_t i = 0; list != NULL && i < count; i++) {
        if (strncmp(environ[i], "CONVENE_", 8) != 0 ||
            strncmp(environ[i], "CONVENE_TEST_", 13) == 0) {
            list[kept++] = environ[i];
        }
    }
    return list;
}

/* What the child does. Returns only when it failed. */
static void become(const struct cnv_child *child,
                   const char *program,
                   char *const *argv,
                   char *const *environment,
                   pid_t parent)
{
    int log = open(child->log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    int nothing = open("/dev/null", O_RDWR);

    /* If we died before the prctl, nobody would tell the child. */
    if (log < 0 || nothing < 0 || setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
        getppid() != parent) {
        return;
    }
    if (dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0) {
        return;
    }
    (void) close(log);
    (void) close(nothing);
    (void) execve(program, argv, environment);
}

enum cnv_status cnv_child_start(struct cnv_child *child,
                                const char *program,
                                char *const *argv,
                                struct cnv_error *err)
{
    enum { CANNOT_EXEC = 127 };
    char text[128];
    pid_t parent = getpid();
    char **environment = environment_for_child();

    if (environment == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    pid_t pid = fork();
    if (pid == 0) {
        become(child, program, argv, environment, parent);
        _exit(CANNOT_EXEC);
    }
    int why = errno;
    cnv_free(environment);
    if (pid < 0) {
        return cnv_fail(err,
                        CNV_E_SYSTEM,
                        "cannot start %s: %s",
                        child->name,
                        strerror_r(why, text, sizeof(text)));
    }
    child->pid = pid;
    return CNV_OK;
}

bool cnv_child_poll(struct cnv_child *child)
{
    int state = 0;

    if (child->pid > 0 && !child->is_over && waitpid(child->pid, &state, WNOHANG) == child->pid) {
        child->is_over = true;
        child->exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
        child->signal = WIFSIGNALED(state) ? WTERMSIG(state) : 0;
    }
    return child->pid == 0 || child->is_over;
}

static bool all_are_over(struct cnv_child *children, size_t count)
{
    bool over = true;

    for (size_t i = 0; i < count; i++) {
        over = cnv_child_poll(&children[i]) && over;
    }
    return over;
}

static void signal_all(struct cnv_child *children, size_t count, int number)
{
    for (size_t i = 0; i < count; i++) {
        if (!cnv_child_poll(&children[i])) {
            (void) kill(children[i].pid, number);
        }
    }
}

void cnv_child_wait(struct cnv_child *child, int patience_ms)
{
    enum { STEP_MS = 5 };
    const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

    for (int waited = 0; !cnv_child_poll(child); waited += STEP_MS) {
        if (waited >= patience_ms) {
            (void) kill(child->pid, SIGKILL);
        }
        (void) nanosleep(&step, NULL);
    }
}

void cnv_children_end(struct cnv_child *children, size_t count, int patience_ms)
{
    enum { STEP_MS = 10 };
    const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

    signal_all(children, count, SIGTERM);
    for (int waited = 0; !all_are_over(children, count) && waited < patience_ms;
         waited += STEP_MS) {
        (void) nanosleep(&step, NULL);
    }
    signal_all(children, count, SIGKILL);
    while (!all_are_over(children, count)) {
        (void) nanosleep(&step, NULL);
    }
}

void cnv_child_last_line(const struct cnv_child *child, char *text, size_t size)
{
    char tail[4096];
    size_t len = 0;
    FILE *log = fopen(child->log, "re");

    text[0] = '\0';
    if (log == NULL) {
        return;
    }
    if (fseek(log, -(long) sizeof(tail), SEEK_END) != 0) {
        rewind(log);
    }
    len = fread(tail, 1, sizeof(tail) - 1, log);
    (void) fclose(log);
    while (len > 0 && tail[len - 1] == '\n') {
        len--;
    }
    tail[len] = '\0';
    const char *line = memrchr(tail, '\n', len);
    (void) snprintf(text, size, "%s", line == NULL ? tail : line + 1);
}

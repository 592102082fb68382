/*
 * cmd_watch.c - convene watch: a run on one screen, followed over the control socket.
 *
 * A few times a second status is asked for, and the rounds that are new. A daemon that goes away
 * is waited for; one that is not there to begin with is a failure as for every other command.
 */
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "envelope.h"
#include "request.h"
#include "terminal.h"
#include "watch.h"

/* A daemon that is gone is known at once; keys are not heeded while one that is there is silent. */
enum { ASK_EVERY_MS = 250, CALL_MS = 2000 };

struct watch_args {
    struct cnv_request request;
    bool once;
};

static const struct cnv_option options[] = {
    { "once",
      CNV_OPTION_FLAG,
      offsetof(struct watch_args, once),
      NULL,
      "Print one screen as text and end; needs no terminal." },
    CNV_REQUEST_OPTIONS,
    { .name = NULL },
};

static double now_s(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec * 1e-9;
}

/* Asks one question; *ret_root is the caller's to json_decref. */
static enum cnv_status ask(struct cnv_control *control,
                           const char *question,
                           const char *argument,
                           int64_t timeout_ms,
                           json_t **ret_root,
                           struct cnv_error *err)
{
    struct cnv_blob *body = NULL;
    enum cnv_status status = cnv_control_call(control, question, argument, timeout_ms, &body, err);

    if (status == CNV_OK) {
        status = cnv_envelope_parse(body, ret_root, err);
    }
    cnv_blob_unref(body);
    return status;
}

/* Brings what is known up to date. */
static enum cnv_status look(struct cnv_watch *watch,
                            struct cnv_control *control,
                            int64_t timeout_ms,
                            struct cnv_error *err)
{
    char argument[32];
    uint64_t after = 0;
    json_t *root = NULL;
    enum cnv_status status = ask(control, "status", "", timeout_ms, &root, err);

    if (status != CNV_OK) {
        return status;
    }
    cnv_watch_status(watch, json_object_get(root, "data"));
    json_decref(root);
    if (!cnv_watch_lacks_rows(watch, &after)) {
        return CNV_OK;
    }
    (void) snprintf(argument, sizeof(argument), "after %llu", (unsigned long long) after);
    status = ask(control, "rounds", argument, timeout_ms, &root, err);
    if (status == CNV_OK) {
        cnv_watch_rows(watch, json_object_get(root, "data"));
        json_decref(root);
    }
    return status;
}

/* Nothing in this process changes the environment. */
static const char *variable(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

    return value == NULL ? "" : value;
}

static struct cnv_watch_screen screen_now(bool is_terminal)
{
    struct cnv_watch_screen screen = {
        .is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0, /* NOLINT(concurrency-mt-unsafe) */
        .is_coloured =
            is_terminal && *variable("NO_COLOR") == '\0' && strcmp(variable("TERM"), "dumb") != 0,
        .hint = is_terminal ? "q quits" : "",
    };

    cnv_terminal_size(&screen.width, &screen.height);
    return screen;
}

static void show(const struct cnv_watch *watch)
{
    struct cnv_watch_screen screen = screen_now(true);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL) {
        return;
    }
    cnv_watch_draw(watch, &screen, out);
    if (fclose(out) == 0) {
        cnv_terminal_show(text);
    }
    free(text);
}

/* Until a key or a signal ends it. */
static void follow(struct cnv_watch *watch, struct cnv_control *control)
{
    double heard_s = now_s();
    double asked_s = heard_s;
    int key = 0;

    while (key != 'q' && key != 'Q' && key >= 0) {
        double left_s = asked_s + ASK_EVERY_MS * 1e-3 - now_s();

        if (left_s <= 0.0) {
            struct cnv_error err;

            asked_s = now_s();
            if (look(watch, control, CALL_MS, &err) == CNV_OK) {
                heard_s = now_s();
            } else {
                watch->is_away = true;
            }
            watch->away_seconds = now_s() - heard_s;
            left_s = ASK_EVERY_MS * 1e-3;
        }
        show(watch);
        key = cnv_terminal_key((int) (left_s * 1e3));
    }
}

static enum cnv_status
watch_terminal(struct cnv_watch *watch, struct cnv_control *control, struct cnv_error *err)
{
    if (!cnv_terminal_open()) {
        return cnv_fail(err, CNV_E_SYSTEM, "cannot set the terminal");
    }
    follow(watch, control);
    cnv_terminal_close();
    int number = cnv_terminal_signal();
    if (number != 0 && number != SIGINT) {
        (void) signal(number, SIG_DFL);
        (void) raise(number);
    }
    return CNV_OK;
}

static enum cnv_exit watch_run(const struct cnv_command *command, void *raw)
{
    const struct watch_args *args = raw;
    struct cnv_watch watch = { 0 };
    struct cnv_control *control = NULL;
    struct cnv_error err = { 0 };
    enum cnv_status status = CNV_OK;

    (void) setlocale(LC_CTYPE, ""); /* NOLINT(concurrency-mt-unsafe): no thread runs yet */
    if (!args->once && !cnv_terminal_is_there()) {
        status = cnv_fail(&err,
                          CNV_E_INPUT,
                          "standard input and output are not a terminal: --once prints one screen");
    }
    if (status == CNV_OK) {
        status = cnv_request_open(&args->request, &control, &err);
    }
    if (status == CNV_OK) {
        status = look(&watch, control, cnv_request_timeout_ms(&args->request), &err);
    }
    if (status == CNV_OK && args->once) {
        struct cnv_watch_screen screen = screen_now(false);

        cnv_watch_draw(&watch, &screen, stdout);
    } else if (status == CNV_OK) {
        status = watch_terminal(&watch, control, &err);
    }
    cnv_control_close(control);
    cnv_watch_fini(&watch);
    return status == CNV_OK ? CNV_EXIT_DONE : cnv_command_fail(command, &err);
}

const struct cnv_command cnv_command_watch = {
    .name = "watch",
    .text = "Follow a run on one screen: loss, L, traffic, reasons, members.",
    .options = options,
    .args_size = sizeof(struct watch_args),
    .examples = "  convene watch\n"
                "  convene watch --once\n"
                "  convene watch --control tcp://host:5552 --join operator-jo.join\n",
    .notes =
        "q or Ctrl-C quits; the run is not touched. A daemon that goes away is waited for.\n"
        "Members that the round waits for stand first, marked with *, then those that are lost.\n"
        "Charts show the newest 2048 rounds. No colours with NO_COLOR set, or TERM=dumb.\n",
    .run = watch_run,
};

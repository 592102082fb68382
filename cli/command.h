/*
 * command.h - one subcommand of convene: a row in commands[] of main.c and a file cmd_NAME.c.
 *
 * To add one: copy cmd_drain.c, give it a name and list it in main.c.
 */
#ifndef CNV_CLI_COMMAND_H
#define CNV_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/status.h"
#include "options.h"

struct cnv_command {
    const char *name;     /* as typed; may be two words: "model get" */
    const char *text;     /* one sentence, for the list of commands and the head of the help */
    const char *examples; /* whole lines, indented by two */
    const struct cnv_option *options;
    size_t args_size; /* of the struct the options fill in, zeroed before */
    /* More text for --help, or NULL. */
    const char *notes;
    /* And still more, made when asked for, or NULL. */
    void (*print_more)(FILE *out);
    /* Does it. Returns the exit code of the program; has printed its one line when not 0. */
    enum cnv_exit (*run)(const struct cnv_command *command, void *args);
};

extern const struct cnv_command cnv_command_run;
extern const struct cnv_command cnv_command_status;
extern const struct cnv_command cnv_command_watch;
extern const struct cnv_command cnv_command_plot;
extern const struct cnv_command cnv_command_agents;
extern const struct cnv_command cnv_command_rounds;
extern const struct cnv_command cnv_command_policy;
extern const struct cnv_command cnv_command_policy_set;
extern const struct cnv_command cnv_command_model_get;
extern const struct cnv_command cnv_command_plugin_check;
extern const struct cnv_command cnv_command_drain;
extern const struct cnv_command cnv_command_stop;
extern const struct cnv_command cnv_command_evaluate;
extern const struct cnv_command cnv_command_submit;
extern const struct cnv_command cnv_command_keygen;
extern const struct cnv_command cnv_command_reference;

/* Prints "convene NAME: text" to stderr and gives the exit code that fits err. */
enum cnv_exit cnv_command_fail(const struct cnv_command *command, const struct cnv_error *err);

#endif

/*
 * main.c - convene: what people type. Finds the subcommand, reads its options, runs it.
 *
 * Exit codes: 0 done, 1 failed while running, 2 asked wrongly, 3 unreachable or refused,
 * 4 timed out.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "command.h"

static const struct cnv_command *const commands[] = {
    &cnv_command_run,        &cnv_command_evaluate,     &cnv_command_status,
    &cnv_command_watch,      &cnv_command_agents,       &cnv_command_rounds,
    &cnv_command_policy_set, &cnv_command_policy,       &cnv_command_model_get,
    &cnv_command_plot,       &cnv_command_plugin_check, &cnv_command_submit,
    &cnv_command_drain,      &cnv_command_stop,         &cnv_command_keygen,
    &cnv_command_reference,
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

enum cnv_exit cnv_command_fail(const struct cnv_command *command, const struct cnv_error *err)
{
    (void) fprintf(stderr, "convene %s: %s\n", command->name, err->text);
    return cnv_status_exit(err->status);
}

static void print_help(FILE *out)
{
    (void) fprintf(out,
                   "convene trains one model on many machines that talk as little as possible.\n\n"
                   "usage: convene COMMAND [options]\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        (void) fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->text);
    }
    (void) fprintf(out,
                   "\n\"convene COMMAND --help\" tells more, with examples.\n"
                   "Exit codes: 0 done, 1 failed while running, 2 asked wrongly, "
                   "3 unreachable or refused, 4 timed out.\n");
}

static void print_command_help(const struct cnv_command *command, FILE *out)
{
    const char *words = cnv_options_words(command->options);

    (void) fprintf(out,
                   "%s\n\nusage: convene %s%s%s [options]\n\noptions:\n",
                   command->text,
                   command->name,
                   words[0] == '\0' ? "" : " ",
                   words);
    cnv_options_print(command->options, out);
    if (command->notes != NULL) {
        (void) fprintf(out, "\n%s", command->notes);
    }
    if (command->print_more != NULL) {
        command->print_more(out);
    }
    (void) fprintf(out, "\nexamples:\n%s", command->examples);
}

/* How many words of the command line name this command; 0: it is another one. */
static int command_matches(const struct cnv_command *command, int argc, char **argv)
{
    const char *blank = strchr(command->name, ' ');
    size_t first = blank == NULL ? strlen(command->name) : (size_t) (blank - command->name);

    if (strlen(argv[1]) != first || strncmp(command->name, argv[1], first) != 0) {
        return 0;
    }
    if (blank == NULL) {
        return 1;
    }
    return argc > 2 && strcmp(argv[2], blank + 1) == 0 ? 2 : 0;
}

/* One line that lists what there is. */
static enum cnv_exit refuse_command(int argc, char **argv)
{
    (void) fprintf(stderr, "convene: unknown command '%s", argv[1]);
    for (size_t i = 0; i < COMMANDS; i++) {
        size_t len = strlen(argv[1]);

        if (argc > 2 && strncmp(commands[i]->name, argv[1], len) == 0 &&
            commands[i]->name[len] == ' ') {
            (void) fprintf(stderr, " %s", argv[2]);
        }
    }
    (void) fprintf(stderr, "': one of");
    for (size_t i = 0; i < COMMANDS; i++) {
        (void) fprintf(stderr, "%s %s", i == 0 ? "" : ",", commands[i]->name);
    }
    (void) fprintf(stderr, "\n");
    return CNV_EXIT_USAGE;
}

static enum cnv_exit
run_command(const struct cnv_command *command, int argc, const char *const *argv)
{
    struct cnv_error err = { 0 };
    bool help = false;
    enum cnv_exit code = CNV_EXIT_DONE;
    void *args = cnv_array_new(1, command->args_size);

    if (args == NULL) {
        (void) cnv_fail(&err, CNV_E_NOMEM, "out of memory");
        return cnv_command_fail(command, &err);
    }
    if (cnv_options_parse(command->options, argc, argv, args, &help, &err) != CNV_OK) {
        code = cnv_command_fail(command, &err);
    } else if (help) {
        print_command_help(command, stdout);
    } else {
        code = command->run(command, args);
    }
    cnv_free(args);
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return CNV_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return CNV_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void) printf("convene %s\n", CNV_VERSION);
        return CNV_EXIT_DONE;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        int words = command_matches(commands[i], argc, argv);

        if (words > 0) {
            return (int) run_command(
                commands[i], argc - 1 - words, (const char *const *) argv + 1 + words);
        }
    }
    return (int) refuse_command(argc, argv);
}

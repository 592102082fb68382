/* arguments.h - the command line of a child process, made piece by piece. */
#ifndef CNV_CLI_ARGUMENTS_H
#define CNV_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: empty. The texts are its own. */
struct cnv_arguments {
    size_t count;
    size_t capacity;
    char **at; /* ended by NULL */
};

void cnv_arguments_fini(struct cnv_arguments *arguments);

/* Adds a copy of text. False: out of memory. */
bool cnv_arguments_add(struct cnv_arguments *arguments, const char *text);

/* Adds "--set" and "path=value". */
bool cnv_arguments_add_set(struct cnv_arguments *arguments, const char *path, const char *value);

#endif

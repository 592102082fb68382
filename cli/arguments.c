/* arguments.c - see arguments.h. */
#include "arguments.h"

#include <stdio.h>

#include "base/mem.h"

void cnv_arguments_fini(struct cnv_arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++) {
        cnv_free(arguments->at[i]);
    }
    cnv_free(arguments->at);
}

bool cnv_arguments_add(struct cnv_arguments *arguments, const char *text)
{
    if (arguments->count + 2 > arguments->capacity) {
        size_t capacity = arguments->capacity + 64;
        char **grown =
            cnv_array_resize(arguments->at, arguments->capacity, capacity, sizeof(*grown));

        if (grown == NULL) {
            return false;
        }
        arguments->at = grown;
        arguments->capacity = capacity;
    }
    arguments->at[arguments->count] = cnv_string_new(text);
    return arguments->at[arguments->count] != NULL && ++arguments->count > 0;
}

bool cnv_arguments_add_set(struct cnv_arguments *arguments, const char *path, const char *value)
{
    char text[512];

    (void) snprintf(text, sizeof(text), "%s=%s", path, value);
    return cnv_arguments_add(arguments, "--set") && cnv_arguments_add(arguments, text);
}

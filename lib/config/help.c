/* help.c - the table of keys as text, for --help. */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/value.h"

static bool is_in_section(const char *path, const char *section)
{
    size_t len = strcspn(path, "/");

    return section == NULL || (strlen(section) == len && strncmp(path, section, len) == 0);
}

static void print_row(FILE *out, const struct cnv_param *param)
{
    char allowed[CNV_ALLOWED_SIZE];

    cnv_value_allowed(param, allowed);
    (void) fprintf(out,
                   "  %s=%s\n      %s\n",
                   param->path,
                   param->initial[0] == '\0' ? "\"\"" : param->initial,
                   param->text);
    if (param->type != CNV_PARAM_TEXT) {
        (void) fprintf(out,
                       "      %s%s%s%s\n",
                       allowed,
                       param->unit[0] == '\0' ? "" : " (",
                       param->unit,
                       param->unit[0] == '\0' ? "" : ")");
    }
}

void cnv_config_help(FILE *out, const char *section)
{
    for (const struct cnv_param *param = cnv_config_keys; param->path != NULL; param++) {
        if (is_in_section(param->path, section)) {
            print_row(out, param);
        }
    }
}

void cnv_options_help(FILE *out, const struct cnv_param *options)
{
    for (const struct cnv_param *option = options; option != NULL && option->path != NULL;
         option++) {
        print_row(out, option);
    }
}

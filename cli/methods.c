/*
 * methods.c - one list over the registries of policies, solvers, problems, aggregators, optimisers
 * and encodings. Nothing is written down twice: a method that is registered is listed.
 */
#include "methods.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "config/config.h"
#include "config/value.h"
#include "encodings/encoding.h"
#include "optimiser/optimiser.h"
#include "policy/policy.h"
#include "problem/problem.h"
#include "solver/solver.h"

struct method {
    const char *name; /* NULL: there is none */
    const char *text;
    const char *paper; /* "": none of its own */
};

/* The i-th of a table; its members may have other names in another one. */
#define METHOD_AT(function, find, type, source)                                                    \
    static struct method function(size_t i)                                                        \
    {                                                                                              \
        const struct type *ops = find(i);                                                          \
                                                                                                   \
        return ops == NULL ? (struct method){ .name = NULL }                                       \
                           : (struct method){ ops->name, ops->text, source };                      \
    }

METHOD_AT(policy_at, cnv_policy_at, cnv_policy_ops, ops->paper)
METHOD_AT(solver_at, cnv_solver_at, cnv_solver_ops, ops->paper)
METHOD_AT(problem_at, cnv_problem_at, cnv_problem_ops, "")
METHOD_AT(aggregate_at, cnv_aggregate_at, cnv_aggregate_ops, "")
METHOD_AT(optimiser_at, cnv_optimiser_at, cnv_optimiser_ops, "")
METHOD_AT(encoding_at, cnv_encoding_at, cnv_encoding_ops, "")

static const struct {
    const char *title;
    const char *section; /* of the keys */
    const char *key;     /* which chooses among them */
    struct method (*at)(size_t i);
} kinds[] = {
    { "Policies", "policy/", "policy/kind", policy_at },
    { "Solvers", "solver/", "solver/kind", solver_at },
    { "Problems", "problem/", "problem/kind", problem_at },
    { "Aggregators", "aggregate/", "aggregate/kind", aggregate_at },
    { "Server optimisers", "optimiser/", "optimiser/kind", optimiser_at },
    { "Encodings", "encoding/", "encoding/up and encoding/down", encoding_at },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static bool has_paper(const struct method *method)
{
    return method->paper != NULL && method->paper[0] != '\0';
}

void cnv_methods_print(FILE *out)
{
    for (size_t k = 0; k < KINDS; k++) {
        struct method method = kinds[k].at(0);

        (void) fprintf(out, "\n%s (%s):\n", kinds[k].title, kinds[k].key);
        for (size_t i = 0; method.name != NULL; method = kinds[k].at(++i)) {
            (void) fprintf(out, "  %-16s %s\n", method.name, method.text);
            if (has_paper(&method)) {
                (void) fprintf(out, "  %-16s [%s]\n", "", method.paper);
            }
        }
    }
    (void) fprintf(out, "\nTheir keys: convene reference, or convened --help.\n");
}

/* Does the sentence have the name as a word of its own? "adaptive-l" is not in "adaptive-lag". */
static bool is_named(const char *sentence, const char *name)
{
    const size_t len = strlen(name);

    for (const char *at = strstr(sentence, name); at != NULL; at = strstr(at + 1, name)) {
        bool begins = at == sentence || (!isalnum((unsigned char) at[-1]) && at[-1] != '-');

        if (begins && !isalnum((unsigned char) at[len]) && at[len] != '-') {
            return true;
        }
    }
    return false;
}

/* The keys of the section whose sentence names the method. */
static void print_keys_of(const char *section, const char *name, FILE *out)
{
    const char *separator = "  \n  Keys: ";

    for (const struct cnv_param *key = cnv_config_keys; key->path != NULL; key++) {
        if (strncmp(key->path, section, strlen(section)) == 0 && is_named(key->text, name)) {
            (void) fprintf(out, "%s`%s`", separator, key->path);
            separator = ", ";
        }
    }
}

static void print_methods(FILE *out)
{
    for (size_t k = 0; k < KINDS; k++) {
        struct method method = kinds[k].at(0);

        (void) fprintf(out, "\n## %s: %s\n\n", kinds[k].title, kinds[k].key);
        for (size_t i = 0; method.name != NULL; method = kinds[k].at(++i)) {
            (void) fprintf(out, "- **%s**: %s", method.name, method.text);
            if (has_paper(&method)) {
                (void) fprintf(out, "  \n  Source: %s", method.paper);
            }
            print_keys_of(kinds[k].section, method.name, out);
            (void) fputc('\n', out);
        }
    }
}

/* In a table of Markdown a bar would end the cell. */
static void put_cell(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        (void) fputs(*text == '|' ? "\\" : "", out);
        (void) fputc(*text, out);
    }
}

void cnv_methods_reference(FILE *out)
{
    (void) fprintf(out,
                   "# Methods and keys\n\n"
                   "Made by `convene reference`. A key stands with the methods that its sentence "
                   "names; a key of a\nsection that names none is for all of them.\n");
    print_methods(out);
    (void) fprintf(out, "\n## Keys\n\n| key | default | allowed | meaning |\n|---|---|---|---|\n");
    for (const struct cnv_param *key = cnv_config_keys; key->path != NULL; key++) {
        char allowed[CNV_ALLOWED_SIZE];

        cnv_value_allowed(key, allowed);
        (void) fprintf(out, "| `%s` | ", key->path);
        put_cell(key->initial, out);
        (void) fputs(" | ", out);
        put_cell(allowed, out);
        (void) fprintf(out, "%s%s | ", key->unit[0] == '\0' ? "" : ", in ", key->unit);
        put_cell(key->text, out);
        (void) fputs(" |\n", out);
    }
}

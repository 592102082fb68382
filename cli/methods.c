/*
 * methods.c - one list over the registries of policies, solvers, problems, aggregators, optimisers
 * and encodings. Nothing is written down twice: a method that is registered is listed.
 */
#include "methods.h"

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
    const char *paper; /* NULL or "": none of its own */
    const char *keys;  /* a space between two; NULL: none */
};

/* The i-th of a table. */
#define METHOD_AT(function, find, type)                                                            \
    static struct method function(size_t i)                                                        \
    {                                                                                              \
        const struct type *ops = find(i);                                                          \
                                                                                                   \
        return ops == NULL ? (struct method){ .name = NULL }                                       \
                           : (struct method){ ops->name, ops->text, ops->paper, ops->keys };       \
    }

METHOD_AT(policy_at, cnv_policy_at, cnv_policy_ops)
METHOD_AT(solver_at, cnv_solver_at, cnv_solver_ops)
METHOD_AT(problem_at, cnv_problem_at, cnv_problem_ops)
METHOD_AT(aggregate_at, cnv_aggregate_at, cnv_aggregate_ops)
METHOD_AT(optimiser_at, cnv_optimiser_at, cnv_optimiser_ops)
METHOD_AT(encoding_at, cnv_encoding_at, cnv_encoding_ops)

static const struct {
    const char *title;
    const char *key; /* which chooses among them */
    struct method (*at)(size_t i);
} kinds[] = {
    { "Policies", "policy/kind", policy_at },
    { "Solvers", "solver/kind", solver_at },
    { "Problems", "problem/kind", problem_at },
    { "Aggregators", "aggregate/kind", aggregate_at },
    { "Server optimisers", "optimiser/kind", optimiser_at },
    { "Encodings", "encoding/up and encoding/down", encoding_at },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), INDENT = 18, WIDTH = 100 };

static bool is_said(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* Under the method's sentence, in as many lines as it takes. */
static void print_keys(const char *keys, FILE *out)
{
    int column = fprintf(out, "%*s keys:", INDENT, "");

    while (*keys != '\0') {
        int len = (int) strcspn(keys, " ");

        if (column + 1 + len > WIDTH) {
            column = fprintf(out, "\n%*s", INDENT, "") - 1;
        }
        column += fprintf(out, " %.*s", len, keys);
        keys += len + (keys[len] == ' ');
    }
    (void) fputc('\n', out);
}

void cnv_methods_print(FILE *out)
{
    for (size_t k = 0; k < KINDS; k++) {
        struct method method = kinds[k].at(0);

        (void) fprintf(out, "\n%s (%s):\n", kinds[k].title, kinds[k].key);
        for (size_t i = 0; method.name != NULL; method = kinds[k].at(++i)) {
            (void) fprintf(out, "  %-*s %s\n", INDENT - 2, method.name, method.text);
            if (is_said(method.paper)) {
                (void) fprintf(out, "%*s [%s]\n", INDENT, "", method.paper);
            }
            if (is_said(method.keys)) {
                print_keys(method.keys, out);
            }
        }
    }
    (void) fprintf(out, "\nWhat a key means: convened --help; all as a page: convene reference.\n");
}

/* As a list of Markdown. */
static void put_keys(const char *keys, FILE *out)
{
    const char *separator = "  \n  Keys: ";

    while (*keys != '\0') {
        int len = (int) strcspn(keys, " ");

        (void) fprintf(out, "%s`%.*s`", separator, len, keys);
        separator = ", ";
        keys += len + (keys[len] == ' ');
    }
}

static void print_methods(FILE *out)
{
    for (size_t k = 0; k < KINDS; k++) {
        struct method method = kinds[k].at(0);

        (void) fprintf(out, "\n## %s: %s\n\n", kinds[k].title, kinds[k].key);
        for (size_t i = 0; method.name != NULL; method = kinds[k].at(++i)) {
            (void) fprintf(out, "- **%s**: %s", method.name, method.text);
            if (is_said(method.paper)) {
                (void) fprintf(out, "  \n  Source: %s", method.paper);
            }
            put_keys(method.keys == NULL ? "" : method.keys, out);
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
    (void) fprintf(
        out,
        "# Methods and keys\n\n"
        "Made by `convene reference`. A key stands with the methods that read it; a key that "
        "stands with\nnone is for all of them.\n");
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

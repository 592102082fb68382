/*
 * test_protocol_page.c - the tables of proto/PROTOCOL.md against schema.h and status.h.
 *
 * Clients in other languages are written from the page alone. Where it differs, the test prints
 * the lines that belong there.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "encodings/encoding.h"
#include "proto/fields.h"
#include "tests/support/source_file.h"

static char page[1 << 16];

/* The part of the page under a heading, up to the next of the same level, in page. */
static const char *section(const char *heading)
{
    char *text = source_file_read("proto/PROTOCOL.md");
    size_t level = strspn(heading, "#");
    char next[8];
    char *start = NULL;
    char *end = NULL;

    cr_assert_not_null(text, "proto/PROTOCOL.md cannot be read");
    (void) snprintf(next, sizeof(next), "\n%.*s ", (int) level, heading);
    start = strstr(text, heading);
    cr_assert_not_null(start, "PROTOCOL.md has no section \"%s\"", heading);
    end = strstr(start, next);
    if (end != NULL) {
        end[1] = '\0';
    }
    cr_assert_lt(strlen(start), sizeof(page));
    memcpy(page, start, strlen(start) + 1);
    cnv_free(text);
    return page;
}

/* Table rows that begin with a number. */
static size_t count_rows(const char *text)
{
    size_t count = 0;

    for (const char *row = strstr(text, "\n| "); row != NULL; row = strstr(row + 1, "\n| ")) {
        count += row[3] >= '0' && row[3] <= '9';
    }
    return count;
}

/* What the page writes for a sender or a payload of schema.h: the row's column begins so. */
static const char *words_for(const char *symbol)
{
    static const char *const words[][2] = {
        { "AGENT", "agent" },
        { "SERVER", "server" },
        { "EITHER", "either" },
        { "TOOL", "tool" },
        { "NONE", "none" },
        { "SPEC", "specification" },
        { "LABELS", "float64 label" },
        { "VECTOR", "" },
        { "BODY", "body" },
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i][0], symbol) == 0) {
            return words[i][1];
        }
    }
    cr_assert_fail("no words for %s", symbol);
    return "";
}

struct kind_row {
    unsigned number;
    const char *name;
    const char *sender;
    const char *payload;
};

#define KIND_ROW(symbol, number, name, sender, payload) { number, #name, #sender, #payload },
static const struct kind_row kind_rows[] = { CNV_MESSAGE_LIST(KIND_ROW) };
enum { KINDS = sizeof(kind_rows) / sizeof(kind_rows[0]) };

Test(protocol_page, lists_every_message, .timeout = 10)
{
    const char *text = section("## 2. Messages");
    char row[160];

    for (size_t i = 0; i < KINDS; i++) {
        const struct kind_row *kind = &kind_rows[i];
        const char *from = NULL;
        const char *payload = NULL;

        (void) snprintf(row, sizeof(row), "\n| %u | %s | ", kind->number, kind->name);
        from = strstr(text, row);
        cr_assert_not_null(from, "PROTOCOL.md, section 2, lacks a row%s", row);
        from += strlen(row);
        payload = strstr(from, " | ");
        cr_assert_not_null(payload);
        payload += 3;
        cr_assert_eq(strncmp(from, words_for(kind->sender), strlen(words_for(kind->sender))),
                     0,
                     "%s is not from %s",
                     kind->name,
                     kind->sender);
        cr_assert_eq(strncmp(payload, words_for(kind->payload), strlen(words_for(kind->payload))),
                     0,
                     "the payload of %s is not %s",
                     kind->name,
                     kind->payload);
        if (strcmp(kind->payload, "VECTOR") == 0) {
            (void) snprintf(row, sizeof(row), "%.*s", (int) strcspn(payload, "\n"), payload);
            cr_assert(strstr(row, "vector") != NULL || strstr(row, "model") != NULL, "%s", row);
        }
    }
    cr_assert_eq(count_rows(text), KINDS, "PROTOCOL.md, section 2, has rows of no message");
}

__attribute__((__format__(__printf__, 3, 4))) static void
append(char *text, size_t size, const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;

    va_start(args, format);
    (void) vsnprintf(text + len, size - len, format, args);
    va_end(args);
}

/* The subsection of a kind as it should stand on the page. */
static void expect_fields(const struct kind_row *kind, char *text, size_t size)
{
    static const char *const types[] = {
        [CNV_TYPE_U64] = "u64", [CNV_TYPE_F64] = "f64",    [CNV_TYPE_BOOL] = "bool",
        [CNV_TYPE_STR] = "str", [CNV_TYPE_F64S] = "f64[]", [CNV_TYPE_SOME] = "f64?",
    };
    struct cnv_fields fields;

    cr_assert(cnv_fields_find((enum cnv_kind) kind->number, &fields));
    cr_assert_str_eq(fields.kind, kind->name);
    (void) snprintf(text,
                    size,
                    "\n### %u %s\n\n| # | field | type | meaning |\n|---|---|---|---|\n",
                    kind->number,
                    kind->name);
    for (size_t i = 0; i < fields.count; i++) {
        const struct cnv_field *field = &fields.at[i];

        append(text, size, "| %zu | %s | %s", i + 2, field->name, types[field->type]);
        if (field->limit > 0) {
            append(text, size, " %zu", field->limit);
        }
        append(text, size, " | %s |\n", field->meaning);
    }
    append(text, size, "\n");
}

Test(protocol_page, lists_every_field, .timeout = 10)
{
    const char *text = section("## 10. Fields");
    char want[8192];
    size_t rows = 0;

    for (size_t i = 0; i < KINDS; i++) {
        struct cnv_fields fields;

        expect_fields(&kind_rows[i], want, sizeof(want));
        cr_assert_not_null(strstr(text, want), "PROTOCOL.md, section 10, should say\n%s", want);
        cr_assert(cnv_fields_find((enum cnv_kind) kind_rows[i].number, &fields));
        rows += fields.count;
    }
    cr_assert_eq(count_rows(text), rows, "PROTOCOL.md, section 10, has rows of no field");
}

Test(protocol_page, lists_every_error, .timeout = 10)
{
#define STATUS_ROW(symbol, number, scope, name, text) { number, name },
    static const struct {
        unsigned number;
        const char *name;
    } rows[] = { CNV_STATUS_LIST(STATUS_ROW) };
    const size_t count = sizeof(rows) / sizeof(rows[0]);
    const char *text = section("## 8. Ends and errors");
    char row[80];

    for (size_t i = 0; i < count; i++) {
        (void) snprintf(row, sizeof(row), "\n| %u | %s | ", rows[i].number, rows[i].name);
        cr_assert_not_null(strstr(text, row), "PROTOCOL.md, section 8, lacks a row%s", row);
    }
    cr_assert_eq(count_rows(text), count, "PROTOCOL.md, section 8, has rows of no error");
}

Test(protocol_page, lists_every_encoding, .timeout = 10)
{
    const char *text = section("## 7. Numbers");
    char row[40];

    for (size_t i = 0; cnv_encoding_at(i) != NULL; i++) {
        (void) snprintf(row, sizeof(row), "\n| `%s` | ", cnv_encoding_at(i)->name);
        cr_assert_not_null(strstr(text, row), "PROTOCOL.md, section 7, lacks a row%s", row);
    }
}

Test(protocol_page, names_the_limits_of_the_code, .timeout = 10)
{
    char limit[64];

    (void) snprintf(
        limit, sizeof(limit), "# The convene protocol, version %d", CNV_PROTOCOL_VERSION);
    (void) section(limit);
    (void) snprintf(limit, sizeof(limit), "of at most %d bytes", CNV_HEADER_MAX);
    cr_assert_not_null(strstr(section("## 1. Frames"), limit));
    (void) snprintf(limit,
                    sizeof(limit),
                    "more than %d,%03d bytes",
                    CNV_INLINE_MAX / 1000,
                    CNV_INLINE_MAX % 1000);
    cr_assert_not_null(strstr(section("## 5. Transfers"), limit));
}

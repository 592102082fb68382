/* dump.c - messages in words, for logs and failing tests. The session's token is never shown. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/fields.h"

struct line {
    char *text;
    size_t size;
    size_t len; /* below size: what does not fit is cut */
};

__attribute__((__format__(__printf__, 2, 3))) static void
line_add(struct line *line, const char *format, ...)
{
    va_list args;
    int len = 0;

    va_start(args, format);
    len = vsnprintf(line->text + line->len, line->size - line->len, format, args);
    va_end(args);
    if (len > 0) {
        size_t room = line->size - line->len - 1;

        line->len += (size_t) len < room ? (size_t) len : room;
    }
}

static void line_add_numbers(struct line *line, const void *value)
{
    const uint32_t *count = value;
    const double *at = (const void *) ((const uint8_t *) value + CNV_F64S_AT);

    line_add(line, "[");
    for (uint32_t i = 0; i < *count; i++) {
        line_add(line, "%s%.17g", i > 0 ? "," : "", at[i]);
    }
    line_add(line, "]");
}

static void line_add_field(struct line *line, const struct cnv_field *field, const void *value)
{
    line_add(line, " %s=", field->name);
    if (strcmp(field->name, "token") == 0) {
        line_add(line, "*");
        return;
    }
    switch (field->type) {
    case CNV_TYPE_U64:
        line_add(line, "%" PRIu64, *(const uint64_t *) value);
        break;
    case CNV_TYPE_F64:
    case CNV_TYPE_SOME:
        line_add(line, "%.17g", *(const double *) value);
        break;
    case CNV_TYPE_BOOL:
        line_add(line, "%s", *(const bool *) value ? "true" : "false");
        break;
    case CNV_TYPE_STR:
        line_add(line, "\"%s\"", (const char *) value);
        break;
    case CNV_TYPE_F64S:
    default:
        line_add_numbers(line, value);
        break;
    }
}

const char *cnv_kind_name(enum cnv_kind kind)
{
    struct cnv_fields fields;

    return cnv_fields_find(kind, &fields) ? fields.kind : "unknown";
}

const char *cnv_message_dump(const struct cnv_message *message, char *text, size_t size)
{
    struct line line = { .size = size };
    struct cnv_fields fields;

    if (size == 0) {
        return text;
    }
    line.text = text;
    line_add(&line, "%s", cnv_kind_name(message->kind));
    if (!cnv_fields_find(message->kind, &fields)) {
        return text;
    }
    for (size_t i = 0; i < fields.count; i++) {
        const struct cnv_field *field = &fields.at[i];

        line_add_field(&line, field, (const uint8_t *) message + field->offset);
    }
    return text;
}

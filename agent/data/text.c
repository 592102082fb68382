/* text.c - lines of any length out of blocks of bytes, without holding more than the longest. */
#include "data/text.h"

#include <string.h>

#include "base/mem.h"

enum { TEXT_BYTES = 1 << 18, LINE_BYTES_MAX = 1 << 28 };

static enum cnv_status fail_memory(const struct cnv_lines *lines, struct cnv_error *err)
{
    return cnv_fail(
        err, CNV_E_NOMEM, "%s:%zu: out of memory", cnv_input_name(lines->input), lines->number);
}

enum cnv_status
cnv_lines_init(struct cnv_lines *lines, struct cnv_input *input, struct cnv_error *err)
{
    *lines = (struct cnv_lines){ .input = input, .capacity = TEXT_BYTES };
    lines->text = cnv_array_new(lines->capacity, 1);
    return lines->text == NULL ? fail_memory(lines, err) : CNV_OK;
}

void cnv_lines_fini(struct cnv_lines *lines)
{
    cnv_free(lines->text);
    lines->text = NULL;
}

/* Reads more behind what is filled, moving the line in hand to the front to make room. */
static enum cnv_status fill(struct cnv_lines *lines, struct cnv_error *err)
{
    size_t len = 0;
    enum cnv_status status = CNV_OK;

    if (lines->start > 0) {
        lines->end -= lines->start;
        memmove(lines->text, lines->text + lines->start, lines->end);
        lines->start = 0;
    }
    if (lines->end + 1 >= lines->capacity) {
        size_t capacity = lines->capacity * 2;
        char *text = NULL;

        if (capacity > LINE_BYTES_MAX) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%s:%zu: expected lines of at most 128 MiB",
                            cnv_input_name(lines->input),
                            lines->number);
        }
        text = cnv_array_resize(lines->text, lines->capacity, capacity, 1);
        if (text == NULL) {
            return fail_memory(lines, err);
        }
        lines->text = text;
        lines->capacity = capacity;
    }
    status = cnv_input_read(
        lines->input, lines->text + lines->end, lines->capacity - lines->end - 1, &len, err);
    lines->is_last = len == 0;
    lines->end += len;
    lines->text[lines->end] = '\0';
    return status;
}

/* The line is text[start .. start + len) and ends there. */
static enum cnv_status
take_line(struct cnv_lines *lines, size_t len, char **ret_line, struct cnv_error *err)
{
    char *line = lines->text + lines->start;

    line[len] = '\0';
    if (strlen(line) != len) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s:%zu: expected text, found a zero byte",
                        cnv_input_name(lines->input),
                        lines->number);
    }
    *ret_line = line;
    return CNV_OK;
}

enum cnv_status cnv_lines_next(struct cnv_lines *lines, char **ret_line, struct cnv_error *err)
{
    size_t searched = 0;

    lines->number++;
    for (;;) {
        char *line = lines->text + lines->start;
        size_t len = lines->end - lines->start;
        char *newline = memchr(line + searched, '\n', len - searched);
        enum cnv_status status = CNV_OK;

        if (newline != NULL || (lines->is_last && len > 0)) {
            len = newline == NULL ? len : (size_t) (newline - line);
            status = take_line(lines, len, ret_line, err);
            lines->start += len + (newline != NULL);
            return status;
        }
        if (lines->is_last) {
            *ret_line = NULL;
            return CNV_OK;
        }
        searched = len;
        status = fill(lines, err);
        if (status != CNV_OK) {
            return status;
        }
    }
}

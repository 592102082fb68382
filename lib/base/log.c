/* log.c - formats one line and writes it with a single write, so that lines never mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINE_SIZE = 8192, LOG_QUOTE_SIZE = 512, LOG_QUOTES = 4 };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static const char *log_program = "convene";
static enum cnv_log_level log_level = CNV_LOG_INFO;
static bool log_json;

void cnv_log_open(const char *program, enum cnv_log_level level, bool json)
{
    log_program = program;
    log_level = level;
    log_json = json;
}

enum cnv_log_level cnv_log_level_find(const char *name)
{
    for (int level = CNV_LOG_ERROR; level <= CNV_LOG_DEBUG; level++) {
        if (strcmp(level_names[level], name) == 0) {
            return (enum cnv_log_level) level;
        }
    }
    return CNV_LOG_INFO;
}

const char *cnv_log_quote(const char *text)
{
    static _Thread_local char buffers[LOG_QUOTES][LOG_QUOTE_SIZE];
    static _Thread_local unsigned turn;
    char *out = buffers[turn++ % LOG_QUOTES];
    size_t used = 0;

    out[used++] = '"';
    for (const char *p = text; *p != '\0' && used < LOG_QUOTE_SIZE - 3; p++) {
        if (*p == '"' || *p == '\\') {
            out[used++] = '\\';
        }
        bool is_control = (unsigned char) *p < ' ';

        out[used] = *p;
        if (is_control) {
            out[used] = ' ';
        }
        used++;
    }
    out[used++] = '"';
    out[used] = '\0';
    return out;
}

/* Appends the logfmt fields as JSON members; every value that is not a plain number is quoted. */
static size_t log_fields_as_json(char *out, size_t size, const char *fields)
{
    size_t used = 0;

    while (*fields != '\0' && used + 8 < size) {
        size_t key = strcspn(fields, "=");
        const char *value = fields + key + (fields[key] == '=');
        size_t length = 0;

        if (*value == '"') {
            length = 1;
            while (value[length] != '\0' && value[length] != '"') {
                length += value[length] == '\\' && value[length + 1] != '\0' ? 2 : 1;
            }
            length += value[length] == '"';
        } else {
            length = strcspn(value, " ");
        }
        const char *quote =
            *value == '"' || (length > 0 && strspn(value, "-0123456789.") == length) ? "" : "\"";
        int n = snprintf(out + used,
                         size - used,
                         ",\"%.*s\":%s%.*s%s",
                         (int) key,
                         fields,
                         quote,
                         (int) length,
                         value,
                         quote);
        if (n < 0 || (size_t) n >= size - used) {
            break;
        }
        used += (size_t) n;
        fields = value + length;
        fields += strspn(fields, " ");
    }
    out[used] = '\0';
    return used;
}

void cnv_log(enum cnv_log_level level, const char *event, const char *format, ...)
{
    char fields[LOG_LINE_SIZE / 2];
    char line[LOG_LINE_SIZE];
    char when[40];
    struct timespec now;
    struct tm utc;
    va_list args;

    if (level > log_level) {
        return;
    }
    va_start(args, format);
    (void) vsnprintf(fields, sizeof(fields), format, args);
    va_end(args);
    (void) clock_gettime(CLOCK_REALTIME, &now);
    (void) gmtime_r(&now.tv_sec, &utc);
    size_t at = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);
    (void) snprintf(when + at, sizeof(when) - at, ".%03ldZ", now.tv_nsec / 1000000);

    int used = 0;
    if (log_json) {
        char members[LOG_LINE_SIZE - 256];

        (void) log_fields_as_json(members, sizeof(members), fields);
        used = snprintf(line,
                        sizeof(line) - 1,
                        "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"event\":\"%s\"%s}",
                        when,
                        level_names[level],
                        log_program,
                        event,
                        members);
    } else {
        used = snprintf(line,
                        sizeof(line) - 1,
                        "time=%s level=%s program=%s event=%s%s%s",
                        when,
                        level_names[level],
                        log_program,
                        event,
                        fields[0] == '\0' ? "" : " ",
                        fields);
    }
    size_t len = used < 0 ? 0 : (size_t) used;
    if (len > sizeof(line) - 2) {
        len = sizeof(line) - 2;
    }
    line[len++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, len);
    (void) written;
}

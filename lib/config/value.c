/*
 * value.c - strict parsing of one value, and the words for what would have been allowed.
 *
 * strtod alone is too generous (leading blanks, hexadecimal, nan), so the form is checked first
 * and strtod only converts. The same row gives the check and its message: they cannot disagree.
 */
#include "config/value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/plugin.h"
#include "config/config.h"

enum { SHOWN_BYTES = 60 };

/* From here on a bound is not worth naming: 2^53, and what stands for "any number". */
#define UNBOUNDED_INTEGER 0x1p53
#define UNBOUNDED_REAL    1e300

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *text)
{
    while (is_digit(*text)) {
        text++;
    }
    return text;
}

static bool is_integer_form(const char *text)
{
    const char *digits = *text == '-' ? text + 1 : text;

    return is_digit(*digits) && *skip_digits(digits) == '\0';
}

static bool is_decimal_form(const char *text)
{
    const char *at = *text == '-' || *text == '+' ? text + 1 : text;
    const char *whole = at;
    ptrdiff_t digits = 0;

    at = skip_digits(at);
    digits = at - whole;
    if (*at == '.') {
        const char *part = ++at;

        at = skip_digits(at);
        digits += at - part;
    }
    if (digits == 0) {
        return false;
    }
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '-' || at[1] == '+' ? 2 : 1;
        if (!is_digit(*at)) {
            return false;
        }
        at = skip_digits(at);
    }
    return *at == '\0';
}

/* A decimal number that is neither too large nor, without being zero, too small for a double. */
static bool parse_decimal(const char *text, double *ret_number)
{
    double number = 0.0;

    if (!is_decimal_form(text)) {
        return false;
    }
    errno = 0;
    number = strtod(text, NULL);
    if (errno == ERANGE && (number == 0.0 || isinf(number))) {
        return false;
    }
    *ret_number = number;
    return true;
}

static bool parse_real(const char *text, double *ret_number)
{
    if (strcmp(text, "inf") == 0) {
        *ret_number = INFINITY;
        return true;
    }
    if (strcmp(text, "-inf") == 0) {
        *ret_number = -INFINITY;
        return true;
    }
    return parse_decimal(text, ret_number);
}

/* The choice "plugin:NAME" stands for any name a plug-in may have. */
static bool is_plugin(const char *text)
{
    return strncmp(text, "plugin:", strlen("plugin:")) == 0 &&
           cnv_plugin_name_is_valid(text + strlen("plugin:"));
}

static bool is_choice(const char *choices, const char *text)
{
    static const char any_plugin[] = "plugin:NAME";
    size_t len = strlen(text);

    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, any_plugin, strlen(any_plugin)) == 0) {
            if (is_plugin(text)) {
                return true;
            }
        } else if (len > 0 && strcspn(at, "|") == len && strncmp(at, text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Bytes of the UTF-8 sequence at text; 0: it is none. */
static size_t sequence_len(const char *text)
{
    unsigned char first = (unsigned char) *text;
    size_t len = first < 0x80   ? 1
                 : first < 0xc2 ? 0
                 : first < 0xe0 ? 2
                 : first < 0xf0 ? 3
                 : first < 0xf5 ? 4
                                : 0;

    for (size_t i = 1; i < len; i++) {
        if (((unsigned char) text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

/* A line break in a text would forge a second line of the specification; what is no UTF-8 cannot be
 * told in JSON, nor in a header. */
static bool is_plain_text(const char *text)
{
    while (*text != '\0') {
        size_t len = sequence_len(text);

        if (len == 0 || (unsigned char) *text < 0x20 || *text == 0x7f) {
            return false;
        }
        text += len;
    }
    return true;
}

bool cnv_value_parse(const struct cnv_param *param, const char *text, double *ret_number)
{
    double number = 0.0;
    bool is_valid = false;

    if (strlen(text) >= CNV_VALUE_SIZE || !is_plain_text(text)) {
        return false;
    }
    switch (param->type) {
    case CNV_PARAM_INTEGER:
        is_valid = is_integer_form(text) && parse_decimal(text, &number) && number >= param->low &&
                   number <= param->high;
        break;
    case CNV_PARAM_REAL:
        is_valid = parse_real(text, &number) && number >= param->low && number <= param->high;
        break;
    case CNV_PARAM_FRACTION:
        if (strcmp(text, "1/n") == 0) {
            number = NAN;
            is_valid = true;
        } else {
            is_valid =
                parse_decimal(text, &number) && number >= param->low && number <= param->high;
        }
        break;
    case CNV_PARAM_BOOLEAN:
        number = strcmp(text, "true") == 0 ? 1.0 : 0.0;
        is_valid = number == 1.0 || strcmp(text, "false") == 0;
        break;
    case CNV_PARAM_CHOICE:
        is_valid = is_choice(param->choices, text);
        break;
    case CNV_PARAM_TEXT:
        is_valid = true;
        break;
    }
    if (is_valid) {
        *ret_number = number;
    }
    return is_valid;
}

static void describe_range(const struct cnv_param *param, const char *what, char *ret_text)
{
    double unbounded = param->type == CNV_PARAM_INTEGER ? UNBOUNDED_INTEGER : UNBOUNDED_REAL;
    bool has_high = param->high < unbounded;
    bool has_low = param->low > -unbounded;
    const char *infinity = isinf(param->high) ? ", or inf" : isinf(param->low) ? ", or -inf" : "";

    if (param->low > 0.0 && param->low <= 1.0 / UNBOUNDED_REAL) {
        if (has_high) {
            (void) snprintf(
                ret_text, CNV_ALLOWED_SIZE, "%s above 0 up to %.16g", what, param->high);
        } else {
            (void) snprintf(ret_text, CNV_ALLOWED_SIZE, "%s above 0", what);
        }
    } else if (has_low && has_high) {
        (void) snprintf(ret_text,
                        CNV_ALLOWED_SIZE,
                        "%s from %.16g to %.16g%s",
                        what,
                        param->low,
                        param->high,
                        infinity);
    } else if (has_low) {
        (void) snprintf(
            ret_text, CNV_ALLOWED_SIZE, "%s of at least %.16g%s", what, param->low, infinity);
    } else {
        (void) snprintf(ret_text, CNV_ALLOWED_SIZE, "%s%s", what, infinity);
    }
}

/* "a|b|c" as "a, b or c". */
static void describe_choices(const char *choices, char *ret_text)
{
    size_t used = 0;

    for (const char *at = choices; *at != '\0' && used + 4 < CNV_ALLOWED_SIZE; at++) {
        const char *mark = "";

        if (*at == '|') {
            mark = strchr(at + 1, '|') == NULL ? " or " : ", ";
            used += (size_t) snprintf(ret_text + used, CNV_ALLOWED_SIZE - used, "%s", mark);
        } else {
            ret_text[used++] = *at;
        }
    }
    ret_text[used < CNV_ALLOWED_SIZE ? used : CNV_ALLOWED_SIZE - 1] = '\0';
}

void cnv_value_allowed(const struct cnv_param *param, char *ret_text)
{
    switch (param->type) {
    case CNV_PARAM_INTEGER:
        describe_range(param, "a whole number", ret_text);
        break;
    case CNV_PARAM_REAL:
        describe_range(param, "a number", ret_text);
        break;
    case CNV_PARAM_FRACTION:
        describe_range(param, "1/n, or a number", ret_text);
        break;
    case CNV_PARAM_BOOLEAN:
        (void) snprintf(ret_text, CNV_ALLOWED_SIZE, "true or false");
        break;
    case CNV_PARAM_CHOICE:
        describe_choices(param->choices, ret_text);
        break;
    case CNV_PARAM_TEXT:
        (void) snprintf(ret_text,
                        CNV_ALLOWED_SIZE,
                        "UTF-8 text of at most %d bytes without control characters",
                        CNV_VALUE_SIZE - 1);
        break;
    }
}

void cnv_value_show(const char *text, char *ret_text)
{
    size_t used = 0;

    for (; text[used] != '\0' && used < SHOWN_BYTES; used++) {
        ret_text[used] = text[used];
        if ((unsigned char) text[used] < 0x20 || text[used] == 0x7f) {
            ret_text[used] = '?';
        }
    }
    (void) snprintf(ret_text + used, 4, "%s", text[used] == '\0' ? "" : "...");
}

const struct cnv_param *cnv_param_find(const char *path)
{
    for (const struct cnv_param *param = cnv_config_keys; param->path != NULL; param++) {
        if (strcmp(param->path, path) == 0) {
            return param;
        }
    }
    return NULL;
}

bool cnv_param_is_section(const char *name, size_t len)
{
    for (const struct cnv_param *param = cnv_config_keys; param->path != NULL; param++) {
        if (strcspn(param->path, "/") == len && strncmp(param->path, name, len) == 0) {
            return true;
        }
    }
    return false;
}

size_t cnv_edit_distance(const char *a, const char *b)
{
    size_t row[CNV_VALUE_SIZE];
    size_t a_len = strnlen(a, CNV_VALUE_SIZE - 1);
    size_t b_len = strnlen(b, CNV_VALUE_SIZE - 1);

    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_len];
}

const struct cnv_param *cnv_param_nearest(const char *path)
{
    const struct cnv_param *nearest = NULL;
    size_t least = SIZE_MAX;

    for (const struct cnv_param *param = cnv_config_keys; param->path != NULL; param++) {
        size_t whole = cnv_edit_distance(path, param->path);
        /* One edit for the section forgotten. */
        size_t name = cnv_edit_distance(path, strchr(param->path, '/') + 1) + 1;
        size_t distance = name < whole ? name : whole;

        if (distance < least) {
            least = distance;
            nearest = param;
        }
    }
    return nearest;
}

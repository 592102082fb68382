/*
 * load.c - settings from a ZPL file.
 *
 * CZMQ's zconfig reads the file, but it prints its complaints to stdout and reads past the end
 * after a line of more than 1024 bytes; so each line's form is checked here first, which also
 * gives every message its line. zconfig makes one item of each line that has a name, in file
 * order: the n-th item visited is the n-th such line.
 */
#include <czmq.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/store.h"
#include "config/value.h"

enum {
    FILE_BYTES_MAX = 1 << 20,
    LINE_BYTES_MAX = 1000,
    INDENT = 4,
    ORIGIN_SIZE = 160,
};

static const char name_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789$-_@.&+/";

/* A whole file as text. */
static enum cnv_status read_text(const char *file, char **ret_text, struct cnv_error *err)
{
    FILE *stream = fopen(file, "rb");
    char *text = NULL;
    size_t len = 0;
    enum cnv_status status = CNV_OK;

    if (stream == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "%s: %s", file, strerrordesc_np(errno));
    }
    text = cnv_array_new(FILE_BYTES_MAX + 2, 1);
    if (text == NULL) {
        status = cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", file);
        goto done;
    }
    len = fread(text, 1, FILE_BYTES_MAX + 1, stream);
    if (ferror(stream) != 0) {
        status = cnv_fail(err, CNV_E_INPUT, "%s: %s", file, strerrordesc_np(errno));
    } else if (len > FILE_BYTES_MAX) {
        status = cnv_fail(err, CNV_E_INPUT, "%s: not a ZPL file: larger than 1 MiB", file);
    } else if (strlen(text) != len) {
        status = cnv_fail(err, CNV_E_INPUT, "%s: not a ZPL file: holds a zero byte", file);
    } else {
        *ret_text = text;
        text = NULL;
    }

done:
    cnv_free(text);
    (void) fclose(stream);
    return status;
}

/* What is wrong with what stands behind "=" or a closing quote; NULL: nothing. */
static const char *check_line_end(const char *at)
{
    at += strspn(at, " \t");
    return *at == '\0' || *at == '#' ? NULL : "expected the end of the line or a comment";
}

/*
 * What is wrong with one line (without its line break); NULL: nothing. The depth below which an
 * item may stand is in/out.
 */
static const char *check_line(const char *line, size_t *depth, bool *ret_has_item)
{
    size_t indent = strspn(line, " ");
    const char *name = line + indent;
    size_t len = strspn(name, name_characters);
    const char *at = name + len + strspn(name + len, " \t");

    *ret_has_item = false;
    if (strlen(line) > LINE_BYTES_MAX) {
        return "longer than 1000 bytes";
    }
    if (len == 0) {
        return *at == '\0' || *at == '#' ? NULL : "expected a key, a section or a comment";
    }
    if (indent % INDENT != 0 || indent / INDENT > *depth) {
        return "expected an indent of 4 blanks for each level";
    }
    if (name[0] == '/' || name[len - 1] == '/') {
        return "'/' may not stand at the start or end of a key";
    }
    *depth = indent / INDENT + 1;
    *ret_has_item = true;
    if (*at != '=') {
        return check_line_end(at);
    }
    at += 1 + strspn(at + 1, " \t");
    if (*at == '#') {
        return "expected a value before the comment (\"\" for none)"; /* zconfig takes the comment
                                                                       */
    }
    if (*at == '"' || *at == '\'') {
        const char *quote = strchr(at + 1, *at);

        return quote == NULL ? "the closing quote is missing" : check_line_end(quote + 1);
    }
    return NULL;
}

/* Checks every line; writes the numbers of those that hold an item to ret_lines. */
static enum cnv_status
check_lines(char *text, const char *file, size_t *ret_lines, struct cnv_error *err)
{
    size_t depth = 0;
    size_t items = 0;
    size_t number = 1;

    for (char *line = text; *line != '\0'; number++) {
        char *end = line + strcspn(line, "\n");
        char kept = *end;
        bool has_item = false;
        const char *wrong = NULL;

        *end = '\0';
        if (end > line && end[-1] == '\r') {
            end[-1] = ' ';
        }
        wrong = check_line(line, &depth, &has_item);
        if (wrong != NULL) {
            char shown[CNV_SHOWN_SIZE];

            cnv_value_show(line + strspn(line, " \t"), shown);
            return cnv_fail(
                err, CNV_E_INPUT, "%s:%zu: %s, found \"%s\"", file, number, wrong, shown);
        }
        if (has_item) {
            ret_lines[items++] = number;
        } else {
            /* zconfig asks for an indent by fours even before a comment. */
            memset(line, ' ', (size_t) (end - line));
        }
        *end = kept;
        line = kept == '\0' ? end : end + 1;
    }
    return CNV_OK;
}

/* What the walk over the items of a file carries along. */
struct walk {
    struct cnv_config *config;
    const char *file;
    const size_t *lines; /* [items] the line each item stands on */
    size_t *given;       /* [rows of the table] the line a key was given on; 0: not yet */
    size_t visited;
    struct cnv_error *err;
};

static enum cnv_status take_item(struct walk *walk, const char *path, const char *value)
{
    const struct cnv_param *param = cnv_param_find(path);
    char origin[ORIGIN_SIZE];
    size_t line = walk->lines[walk->visited - 1];

    (void) snprintf(origin, sizeof(origin), "%.120s:%zu", walk->file, line);
    if (param != NULL) {
        size_t *given = &walk->given[param - cnv_config_keys];

        if (*given != 0) {
            return cnv_fail(walk->err,
                            CNV_E_INPUT,
                            "%s: %s was already given on line %zu",
                            origin,
                            path,
                            *given);
        }
        *given = line;
    }
    return cnv_config_set(walk->config, path, value, origin, walk->err);
}

/* Visits the children of section, whose path is parent, in file order. */
static enum cnv_status walk_items(struct walk *walk, zconfig_t *section, const char *parent)
{
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        char path[CNV_VALUE_SIZE];
        const char *value = zconfig_value(item) == NULL ? "" : zconfig_value(item);
        bool is_plain = false;
        enum cnv_status status = CNV_OK;

        walk->visited++;
        (void) snprintf(
            path, sizeof(path), "%s%s%s", parent, *parent == '\0' ? "" : "/", zconfig_name(item));
        is_plain = zconfig_child(item) != NULL || cnv_param_is_section(path, strlen(path));
        if (*value != '\0' || !is_plain) {
            status = take_item(walk, path, value);
        }
        if (status == CNV_OK) {
            status = walk_items(walk, item, path);
        }
        if (status != CNV_OK) {
            return status;
        }
    }
    return CNV_OK;
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;

    for (const char *at = text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    return lines;
}

static size_t count_keys(void)
{
    size_t keys = 0;

    while (cnv_config_keys[keys].path != NULL) {
        keys++;
    }
    return keys;
}

enum cnv_status cnv_config_load(struct cnv_config *config, const char *file, struct cnv_error *err)
{
    char *text = NULL;
    zconfig_t *root = NULL;
    struct cnv_config *result = cnv_config_copy(config);
    struct walk walk = { .config = result, .file = file, .err = err };
    size_t *lines = NULL;
    enum cnv_status status = read_text(file, &text, err);

    if (text == NULL) {
        goto done;
    }
    lines = cnv_array_new(count_lines(text), sizeof(*lines));
    walk.lines = lines;
    walk.given = cnv_array_new(count_keys(), sizeof(*walk.given));
    if (result == NULL || lines == NULL || walk.given == NULL) {
        status = cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", file);
        goto done;
    }
    status = check_lines(text, file, lines, err);
    if (status != CNV_OK) {
        goto done;
    }
    root = zconfig_str_load(text);
    if (root == NULL) {
        status = cnv_fail(err, CNV_E_INPUT, "%s: not a ZPL file", file);
        goto done;
    }
    status = walk_items(&walk, root, "");
    if (status == CNV_OK) {
        cnv_config_become(config, result);
    }

done:
    zconfig_destroy(&root);
    cnv_config_destroy(result);
    cnv_free(walk.given);
    cnv_free(lines);
    cnv_free(text);
    return status;
}

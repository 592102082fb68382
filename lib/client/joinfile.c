/*
 * joinfile.c - writes and reads join files: one table of fields serves both.
 *
 * The reader is strict and speaks only the part of ZPL that the writer uses, because CZMQ's own
 * reader prints its complaints to standard output. Secrets never show up in messages.
 */
#include "client/joinfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/key.h"

enum { JOINFILE_MAX = 4096, JOINFILE_REASON_SIZE = 96, SECTION_SIZE = sizeof("server") };

enum field_kind { FIELD_ENDPOINT, FIELD_KEY, FIELD_NAME };

static const struct field {
    const char *section;
    const char *name;
    enum field_kind kind;
    size_t offset;
    size_t size;
} fields[] = {
    { "server",
      "endpoint",
      FIELD_ENDPOINT,
      offsetof(struct cnv_joinfile, endpoint),
      CNV_ENDPOINT_SIZE },
    { "server", "public-key", FIELD_KEY, offsetof(struct cnv_joinfile, server_key), CNV_KEY_SIZE },
    { "agent", "name", FIELD_NAME, offsetof(struct cnv_joinfile, name), CNV_NAME_SIZE },
    { "agent", "public-key", FIELD_KEY, offsetof(struct cnv_joinfile, public_key), CNV_KEY_SIZE },
    { "agent", "secret-key", FIELD_KEY, offsetof(struct cnv_joinfile, secret_key), CNV_KEY_SIZE },
};

enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

/* What is wrong with the value, or NULL. */
static const char *field_fault(const struct field *field, const char *value)
{
    struct cnv_endpoint endpoint;
    bool is_fine = false;

    if (strlen(value) >= field->size) {
        return "is too long";
    }
    switch (field->kind) {
    case FIELD_KEY:
        return cnv_key_is_valid(value) ? NULL : "must be a key: 40 characters of Z85";
    case FIELD_NAME:
        return cnv_name_is_valid(value) ? NULL : "must be 1 to 64 letters, digits, '.', '_' or '-'";
    case FIELD_ENDPOINT:
        is_fine = strpbrk(value, "\"' \t\r\n") == NULL &&
                  cnv_endpoint_parse(value, field->name, &endpoint, NULL) == CNV_OK &&
                  (endpoint.transport == CNV_IPC ||
                   (endpoint.port != 0 && strcmp(endpoint.host, "*") != 0));
        return is_fine ? NULL : "must be tcp://HOST:PORT or ipc://PATH";
    }
    return NULL;
}

static enum cnv_status write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno != EINTR) {
            return CNV_E_SYSTEM;
        }
        if (n > 0) {
            text += n;
            len -= (size_t) n;
        }
    }
    return CNV_OK;
}

enum cnv_status
cnv_joinfile_write(const char *path, const struct cnv_joinfile *file, struct cnv_error *err)
{
    char text[JOINFILE_MAX];
    const char *section = "";
    size_t used = 0;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const char *value = (const char *) file + fields[i].offset;
        const char *fault = field_fault(&fields[i], value);
        int n = 0;

        if (fault != NULL) {
            return cnv_fail(err, CNV_E_INPUT, "%s/%s %s", fields[i].section, fields[i].name, fault);
        }
        n = snprintf(text + used,
                     sizeof(text) - used,
                     "%s%s    %s = \"%s\"\n",
                     strcmp(section, fields[i].section) == 0 ? "" : fields[i].section,
                     strcmp(section, fields[i].section) == 0 ? "" : "\n",
                     fields[i].name,
                     value);
        used += (size_t) n; /* five fields of at most 255 bytes always fit */
        section = fields[i].section;
    }

    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return cnv_fail(err,
                        errno == EEXIST ? CNV_E_INPUT : CNV_E_SYSTEM,
                        "join file %s: %s",
                        path,
                        strerrordesc_np(errno));
    }
    enum cnv_status status = write_all(fd, text, used);
    if (close(fd) != 0 || status != CNV_OK) {
        int why = errno;

        (void) unlink(path);
        return cnv_fail(err, CNV_E_SYSTEM, "join file %s: %s", path, strerrordesc_np(why));
    }
    return CNV_OK;
}

/* Reads the whole file into text; the checks are on the open file, so it cannot be exchanged. */
static enum cnv_status read_text(const char *path, char *text, size_t size, struct cnv_error *err)
{
    struct stat facts;
    size_t used = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &facts) != 0) {
        (void) cnv_fail(err, CNV_E_INPUT, "join file %s: %s", path, strerrordesc_np(errno));
        goto fail;
    }
    if (!S_ISREG(facts.st_mode)) {
        (void) cnv_fail(err, CNV_E_INPUT, "join file %s: not a regular file", path);
        goto fail;
    }
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        (void) cnv_fail(err,
                        CNV_E_INPUT,
                        "join file %s: mode %04o lets others at the secret key; use chmod 600",
                        path,
                        (unsigned) facts.st_mode & 07777U);
        goto fail;
    }
    while ((n = read(fd, text + used, size - used)) != 0) {
        if (n < 0 && errno != EINTR) {
            (void) cnv_fail(err, CNV_E_INPUT, "join file %s: %s", path, strerrordesc_np(errno));
            goto fail;
        }
        used += n > 0 ? (size_t) n : 0;
        if (used == size) {
            (void) cnv_fail(
                err, CNV_E_INPUT, "join file %s: longer than %zu bytes", path, size - 1);
            goto fail;
        }
    }
    text[used] = '\0';
    if (strlen(text) != used) {
        (void) cnv_fail(err, CNV_E_INPUT, "join file %s: not a text file", path);
        goto fail;
    }
    (void) close(fd);
    return CNV_OK;

fail:
    if (fd >= 0) {
        (void) close(fd);
    }
    return CNV_E_INPUT;
}

/* Takes one "name = value" line of a section; false with the reason, which never shows a value. */
static bool
take_field(struct cnv_joinfile *file, const char *section, char *line, bool *seen, char *reason)
{
    char *value = strchr(line, '=');
    size_t len = 0;

    if (value == NULL) {
        (void) snprintf(reason, JOINFILE_REASON_SIZE, "expected NAME = \"VALUE\"");
        return false;
    }
    *value++ = '\0';
    line = cnv_line_trim(line);
    value = cnv_line_trim(value);
    len = strlen(value);
    if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
        value[len - 1] = '\0';
        value++;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (strcmp(fields[i].section, section) == 0 && strcmp(fields[i].name, line) == 0) {
            const char *fault = field_fault(&fields[i], value);

            if (fault != NULL) {
                (void) snprintf(reason, JOINFILE_REASON_SIZE, "%s/%s %s", section, line, fault);
                return false;
            }
            memcpy((char *) file + fields[i].offset, value, strlen(value) + 1);
            seen[i] = true;
            return true;
        }
    }
    (void) snprintf(reason, JOINFILE_REASON_SIZE, "%s/%.40s is not known here", section, line);
    return false;
}

/* One line, blank and comment lines included; false with the reason. */
static bool
take_line(struct cnv_joinfile *file, char *section, char *line, bool *seen, char *reason)
{
    bool is_indented = *line == ' ' || *line == '\t';

    line = cnv_line_trim(line);
    if (*line == '\0' || *line == '#') {
        return true;
    }
    if (is_indented) {
        return take_field(file, section, line, seen, reason);
    }
    if (strcmp(line, "server") != 0 && strcmp(line, "agent") != 0) {
        (void) snprintf(reason, JOINFILE_REASON_SIZE, "expected the section server or agent");
        return false;
    }
    (void) snprintf(section, SECTION_SIZE, "%s", line);
    return true;
}

enum cnv_status
cnv_joinfile_read(const char *path, struct cnv_joinfile *ret_file, struct cnv_error *err)
{
    struct cnv_joinfile file = { 0 };
    char text[JOINFILE_MAX];
    char section[SECTION_SIZE] = "";
    char reason[JOINFILE_REASON_SIZE];
    bool seen[FIELD_COUNT] = { false };
    char *rest = text;
    char *line = NULL;
    enum cnv_status status = read_text(path, text, sizeof(text), err);

    if (status != CNV_OK) {
        return status;
    }
    for (unsigned number = 1; (line = strsep(&rest, "\n")) != NULL; number++) {
        if (!take_line(&file, section, line, seen, reason)) {
            return cnv_fail(err, CNV_E_INPUT, "join file %s, line %u: %s", path, number, reason);
        }
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!seen[i]) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "join file %s: %s/%s is missing",
                            path,
                            fields[i].section,
                            fields[i].name);
        }
    }
    *ret_file = file;
    return CNV_OK;
}

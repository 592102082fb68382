/*
 * allow.c - the list of keys that are let in, each bound to a name.
 *
 * Invariants: entries are sorted by key; no key occurs twice. A list that cannot be read never
 * replaces one that could: an operator's typing error locks nobody out and lets nobody in.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "net/certificate.h"
#include "net/key.h"

struct allow_entry {
    char key[CNV_KEY_SIZE];
    char name[CNV_NAME_SIZE];
};

struct allow_list {
    struct allow_entry *entries;
    size_t count;
    size_t capacity;
};

struct cnv_allow {
    char *path;
    struct timespec changed; /* of the file or directory when it was read */
    uint64_t generation;
    struct allow_list list;
};

static int entry_compare(const void *a, const void *b)
{
    const struct allow_entry *x = a;
    const struct allow_entry *y = b;

    return strcmp(x->key, y->key);
}

static enum cnv_status
list_add(struct allow_list *list, const char *name, const char *key, struct cnv_error *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity * 2 + 16;
        struct allow_entry *grown =
            cnv_array_resize(list->entries, list->count, capacity, sizeof(*list->entries));

        if (grown == NULL) {
            return cnv_fail(err, CNV_E_NOMEM, "list of %zu keys", capacity);
        }
        list->entries = grown;
        list->capacity = capacity;
    }
    struct allow_entry *entry = &list->entries[list->count++];
    (void) snprintf(entry->key, sizeof(entry->key), "%s", key);
    (void) snprintf(entry->name, sizeof(entry->name), "%s", name);
    return CNV_OK;
}

static enum cnv_status
list_read_file(struct allow_list *list, const char *file, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;
    char line[512];
    FILE *in = fopen(file, "re");

    if (in == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "security/allow=%s: %s", file, strerrordesc_np(errno));
    }
    for (unsigned number = 1; status == CNV_OK && fgets(line, sizeof(line), in) != NULL; number++) {
        char *name = cnv_line_trim(line);

        if (name[0] == '\0' || name[0] == '#') {
            continue;
        }
        char *key = name + strcspn(name, " \t");
        if (*key != '\0') {
            *key++ = '\0';
            key = cnv_line_trim(key);
        }
        status = cnv_name_is_valid(name) && cnv_key_is_valid(key)
                     ? list_add(list, name, key, err)
                     : cnv_fail(err, CNV_E_INPUT, "%s:%u: must be NAME PUBLIC-KEY", file, number);
    }
    if (status == CNV_OK && ferror(in) != 0) {
        status = cnv_fail(err, CNV_E_INPUT, "security/allow=%s: %s", file, strerrordesc_np(errno));
    }
    (void) fclose(in);
    return status;
}

static int entry_is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static enum cnv_status list_read_certificate(struct allow_list *list,
                                             const char *directory,
                                             const char *name,
                                             struct cnv_error *err)
{
    struct cnv_certificate certificate;
    char file[1024];

    if (snprintf(file, sizeof(file), "%s/%s", directory, name) >= (int) sizeof(file)) {
        return cnv_fail(err, CNV_E_INPUT, "security/allow: path too long: %.100s...", file);
    }
    enum cnv_status status = cnv_certificate_load(file, &certificate, err);
    if (status == CNV_OK && certificate.name[0] == '\0') {
        status = cnv_fail(err, CNV_E_INPUT, "%s: no metadata/name: whose key is it?", file);
    }
    return status == CNV_OK ? list_add(list, certificate.name, certificate.public_key, err)
                            : status;
}

static enum cnv_status
list_read_directory(struct allow_list *list, const char *directory, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;
    struct dirent **files = NULL;
    int count = scandir(directory, &files, entry_is_shown, alphasort);

    if (count < 0) {
        return cnv_fail(
            err, CNV_E_INPUT, "security/allow=%s: %s", directory, strerrordesc_np(errno));
    }
    for (int i = 0; i < count; i++) {
        if (status == CNV_OK) {
            status = list_read_certificate(list, directory, files[i]->d_name, err);
        }
        cnv_free(files[i]);
    }
    cnv_free(files);
    return status;
}

static enum cnv_status
list_read(struct allow_list *list, const char *path, bool is_directory, struct cnv_error *err)
{
    enum cnv_status status =
        is_directory ? list_read_directory(list, path, err) : list_read_file(list, path, err);

    if (status != CNV_OK || list->count == 0) {
        return status;
    }
    qsort(list->entries, list->count, sizeof(*list->entries), entry_compare);
    for (size_t i = 1; i < list->count; i++) {
        if (strcmp(list->entries[i - 1].key, list->entries[i].key) == 0) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "security/allow=%s: one key is given to both %s and %s",
                            path,
                            list->entries[i - 1].name,
                            list->entries[i].name);
        }
    }
    return CNV_OK;
}

enum cnv_status cnv_allow_reload(struct cnv_allow *allow, struct cnv_error *err)
{
    struct allow_list list = { .entries = NULL };
    struct stat is;

    if (stat(allow->path, &is) != 0) {
        return cnv_fail(
            err, CNV_E_INPUT, "security/allow=%s: %s", allow->path, strerrordesc_np(errno));
    }
    /* Remembered before the reading: what changes during it is read again. Remembered even if the
     * list is bad, so that it is complained about once. */
    allow->changed = is.st_mtim;
    enum cnv_status status = list_read(&list, allow->path, S_ISDIR(is.st_mode), err);
    if (status != CNV_OK) {
        cnv_free(list.entries);
        return status;
    }
    cnv_free(allow->list.entries);
    allow->list = list;
    allow->generation++;
    return CNV_OK;
}

enum cnv_status cnv_allow_refresh(struct cnv_allow *allow, struct cnv_error *err)
{
    struct stat is;

    if (stat(allow->path, &is) == 0 && is.st_mtim.tv_sec == allow->changed.tv_sec &&
        is.st_mtim.tv_nsec == allow->changed.tv_nsec) {
        return CNV_OK;
    }
    return cnv_allow_reload(allow, err);
}

enum cnv_status cnv_allow_new(const char *path, struct cnv_allow **ret_allow, struct cnv_error *err)
{
    struct cnv_allow *allow = cnv_object_new(struct cnv_allow);

    if (allow == NULL || (allow->path = cnv_string_new(path)) == NULL) {
        cnv_allow_destroy(allow);
        return cnv_fail(err, CNV_E_NOMEM, "allow list");
    }
    enum cnv_status status = cnv_allow_reload(allow, err);
    if (status != CNV_OK) {
        cnv_allow_destroy(allow);
        return status;
    }
    *ret_allow = allow;
    return CNV_OK;
}

void cnv_allow_destroy(struct cnv_allow *allow)
{
    if (allow == NULL) {
        return;
    }
    cnv_free(allow->list.entries);
    cnv_free(allow->path);
    cnv_free(allow);
}

const char *cnv_allow_find(const struct cnv_allow *allow, const char *public_key)
{
    struct allow_entry wanted;

    if (allow->list.count == 0 || strlen(public_key) >= sizeof(wanted.key)) {
        return NULL;
    }
    memcpy(wanted.key, public_key, strlen(public_key) + 1);
    const struct allow_entry *found =
        bsearch(&wanted, allow->list.entries, allow->list.count, sizeof(wanted), entry_compare);
    return found == NULL ? NULL : found->name;
}

bool cnv_allow_has_name(const struct cnv_allow *allow, const char *name)
{
    for (size_t i = 0; i < allow->list.count; i++) {
        if (strcmp(allow->list.entries[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

uint64_t cnv_allow_generation(const struct cnv_allow *allow)
{
    return allow->generation;
}

size_t cnv_allow_count(const struct cnv_allow *allow)
{
    return allow->list.count;
}

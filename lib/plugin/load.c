/*
 * load.c - see load.h.
 *
 * The object is opened lazily first, so that one that belongs to another program, or to another
 * version, is named as that and not by the first function it misses. What is kept is then closed
 * and opened with all functions resolved: nothing is left to fail in the middle of a run.
 */
#include "plugin/load.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

enum { FILE_SIZE = 1024 };

struct object {
    void *handle;
    const struct cnv_plugin *plugin;
};

/* What dlerror says without the file's name, which is said already. */
static const char *last_words(const char *path)
{
    const char *text = dlerror(); /* NOLINT(concurrency-mt-unsafe): there is no other thread yet */
    size_t len = strlen(path);

    if (text == NULL) {
        return "cannot be opened";
    }
    return strncmp(text, path, len) == 0 && strncmp(text + len, ": ", 2) == 0 ? text + len + 2
                                                                              : text;
}

/* A name without '/' would be looked for where libraries are. */
static enum cnv_status path_of(const char *file, char path[FILE_SIZE], struct cnv_error *err)
{
    int len = snprintf(path, FILE_SIZE, "%s%s", strchr(file, '/') == NULL ? "./" : "", file);

    if (file[0] == '\0' || len >= FILE_SIZE) {
        return cnv_fail(err, CNV_E_INPUT, "plug-in \"%.100s\": expected the name of a file", file);
    }
    return CNV_OK;
}

static enum cnv_status find_table(void *object,
                                  const char *file,
                                  const struct cnv_plugin **ret_plugin,
                                  struct cnv_error *err)
{
    const struct cnv_plugin *plugin = dlsym(object, "cnv_plugin");

    if (plugin == NULL || memcmp(plugin->magic, "convene", sizeof(plugin->magic)) != 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%.100s: not a plug-in of convene: it exports no table cnv_plugin",
                        file);
    }
    if (plugin->version != CNV_PLUGIN_VERSION) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%.100s: made for version %u of plug-ins, this convene has version %d: "
                        "build it again with these headers",
                        file,
                        plugin->version,
                        CNV_PLUGIN_VERSION);
    }
    *ret_plugin = plugin;
    return CNV_OK;
}

static enum cnv_status check_kind(const struct cnv_plugin *plugin,
                                  const char *file,
                                  const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS],
                                  struct cnv_error *err)
{
    const char *kind = cnv_plugin_kind_name(plugin->kind);

    if (plugin->kind == 0 || plugin->kind >= CNV_PLUGIN_KINDS) {
        return cnv_fail(
            err, CNV_E_INPUT, "%.100s: a plug-in of an unknown kind, %u", file, plugin->kind);
    }
    if (adopt[plugin->kind] == NULL) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%.100s is a %s: it belongs to %s",
                        file,
                        kind,
                        plugin->kind == CNV_PLUGIN_POLICY ? "the server (convened --plugin)"
                                                          : "the agents (convene-agent --plugin)");
    }
    return CNV_OK;
}

/* Opens it as told and looks for a table this program has a use for. On success it stays open. */
static enum cnv_status open_object(const char *file,
                                   int how,
                                   const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS],
                                   struct object *ret_object,
                                   struct cnv_error *err)
{
    struct object object = { .handle = NULL };
    char path[FILE_SIZE];
    enum cnv_status status = path_of(file, path, err);

    if (status != CNV_OK) {
        return status;
    }
    object.handle = dlopen(path, how | RTLD_LOCAL);
    if (object.handle == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "plug-in %.100s: %.120s", file, last_words(path));
    }
    status = find_table(object.handle, file, &object.plugin, err);
    if (status == CNV_OK) {
        assert(object.plugin != NULL);
        status = check_kind(object.plugin, file, adopt, err);
    }
    if (status != CNV_OK) {
        (void) dlclose(object.handle);
        return status;
    }
    *ret_object = object;
    return CNV_OK;
}

enum cnv_status cnv_plugin_load(const char *file,
                                const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS],
                                const struct cnv_plugin **ret_plugin,
                                struct cnv_error *err)
{
    struct object object = { .handle = NULL };
    enum cnv_status status = open_object(file, RTLD_LAZY, adopt, &object, err);

    if (status == CNV_OK) {
        assert(object.handle != NULL);
        (void) dlclose(object.handle);
        status = open_object(file, RTLD_NOW, adopt, &object, err);
    }
    if (status != CNV_OK) {
        return status;
    }
    status = cnv_options_check(object.plugin->options, file, err);
    if (status == CNV_OK) {
        status = adopt[object.plugin->kind](object.plugin, file, err);
    }
    if (status != CNV_OK) {
        (void) dlclose(object.handle);
        return status;
    }
    if (ret_plugin != NULL) {
        *ret_plugin = object.plugin;
    }
    return CNV_OK;
}

enum cnv_status
cnv_plugin_add(struct cnv_config *config, const char *path, const char *file, struct cnv_error *err)
{
    const char *list = cnv_config_text(config, path);
    char longer[FILE_SIZE + FILE_SIZE];

    if (file[0] == '\0' || strchr(file, ',') != NULL) {
        return cnv_fail(
            err, CNV_E_INPUT, "--plugin \"%.60s\": expected a file name without a comma", file);
    }
    (void) snprintf(longer, sizeof(longer), "%s%s%s", list, list[0] == '\0' ? "" : ",", file);
    return cnv_config_set(config, path, longer, "--plugin", err);
}

enum cnv_status cnv_plugin_load_list(const char *files,
                                     const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS],
                                     struct cnv_error *err)
{
    char file[FILE_SIZE];
    enum cnv_status status = CNV_OK;

    while (*files != '\0' && status == CNV_OK) {
        size_t len = strcspn(files, ",");

        (void) snprintf(file, sizeof(file), "%.*s", (int) len, files);
        status = cnv_plugin_load(file, adopt, NULL, err);
        files += len + (files[len] == ',');
    }
    return status;
}

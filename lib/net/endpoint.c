/* endpoint.c - text work on endpoints; the default control socket lives in the user's own place. */
#include "net/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A path longer than this does not fit a Unix socket's address. */
enum { ENDPOINT_PATH_MAX = sizeof(((struct sockaddr_un *) 0)->sun_path) - 1 };

static bool port_parse(const char *text, uint16_t *ret_port)
{
    char *end = NULL;

    if (strcmp(text, "*") == 0) {
        *ret_port = 0;
        return true;
    }
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    unsigned long port = strtoul(text, &end, 10);
    if (*end != '\0' || port > UINT16_MAX) {
        return false;
    }
    *ret_port = (uint16_t) port;
    return true;
}

static enum cnv_status ipc_parse(const char *path,
                                 const char *key,
                                 struct cnv_endpoint *ret_endpoint,
                                 struct cnv_error *err)
{
    size_t len = strlen(path);

    if (len == 0 || len > ENDPOINT_PATH_MAX) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: path of ipc://%.120s must have 1 to %d bytes, has %zu",
                        key,
                        path,
                        ENDPOINT_PATH_MAX,
                        len);
    }
    memset(ret_endpoint, 0, sizeof(*ret_endpoint));
    ret_endpoint->transport = CNV_IPC;
    memcpy(ret_endpoint->host, path, len + 1);
    return CNV_OK;
}

enum cnv_status cnv_endpoint_parse(const char *text,
                                   const char *key,
                                   struct cnv_endpoint *ret_endpoint,
                                   struct cnv_error *err)
{
    uint16_t port = 0;

    if (strncmp(text, "ipc://", 6) == 0) {
        return ipc_parse(text + 6, key, ret_endpoint, err);
    }
    const char *host = text + 6;
    const char *colon = strrchr(text, ':');
    if (strncmp(text, "tcp://", 6) != 0 || colon == NULL || colon <= host ||
        colon - host >= CNV_ENDPOINT_SIZE || !port_parse(colon + 1, &port)) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s=%.120s: must be tcp://HOST:PORT (PORT 0 to 65535 or *) or ipc://PATH",
                        key,
                        text);
    }
    memset(ret_endpoint, 0, sizeof(*ret_endpoint));
    ret_endpoint->transport = CNV_TCP;
    ret_endpoint->port = port;
    memcpy(ret_endpoint->host, host, (size_t) (colon - host));
    return CNV_OK;
}

const char *cnv_endpoint_format(const struct cnv_endpoint *endpoint, char *text, size_t size)
{
    if (endpoint->transport == CNV_IPC) {
        (void) snprintf(text, size, "ipc://%s", endpoint->host);
    } else if (endpoint->port == 0) {
        (void) snprintf(text, size, "tcp://%s:*", endpoint->host);
    } else {
        (void) snprintf(text, size, "tcp://%s:%u", endpoint->host, (unsigned) endpoint->port);
    }
    return text;
}

enum cnv_status cnv_endpoint_next(const struct cnv_endpoint *endpoint,
                                  struct cnv_endpoint *ret_next,
                                  struct cnv_error *err)
{
    static const char suffix[] = ".bulk";
    struct cnv_endpoint next = *endpoint;

    if (endpoint->transport == CNV_IPC) {
        size_t len = strlen(endpoint->host);

        if (len + sizeof(suffix) - 1 > ENDPOINT_PATH_MAX) {
            return cnv_fail(
                err, CNV_E_INPUT, "path ipc://%s.bulk is too long: set listen/bulk", next.host);
        }
        memcpy(next.host + len, suffix, sizeof(suffix));
    } else if (endpoint->port == UINT16_MAX) {
        return cnv_fail(err, CNV_E_INPUT, "there is no port after 65535: set listen/bulk");
    } else if (endpoint->port != 0) {
        next.port++;
    }
    *ret_next = next;
    return CNV_OK;
}

bool cnv_endpoint_is_local(const struct cnv_endpoint *endpoint)
{
    const char *host = endpoint->host;
    size_t digits = strspn(host, "0123456789.");

    if (endpoint->transport == CNV_IPC) {
        return true;
    }
    return (strncmp(host, "127.", 4) == 0 && host[digits] == '\0') || strcmp(host, "[::1]") == 0 ||
           strcmp(host, "localhost") == 0;
}

bool cnv_endpoint_is_file(const struct cnv_endpoint *endpoint)
{
    return endpoint->transport == CNV_IPC && endpoint->host[0] != '@';
}

static const char *control_directory(char *path, size_t size)
{
    (void) snprintf(path, size, "/tmp/convene-%lu", (unsigned long) geteuid());
    return path;
}

const char *cnv_endpoint_control(char *text, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR"); /* NOLINT(concurrency-mt-unsafe): only read */
    char directory[64];

    if (runtime != NULL && runtime[0] == '/' && strlen(runtime) < ENDPOINT_PATH_MAX / 2) {
        (void) snprintf(text, size, "ipc://%s/convene.control", runtime);
    } else {
        (void) snprintf(text,
                        size,
                        "ipc://%s/convene.control",
                        control_directory(directory, sizeof(directory)));
    }
    return text;
}

enum cnv_status cnv_endpoint_control_directory(const struct cnv_endpoint *endpoint,
                                               struct cnv_error *err)
{
    char directory[64];
    size_t len = strlen(control_directory(directory, sizeof(directory)));
    struct stat is;

    if (endpoint->transport != CNV_IPC || strncmp(endpoint->host, directory, len) != 0 ||
        endpoint->host[len] != '/') {
        return CNV_OK;
    }
    /* Anyone may write to /tmp: what is found there counts only if it is ours and closed. */
    if (mkdir(directory, S_IRWXU) != 0 && errno != EEXIST) {
        return cnv_fail(err, CNV_E_SYSTEM, "cannot make %s: %s", directory, strerrordesc_np(errno));
    }
    if (lstat(directory, &is) != 0 || !S_ISDIR(is.st_mode) || is.st_uid != geteuid() ||
        (is.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return cnv_fail(err,
                        CNV_E_SYSTEM,
                        "%s must be a directory of this user that nobody else may enter",
                        directory);
    }
    return CNV_OK;
}

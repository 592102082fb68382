/*
 * cmd_keygen.c - convene keygen: the server's key pair, then one join file an agent.
 *
 * A join file holds all an agent needs: address, the server's public key, its own key pair. The
 * public half goes onto the allow list, which a living daemon reads again by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/joinfile.h"
#include "command.h"
#include "files.h"
#include "net/certificate.h"

struct keygen_args {
    bool is_server;
    const char *agent;
    const char *out;
    const char *advertise;
    const char *server_key;
    const char *allow;
};

static const struct cnv_option options[] = {
    { "server",
      CNV_OPTION_FLAG,
      offsetof(struct keygen_args, is_server),
      NULL,
      "Make the server's keys." },
    { "agent",
      CNV_OPTION_TEXT,
      offsetof(struct keygen_args, agent),
      "NAME",
      "Make a join file for the agent of that name." },
    { "out",
      CNV_OPTION_TEXT,
      offsetof(struct keygen_args, out),
      "FILE",
      "Where to write it [server.key, NAME.join]." },
    { "advertise",
      CNV_OPTION_TEXT,
      offsetof(struct keygen_args, advertise),
      "ENDPOINT",
      "Where agents find the server: tcp://HOST:PORT." },
    { "server-key",
      CNV_OPTION_TEXT,
      offsetof(struct keygen_args, server_key),
      "FILE",
      "With --agent: the server's key, public part or whole [server.key.pub]." },
    { "allow",
      CNV_OPTION_TEXT,
      offsetof(struct keygen_args, allow),
      "PATH",
      "With --agent: the allow list, a file or a directory [agents.allow beside --server-key]." },
    { .name = NULL },
};

/* "server.key" -> "server.key.pub". */
static enum cnv_status
public_path(const char *path, char text[CNV_PATH_SIZE], struct cnv_error *err)
{
    int n = snprintf(text, CNV_PATH_SIZE, "%s.pub", path);

    if (n < 0 || n >= CNV_PATH_SIZE) {
        return cnv_fail(err, CNV_E_INPUT, "the path %.40s... is too long", path);
    }
    return CNV_OK;
}

static enum cnv_status make_server(const struct keygen_args *args, struct cnv_error *err)
{
    struct cnv_certificate certificate;
    struct cnv_endpoint endpoint;
    char public[CNV_PATH_SIZE];
    const char *out = args->out == NULL ? "server.key" : args->out;

    if (args->advertise == NULL) {
        return cnv_fail(
            err,
            CNV_E_INPUT,
            "--advertise is missing: under which tcp://HOST:PORT do agents find the server?");
    }
    enum cnv_status status = cnv_endpoint_parse(args->advertise, "--advertise", &endpoint, err);
    if (status == CNV_OK) {
        status = public_path(out, public, err);
    }
    if (status == CNV_OK) {
        status = cnv_certificate_generate("server", &certificate, err);
    }
    if (status == CNV_OK) {
        (void) snprintf(certificate.endpoint, sizeof(certificate.endpoint), "%s", args->advertise);
        status = cnv_certificate_save(&certificate, out, true, err);
    }
    if (status == CNV_OK) {
        status = cnv_certificate_save(&certificate, public, false, err);
        if (status != CNV_OK) {
            (void) unlink(out);
        }
    }
    if (status == CNV_OK) {
        (void) printf("%s        secret: stays on the server\n"
                      "%s    public: for making join files\n"
                      "next: convene keygen --agent NAME --server-key %s\n",
                      out,
                      public,
                      public);
    }
    return status;
}

/* "agents.allow" in the directory of the server's key. */
static void default_allow(const char *server_key, char text[CNV_PATH_SIZE])
{
    const char *slash = strrchr(server_key, '/');
    int len = slash == NULL ? 0 : (int) (slash - server_key) + 1;

    (void) snprintf(text, CNV_PATH_SIZE, "%.*sagents.allow", len, server_key);
}

/* One more line at the end of the list, written at once. */
static enum cnv_status
allow_in_file(const char *path, const struct cnv_certificate *certificate, struct cnv_error *err)
{
    char line[CNV_NAME_SIZE + CNV_KEY_SIZE + 2];
    char text[128];
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int len = snprintf(line, sizeof(line), "%s %s\n", certificate->name, certificate->public_key);
    bool done = fd >= 0 && write(fd, line, (size_t) len) == len;

    if (fd >= 0) {
        done = close(fd) == 0 && done;
    }
    if (!done) {
        return cnv_fail(err,
                        CNV_E_SYSTEM,
                        "cannot add to the allow list %s: %s",
                        path,
                        strerror_r(errno, text, sizeof(text)));
    }
    return CNV_OK;
}

static enum cnv_status
allow(const char *path, const struct cnv_certificate *certificate, struct cnv_error *err)
{
    char file[CNV_PATH_SIZE];
    char name[CNV_NAME_SIZE + 4];
    struct stat about;

    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode)) {
        return allow_in_file(path, certificate, err);
    }
    (void) snprintf(name, sizeof(name), "%s.pub", certificate->name);
    enum cnv_status status = cnv_path_join(file, path, name, err);
    if (status == CNV_OK) {
        status = cnv_certificate_save(certificate, file, false, err);
    }
    return status;
}

/* Everything the join file says, from the server's certificate and the agent's fresh keys. */
static enum cnv_status fill(const struct keygen_args *args,
                            const char *server_key,
                            struct cnv_certificate *ret_agent,
                            struct cnv_joinfile *ret_join,
                            struct cnv_error *err)
{
    struct cnv_certificate server;
    enum cnv_status status = cnv_certificate_load(server_key, &server, err);

    if (status != CNV_OK) {
        return status;
    }
    const char *endpoint = args->advertise == NULL ? server.endpoint : args->advertise;
    if (*endpoint == '\0') {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s does not say where the server is: give --advertise tcp://HOST:PORT",
                        server_key);
    }
    status = cnv_certificate_generate(args->agent, ret_agent, err);
    if (status == CNV_OK) {
        (void) snprintf(ret_join->endpoint, sizeof(ret_join->endpoint), "%s", endpoint);
        (void) snprintf(
            ret_join->server_key, sizeof(ret_join->server_key), "%s", server.public_key);
        (void) snprintf(ret_join->name, sizeof(ret_join->name), "%s", ret_agent->name);
        (void) snprintf(
            ret_join->public_key, sizeof(ret_join->public_key), "%s", ret_agent->public_key);
        (void) snprintf(
            ret_join->secret_key, sizeof(ret_join->secret_key), "%s", ret_agent->secret_key);
    }
    return status;
}

static enum cnv_status make_agent(const struct keygen_args *args, struct cnv_error *err)
{
    struct cnv_certificate agent = { 0 };
    struct cnv_joinfile join = { 0 };
    char out[CNV_PATH_SIZE];
    char list[CNV_PATH_SIZE];
    const char *server_key = args->server_key == NULL ? "server.key.pub" : args->server_key;
    enum cnv_status status = fill(args, server_key, &agent, &join, err);

    if (status != CNV_OK) {
        return status;
    }
    (void) snprintf(out, sizeof(out), "%.64s.join", agent.name);
    const char *path = args->out == NULL ? out : args->out;
    default_allow(server_key, list);
    const char *allow_list = args->allow == NULL ? list : args->allow;
    status = cnv_joinfile_write(path, &join, err);
    if (status == CNV_OK) {
        status = allow(allow_list, &agent, err);
        if (status != CNV_OK) {
            (void) unlink(path);
        }
    }
    if (status == CNV_OK) {
        (void) printf("%s    secret: give it to that agent alone\n"
                      "%s    now lets %s in\n"
                      "next: convene-agent --join %s --data FILE\n",
                      path,
                      allow_list,
                      agent.name,
                      path);
    }
    return status;
}

static enum cnv_exit keygen_run(const struct cnv_command *command, void *raw)
{
    const struct keygen_args *args = raw;
    struct cnv_error err = { 0 };
    enum cnv_status status = CNV_OK;

    if (args->is_server == (args->agent != NULL)) {
        status = cnv_fail(&err, CNV_E_INPUT, "give either --server or --agent NAME");
    } else if (args->is_server) {
        status = make_server(args, &err);
    } else {
        status = make_agent(args, &err);
    }
    return status == CNV_OK ? CNV_EXIT_DONE : cnv_command_fail(command, &err);
}

const struct cnv_command cnv_command_keygen = {
    .name = "keygen",
    .text = "Make keys: the server's pair, or a join file for one agent.",
    .options = options,
    .args_size = sizeof(struct keygen_args),
    .examples =
        "  convene keygen --server --out server.key --advertise tcp://host:5550\n"
        "  convene keygen --agent gpu-3 --server-key server.key.pub\n"
        "  convened --set listen/data=tcp://*:5550 --set security/certificate=server.key \\\n"
        "      --set security/allow=agents.allow\n"
        "  convene-agent --join gpu-3.join --data part.libsvm\n",
    .notes =
        "No file is ever overwritten. Taking an agent's line off the allow list locks it out.\n",
    .run = keygen_run,
};

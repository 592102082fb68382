/*
 * check.c - what does not fit together although each value alone is allowed.
 *
 * One function a rule, listed at the end; each names both keys, their values and what would do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/schedule.h"
#include "config/check.h"
#include "config/config.h"
#include "config/value.h"

enum { PORT_MAX = 65535, IPC_PATH_MAX = 107, HIDDEN_MAX = 2, UNITS_MAX = 65536 };

struct endpoint {
    bool is_tcp;
    bool is_loopback; /* or ipc: not reachable from another host */
    bool is_wildcard; /* host "*" or an address that means any */
    bool is_any_port;
    long port;
};

static bool host_is_loopback(const char *host, size_t len)
{
    return (len > 4 && strncmp(host, "127.", 4) == 0) ||
           (len == strlen("localhost") && strncmp(host, "localhost", len) == 0) ||
           (len == strlen("[::1]") && strncmp(host, "[::1]", len) == 0);
}

static bool host_is_wildcard(const char *host, size_t len)
{
    return (len == 1 && *host == '*') ||
           (len == strlen("0.0.0.0") && strncmp(host, "0.0.0.0", len) == 0) ||
           (len == strlen("[::]") && strncmp(host, "[::]", len) == 0);
}

/* Whether host is a name, an IPv4 address, an IPv6 address in brackets, or "*". */
static bool host_is_valid(const char *host, size_t len)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    static const char address[] = "0123456789abcdefABCDEF:.";

    if (len == 0 || (len == 1 && *host == '*')) {
        return len == 1;
    }
    if (*host == '[') {
        size_t digits = strspn(host + 1, address);
        /* [fe80::1%eth0]: an address on a link names its interface. */
        size_t zone = host[1 + digits] == '%' ? 1 + strspn(host + 2 + digits, name) : 0;

        return digits > 0 && zone != 1 && digits + zone == len - 2 && host[len - 1] == ']';
    }
    return strspn(host, name) >= len;
}

static bool parse_port(const char *text, struct endpoint *endpoint)
{
    size_t digits = strspn(text, "0123456789");

    if (strcmp(text, "*") == 0) {
        endpoint->is_any_port = true;
        return true;
    }
    if (digits == 0 || digits > 5 || text[digits] != '\0') {
        return false;
    }
    endpoint->port = strtol(text, NULL, 10);
    return endpoint->port >= 1 && endpoint->port <= PORT_MAX;
}

static bool parse_endpoint(const char *text, struct endpoint *ret_endpoint)
{
    struct endpoint endpoint = { .is_tcp = strncmp(text, "tcp://", 6) == 0 };
    const char *host = text + 6;
    const char *colon = strrchr(text, ':');
    size_t len = 0;

    if (!endpoint.is_tcp) {
        *ret_endpoint = (struct endpoint){ .is_loopback = true };
        return strncmp(text, "ipc://", 6) == 0 && text[6] != '\0' &&
               strlen(text + 6) <= IPC_PATH_MAX;
    }
    if (colon < host) {
        return false;
    }
    len = (size_t) (colon - host);
    endpoint.is_loopback = host_is_loopback(host, len);
    endpoint.is_wildcard = host_is_wildcard(host, len);
    *ret_endpoint = endpoint;
    return host_is_valid(host, len) && parse_port(colon + 1, ret_endpoint);
}

static enum cnv_status check_endpoint_form(const struct cnv_config *config,
                                           const char *path,
                                           struct endpoint *ret_endpoint,
                                           struct cnv_error *err)
{
    const char *text = cnv_config_text(config, path);
    char shown[CNV_SHOWN_SIZE];

    if (parse_endpoint(text, ret_endpoint)) {
        return CNV_OK;
    }
    cnv_value_show(text, shown);
    return cnv_fail(
        err,
        CNV_E_INPUT,
        "%s=%s: allowed is tcp://HOST:PORT (HOST a name, an address, [IPv6] or *; PORT 1 to "
        "65535 or *) or ipc://PATH (at most 107 bytes)",
        path,
        shown);
}

static enum cnv_status check_endpoints(const struct cnv_config *config, struct cnv_error *err)
{
    static const char *const paths[] = { "listen/data", "listen/bulk", "listen/control" };
    const char *data = cnv_config_text(config, "listen/data");
    const char *advertise = cnv_config_text(config, "listen/advertise");
    struct endpoint endpoint = { 0 };
    bool is_open = cnv_config_text(config, "security/certificate")[0] == '\0' &&
                   !cnv_config_boolean(config, "security/insecure");

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (i > 0 && cnv_config_text(config, paths[i])[0] == '\0') {
            continue;
        }
        enum cnv_status status = check_endpoint_form(config, paths[i], &endpoint, err);
        if (status != CNV_OK) {
            return status;
        }
        if (is_open && !endpoint.is_loopback) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%s=%s is beyond loopback: it needs security/certificate=FILE "
                            "(convene keygen makes one) or security/insecure=true",
                            paths[i],
                            cnv_config_text(config, paths[i]));
        }
        if (i == 0 && endpoint.port == PORT_MAX &&
            cnv_config_text(config, "listen/bulk")[0] == '\0') {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "listen/data=%s leaves no next port: listen/bulk has to be given",
                            data);
        }
        if (i > 0 && !endpoint.is_any_port &&
            strcmp(cnv_config_text(config, paths[i]), data) == 0) {
            return cnv_fail(err, CNV_E_INPUT, "%s=%s is the same as listen/data", paths[i], data);
        }
    }
    if (advertise[0] == '\0') {
        return CNV_OK;
    }
    enum cnv_status status = check_endpoint_form(config, "listen/advertise", &endpoint, err);
    if (status == CNV_OK && (endpoint.is_wildcard || endpoint.is_any_port)) {
        status = cnv_fail(
            err, CNV_E_INPUT, "listen/advertise=%s: nobody can connect to a wildcard", advertise);
    }
    return status;
}

static enum cnv_status check_limits(const struct cnv_config *config, struct cnv_error *err)
{
    double heartbeat = cnv_config_real(config, "limits/heartbeat");
    double patience = cnv_config_real(config, "limits/patience");
    double rejoin = cnv_config_real(config, "sync/rejoin");
    int64_t chunk = cnv_config_integer(config, "limits/chunk");
    int64_t agents = cnv_config_integer(config, "run/agents");
    int64_t shards = cnv_config_integer(config, "run/shards");
    int64_t members = cnv_config_integer(config, "limits/members");

    if (heartbeat >= patience) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "limits/heartbeat=%g has to be less than limits/patience=%g",
                        heartbeat,
                        patience);
    }
    if (rejoin > patience) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "sync/rejoin=%g has to be at most limits/patience=%g",
                        rejoin,
                        patience);
    }
    if (chunk % 8 != 0) {
        return cnv_fail(
            err, CNV_E_INPUT, "limits/chunk=%lld has to be a multiple of 8", (long long) chunk);
    }
    if (agents > members) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "run/agents=%lld has to be at most limits/members=%lld",
                        (long long) agents,
                        (long long) members);
    }
    if (shards != 0 && shards < agents) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "run/shards=%lld has to be at least run/agents=%lld",
                        (long long) shards,
                        (long long) agents);
    }
    return CNV_OK;
}

/* What adaptive-period needs. */
static enum cnv_status
check_period(const struct cnv_config *config, int64_t most, struct cnv_error *err)
{
    int64_t period = cnv_config_integer(config, "policy/period");
    double low = cnv_config_real(config, "policy/band-low");
    double high = cnv_config_real(config, "policy/band-high");

    if (strcmp(cnv_config_text(config, "policy/kind"), "adaptive-period") != 0) {
        return CNV_OK;
    }
    if (cnv_config_integer(config, "run/iterations") == 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "policy/kind=adaptive-period needs run/iterations, of which it samples a "
                        "share of policy/sample=%g",
                        cnv_config_real(config, "policy/sample"));
    }
    if (low > high) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "policy/band-low=%g has to be at most policy/band-high=%g",
                        low,
                        high);
    }
    if (period > most) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "policy/period=%lld has to be at most policy/max-local-steps=%lld",
                        (long long) period,
                        (long long) most);
    }
    return CNV_OK;
}

/* What dynamic and async need: rounds that are nothing but local steps. */
static enum cnv_status
check_local(const struct cnv_config *config, const char *setting, struct cnv_error *err)
{
    static const char *const others[] = { "giant", "bfgs",      "fedac",
                                          "savic", "sgd-batch", "adam-batch" };
    const char *solver = cnv_config_text(config, "solver/kind");

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(solver, others[i]) == 0) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%s does not go with solver/kind=%s, whose rounds are more than local "
                            "steps",
                            setting,
                            solver);
        }
    }
    return CNV_OK;
}

/* What dynamic needs: a solver whose models drift apart step by step. */
static enum cnv_status check_dynamic(const struct cnv_config *config, struct cnv_error *err)
{
    if (strcmp(cnv_config_text(config, "policy/kind"), "dynamic") != 0) {
        return CNV_OK;
    }
    if (strcmp(cnv_config_text(config, "policy/balance"), "none") != 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "policy/kind=dynamic does not go with policy/balance=%s: all are looked at "
                        "after the same number of steps",
                        cnv_config_text(config, "policy/balance"));
    }
    return check_local(config, "policy/kind=dynamic", err);
}

/* What async needs: rounds that are one exchange of models, and a mean. */
static enum cnv_status check_async(const struct cnv_config *config, struct cnv_error *err)
{
    static const struct {
        const char *path;
        const char *needed;
        const char *why;
    } needs[] = {
        { "policy/kind", "fixed", "there are no rounds that all take part in" },
        { "policy/balance", "none", "nobody waits for anybody" },
        { "aggregate/kind", "mean", "contributions are damped by their age" },
    };

    if (strcmp(cnv_config_text(config, "sync/mode"), "async") != 0) {
        return CNV_OK;
    }
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        const char *value = cnv_config_text(config, needs[i].path);

        if (strcmp(value, needs[i].needed) != 0) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "sync/mode=async does not go with %s=%s but with %s: %s",
                            needs[i].path,
                            value,
                            needs[i].needed,
                            needs[i].why);
        }
    }
    return check_local(config, "sync/mode=async", err);
}

static enum cnv_status check_policy(const struct cnv_config *config, struct cnv_error *err)
{
    int64_t steps = cnv_config_integer(config, "policy/local-steps");
    int64_t most = cnv_config_integer(config, "policy/max-local-steps");

    if (steps > most) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "policy/local-steps=%lld has to be at most policy/max-local-steps=%lld",
                        (long long) steps,
                        (long long) most);
    }
    enum cnv_status status = check_period(config, most, err);
    if (status == CNV_OK) {
        status = check_dynamic(config, err);
    }
    if (status == CNV_OK) {
        status = cnv_config_check_scaled(config, err);
    }
    return status == CNV_OK ? check_async(config, err) : status;
}

static bool is_start(const char *start)
{
    static const char *const words[] = { "zeros", "ones", "random", "model" };
    size_t len = strlen(start);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(start, words[i]) == 0) {
            return true;
        }
    }
    return len > 4 && strcmp(start + len - 4, ".npy") == 0;
}

/* Zeros and ones have no direction out: all hidden units stay alike for ever. */
static enum cnv_status check_start(const struct cnv_config *config, struct cnv_error *err)
{
    const char *start = cnv_config_text(config, "run/start");
    bool is_flat = strcmp(start, "zeros") == 0 || strcmp(start, "ones") == 0;

    if (!is_start(start)) {
        char shown[CNV_SHOWN_SIZE];

        cnv_value_show(start, shown);
        return cnv_fail(
            err, CNV_E_INPUT, "run/start=%s: allowed is zeros, ones, random or FILE.npy", shown);
    }
    if (is_flat && strcmp(cnv_config_text(config, "problem/kind"), "mlp") == 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "problem/kind=mlp does not train from run/start=%s: use run/start=random",
                        start);
    }
    return CNV_OK;
}

/* "32" or "64,32": the units of hidden layers. */
static enum cnv_status check_hidden(const struct cnv_config *config, struct cnv_error *err)
{
    const char *list = cnv_config_text(config, "problem/hidden");
    uint64_t units[HIDDEN_MAX];
    size_t count = 0;
    bool is_list = cnv_list_read(list, units, HIDDEN_MAX, &count) && count > 0;

    for (size_t i = 0; is_list && i < count; i++) {
        is_list = units[i] >= 1 && units[i] <= UNITS_MAX;
    }
    if (!is_list) {
        char shown[CNV_SHOWN_SIZE];

        cnv_value_show(list, shown);
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "problem/hidden=%s: allowed are one or two numbers of units from 1 to %d, "
                        "separated by a comma",
                        shown,
                        UNITS_MAX);
    }
    return CNV_OK;
}

/* "1000,2000": numbers from 1 in ascending order; a cosine needs an end. */
static enum cnv_status check_decay(const struct cnv_config *config, struct cnv_error *err)
{
    const char *list = cnv_config_text(config, "solver/decay-at");
    const char *kind = cnv_config_text(config, "solver/decay-kind");
    uint64_t at[CNV_DECAYS_MAX];
    size_t count = 0;
    bool is_list = cnv_list_read(list, at, CNV_DECAYS_MAX, &count);

    for (size_t i = 0; is_list && i < count; i++) {
        is_list = at[i] > (i == 0 ? 0 : at[i - 1]);
    }
    if (!is_list) {
        char shown[CNV_SHOWN_SIZE];

        cnv_value_show(list, shown);
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "solver/decay-at=%s: allowed are whole numbers from 1, ascending, "
                        "separated by commas",
                        shown);
    }
    if (count > 0 && strcmp(kind, "steps") != 0) {
        return cnv_fail(
            err, CNV_E_INPUT, "solver/decay-at=%s has no part in solver/decay-kind=%s", list, kind);
    }
    if (strcmp(kind, "cosine") == 0 && cnv_config_integer(config, "run/iterations") == 0) {
        return cnv_fail(
            err, CNV_E_INPUT, "solver/decay-kind=cosine needs run/iterations, where it ends");
    }
    return CNV_OK;
}

/* Options are a plug-in's: what is built in has keys. */
static enum cnv_status check_options(const struct cnv_config *config, struct cnv_error *err)
{
    static const char *const paths[][2] = {
        { "problem/options", "problem/kind" },
        { "solver/options", "solver/kind" },
        { "solver/plan", "solver/kind" },
        { "policy/options", "policy/kind" },
    };

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *kind = cnv_config_text(config, paths[i][1]);

        if (cnv_config_text(config, paths[i][0])[0] != '\0' &&
            strncmp(kind, "plugin:", strlen("plugin:")) != 0) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%s=%.60s is for what comes from a plug-in, %s=%s does not",
                            paths[i][0],
                            cnv_config_text(config, paths[i][0]),
                            paths[i][1],
                            kind);
        }
    }
    return CNV_OK;
}

static enum cnv_status check_security(const struct cnv_config *config, struct cnv_error *err)
{
    const char *allow = cnv_config_text(config, "security/allow");

    if (allow[0] != '\0' && cnv_config_text(config, "security/certificate")[0] == '\0') {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "security/allow=%.60s has no effect without security/certificate",
                        allow);
    }
    return CNV_OK;
}

enum cnv_status cnv_config_check(const struct cnv_config *config, struct cnv_error *err)
{
    static enum cnv_status (*const rules[])(const struct cnv_config *, struct cnv_error *) = {
        check_limits,
        check_start,
        check_hidden,
        check_policy,
        check_decay,
        check_options,
        check_security,
        check_endpoints,
        cnv_config_check_blocks,
        cnv_config_check_tables,
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        enum cnv_status status = rules[i](config, err);

        if (status != CNV_OK) {
            return status;
        }
    }
    return CNV_OK;
}

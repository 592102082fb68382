/*
 * daemon.c - puts the parts together, and takes them apart in the order that libuv and libzmq want.
 *
 * Order of the end: the loop stops; jobs are waited for; watches close their sockets; the loop runs
 * until the last handle is closed; the context is terminated, which waits for what is queued at
 * most as long as LINGER says; only then may pinned, the engine and the loop go.
 */
#include "io/internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <zmq.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "model/model.h"

uint64_t cnv_daemon_now(struct cnv_daemon *daemon)
{
    return cnv_clock_read(&daemon->clock, uv_now(&daemon->loop));
}

void cnv_daemon_settle(struct cnv_daemon *daemon)
{
    for (;;) {
        cnv_peer_id gone = cnv_peers_take_gone(&daemon->peers);

        if (gone != 0) {
            cnv_engine_gone(daemon->engine, cnv_daemon_now(daemon), gone);
        } else if (daemon->has_persisted) {
            daemon->has_persisted = false;
            cnv_engine_persisted(daemon->engine, cnv_daemon_now(daemon), daemon->persisted_version);
        } else {
            return;
        }
    }
}

bool cnv_limiter_allows(struct cnv_limiter *limiter,
                        uint64_t now_ms,
                        uint64_t every_ms,
                        unsigned *ret_skipped)
{
    if (now_ms < limiter->next_ms) {
        limiter->skipped++;
        return false;
    }
    *ret_skipped = limiter->skipped;
    limiter->skipped = 0;
    limiter->next_ms = now_ms + every_ms;
    return true;
}

/* A random number other than 0. */
static enum cnv_status random_number(uint64_t *ret_number, struct cnv_error *err)
{
    uint64_t number = 0;

    while (number == 0) {
        if (getrandom(&number, sizeof(number), 0) != (ssize_t) sizeof(number) && errno != EINTR) {
            return cnv_fail(err, CNV_E_SYSTEM, "no random numbers: %s", strerrordesc_np(errno));
        }
    }
    *ret_number = number;
    return CNV_OK;
}

static void job_done(void *self, struct cnv_job *job)
{
    struct cnv_daemon *daemon = self;

    cnv_engine_job_done(daemon->engine, cnv_daemon_now(daemon), job);
    cnv_daemon_settle(daemon);
}

static enum cnv_status pool_open(struct cnv_daemon *daemon, struct cnv_error *err)
{
    int64_t threads = cnv_config_integer(daemon->config, "limits/threads");

    if (threads == 0) {
        threads = uv_available_parallelism();
    }
    if (threads > CNV_POOL_THREADS_MAX) {
        threads = CNV_POOL_THREADS_MAX;
    }
    enum cnv_status status =
        cnv_pool_new(&daemon->loop, (unsigned) threads, CNV_POOL_INLINE_COST, &daemon->pool, err);
    if (status == CNV_OK) {
        cnv_pool_on_done(daemon->pool, job_done, daemon);
    }
    return status;
}

enum cnv_status cnv_daemon_engine(struct cnv_daemon *daemon,
                                  const struct cnv_config *config,
                                  const struct cnv_start *start,
                                  struct cnv_engine **ret_engine,
                                  struct cnv_error *err)
{
    char bulk[CNV_ENDPOINT_SIZE + 16];
    struct cnv_engine *engine = NULL;
    const struct cnv_engine_start from = {
        .values = start->model.values,
        .labels = start->card.labels,
        .label_count = start->card.label_count,
        .has_labels = start->has_card,
    };
    struct cnv_engine_setup setup = {
        .config = config,
        .bulk_endpoint = cnv_listen_bulk_for_agents(daemon, bulk, sizeof(bulk)),
    };
    const struct cnv_engine_io io = cnv_act_io(daemon);
    char *spec = cnv_config_spec(config);

    if (spec == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "specification of the run");
    }
    setup.spec = spec;
    enum cnv_status status = random_number(&setup.run, err);
    if (status == CNV_OK) {
        status = random_number(&setup.server, err);
    }
    if (status == CNV_OK) {
        status = random_number(&setup.token_seed, err);
    }
    if (status == CNV_OK) {
        status = cnv_engine_new(&setup, &io, cnv_daemon_now(daemon), &engine, err);
    }
    cnv_free(spec);
    if (status == CNV_OK && from.values != NULL && !cnv_engine_start_from(engine, &from)) {
        cnv_engine_destroy(engine);
        status = cnv_fail(err, CNV_E_NOMEM, "the model to start from");
    }
    if (status == CNV_OK) {
        *ret_engine = engine;
    }
    return status;
}

/* The engine of the first run. */
static enum cnv_status engine_open(struct cnv_daemon *daemon, struct cnv_error *err)
{
    struct cnv_start start = { .has_card = false };
    enum cnv_status status = cnv_start_read(daemon->config, &start, err);

    if (status == CNV_OK) {
        status = cnv_daemon_engine(daemon, daemon->config, &start, &daemon->engine, err);
    }
    cnv_start_fini(&start);
    return status;
}

enum cnv_status cnv_daemon_new(const struct cnv_config *config,
                               struct cnv_daemon **ret_daemon,
                               struct cnv_error *err)
{
    struct cnv_daemon *daemon = cnv_object_new(struct cnv_daemon);

    if (daemon == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "daemon");
    }
    int failed = uv_loop_init(&daemon->loop);
    if (failed != 0) {
        cnv_free(daemon);
        return cnv_fail(err, CNV_E_SYSTEM, "event loop: %s", uv_strerror(failed));
    }
    daemon->config = config;
    daemon->start_ms = uv_now(&daemon->loop);
    daemon->clock.seen_ms = daemon->start_ms;
    daemon->pinned_max = (size_t) cnv_config_integer(config, "limits/pinned");
    /* Room for reconnecting members and strangers; beyond it the silent are forgotten. */
    daemon->peers_max = (size_t) cnv_config_integer(config, "limits/members") * 8 + 1024;
    (void) uv_loop_configure(&daemon->loop, UV_METRICS_IDLE_TIME);
    daemon->context = zmq_ctx_new();
    enum cnv_status status =
        daemon->context == NULL ? cnv_fail(err, CNV_E_NOMEM, "ZeroMQ context") : CNV_OK;
    if (status == CNV_OK) {
        status = cnv_listen_open(daemon, err);
    }
    if (status == CNV_OK) {
        status = pool_open(daemon, err);
    }
    if (status == CNV_OK) {
        status = engine_open(daemon, err);
    }
    if (status == CNV_OK) {
        status = cnv_listen_start(daemon, err);
    }
    if (status == CNV_OK) {
        status = cnv_life_start(daemon, err);
    }
    if (status != CNV_OK) {
        cnv_daemon_destroy(daemon);
        return status;
    }
    *ret_daemon = daemon;
    return CNV_OK;
}

/* Settings that are allowed and seldom meant. */
static void warn_doubtful(const struct cnv_config *config)
{
    const char *solver = cnv_config_text(config, "solver/kind");

    if (strcmp(cnv_config_text(config, "policy/balance"), "time") == 0 &&
        (strcmp(solver, "newton") == 0 || strcmp(solver, "giant") == 0)) {
        cnv_log(CNV_LOG_WARN,
                "doubtful_setting",
                "setting=policy/balance=time why=\"%s\"",
                solver[0] == 'g' ? "rounds of giant are more than local steps: it has no effect"
                                 : "steps of newton are not alike: updates over their number may "
                                   "be worse than equal steps");
    }
}

enum cnv_exit cnv_daemon_run(struct cnv_daemon *daemon)
{
    warn_doubtful(daemon->config);
    cnv_log(CNV_LOG_INFO,
            "listening",
            "data=%s bulk=%s control=%s%s%s curve=%s",
            daemon->data.text,
            daemon->bulk.text,
            daemon->control.text,
            cnv_config_text(daemon->config, "listen/advertise")[0] == '\0' ? "" : " advertise=",
            cnv_config_text(daemon->config, "listen/advertise"),
            daemon->has_certificate ? "on" : "off");
    (void) uv_run(&daemon->loop, UV_RUN_DEFAULT);
    cnv_log(CNV_LOG_INFO, "ended", "exit=%d", (int) daemon->exit);
    return daemon->exit;
}

void cnv_daemon_destroy(struct cnv_daemon *daemon)
{
    if (daemon == NULL) {
        return;
    }
    cnv_life_stop_handles(daemon);
    cnv_pool_close(daemon->pool, NULL, NULL);
    cnv_listen_close(daemon);
    (void) uv_run(&daemon->loop, UV_RUN_DEFAULT);
    cnv_next_run_destroy(daemon->next);
    cnv_engine_destroy(daemon->engine);
    cnv_config_destroy(daemon->own_config);
    cnv_model_forget_before(daemon);
    cnv_blob_unref(daemon->npy);
    cnv_peers_fini(&daemon->peers);
    cnv_allow_destroy(daemon->allow);
    if (daemon->context != NULL) {
        (void) zmq_ctx_term(daemon->context);
    }
    int failed = uv_loop_close(&daemon->loop);
    assert(failed == 0);
    (void) failed;
    cnv_free(daemon);
}

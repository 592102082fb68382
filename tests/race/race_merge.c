/*
 * race_merge.c - the engine's merges on four threads under ThreadSanitizer: slices in parallel,
 * attempts given up while their jobs are out. Exits 0 when every version has the same bits as with
 * one thread and nothing is left; TSan ends it when two threads touch the same thing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "config/config.h"
#include "engine/engine.h"
#include "proto/vector.h"
#include "run/pool.h"

/* 10 slices; peers 1..MEMBERS are their data connections, 101.. the bulk ones. */
enum { LENGTH = 600000, MEMBERS = 3, ROUNDS = 4, CHUNK = 65536, BULK = 100 };

struct race {
    struct cnv_engine *engine;
    struct cnv_pool *pool;
    uint64_t now_ms;
    uint64_t persisting;
    uint64_t tokens[MEMBERS + 1];
    struct cnv_msg_credit credit[MEMBERS + 1]; /* the newest said to each */
    uint64_t sent[MEMBERS + 1];                /* chunks of its attempt */
    uint64_t transfer;
};

static size_t race_send(void *self,
                        cnv_peer_id peer,
                        enum cnv_channel channel,
                        const struct cnv_message *message,
                        struct cnv_blob *blob,
                        size_t offset,
                        size_t len)
{
    struct race *race = self;

    (void) channel;
    (void) blob;
    (void) offset;
    if (message->kind == CNV_KIND_WELCOME) {
        race->tokens[peer] = message->welcome.token;
    } else if (message->kind == CNV_KIND_CREDIT) {
        if (message->credit.attempt != race->credit[peer].attempt ||
            message->credit.transfer != race->credit[peer].transfer) {
            race->sent[peer] = 0;
        }
        race->credit[peer] = message->credit;
    }
    return 100 + len;
}

static void race_submit(void *self, struct cnv_job *job)
{
    cnv_pool_submit(((struct race *) self)->pool, job);
}

static void race_done(void *self, struct cnv_job *job)
{
    struct race *race = self;

    cnv_engine_job_done(race->engine, race->now_ms, job);
}

static void race_persist(void *self, const struct cnv_engine_record *record)
{
    ((struct race *) self)->persisting = record->version;
}

static void race_drop(void *self, cnv_peer_id peer)
{
    (void) self;
    (void) peer;
}

static void race_note(void *self, const struct cnv_engine_note *note)
{
    (void) self;
    (void) note;
}

static void say(struct race *race,
                cnv_peer_id peer,
                enum cnv_channel channel,
                const struct cnv_message *message,
                const void *bytes,
                size_t len)
{
    struct cnv_blob *blob = len == 0 ? NULL : cnv_blob_copy(bytes, len);

    cnv_engine_receive(race->engine, race->now_ms, peer, channel, NULL, message, blob, 100 + len);
    cnv_blob_unref(blob);
}

static void join(struct race *race, cnv_peer_id peer)
{
    struct cnv_message hello = { .kind = CNV_KIND_HELLO };
    struct cnv_message loaded = { .kind = CNV_KIND_LOADED };
    struct cnv_message attach = { .kind = CNV_KIND_ATTACH };

    hello.hello.version_min = 1;
    hello.hello.version_max = 1;
    hello.hello.instance = peer;
    hello.hello.shard = peer;
    hello.hello.shards = MEMBERS;
    (void) snprintf(hello.hello.name, sizeof(hello.hello.name), "m%" PRIu64, peer);
    (void) snprintf(hello.hello.role, sizeof(hello.hello.role), "worker");
    loaded.loaded.rows = 10 * peer;
    say(race, peer, CNV_DATA, &hello, NULL, 0);
    attach.attach.token = race->tokens[peer];
    say(race, peer + BULK, CNV_BULK, &attach, NULL, 0);
    say(race, peer, CNV_DATA, &loaded, NULL, 0);
}

static void offer(struct race *race, cnv_peer_id peer, const struct cnv_engine_view *view)
{
    struct cnv_message message = { .kind = CNV_KIND_OFFER };

    message.offer.run = 1;
    message.offer.round = view->round;
    message.offer.attempt = view->attempt;
    message.offer.version = view->version;
    message.offer.transfer = ++race->transfer;
    (void) snprintf(message.offer.encoding, sizeof(message.offer.encoding), "f64");
    message.offer.length = LENGTH;
    message.offer.bytes = LENGTH * sizeof(double);
    message.offer.samples = 10 * peer;
    say(race, peer, CNV_DATA, &message, NULL, 0);
}

/* Sends what there is credit for, of a vector made of peer and version. */
static void upload(struct race *race, cnv_peer_id peer, uint64_t version)
{
    static double values[CHUNK / sizeof(double)];
    const struct cnv_msg_credit credit = race->credit[peer];

    for (; race->sent[peer] < credit.limit; race->sent[peer]++) {
        uint64_t index = race->sent[peer];
        struct cnv_message message = { .kind = CNV_KIND_CHUNK };
        size_t len = cnv_chunk_len(LENGTH * sizeof(double), CHUNK, index);

        for (size_t i = 0; i < CHUNK / sizeof(double); i++) {
            values[i] = (double) (index * 7919 + i * peer + version) / 977.0;
        }
        message.chunk.transfer = credit.transfer;
        message.chunk.attempt = credit.attempt;
        message.chunk.index = index;
        message.chunk.crc = cnv_crc32c(0, values, len);
        say(race, peer + BULK, CNV_BULK, &message, values, len);
    }
}

/* One round. In every other one a member that has sent a part says goodbye and joins again. */
static void play_round(struct race *race, uv_loop_t *loop, uint64_t version)
{
    struct cnv_engine_view view;
    bool leaves = version % 2 == 1;

    cnv_engine_view(race->engine, &view);
    for (cnv_peer_id peer = 1; peer <= MEMBERS; peer++) {
        offer(race, peer, &view);
    }
    while (view.version == version) {
        for (cnv_peer_id peer = 1; peer <= MEMBERS; peer++) {
            upload(race, peer, version);
        }
        if (leaves && race->sent[MEMBERS] > 16) {
            struct cnv_message leave = { .kind = CNV_KIND_LEAVE };

            say(race, MEMBERS, CNV_DATA, &leave, NULL, 0);
            leaves = false;
        }
        (void) uv_run(loop, UV_RUN_ONCE);
        if (race->persisting != 0) {
            uint64_t persisted = race->persisting;

            race->persisting = 0;
            cnv_engine_persisted(race->engine, race->now_ms, persisted);
        }
        cnv_engine_view(race->engine, &view);
    }
}

/* Digests of all versions with so many threads; false: something went wrong. */
static bool play(unsigned threads, uint32_t digests[ROUNDS])
{
    struct race race = { .now_ms = 1000 };
    struct cnv_config *config = cnv_config_new();
    struct cnv_engine_setup setup = {
        .config = config, .spec = "", .run = 1, .server = 2, .token_seed = 3, .bulk_endpoint = ""
    };
    struct cnv_engine_io io = {
        .self = &race,
        .send = race_send,
        .submit = race_submit,
        .persist = race_persist,
        .drop = race_drop,
        .note = race_note,
    };
    struct cnv_message ready = { .kind = CNV_KIND_READY };
    uv_loop_t loop;

    ready.ready.dimension = LENGTH;
    if (config == NULL || cnv_config_assign(config, "run/agents=3", "race", NULL) != CNV_OK ||
        cnv_config_assign(config, "limits/chunk=65536", "race", NULL) != CNV_OK ||
        cnv_config_assign(config, "encoding/down=f32", "race", NULL) != CNV_OK ||
        uv_loop_init(&loop) != 0 || cnv_pool_new(&loop, threads, 1, &race.pool, NULL) != CNV_OK ||
        cnv_engine_new(&setup, &io, race.now_ms, &race.engine, NULL) != CNV_OK) {
        return false;
    }
    cnv_pool_on_done(race.pool, race_done, &race);
    for (uint64_t version = 0; version < ROUNDS; version++) {
        struct cnv_engine_view view;

        for (cnv_peer_id peer = 1; peer <= MEMBERS; peer++) {
            if (version == 0 || peer == MEMBERS) {
                join(&race, peer);
            }
        }
        for (cnv_peer_id peer = 1; peer <= MEMBERS; peer++) {
            say(&race, peer, CNV_DATA, &ready, NULL, 0);
        }
        play_round(&race, &loop, version);
        cnv_engine_view(race.engine, &view);
        digests[version] = view.digest;
    }
    cnv_engine_stop(race.engine, race.now_ms, "enough");
    cnv_pool_close(race.pool, NULL, NULL);
    (void) uv_run(&loop, UV_RUN_DEFAULT);
    cnv_engine_destroy(race.engine);
    cnv_config_destroy(config);
    return uv_loop_close(&loop) == 0 && cnv_blob_alive() == 0;
}

int main(void)
{
    uint32_t one[ROUNDS];
    uint32_t four[ROUNDS];

    if (!play(1, one) || !play(4, four) || memcmp(one, four, sizeof(one)) != 0) {
        (void) fprintf(
            stderr, "other bits with other threads, or %zu blobs left\n", cnv_blob_alive());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/* engine_script.c - see engine_script.h. */
#include "engine_script.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "encodings/encoding.h"
#include "proto/vector.h"

enum { WIRE_HEADER = 100 }; /* what a header frame counts here */

/* Around each call of the engine: memory is out where the test wants it to be. */
static void call_begins(struct script *script)
{
    if (++script->calls == script->fail_call) {
        cnv_mem_fail_after(script->fail_after);
    }
}

static void call_ends(void)
{
    cnv_mem_fail_after(0);
}

static size_t script_send(void *self,
                          cnv_peer_id peer,
                          enum cnv_channel channel,
                          const struct cnv_message *message,
                          struct cnv_blob *blob,
                          size_t offset,
                          size_t len)
{
    struct script *script = self;

    cr_assert_lt(script->sent_count, SCRIPT_SENT_MAX);
    cr_assert_neq(peer, 0);
    if (script->is_full) {
        return 0;
    }
    struct script_sent *sent = &script->sent[script->sent_count++];
    sent->peer = peer;
    sent->channel = channel;
    sent->message = *message;
    sent->len = len;
    sent->bytes = malloc(len + 1); /* not an allocation of the engine's */
    if (len > 0) {
        memcpy(sent->bytes, cnv_blob_data(blob) + offset, len);
    }
    return WIRE_HEADER + len;
}

static void script_submit(void *self, struct cnv_job *job)
{
    struct script *script = self;

    cr_assert_lt(script->job_count, SCRIPT_JOBS_MAX);
    script->jobs[script->job_count++] = job;
}

static void script_persist(void *self, const struct cnv_engine_record *record)
{
    struct script *script = self;

    cr_assert_eq(script->persisting, 0, "one persist at a time");
    script->persisting = record->version;
    script->record = *record;
    script->persists++;
}

static void script_drop(void *self, cnv_peer_id peer)
{
    struct script *script = self;

    cr_assert_lt(script->dropped_count, 256);
    script->dropped[script->dropped_count++] = peer;
}

static void script_note(void *self, const struct cnv_engine_note *note)
{
    struct script *script = self;

    if (script->note_count < SCRIPT_NOTES_MAX) {
        size_t i = script->note_count++;

        script->notes[i].what = note->what;
        script->notes[i].status = note->status;
        (void) snprintf(script->notes[i].text, sizeof(script->notes[i].text), "%s", note->text);
        (void) snprintf(script->notes[i].member,
                        sizeof(script->notes[i].member),
                        "%s",
                        note->member == NULL ? "" : note->member);
    }
}

static struct cnv_engine *engine_new(struct script *script)
{
    struct cnv_engine_io io = {
        .self = script,
        .send = script_send,
        .submit = script_submit,
        .persist = script_persist,
        .drop = script_drop,
        .note = script_note,
    };
    struct cnv_engine_setup setup = {
        .config = script->config,
        .spec = "run/seed=1\n",
        .run = 77,
        .server = 88,
        .token_seed = 99,
        .bulk_endpoint = "tcp://*:5551",
    };
    struct cnv_engine *engine = NULL;
    struct cnv_error err = { .status = CNV_OK };

    cr_assert_eq(
        cnv_engine_new(&setup, &io, script->now_ms, &engine, &err), CNV_OK, "%s", err.text);
    return engine;
}

struct script *script_new(const char *const *settings)
{
    struct script *script = cnv_object_new(struct script);
    struct cnv_error err = { .status = CNV_OK };

    script->config = cnv_config_new();
    script->sent = cnv_array_new(SCRIPT_SENT_MAX, sizeof(*script->sent));
    script->now_ms = 1000;
    for (; *settings != NULL; settings++) {
        cr_assert_eq(
            cnv_config_assign(script->config, *settings, "test", &err), CNV_OK, "%s", err.text);
    }
    script->engine = engine_new(script);
    return script;
}

void script_next_run(struct script *script)
{
    struct cnv_engine *next = engine_new(script);

    cnv_engine_expect(next, script->engine);
    cnv_engine_destroy(script->engine);
    script->engine = next;
    script_mark(script);
}

void script_destroy(struct script *script)
{
    script_run_jobs(script, false);
    cnv_engine_destroy(script->engine);
    cnv_config_destroy(script->config);
    for (size_t i = 0; i < script->sent_count; i++) {
        free(script->sent[i].bytes);
    }
    cnv_free(script->sent);
    cnv_free(script);
    cr_assert_eq(cnv_blob_alive(), 0, "%zu blobs are left", cnv_blob_alive());
}

/* Carries out what the engine asked for, unless the test holds it. */
static void script_settle(struct script *script)
{
    bool is_more = true;

    while (is_more) {
        is_more = false;
        if (!script->holds_jobs && script->job_count > 0) {
            struct cnv_job *job = script->jobs[0];

            script->job_count--;
            memmove(script->jobs, script->jobs + 1, script->job_count * sizeof(job));
            call_begins(script);
            job->run(job);
            script->jobs_run++;
            cnv_engine_job_done(script->engine, script->now_ms, job);
            call_ends();
            is_more = true;
        }
        if (!script->holds_persist && script->persisting != 0) {
            uint64_t version = script->persisting;

            script->persisting = 0;
            call_begins(script);
            cnv_engine_persisted(script->engine, script->now_ms, version);
            call_ends();
            is_more = true;
        }
    }
}

void script_run_jobs(struct script *script, bool is_reversed)
{
    while (script->job_count > 0) {
        size_t at = is_reversed ? script->job_count - 1 : 0;
        struct cnv_job *job = script->jobs[at];

        script->job_count--;
        memmove(script->jobs + at, script->jobs + at + 1, (script->job_count - at) * sizeof(job));
        call_begins(script);
        job->run(job);
        script->jobs_run++;
        cnv_engine_job_done(script->engine, script->now_ms, job);
        call_ends();
    }
    script_settle(script);
}

void script_persisted(struct script *script)
{
    uint64_t version = script->persisting;

    script->persisting = 0;
    call_begins(script);
    cnv_engine_persisted(script->engine, script->now_ms, version);
    call_ends();
    script_settle(script);
}

static void say(struct script *script,
                cnv_peer_id peer,
                enum cnv_channel channel,
                const struct cnv_message *message,
                const void *payload,
                size_t len)
{
    struct cnv_blob *blob = len == 0 ? NULL : cnv_blob_copy(payload, len);

    call_begins(script);
    cnv_engine_receive(
        script->engine, script->now_ms, peer, channel, NULL, message, blob, WIRE_HEADER + len);
    call_ends();
    cnv_blob_unref(blob);
    script_settle(script);
}

void script_say(struct script *script,
                cnv_peer_id peer,
                const struct cnv_message *message,
                const void *payload,
                size_t len)
{
    say(script, peer, CNV_DATA, message, payload, len);
}

void script_say_bulk(struct script *script,
                     cnv_peer_id peer,
                     const struct cnv_message *message,
                     const void *payload,
                     size_t len)
{
    say(script, peer, CNV_BULK, message, payload, len);
}

void script_wait(struct script *script, uint64_t ms)
{
    static const cnv_peer_id nobody[] = { 0 };

    script_wait_beating(script, ms, nobody);
}

void script_wait_beating(struct script *script, uint64_t ms, const cnv_peer_id *peers)
{
    uint64_t until = script->now_ms + ms;
    uint64_t beat_ms = script->now_ms;

    while (script->now_ms < until) {
        script->now_ms += until - script->now_ms < 100 ? until - script->now_ms : 100;
        call_begins(script);
        cnv_engine_tick(script->engine, script->now_ms);
        call_ends();
        script_settle(script);
        if (script->now_ms >= beat_ms) {
            struct cnv_engine_view view = script_view(script);

            beat_ms = script->now_ms + 1000;
            for (const cnv_peer_id *peer = peers; *peer != 0; peer++) {
                script_beat(script, *peer, view.version, view.round, view.attempt, view.exchange);
            }
        }
    }
}

/* --- What members say ---------------------------------------------------------------------- */

void script_hello_as(struct script *script,
                     cnv_peer_id peer,
                     const char *name,
                     uint64_t instance,
                     uint32_t shard,
                     uint32_t shards)
{
    struct cnv_message message = { .kind = CNV_KIND_HELLO };

    message.hello.version_min = 1;
    message.hello.version_max = 1;
    (void) snprintf(message.hello.name, sizeof(message.hello.name), "%s", name);
    (void) snprintf(message.hello.host, sizeof(message.hello.host), "host-of-%.40s", name);
    (void) snprintf(message.hello.role, sizeof(message.hello.role), "worker");
    message.hello.instance = instance;
    message.hello.shard = shard;
    message.hello.shards = shards;
    script_say(script, peer, &message, NULL, 0);
}

void script_hello(struct script *script, cnv_peer_id peer, const char *name)
{
    script_hello_as(script, peer, name, peer, 0, 0);
}

void script_loaded(struct script *script, cnv_peer_id peer)
{
    static const double labels[] = { -1, 1 };
    struct cnv_message message = { .kind = CNV_KIND_LOADED };

    message.loaded.rows = 10;
    message.loaded.features = 3;
    message.loaded.labels = 2;
    script_say(script, peer, &message, labels, sizeof(labels));
}

void script_ready(struct script *script, cnv_peer_id peer, uint64_t dimension)
{
    struct cnv_message message = { .kind = CNV_KIND_READY };

    message.ready.dimension = dimension;
    script_say(script, peer, &message, NULL, 0);
}

void script_load(struct script *script, cnv_peer_id peer, const char *name)
{
    script_hello(script, peer, name);
    script_loaded(script, peer);
}

void script_join_all(struct script *script, size_t n, uint64_t dimension)
{
    char name[16];

    for (size_t i = 1; i <= n; i++) {
        (void) snprintf(name, sizeof(name), "a%zu", i);
        script_load(script, i, name);
    }
    for (size_t i = 1; i <= n; i++) {
        script_ready(script, i, dimension);
    }
}

void script_attach(struct script *script, cnv_peer_id peer, cnv_peer_id bulk)
{
    struct cnv_message message = { .kind = CNV_KIND_ATTACH };
    size_t mark = script->mark;

    script->mark = 0;
    message.attach.token = script_last(script, peer, CNV_KIND_WELCOME)->message.welcome.token;
    script->mark = mark;
    script_say_bulk(script, bulk, &message, NULL, 0);
}

/* The L it was told last. */
static uint64_t told_steps(struct script *script, cnv_peer_id peer)
{
    const struct script_sent *announce = NULL;
    size_t mark = script->mark;

    script->mark = 0;
    announce = script_last(script, peer, CNV_KIND_ANNOUNCE);
    script->mark = mark;
    return announce == NULL ? 0 : announce->message.announce.local_steps;
}

struct cnv_msg_offer
script_offer_head(struct script *script, cnv_peer_id peer, const char *encoding, uint64_t samples)
{
    struct cnv_engine_view view = script_view(script);
    struct cnv_msg_offer offer = {
        .run = 77,
        .round = view.round,
        .attempt = view.attempt,
        .exchange = view.exchange,
        .version = view.version,
        .transfer = ++script->transfers[peer],
        .samples = samples,
        .steps = told_steps(script, peer),
    };

    if (encoding[0] != '\0') {
        (void) snprintf(offer.encoding, sizeof(offer.encoding), "%s", encoding);
        offer.length = view.dimension;
        offer.bytes = cnv_encoding_find(encoding)->size(view.dimension);
    }
    return offer;
}

void script_offer_message(struct script *script,
                          cnv_peer_id peer,
                          const struct cnv_msg_offer *offer,
                          const void *bytes)
{
    struct cnv_message message = { .kind = CNV_KIND_OFFER, .offer = *offer };
    size_t len = offer->bytes <= CNV_INLINE_MAX ? (size_t) offer->bytes : 0;

    if (len > 0 && message.offer.crc == 0) {
        message.offer.crc = cnv_crc32c(0, bytes, len);
    }
    script_say(script, peer, &message, bytes, len);
}

void script_offer_values(struct script *script, cnv_peer_id peer, const double *values)
{
    struct cnv_msg_offer offer =
        script_offer_head(script, peer, cnv_config_text(script->config, "encoding/up"), 10);
    uint8_t *bytes = cnv_array_new(offer.bytes, 1);

    offer.scalars.count = 1;
    offer.scalars.at[0] = values[0];
    cnv_encoding_find(offer.encoding)->encode(values, offer.length, bytes);
    script_offer_message(script, peer, &offer, bytes);
    cnv_free(bytes);
}

void script_offer(struct script *script, cnv_peer_id peer, double value)
{
    uint64_t dimension = script_view(script).dimension;
    double *values = cnv_array_new(dimension, sizeof(*values));

    for (uint64_t i = 0; i < dimension; i++) {
        values[i] = value;
    }
    script_offer_values(script, peer, values);
    cnv_free(values);
}

void script_offer_scalars(struct script *script, cnv_peer_id peer, const double *scalars, size_t n)
{
    struct cnv_msg_offer offer = script_offer_head(script, peer, "", 10);

    offer.scalars.count = (uint32_t) n;
    if (n > 0) {
        memcpy(offer.scalars.at, scalars, n * sizeof(*scalars));
    }
    script_offer_message(script, peer, &offer, NULL);
}

void script_chunks(struct script *script,
                   cnv_peer_id peer,
                   cnv_peer_id bulk,
                   uint64_t from,
                   uint64_t to,
                   double value)
{
    const struct script_sent *credit = script_last(script, peer, CNV_KIND_CREDIT);
    uint64_t dimension = script_view(script).dimension;
    uint64_t chunk_bytes = (uint64_t) cnv_config_integer(script->config, "limits/chunk");
    const struct cnv_encoding_ops *up =
        cnv_encoding_find(cnv_config_text(script->config, "encoding/up"));
    double *values = cnv_array_new(dimension, sizeof(*values));
    uint8_t *bytes = cnv_array_new(up->size(dimension), 1);

    cr_assert_not_null(credit);
    struct cnv_msg_credit asked = credit->message.credit; /* sent may grow meanwhile */
    for (uint64_t i = 0; i < dimension; i++) {
        values[i] = value + (double) i;
    }
    up->encode(values, dimension, bytes);
    for (uint64_t i = from; i < to; i++) {
        struct cnv_message message = { .kind = CNV_KIND_CHUNK };
        size_t len = cnv_chunk_len(up->size(dimension), chunk_bytes, i);

        message.chunk.transfer = asked.transfer;
        message.chunk.attempt = asked.attempt;
        message.chunk.index = i;
        message.chunk.crc = cnv_crc32c(0, bytes + i * chunk_bytes, len);
        script_say_bulk(script, bulk, &message, bytes + i * chunk_bytes, len);
    }
    cnv_free(values);
    cnv_free(bytes);
}

void script_upload_all(struct script *script, const cnv_peer_id *peers, const double *values)
{
    uint64_t version = script_view(script).version;
    uint64_t done[64] = { 0 };
    bool is_more = true;

    while (is_more && script_view(script).version == version) {
        is_more = false;
        for (size_t i = 0; peers[i] != 0; i++) {
            const struct script_sent *credit = script_last(script, peers[i], CNV_KIND_CREDIT);

            if (credit != NULL && credit->message.credit.limit > done[i]) {
                uint64_t to = credit->message.credit.limit;

                script_chunks(script, peers[i], peers[i] + 1000, done[i], to, values[i]);
                done[i] = to;
                is_more = true;
            }
        }
    }
}

void script_beat(struct script *script,
                 cnv_peer_id peer,
                 uint64_t version,
                 uint64_t round,
                 uint64_t attempt,
                 uint64_t exchange)
{
    struct cnv_message message = { .kind = CNV_KIND_BEAT };

    message.beat.run = 77;
    message.beat.version = version;
    message.beat.round = round;
    message.beat.attempt = attempt;
    message.beat.exchange = exchange;
    (void) snprintf(message.beat.state, sizeof(message.beat.state), "idle");
    script_say(script, peer, &message, NULL, 0);
}

void script_leave(struct script *script, cnv_peer_id peer)
{
    struct cnv_message message = { .kind = CNV_KIND_LEAVE };

    (void) snprintf(message.leave.reason, sizeof(message.leave.reason), "done here");
    script_say(script, peer, &message, NULL, 0);
}

void script_gone(struct script *script, cnv_peer_id peer)
{
    call_begins(script);
    cnv_engine_gone(script->engine, script->now_ms, peer);
    call_ends();
    script_settle(script);
}

/* --- What the engine said ------------------------------------------------------------------ */

void script_mark(struct script *script)
{
    script->mark = script->sent_count;
}

size_t script_count(const struct script *script, cnv_peer_id peer, enum cnv_kind kind)
{
    size_t count = 0;

    for (size_t i = script->mark; i < script->sent_count; i++) {
        count += script->sent[i].peer == peer && script->sent[i].message.kind == kind;
    }
    return count;
}

const struct script_sent *
script_last(const struct script *script, cnv_peer_id peer, enum cnv_kind kind)
{
    for (size_t i = script->sent_count; i > script->mark; i--) {
        const struct script_sent *sent = &script->sent[i - 1];

        if (sent->peer == peer && sent->message.kind == kind) {
            return sent;
        }
    }
    return NULL;
}

bool script_noted(const struct script *script, int what, const char *words)
{
    for (size_t i = 0; i < script->note_count; i++) {
        if (script->notes[i].what == what && strstr(script->notes[i].text, words) != NULL) {
            return true;
        }
    }
    return false;
}

bool script_was_dropped(const struct script *script, cnv_peer_id peer)
{
    for (size_t i = 0; i < script->dropped_count; i++) {
        if (script->dropped[i] == peer) {
            return true;
        }
    }
    return false;
}

struct cnv_engine_view script_view(const struct script *script)
{
    struct cnv_engine_view view;

    cnv_engine_view(script->engine, &view);
    return view;
}

struct cnv_member_view script_member(const struct script *script, const char *name)
{
    struct cnv_member_view member;

    for (size_t i = 0; cnv_engine_member(script->engine, script->now_ms, i, &member); i++) {
        if (strcmp(member.name, name) == 0) {
            return member;
        }
    }
    cr_assert_fail("no member %s", name);
    return member;
}

double script_model(const struct script *script, size_t i)
{
    struct cnv_engine_view view = script_view(script);
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(view.model_encoding);
    struct cnv_extent extent = encoding->extent(view.dimension, i, 1);
    double value = 0;

    encoding->decode(cnv_blob_data(view.model) + extent.offset, 1, NULL, &value);
    return value;
}

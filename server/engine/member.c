/*
 * member.c - seats in the run: who holds which name and shard, and whether it is there.
 *
 *              hello              ready
 *   (none) ───────────► JOINING ─────────► READY
 *                        │  ▲                │
 *            gone, silent│  │new process     │gone, silent
 *                        ▼  │                ▼
 *                       LOST ◄───────────── LOST ──heard again──► READY or JOINING
 *                        │
 *                        └── goodbye, refused, shard taken over (from any state) ──► LEFT
 *
 * WORKING and OFFERED of the public view are READY with a place in the round (view.c).
 *
 * Happy path: hello makes a seat, loaded and ready make it a member, leave frees it.
 * What can fail: the connection goes or falls silent (LOST: the seat is kept, and the round waits
 * until grace_ms); the process is refused (LEFT, with the reason in words for status).
 * Invariants: a name has one seat; a shard has at most one holder; a connection belongs to at most
 * one seat; ids are never reused.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "internal.h"

static const struct {
    enum cnv_member_state from;
    enum cnv_member_state to;
} member_moves[] = {
    { CNV_MEMBER_JOINING, CNV_MEMBER_JOINING }, /* another process took the name */
    { CNV_MEMBER_JOINING, CNV_MEMBER_READY },   { CNV_MEMBER_JOINING, CNV_MEMBER_LOST },
    { CNV_MEMBER_JOINING, CNV_MEMBER_LEFT },    { CNV_MEMBER_READY, CNV_MEMBER_JOINING },
    { CNV_MEMBER_READY, CNV_MEMBER_LOST },      { CNV_MEMBER_READY, CNV_MEMBER_LEFT },
    { CNV_MEMBER_LOST, CNV_MEMBER_JOINING },    { CNV_MEMBER_LOST, CNV_MEMBER_READY },
    { CNV_MEMBER_LOST, CNV_MEMBER_LEFT },       { CNV_MEMBER_LEFT, CNV_MEMBER_JOINING },
};

void cnv_member_move(struct cnv_member *member, enum cnv_member_state state, const char *why)
{
    bool is_allowed = false;

    for (size_t i = 0; i < sizeof(member_moves) / sizeof(member_moves[0]); i++) {
        is_allowed |= member_moves[i].from == member->state && member_moves[i].to == state;
    }
    assert(is_allowed);
    member->state = state;
    (void) snprintf(member->why, sizeof(member->why), "%s", why);
}

struct cnv_member *cnv_member_by_name(const struct cnv_engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->member_count; i++) {
        if (strcmp(engine->members[i]->name, name) == 0) {
            return engine->members[i];
        }
    }
    return NULL;
}

struct cnv_member *
cnv_member_by_peer(const struct cnv_engine *engine, enum cnv_channel channel, cnv_peer_id peer)
{
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if ((channel == CNV_DATA ? member->peer : member->bulk_peer) == peer) {
            return member;
        }
    }
    return NULL;
}

void cnv_member_destroy(struct cnv_member *member)
{
    if (member == NULL) {
        return;
    }
    cnv_async_drop(member);
    cnv_offer_clear(&member->offer);
    cnv_outbox_clear(member);
    cnv_free(member->labels);
    cnv_free(member);
}

/* Forgets a seat nobody holds any more: those who left first, then the longest lost. */
static bool member_evict(struct cnv_engine *engine)
{
    size_t found = engine->member_count;

    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];
        bool is_free = !member->in_round && member->peer == 0 &&
                       (member->state == CNV_MEMBER_LEFT || member->state == CNV_MEMBER_LOST);

        if (is_free &&
            (found == engine->member_count || member->lost_ms < engine->members[found]->lost_ms)) {
            found = i;
        }
    }
    if (found == engine->member_count) {
        return false;
    }
    cnv_member_destroy(engine->members[found]);
    engine->member_count--;
    memmove(&engine->members[found],
            &engine->members[found + 1],
            (engine->member_count - found) * sizeof(struct cnv_member *));
    return true;
}

struct cnv_member *
cnv_member_new(struct cnv_engine *engine, const char *name, struct cnv_error *err)
{
    if (engine->member_count >= engine->settings.members_max && !member_evict(engine)) {
        (void) cnv_fail(err,
                        CNV_E_FULL,
                        "no room for %s: limits/members=%zu is reached",
                        name,
                        engine->settings.members_max);
        return NULL;
    }
    if (engine->member_count == engine->member_capacity) {
        size_t capacity = engine->member_capacity == 0 ? 8 : 2 * engine->member_capacity;
        struct cnv_member **members = cnv_array_resize(
            engine->members, engine->member_capacity, capacity, sizeof(struct cnv_member *));

        if (members == NULL) {
            (void) cnv_fail(err, CNV_E_NOMEM, "out of memory for member %s", name);
            return NULL;
        }
        engine->members = members;
        engine->member_capacity = capacity;
    }
    struct cnv_member *member = cnv_object_new(struct cnv_member);
    if (member == NULL) {
        (void) cnv_fail(err, CNV_E_NOMEM, "out of memory for member %s", name);
        return NULL;
    }
    (void) snprintf(member->name, sizeof(member->name), "%s", name);
    member->id = ++engine->next_id;
    member->state = CNV_MEMBER_JOINING;
    engine->members[engine->member_count++] = member;
    return member;
}

void cnv_engine_expect(struct cnv_engine *engine, const struct cnv_engine *before)
{
    struct cnv_error err;

    for (size_t i = 0; i < before->member_count; i++) {
        const struct cnv_member *old = before->members[i];

        if (!old->holds_shard || old->state == CNV_MEMBER_LOST) {
            continue;
        }
        struct cnv_member *seat = cnv_member_new(engine, old->name, &err);
        if (seat == NULL) {
            return;
        }
        memcpy(seat->host, old->host, sizeof(seat->host));
        seat->instance = old->instance;
        seat->shard = old->shard;
        seat->shards = old->shards;
        cnv_member_leave(engine, seat, "was in the run before, has not come to this one");
    }
}

void cnv_member_reset(struct cnv_member *member)
{
    member->is_loaded = false;
    member->is_ready = false;
    member->has_model = false;
    member->counted_version = 0;
    cnv_async_drop(member);
    member->since_version = 0;
    member->told_version = UINT64_MAX;
    member->version = 0;
    member->at_round = 0;
    member->at_attempt = 0;
    member->at_exchange = 0;
    member->steps_per_second = 0;
    cnv_outbox_clear(member);
}

void cnv_member_lose(struct cnv_engine *engine,
                     struct cnv_member *member,
                     uint64_t grace_ms,
                     const char *why)
{
    if (member->state == CNV_MEMBER_LEFT || member->state == CNV_MEMBER_LOST) {
        return;
    }
    if (member->state == CNV_MEMBER_READY || !member->was_ready) {
        member->lost_ms = engine->now_ms; /* a process lost while loading does not count anew */
    }
    uint64_t latest = member->lost_ms + engine->settings.patience_ms;

    member->grace_ms = grace_ms < latest ? grace_ms : latest;
    cnv_member_move(member, CNV_MEMBER_LOST, why);
    cnv_note(engine, CNV_NOTE_LOST, member, CNV_OK, why);
}

void cnv_member_return(struct cnv_engine *engine, struct cnv_member *member)
{
    if (member->is_ready) {
        cnv_member_move(member, CNV_MEMBER_READY, "");
    } else {
        cnv_member_move(member, CNV_MEMBER_JOINING, "loading");
    }
    cnv_note(engine, CNV_NOTE_RETURNED, member, CNV_OK, "is back");
}

/* Features, labels and rows were fixed by agents that are all gone before any was ready: the next
 * ones start afresh. */
static void shape_forget_abandoned(struct cnv_engine *engine)
{
    if (!engine->has_shape || engine->dimension != 0) {
        return;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        if (engine->members[i]->is_loaded && engine->members[i]->state != CNV_MEMBER_LEFT) {
            return;
        }
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        engine->members[i]->is_loaded = false;
    }
    cnv_free(engine->labels);
    engine->labels = NULL;
    engine->label_count = 0;
    engine->features = 0;
    engine->total_rows = 0;
    cnv_places_forget(engine);
    engine->has_shape = false;
}

void cnv_member_leave(struct cnv_engine *engine, struct cnv_member *member, const char *why)
{
    if (member->peer != 0) {
        engine->io.drop(engine->io.self, member->peer);
    }
    if (member->bulk_peer != 0 && member->bulk_peer != member->peer) {
        engine->io.drop(engine->io.self, member->bulk_peer);
    }
    cnv_place_free(engine, member);
    member->peer = 0;
    member->bulk_peer = 0;
    member->holds_shard = false;
    member->was_ready = false;
    member->lost_ms = engine->now_ms;
    member->grace_ms = engine->now_ms;
    cnv_outbox_clear(member);
    if (member->state != CNV_MEMBER_LEFT) {
        cnv_member_move(member, CNV_MEMBER_LEFT, why);
    }
    cnv_round_forget(engine, member);
    shape_forget_abandoned(engine);
}

void cnv_member_refuse(struct cnv_engine *engine,
                       struct cnv_member *member,
                       enum cnv_status status,
                       const char *text)
{
    struct cnv_message message = { .kind = CNV_KIND_ERROR };

    message.error.code = (uint64_t) -status;
    message.error.fatal = true;
    (void) snprintf(message.error.text, sizeof(message.error.text), "%s", text);
    cnv_post_header(engine, member, &message);
    cnv_note(engine, CNV_NOTE_REFUSED, member, status, text);
    cnv_member_leave(engine, member, text);
}

int cnv_member_compare(const struct cnv_member *a, const struct cnv_member *b)
{
    if (a->shard != b->shard) {
        return a->shard < b->shard ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

bool cnv_member_is_connected(const struct cnv_member *member)
{
    return member->peer != 0 &&
           (member->state == CNV_MEMBER_JOINING || member->state == CNV_MEMBER_READY);
}

size_t cnv_member_count_ready(const struct cnv_engine *engine)
{
    size_t count = 0;

    for (size_t i = 0; i < engine->member_count; i++) {
        count += engine->members[i]->state == CNV_MEMBER_READY && !engine->members[i]->is_follower;
    }
    return count;
}

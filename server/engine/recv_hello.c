/*
 * recv_hello.c - a process says who it is: a new member, a returning one, or a rival.
 *
 * Happy path: hello ► a seat under that name, a shard, a session token ► welcome.
 * What else can be:
 *   the same process again, on the same connection   welcome again, nothing changes
 *   the same process on a new connection             its seat, offer and uploaded chunks stay
 *   another process under a held name                the older one is told `replaced` and stops; a
 *                                                    place in the round and a whole offer stay
 *   a process that was replaced already              `replaced` once more (its hello was late)
 *   a shard whose holder is lost                     the new name takes shard and place
 * What can fail, each with a fatal error in words: no protocol version in common, a name that is
 * not allowed or bound to another key, no free shard, a shard held by a living name, another
 * division into shards, no room.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "internal.h"

static enum cnv_status
hello_check(const struct cnv_msg_hello *hello, const char *user, struct cnv_error *err)
{
    if (cnv_version_agree(hello->version_min, hello->version_max) == 0) {
        return cnv_fail(err,
                        CNV_E_VERSION,
                        "%.64s speaks protocol %" PRIu64 " to %" PRIu64 ", this server %d to %d",
                        hello->name,
                        hello->version_min,
                        hello->version_max,
                        CNV_PROTOCOL_OLDEST,
                        CNV_PROTOCOL_VERSION);
    }
    bool is_name = hello->name[0] != '\0';
    for (const char *p = hello->name; *p != '\0'; p++) {
        is_name = is_name && (isalnum((unsigned char) *p) || strchr("._-", *p) != NULL);
    }
    if (!is_name) {
        return cnv_fail(err,
                        CNV_E_UNAUTHORIZED,
                        "agent name '%.64s' is not allowed: letters, digits, '.', '_', '-'",
                        hello->name);
    }
    if (user != NULL && strcmp(user, hello->name) != 0) {
        return cnv_fail(
            err, CNV_E_UNAUTHORIZED, "this key belongs to %.64s, not to %.64s", user, hello->name);
    }
    if (strcmp(hello->role, "worker") != 0 && strcmp(hello->role, "follower") != 0) {
        return cnv_fail(err,
                        CNV_E_UNEXPECTED,
                        "role '%s' of %s is neither worker nor follower",
                        hello->role,
                        hello->name);
    }
    if (hello->shard > hello->shards || hello->shards > UINT32_MAX) {
        return cnv_fail(err,
                        CNV_E_NO_SHARD,
                        "there is no shard %" PRIu64 " of %" PRIu64,
                        hello->shard,
                        hello->shards);
    }
    return CNV_OK;
}

/* Starts a session on this connection: what was said on an older one no longer counts. */
static void hello_open(struct cnv_engine *engine, struct cnv_member *member, cnv_peer_id peer)
{
    struct cnv_rng rng;

    member->peer = peer;
    member->incarnation = ++engine->incarnation;
    cnv_rng_init(&rng, engine->token_seed, CNV_RNG_TOKEN, member->incarnation, 0);
    do {
        member->token = cnv_rng_u64(&rng);
    } while (member->token == 0);
    member->heard_ms = engine->now_ms;
    member->commit_ms = 0;
    member->announce_ms = 0;
    member->settled_ms = 0;
}

static void hello_answer(struct cnv_engine *engine, struct cnv_member *member)
{
    cnv_post_welcome(engine, member);
    if (member->is_follower) {
        cnv_catch_up(engine, member);
    } else if (engine->has_shape && member->is_loaded) {
        cnv_post_shape(engine, member);
    }
}

/* The process that holds the seat says hello again. */
static void hello_resume(struct cnv_engine *engine, struct cnv_member *member, cnv_peer_id peer)
{
    bool is_new_session = member->peer != peer;

    if (is_new_session) {
        if (member->peer != 0) {
            engine->io.drop(engine->io.self, member->peer);
        }
        hello_open(engine, member, peer);
    }
    if (member->state == CNV_MEMBER_LOST) {
        cnv_member_return(engine, member);
    }
    hello_answer(engine, member);
    if (is_new_session) {
        cnv_offer_resume(engine, member);
    }
}

/* Who holds the shard, lost or not; NULL: nobody. */
static struct cnv_member *shard_holder(const struct cnv_engine *engine, uint64_t shard)
{
    for (size_t i = 0; i < engine->member_count; i++) {
        if (engine->members[i]->holds_shard && engine->members[i]->shard == shard) {
            return engine->members[i];
        }
    }
    return NULL;
}

/* Whether the shard was of a seat whose process may come back for it. */
static bool shard_is_missed(const struct cnv_engine *engine, uint32_t shard)
{
    for (size_t i = 0; i < engine->member_count; i++) {
        if (engine->members[i]->state == CNV_MEMBER_LEFT && engine->members[i]->shard == shard) {
            return true;
        }
    }
    return false;
}

/* A shard to lease: the member's own of before, the lowest free one, best one that nobody had; the
 * longest lost one's; or 0. */
static uint32_t shard_lease(const struct cnv_engine *engine, const struct cnv_member *member)
{
    const struct cnv_member *longest = NULL;
    uint32_t missed = 0;

    if (member != NULL && member->shard != 0) {
        const struct cnv_member *holder = shard_holder(engine, member->shard);

        if (member->shard <= engine->shards && (holder == NULL || holder == member)) {
            return member->shard;
        }
    }
    for (uint32_t shard = 1; shard <= engine->shards; shard++) {
        const struct cnv_member *holder = shard_holder(engine, shard);

        if (holder == NULL && !shard_is_missed(engine, shard)) {
            return shard;
        }
        if (holder == NULL) {
            missed = missed == 0 ? shard : missed;
        } else if (holder->state == CNV_MEMBER_LOST &&
                   (longest == NULL || holder->lost_ms < longest->lost_ms)) {
            longest = holder;
        }
    }
    return missed != 0 ? missed : longest == NULL ? 0 : longest->shard;
}

/* Shard 1 of 1: data of its own, which no other agent has a part of. Nothing is held or divided. */
static bool shard_is_own(const struct cnv_msg_hello *hello)
{
    return hello->shard == 1 && hello->shards == 1;
}

/* Finds the shard for a new process. member: the seat of its name, or NULL. */
static enum cnv_status shard_assign(struct cnv_engine *engine,
                                    const struct cnv_msg_hello *hello,
                                    const struct cnv_member *member,
                                    uint32_t *ret_shard,
                                    struct cnv_error *err)
{
    bool is_divided = false; /* somebody else works on a division of the data */

    if (shard_is_own(hello)) {
        *ret_shard = 1;
        return CNV_OK;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        is_divided |= engine->members[i]->holds_shard && engine->members[i] != member;
    }
    if (!is_divided && !engine->has_shape) {
        engine->shards = hello->shards != 0 ? (uint32_t) hello->shards : engine->settings.shards;
    }
    if (hello->shards != 0 && hello->shards != engine->shards) {
        return cnv_fail(err,
                        CNV_E_NO_SHARD,
                        "%s asks for shard %" PRIu64 " of %" PRIu64
                        ", but this run's data is cut into %" PRIu32,
                        hello->name,
                        hello->shard,
                        hello->shards,
                        engine->shards);
    }
    if (hello->shard == 0) {
        *ret_shard = shard_lease(engine, member);
        return *ret_shard != 0 ? CNV_OK
                               : cnv_fail(err,
                                          CNV_E_NO_SHARD,
                                          "all %" PRIu32 " shards are held, none is left for %s",
                                          engine->shards,
                                          hello->name);
    }
    const struct cnv_member *holder = shard_holder(engine, hello->shard);
    if (holder != NULL && holder != member && holder->state != CNV_MEMBER_LOST) {
        return cnv_fail(err,
                        CNV_E_NO_SHARD,
                        "shard %" PRIu64 " is held by %s on %s",
                        hello->shard,
                        holder->name,
                        holder->host);
    }
    *ret_shard = (uint32_t) hello->shard;
    return CNV_OK;
}

/* The lost holder of the shard gives way; its place in the round goes to member. */
static void hello_succeed(struct cnv_engine *engine, struct cnv_member *member, uint32_t shard)
{
    struct cnv_member *holder = shard_holder(engine, shard);
    char why[CNV_WHY_SIZE];

    if (holder == NULL || holder == member) {
        return;
    }
    bool has_place = holder->in_round && !cnv_offer_is_whole(&holder->offer);
    uint64_t lost_ms = holder->lost_ms;

    (void) snprintf(why, sizeof(why), "%s took over shard %" PRIu32, member->name, shard);
    cnv_member_leave(engine, holder, why);
    if (has_place && !member->is_follower) {
        member->in_round = true;
        member->grace_ms = lost_ms + engine->settings.patience_ms;
    }
}

/* Another process takes a seat that exists: what it held of the round stays if it is whole. */
static void hello_replace(struct cnv_engine *engine,
                          struct cnv_member *member,
                          const struct cnv_msg_hello *hello,
                          cnv_peer_id peer,
                          bool is_same_shard)
{
    bool was_there = member->state == CNV_MEMBER_JOINING || member->state == CNV_MEMBER_READY;

    if (member->peer != 0 && member->peer != peer) {
        struct cnv_message message = { .kind = CNV_KIND_REPLACED };

        memcpy(message.replaced.host, hello->host, sizeof(message.replaced.host));
        cnv_post_header(engine, member, &message);
        engine->io.drop(engine->io.self, member->peer);
    }
    if (member->bulk_peer != 0 && member->bulk_peer != member->peer) {
        engine->io.drop(engine->io.self, member->bulk_peer);
    }
    member->peer = 0;
    member->bulk_peer = 0;
    if (member->instance != hello->instance) {
        member->former[member->former_count++ % CNV_FORMER_MAX] = member->instance;
    }
    cnv_member_reset(member);
    if (was_there || member->state == CNV_MEMBER_LEFT) {
        member->lost_ms = engine->now_ms;
    }
    cnv_member_move(member, CNV_MEMBER_JOINING, "loading");
    member->grace_ms = member->lost_ms + engine->settings.patience_ms;
    if (!is_same_shard) {
        member->id = ++engine->next_id;
        cnv_round_forget(engine, member);
    } else if (member->in_round && !cnv_offer_is_whole(&member->offer)) {
        if (engine->round.phase == CNV_PHASE_PULLING && member->refusal == CNV_OK) {
            engine->round.must_retry = true;
        }
        cnv_offer_clear(&member->offer);
    }
}

static bool hello_is_former(const struct cnv_member *member, uint64_t instance)
{
    for (size_t i = 0; i < CNV_FORMER_MAX; i++) {
        if (i < member->former_count && member->former[i] == instance) {
            return true;
        }
    }
    return false;
}

/* A process without a session: gives it the seat of its name, or makes one. */
static enum cnv_status hello_join(struct cnv_engine *engine,
                                  struct cnv_member **member,
                                  cnv_peer_id peer,
                                  const struct cnv_msg_hello *hello,
                                  struct cnv_error *err)
{
    bool is_follower = strcmp(hello->role, "follower") == 0;
    bool is_new = *member == NULL;
    uint32_t shard = 0;

    if (!is_follower) {
        enum cnv_status status = shard_assign(engine, hello, *member, &shard, err);

        if (status != CNV_OK) {
            return status;
        }
    }
    if (is_new) {
        *member = cnv_member_new(engine, hello->name, err);
        if (*member == NULL) {
            return err->status;
        }
        cnv_member_move(*member, CNV_MEMBER_JOINING, "loading");
    } else {
        bool is_same = shard == (*member)->shard && is_follower == (*member)->is_follower &&
                       shard_is_own(hello) == ((*member)->shards == 1 && !(*member)->holds_shard);

        hello_replace(engine, *member, hello, peer, is_same);
    }
    (*member)->instance = hello->instance;
    (*member)->is_follower = is_follower;
    memcpy((*member)->host, hello->host, sizeof((*member)->host));
    bool is_held = !is_follower && !shard_is_own(hello);
    if (is_held) {
        hello_succeed(engine, *member, shard);
    }
    (*member)->shard = shard;
    (*member)->shards = is_held ? engine->shards : shard;
    (*member)->holds_shard = is_held;
    hello_open(engine, *member, peer);
    if (is_follower) {
        (*member)->is_ready = true;
        cnv_member_move(*member, CNV_MEMBER_READY, "");
        cnv_note(engine, CNV_NOTE_JOINED, *member, CNV_OK, "follows");
    }
    return CNV_OK;
}

void cnv_recv_hello(struct cnv_engine *engine,
                    cnv_peer_id peer,
                    const char *user,
                    const struct cnv_msg_hello *hello,
                    size_t wire_bytes)
{
    struct cnv_error err = { .status = CNV_OK };

    if (hello_check(hello, user, &err) != CNV_OK) {
        goto refuse;
    }
    if (cnv_run_is_over(engine) && strcmp(hello->role, "worker") == 0) {
        cnv_post_finish_stranger(engine, peer);
        return;
    }
    struct cnv_member *member = cnv_member_by_name(engine, hello->name);
    struct cnv_member *other = cnv_member_by_peer(engine, CNV_DATA, peer);

    if (other != NULL && other != member) {
        other->peer = 0; /* the connection speaks for another name now */
        cnv_member_lose(engine, other, engine->now_ms, "its connection took another name");
    }
    if (member != NULL && hello_is_former(member, hello->instance)) {
        struct cnv_message message = { .kind = CNV_KIND_REPLACED };

        memcpy(message.replaced.host, member->host, sizeof(message.replaced.host));
        cnv_post_stranger(engine, peer, CNV_DATA, &message);
        return;
    }
    if (member != NULL && member->instance == hello->instance && member->state != CNV_MEMBER_LEFT) {
        hello_resume(engine, member, peer);
    } else if (hello_join(engine, &member, peer, hello, &err) == CNV_OK) {
        hello_answer(engine, member);
    } else {
        goto refuse;
    }
    member->bytes_up += wire_bytes;
    return;

refuse:
    cnv_note(engine, CNV_NOTE_REFUSED, NULL, err.status, err.text);
    cnv_post_refusal(engine, peer, err.status, err.text);
}

/* async.h - sync/mode=async: nobody is waited for. Inside the engine; see async.c. */
#ifndef CNV_SERVER_ENGINE_ASYNC_H
#define CNV_SERVER_ENGINE_ASYNC_H

#include <stdbool.h>
#include <stdint.h>

struct cnv_engine;
struct cnv_member;
struct cnv_parcel;

/* sync/mode=async: what a member works on. Written by async.c; taken away by commit.c, round.c. */
struct cnv_task {
    uint64_t round; /* 0: nothing */
    uint64_t attempt;
    uint64_t version;
    uint64_t iteration;
    struct cnv_parcel *snapshot; /* of that version, if the optimiser wants it; else NULL */
};

/* The round in hand is of that kind. */
bool cnv_async_is_on(const struct cnv_engine *engine);
/* What the member does outlasts a commit of others. */
bool cnv_async_keeps(const struct cnv_engine *engine, const struct cnv_member *member);
/* Takes all tasks away. */
void cnv_async_forget(struct cnv_engine *engine);
/* Takes the member's task away. */
void cnv_async_drop(struct cnv_member *member);
/* The member's offer is kept: with what its task says of it. */
void cnv_async_keep_offer(struct cnv_engine *engine, struct cnv_member *member);
/* Who is free gets the newest version to work on; says who is in the round. */
void cnv_async_assign(struct cnv_engine *engine);
/* COLLECTING: freezes as soon as there are enough offers. False: nothing to do. */
bool cnv_async_collect(struct cnv_engine *engine);
/* The first contributions, into round->frozen. */
void cnv_async_pick(struct cnv_engine *engine);
/* Damps the weights by age. */
void cnv_async_weigh(struct cnv_engine *engine);
/* Sends a member that works whatever it lacks. */
void cnv_async_catch_up(struct cnv_engine *engine, struct cnv_member *member);

#endif

/* async.h - sync/mode=async: nobody is waited for. Inside the engine; see async.c. */
#ifndef CNV_SERVER_ENGINE_ASYNC_H
#define CNV_SERVER_ENGINE_ASYNC_H

#include <stdbool.h>

struct cnv_engine;
struct cnv_member;

/* The round in hand is of that kind. */
bool cnv_async_is_on(const struct cnv_engine *engine);
/* What the member does outlasts a commit of others. */
bool cnv_async_keeps(const struct cnv_engine *engine, const struct cnv_member *member);
/* Takes all tasks away. */
void cnv_async_forget(struct cnv_engine *engine);
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

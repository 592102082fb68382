/* quorum.h - sync/mode=quorum: who is late is left out. Inside the engine; see quorum.c. */
#ifndef CNV_SERVER_ENGINE_QUORUM_H
#define CNV_SERVER_ENGINE_QUORUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cnv_engine;

/* All members have offered, or enough of them when the deadline is over: the rest is left out. */
bool cnv_quorum_closes(struct cnv_engine *engine);

/* median + 4 MAD of times_ms[n], which is used up, within the floor and most_ms. */
uint64_t cnv_quorum_learn(uint64_t *times_ms, size_t n, uint64_t most_ms);

#endif

/* pace.h - who waits for whom (pace.c), and local steps by time (balance.c). */
#ifndef CNV_SERVER_ENGINE_PACE_H
#define CNV_SERVER_ENGINE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct cnv_engine;
struct cnv_member;

/* Who waits for whom. Written by pace.c. */
struct cnv_pace {
    uint64_t asked_ms;  /* when the round in hand was announced to the process there now */
    uint64_t took_ms;   /* the round committed last: from the announce to its first whole offer */
    uint64_t busy_ms;   /* the same, of all rounds committed */
    uint64_t steps;     /* local steps in all rounds committed */
    uint64_t waits_ms;  /* so far, in the round in hand, for others */
    uint64_t wait_ms;   /* in the round committed last */
    uint64_t waited_ms; /* in all rounds committed */
    uint64_t held_ms;   /* others waited for this member alone, in all rounds committed */
    bool is_measured;   /* the next two are known */
    double fixed_s;     /* of a round, whatever its steps: the way there and back, evaluation */
    double step_s;      /* > 0 */
};

/* --- pace.c: who waits for whom ------------------------------------------------------------ */

/* The round is announced to the member, or to the new process in its seat. */
void cnv_pace_ask(struct cnv_engine *engine, struct cnv_member *member);
/* Something of its offer has come in: notes when that makes it whole. */
void cnv_pace_note(struct cnv_engine *engine, struct cnv_member *member);
/* The exchange in hand is about to settle with the frozen members. */
void cnv_pace_settle(struct cnv_engine *engine);
/* The round is about to be committed. */
void cnv_pace_commit(struct cnv_engine *engine);

/* --- balance.c: local steps by time -------------------------------------------------------- */

/* Gives each member in the round its L, and adds to the reason. */
void cnv_balance_round(struct cnv_engine *engine);
/* Learns from what the frozen members took in the round that is about to be committed. */
void cnv_balance_learn(struct cnv_engine *engine);
/* Fills round->scales where updates took unequal steps. False: out of memory. */
bool cnv_balance_weigh(struct cnv_engine *engine);

#endif

/*
 * watch.h - what "convene watch" knows of a run, and one screen of it. No terminal here.
 *
 * Status replaces what was known; rounds are added to, so that a daemon is asked for new ones
 * alone.
 */
#ifndef CNV_CLI_WATCH_H
#define CNV_CLI_WATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "forecast.h"

/* Rounds that are kept, and asked for at first. */
enum { CNV_WATCH_ROUNDS = 2048 };

/* All zero: nothing is known yet. */
struct cnv_watch {
    json_t *status;      /* data of the last answer */
    json_t *rows;        /* of rounds, ascending, the newest CNV_WATCH_ROUNDS */
    uint64_t last_round; /* the newest of them */
    struct cnv_forecast forecast;
    bool is_fast; /* another round than when last looked: who is waited for changes too fast */
    bool is_away; /* the daemon does not answer */
    double away_seconds; /* since its last answer */
};

struct cnv_watch_screen {
    size_t width;
    size_t height; /* lines drawn at most */
    bool is_utf8;
    bool is_coloured;
    const char *hint; /* in the last line */
};

void cnv_watch_fini(struct cnv_watch *watch);

/* The data of a status answer, shared. Another run than before: all else is forgotten. */
void cnv_watch_status(struct cnv_watch *watch, json_t *data);

/* The data of a rounds answer: what is new is kept. */
void cnv_watch_rows(struct cnv_watch *watch, const json_t *data);

/* Are there rounds that we have not? *ret_after: those behind this one are to be asked for. */
bool cnv_watch_lacks_rows(const struct cnv_watch *watch, uint64_t *ret_after);

/* Draws: at most height lines of at most width columns, each ended by a newline. */
void cnv_watch_draw(const struct cnv_watch *watch,
                    const struct cnv_watch_screen *screen,
                    FILE *out);

#endif

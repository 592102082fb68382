/* client.h - what a convene_client is made of, for client.c and average.c alone. */
#ifndef CNV_CLIENT_CLIENT_H
#define CNV_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "client/actor.h"
#include "client/convene.h"

struct convene_client {
    struct cnv_actor *actor;
    convene_event *first; /* fetched by convene_join; NULL: handed out */
    bool is_over;
    char reason[CNV_ERROR_TEXT_SIZE];
    /* For convene_begin and convene_average. */
    convene_event *base; /* the ROUND in hand; NULL: none */
    double *update;      /* [update_length] */
    size_t update_length;
    uint64_t rows; /* behind this client */
};

#endif

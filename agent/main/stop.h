/*
 * stop.h - SIGTERM and SIGINT: a goodbye at once, and the end of the process soon.
 *
 * A thread of its own waits for the signals, because the main thread may be deep in a computation
 * that cannot be left. The thread has the network say goodbye and gives the main thread a moment
 * to finish its step and end in order; then it ends the process itself.
 */
#ifndef CNV_AGENT_MAIN_STOP_H
#define CNV_AGENT_MAIN_STOP_H

#include <stdbool.h>

#include "client/convene.h"

/* Once in a process. False: the thread cannot be started. */
bool cnv_stop_start(void);

/* Whose goodbye is to be said; NULL: nobody's any more, returns once nobody uses the old one. */
void cnv_stop_client(convene_client *client);

/* True once a signal has come. */
bool cnv_stop_is_wanted(void);

#endif

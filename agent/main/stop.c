/*
 * stop.c - see stop.h. The one piece of state a process has about its signals.
 *
 * Invariant: the client is only touched under the lock, so that it is not freed meanwhile.
 */
#include "main/stop.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/status.h"

enum { GRACE_S = 1, GRACE_NS = 500000000 };

static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;
static convene_client *stop_client;
static atomic_bool stop_is_wanted;
static sigset_t stop_signals;

static void *stop_thread(void *unused)
{
    struct timespec grace = { GRACE_S, GRACE_NS };
    int number = 0;

    (void) unused;
    (void) sigwait(&stop_signals, &number);
    (void) pthread_mutex_lock(&stop_lock);
    atomic_store(&stop_is_wanted, true);
    if (stop_client != NULL) {
        convene_interrupt(stop_client);
    }
    (void) pthread_mutex_unlock(&stop_lock);
    cnv_log(CNV_LOG_INFO, "leaving", "signal=%s", number == SIGTERM ? "TERM" : "INT");
    /* A second signal cuts the wait short. */
    (void) sigtimedwait(&stop_signals, NULL, &grace);
    _exit(CNV_EXIT_DONE);
}

bool cnv_stop_start(void)
{
    pthread_t thread;

    (void) sigemptyset(&stop_signals);
    (void) sigaddset(&stop_signals, SIGTERM);
    (void) sigaddset(&stop_signals, SIGINT);
    return pthread_sigmask(SIG_BLOCK, &stop_signals, NULL) == 0 &&
           pthread_create(&thread, NULL, stop_thread, NULL) == 0 && pthread_detach(thread) == 0;
}

void cnv_stop_client(convene_client *client)
{
    (void) pthread_mutex_lock(&stop_lock);
    stop_client = client;
    if (client != NULL && atomic_load(&stop_is_wanted)) {
        convene_interrupt(client);
    }
    (void) pthread_mutex_unlock(&stop_lock);
}

bool cnv_stop_is_wanted(void)
{
    return atomic_load(&stop_is_wanted);
}

/*
 * stop.c - see stop.h. The one piece of state a process has about its signals.
 *
 * A handler, not a blocked signal: OpenBLAS has threads before main begins, and a signal for the
 * process goes to whichever thread lets it in. The handler only counts up a semaphore.
 * Invariant: the client is only touched under the lock, so that it is not freed meanwhile.
 */
#include "main/stop.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/status.h"

enum { GRACE_MS = 1500, SAME_WISH_MS = 250 };

static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;
static convene_client *stop_client;
static atomic_bool stop_is_wanted;
static atomic_int stop_number;
static sem_t stop_signals;

static void on_signal(int number)
{
    int kept = errno;

    atomic_store(&stop_number, number);
    (void) sem_post(&stop_signals);
    errno = kept;
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timespec end_of_grace(void)
{
    struct timespec end;

    (void) clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += GRACE_MS / 1000;
    end.tv_nsec += GRACE_MS % 1000 * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000L;
    }
    return end;
}

static void *stop_thread(void *unused)
{
    struct timespec end;
    int64_t begin_ms = 0;

    (void) unused;
    while (sem_wait(&stop_signals) != 0) {
        /* Our own handler may run on this thread. */
    }
    begin_ms = now_ms();
    (void) pthread_mutex_lock(&stop_lock);
    atomic_store(&stop_is_wanted, true);
    if (stop_client != NULL) {
        convene_interrupt(stop_client);
    }
    (void) pthread_mutex_unlock(&stop_lock);
    cnv_log(CNV_LOG_INFO, "leaving", "signal=%s", sigabbrev_np(atomic_load(&stop_number)));
    end = end_of_grace();
    /* A second signal cuts the wait short. Whoever ends a group of processes may send two at once:
     * that is one wish. */
    while (sem_timedwait(&stop_signals, &end) == 0 ? now_ms() - begin_ms < SAME_WISH_MS
                                                   : errno == EINTR) {
    }
    _exit(CNV_EXIT_DONE);
}

bool cnv_stop_start(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    pthread_t thread;

    return sem_init(&stop_signals, 0, 0) == 0 &&
           pthread_create(&thread, NULL, stop_thread, NULL) == 0 && pthread_detach(thread) == 0 &&
           sigaction(SIGTERM, &action, NULL) == 0 && sigaction(SIGINT, &action, NULL) == 0;
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

/* interrupt.c - signals counted, to be looked at between two pieces of work. */
#include "interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

enum { SAME_WISH_MS = 250 };

static atomic_int interrupts;
static atomic_llong last_ms;

/* A terminal that closes, or "timeout", sends two signals at once: that is one wish. */
static void count_interrupt(int number)
{
    struct timespec now;

    (void) number;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    long long now_ms = (long long) now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (atomic_load(&interrupts) == 0 || now_ms - atomic_load(&last_ms) >= SAME_WISH_MS) {
        atomic_fetch_add(&interrupts, 1);
        atomic_store(&last_ms, now_ms);
    }
}

void cnv_interrupts_catch(void)
{
    struct sigaction action = { .sa_handler = count_interrupt };

    (void) sigemptyset(&action.sa_mask);
    (void) sigaction(SIGINT, &action, NULL);
    (void) sigaction(SIGTERM, &action, NULL);
    (void) sigaction(SIGHUP, &action, NULL);
    (void) signal(SIGPIPE, SIG_IGN);
}

int cnv_interrupts(void)
{
    return atomic_load(&interrupts);
}

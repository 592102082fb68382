/* interrupt.c - signals counted, to be looked at between two pieces of work. */
#include "interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int interrupts;

static void count_interrupt(int number)
{
    (void) number;
    atomic_fetch_add(&interrupts, 1);
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

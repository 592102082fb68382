/* interrupt.h - Ctrl-C as something to ask for, not something that happens. */
#ifndef CNV_CLI_INTERRUPT_H
#define CNV_CLI_INTERRUPT_H

/* From now on SIGINT, SIGTERM and SIGHUP are counted instead of ending us; SIGPIPE is ignored. */
void cnv_interrupts_catch(void);

/*
 * How many came: the first asks for a drain, the second for an end. Those that come within a
 * quarter of a second count as one.
 */
int cnv_interrupts(void);

#endif

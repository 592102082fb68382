/*
 * terminal.h - the whole terminal as one screen: entered, drawn on, left as it was.
 *
 * However the process ends but for SIGKILL, the terminal is given back: on Ctrl-C, SIGTERM and
 * SIGHUP by whoever opened it, on a crash by a handler. Ctrl-Z leaves the screen, fg enters it
 * again.
 */
#ifndef CNV_CLI_TERMINAL_H
#define CNV_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Standard input and output are a terminal. */
bool cnv_terminal_is_there(void);

/* Takes the terminal: another screen, no echo, keys one by one. False: it cannot be set. */
bool cnv_terminal_open(void);

/* Gives it back. */
void cnv_terminal_close(void);

/* Columns and lines; 80x24 where nobody knows. */
void cnv_terminal_size(size_t *ret_width, size_t *ret_height);

/* Shows the lines of text, each ended by a newline, from the top: as many as the screen
 * has. */
void cnv_terminal_show(const char *text);

/*
 * Waits for a key. Returns it, or 0 when the time is up or the screen is to be drawn anew (another
 * size, back from Ctrl-Z), or -1 when it is to end: a signal came, or the terminal is gone.
 */
int cnv_terminal_key(int timeout_ms);

/* The signal that asked us to end; 0: none. */
int cnv_terminal_signal(void);

#endif

/*
 * terminal.c - a few ANSI sequences that every terminal since the VT100's heirs knows.
 *
 * Plain sequences and not ncurses: the screen is drawn whole a few times a second, so nothing of
 * what a library would keep track of is needed.
 */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

/* Another screen, no cursor; and back. */
static const char enter_screen[] = "\033[?1049h\033[?25l\033[2J";
static const char leave_screen[] = "\033[?25h\033[?1049l";

/* One terminal a process, and handlers have no argument. */
static struct termios saved;
static volatile sig_atomic_t is_open;
static volatile sig_atomic_t ending;   /* the signal */
static volatile sig_atomic_t stopping; /* Ctrl-Z */
static volatile sig_atomic_t redrawing;

static void put(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(STDOUT_FILENO, text, len);

        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            return;
        }
        if (written > 0) {
            text += written;
            len -= (size_t) written;
        }
    }
}

static bool enter(void)
{
    struct termios raw = saved;

    raw.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0) {
        return false;
    }
    put(enter_screen, sizeof(enter_screen) - 1);
    is_open = 1;
    return true;
}

/* Safe in a signal handler. */
static void leave(void)
{
    if (is_open != 0) {
        is_open = 0;
        put(leave_screen, sizeof(leave_screen) - 1);
        (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    }
}

static void on_signal(int number)
{
    if (number == SIGTSTP) {
        stopping = 1;
    } else if (number == SIGWINCH || number == SIGCONT) {
        redrawing = 1;
    } else {
        ending = number;
    }
}

/* The default action, a core file say, follows when the handler returns. */
static void on_crash(int number)
{
    leave();
    (void) raise(number);
}

static void catch (const int *numbers, void (*handler)(int number), int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

    (void) sigemptyset(&action.sa_mask);
    for (; *numbers != 0; numbers++) {
        (void) sigaction(*numbers, &action, NULL);
    }
}

bool cnv_terminal_is_there(void)
{
    return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
}

bool cnv_terminal_open(void)
{
    static const int asked[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH, 0 };
    static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, 0 };

    if (tcgetattr(STDIN_FILENO, &saved) != 0) {
        return false;
    }
    catch (asked, on_signal, 0);
    catch (crashes, on_crash, (int) SA_RESETHAND);
    return enter();
}

void cnv_terminal_close(void)
{
    leave();
}

void cnv_terminal_size(size_t *ret_width, size_t *ret_height)
{
    struct winsize size = { 0 };

    (void) ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *ret_width = size.ws_col == 0 ? 80 : size.ws_col;
    *ret_height = size.ws_row == 0 ? 24 : size.ws_row;
}

void cnv_terminal_show(const char *text)
{
    static const char clear_line[] = "\033[K";
    size_t lines = 0;

    for (const char *at = text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    char *frame = cnv_array_new(strlen(text) + lines * sizeof(clear_line) + 16, 1);
    if (frame == NULL) {
        return;
    }
    char *to = stpcpy(frame, "\033[H");
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        /* Before the text: behind a full line it would take the last character along. */
        to = stpcpy(to, clear_line);
        to = (char *) memcpy(to, text, len) + len;
        text += len;
        text += *text == '\n';
        if (*text != '\0') {
            *to++ = '\n'; /* not behind the last line: the screen would move up */
        }
    }
    put(frame, (size_t) (to - frame));
    cnv_free(frame);
}

int cnv_terminal_key(int timeout_ms)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    unsigned char key = 0;

    if (ending == 0 && stopping == 0 && redrawing == 0 && poll(&input, 1, timeout_ms) > 0) {
        ssize_t count = read(STDIN_FILENO, &key, 1);

        if (count == 0 || (count < 0 && errno != EINTR)) {
            return -1;
        }
    }
    if (stopping != 0) {
        leave();
        stopping = 0;
        (void) raise(SIGSTOP);
        redrawing = 1;
    }
    if (redrawing != 0) {
        redrawing = 0;
        /* Whoever continued us may have used the terminal meanwhile. */
        return enter() ? 0 : -1;
    }
    return ending != 0 ? -1 : key;
}

int cnv_terminal_signal(void)
{
    return ending;
}

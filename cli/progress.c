/* progress.c - one line from a view of the run; rate-limited, and cut to the terminal's width. */
#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "format.h"

/* In a pipe every round of a short run gets a line, and a long run one line a second. */
enum { FIRST_ROUNDS = 20 };
#define TERMINAL_EVERY_S 0.1
#define PIPE_EVERY_S     1.0

void cnv_progress_init(struct cnv_progress *progress,
                       FILE *out,
                       const struct cnv_forecast_limits *limits)
{
    *progress = (struct cnv_progress){
        .out = out,
        .is_terminal = out != NULL && isatty(fileno(out)),
        .limits = *limits,
        .shown_at_s = -INFINITY,
        .began_at_s = NAN,
        .loss = NAN,
        .fall = NAN,
    };
}

/* Seconds left as our clock will show them; NaN: not known. */
static double seconds_left(const struct cnv_progress *progress, double now_s)
{
    double left = cnv_forecast_left(&progress->forecast, &progress->limits);

    if (progress->is_virtual) {
        left *= (now_s - progress->began_at_s) / progress->forecast.now.seconds;
    }
    return isfinite(left) ? left : (double) NAN;
}

static unsigned terminal_width(FILE *out)
{
    struct winsize size;

    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return 80;
    }
    return size.ws_col;
}

static void put_line(struct cnv_progress *progress, const char *line)
{
    if (progress->is_terminal) {
        int width = (int) terminal_width(progress->out) - 1;

        (void) fprintf(progress->out, "\r%.*s\033[K", width, line);
        progress->has_line = true;
    } else {
        (void) fprintf(progress->out, "%s\n", line);
    }
    (void) fflush(progress->out);
}

static void show_waiting(struct cnv_progress *progress, const struct cnv_progress_view *view)
{
    /* The reason says itself what is waited for; "": not known yet. */
    if (view->reason[0] != '\0' && strcmp(view->reason, progress->waiting) != 0) {
        put_line(progress, view->reason);
        (void) snprintf(progress->waiting, sizeof(progress->waiting), "%s", view->reason);
    }
}

static void note_loss(struct cnv_progress *progress, const struct cnv_progress_view *view)
{
    if (isnan(view->loss) || view->loss_round == progress->loss_round) {
        return;
    }
    progress->fall = progress->loss - view->loss;
    progress->loss = view->loss;
    progress->loss_round = view->loss_round;
}

static void format_round(const struct cnv_progress *progress,
                         const struct cnv_progress_view *view,
                         double left_s,
                         char *line,
                         size_t size)
{
    char limit[32] = "";
    char loss[96] = "";
    char left[64] = "";
    char text[2][CNV_FORMAT_SIZE];

    if (progress->limits.rounds > 0) {
        (void) snprintf(limit, sizeof(limit), "/%" PRIu64, progress->limits.rounds);
    }
    if (!isnan(progress->loss)) {
        (void) snprintf(loss, sizeof(loss), "  loss %.7g", progress->loss);
        if (!isnan(progress->fall)) {
            size_t used = strlen(loss);

            (void) snprintf(loss + used,
                            sizeof(loss) - used,
                            " (%s %.2g)",
                            progress->fall < 0.0 ? "rose" : "fell",
                            fabs(progress->fall));
        }
    }
    if (!isnan(left_s)) {
        (void) snprintf(left,
                        sizeof(left),
                        ", %s%s left",
                        progress->limits.is_at_most ? "at most " : "",
                        cnv_format_seconds(text[0], left_s));
    }
    char elapsed[CNV_FORMAT_SIZE];
    (void) snprintf(line,
                    size,
                    "round %" PRIu64 "%s  L %" PRIu32 " %s%s  %s  %s%s",
                    view->version,
                    limit,
                    view->local_steps,
                    view->solver,
                    loss,
                    cnv_format_bytes(text[1], view->bytes),
                    cnv_format_seconds(elapsed, view->seconds),
                    left);
}

static bool
is_due(const struct cnv_progress *progress, const struct cnv_progress_view *view, double now_s)
{
    double since_s = now_s - progress->shown_at_s;

    if (progress->is_terminal) {
        return since_s >= TERMINAL_EVERY_S;
    }
    return view->version != progress->shown_round &&
           (view->version <= FIRST_ROUNDS || since_s >= PIPE_EVERY_S);
}

void cnv_progress_show(struct cnv_progress *progress,
                       const struct cnv_progress_view *view,
                       double now_s)
{
    const struct cnv_forecast_point point = { .seconds = view->seconds,
                                              .rounds = view->version,
                                              .iterations = view->iteration,
                                              .bytes = view->bytes };
    char line[512];

    note_loss(progress, view);
    cnv_forecast_note(&progress->forecast, &point);
    if (isnan(progress->began_at_s) && strcmp(view->state, "waiting") != 0) {
        progress->began_at_s = now_s;
    }
    if (progress->out == NULL) {
        return;
    }
    if (strcmp(view->state, "waiting") == 0) {
        show_waiting(progress, view);
        return;
    }
    progress->waiting[0] = '\0';
    if (view->version == 0 || !is_due(progress, view, now_s)) {
        return;
    }
    format_round(progress, view, seconds_left(progress, now_s), line, sizeof(line));
    put_line(progress, line);
    progress->shown_round = view->version;
    progress->shown_at_s = now_s;
}

void cnv_progress_say(struct cnv_progress *progress, const char *line)
{
    cnv_progress_end(progress);
    if (progress->out != NULL) {
        (void) fprintf(progress->out, "%s\n", line);
        (void) fflush(progress->out);
    }
}

void cnv_progress_end(struct cnv_progress *progress)
{
    if (progress->has_line) {
        (void) fprintf(progress->out, "\r\033[K");
        (void) fflush(progress->out);
        progress->has_line = false;
    }
}

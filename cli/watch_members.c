/*
 * watch_members.c - the members of a run as a table: who is waited for first, then who is lost, and
 * a last line that counts those there is no room for.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "columns.h"
#include "envelope.h"
#include "format.h"
#include "sheet.h"

/*
 * A member with its place in the table: those who hold up the run stand first, but not while rounds
 * go by so fast that the table would only jump about.
 */
struct place {
    const json_t *agent;
    size_t index;
    bool is_waited_for;
    enum { PLACE_WAITED_FOR, PLACE_LOST, PLACE_JOINING, PLACE_HERE, PLACE_LEFT } group;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *one = a;
    const struct place *other = b;

    if (one->group != other->group) {
        return one->group < other->group ? -1 : 1;
    }
    return one->index < other->index ? -1 : one->index > other->index;
}

static bool is_waited_for(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *other = json_string_value(json_array_get(names, i));

        if (other != NULL && strcmp(other, name) == 0) {
            return true;
        }
    }
    return false;
}

static struct place place_of(const struct cnv_sheet *sheet, size_t index)
{
    const json_t *status = sheet->watch->status;
    struct place place = { .agent = json_array_get(cnv_json_at(status, "agents"), index),
                           .index = index,
                           .group = PLACE_HERE };
    const char *state = cnv_json_text(place.agent, "state", "");

    place.is_waited_for =
        is_waited_for(cnv_json_at(status, "waiting_for"), cnv_json_text(place.agent, "name", ""));

    if (strcmp(state, "lost") == 0) {
        place.group = PLACE_LOST;
    } else if (strcmp(state, "left") == 0) {
        place.group = PLACE_LEFT;
    } else if (place.is_waited_for && !sheet->watch->is_fast) {
        place.group = PLACE_WAITED_FOR;
    } else if (strcmp(state, "joining") == 0) {
        place.group = PLACE_JOINING;
    }
    return place;
}

/* Columns of the table behind the name, and from which width of the screen on they are shown. */
static const struct {
    const char *heading;
    int width;
    size_t from;
} columns[] = {
    { "state", -8, 0 },  { "rounds", 6, 0 }, { "took", 10, 52 }, { "steps/s", 8, 62 },
    { "heard", 10, 40 }, { "up", 8, 72 },    { "down", 8, 82 },  { "host", -16, 100 },
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), MARK_WIDTH = 2 };

/* Columns left for the name. */
static size_t name_width(size_t width)
{
    size_t used = MARK_WIDTH;

    for (size_t c = 0; c < COLUMNS; c++) {
        used += width < columns[c].from ? 0 : (size_t) abs(columns[c].width) + 2;
    }
    return width < used + 8 ? 8 : width - used > 32 ? 32 : width - used;
}

/* cells has a text for the name and each of columns[]; why stands behind them all. */
static void draw_row(struct cnv_sheet *sheet,
                     enum cnv_style style,
                     const char *mark,
                     const char *const *cells,
                     const char *why)
{
    const struct cnv_watch_screen *screen = sheet->screen;
    size_t room = name_width(screen->width);
    char *line = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&line, &size);

    if (text == NULL) {
        return;
    }
    (void) fprintf(text, "%-*s", MARK_WIDTH, mark);
    size_t used = cnv_columns_put(text, cells[0], room, screen->is_utf8);
    (void) fprintf(text, "%*s", (int) (room - used), "");
    for (size_t c = 0; c < COLUMNS; c++) {
        if (screen->width >= columns[c].from) {
            (void) fprintf(text, "  %*s", columns[c].width, cells[c + 1]);
        }
    }
    (void) fprintf(text, "%s%s", *why == '\0' ? "" : "  ", why);
    if (fclose(text) == 0) {
        cnv_sheet_line(sheet, style, line, "");
    }
    free(line);
}

static void draw_member(struct cnv_sheet *sheet, const struct place *place)
{
    static const enum cnv_style styles[] = { [PLACE_WAITED_FOR] = CNV_STYLE_WAITED,
                                             [PLACE_LOST] = CNV_STYLE_WRONG,
                                             [PLACE_JOINING] = CNV_STYLE_PLAIN,
                                             [PLACE_HERE] = CNV_STYLE_PLAIN,
                                             [PLACE_LEFT] = CNV_STYLE_FAINT };
    const json_t *agent = place->agent;
    double steps = cnv_json_number(agent, "steps_per_second");
    double took = cnv_json_number(agent, "round_seconds");
    char text[6][CNV_FORMAT_SIZE];

    (void) snprintf(text[0], sizeof(text[0]), "%" PRIu64, cnv_json_count(agent, "rounds"));
    const char *const cells[] = {
        cnv_json_text(agent, "name", "?"),
        cnv_json_text(agent, "state", "?"),
        text[0],
        cnv_format_seconds(text[1], took > 0.0 ? took : (double) NAN),
        cnv_format_number(text[2], steps > 0.0 ? steps : (double) NAN, 3),
        cnv_format_seconds(text[3], cnv_json_number(agent, "last_heard_seconds")),
        cnv_format_bytes(text[4], cnv_json_number(agent, "bytes_up")),
        cnv_format_bytes(text[5], cnv_json_number(agent, "bytes_down")),
        cnv_json_text(agent, "host", "?"),
    };
    draw_row(sheet,
             styles[place->group],
             place->is_waited_for ? "*" : "",
             cells,
             cnv_json_text(agent, "why", ""));
}

/* "and 13 more: 2 lost, 11 offered": those of places[first..count) by state. */
static void
draw_rest(struct cnv_sheet *sheet, const struct place *places, size_t first, size_t count)
{
    static const char *const states[] = {
        "lost", "joining", "working", "offered", "ready", "left"
    };
    char line[CNV_SHEET_LINE] = "";
    const char *separator = ": ";

    cnv_sheet_add(line, first == 0 ? "%zu members" : "and %zu more", count - first);
    for (size_t s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
        size_t found = 0;

        for (size_t i = first; i < count; i++) {
            found += strcmp(cnv_json_text(places[i].agent, "state", ""), states[s]) == 0;
        }
        if (found > 0) {
            cnv_sheet_add(line, "%s%zu %s", separator, found, states[s]);
            separator = ", ";
        }
    }
    cnv_sheet_line(sheet, CNV_STYLE_PLAIN, line, "");
}

void cnv_sheet_members(struct cnv_sheet *sheet, size_t lines)
{
    const char *headings[COLUMNS + 1] = { "member" };
    size_t count = json_array_size(cnv_json_at(sheet->watch->status, "agents"));
    struct place *places = cnv_array_new(count + 1, sizeof(*places));
    size_t shown = 0;

    if (places == NULL || lines == 0) {
        cnv_free(places);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        places[i] = place_of(sheet, i);
    }
    qsort(places, count, sizeof(*places), compare_places);
    for (size_t c = 0; c < COLUMNS; c++) {
        headings[c + 1] = columns[c].heading;
    }
    if (lines > 2 && count > 0) {
        draw_row(sheet, CNV_STYLE_FAINT, "", headings, "");
        shown = count < lines ? count : lines - 2;
    }
    for (size_t i = 0; i < shown; i++) {
        draw_member(sheet, &places[i]);
    }
    if (shown < count || count == 0) {
        draw_rest(sheet, places, shown, count);
    }
    cnv_free(places);
}

/*
 * sheet.h - the lines of one screen, drawn from top to bottom; what is too long or too many is cut.
 */
#ifndef CNV_CLI_SHEET_H
#define CNV_CLI_SHEET_H

#include <stddef.h>
#include <stdio.h>

#include "watch.h"

enum { CNV_SHEET_LINE = 1024 };

/* What a line is: colours tell it apart, where there are colours. */
enum cnv_style {
    CNV_STYLE_PLAIN,
    CNV_STYLE_TITLE,
    CNV_STYLE_FAINT,
    CNV_STYLE_WAITED,
    CNV_STYLE_WRONG,
};

struct cnv_sheet {
    const struct cnv_watch *watch;
    const struct cnv_watch_screen *screen;
    FILE *out;
    size_t lines; /* drawn so far */
};

/* One line, cut to the width. right, in ASCII, stands at the right margin if there is room. */
void cnv_sheet_line(struct cnv_sheet *sheet,
                    enum cnv_style style,
                    const char *left,
                    const char *right);

/* Appends to line[CNV_SHEET_LINE]; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) void cnv_sheet_add(char *line, const char *format, ...);

/* The table of members, in so many lines (watch_members.c). */
void cnv_sheet_members(struct cnv_sheet *sheet, size_t lines);

#endif

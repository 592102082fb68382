/* sheet.c - lines with their colours. */
#include "sheet.h"

#include <stdarg.h>
#include <string.h>

#include "columns.h"

void cnv_sheet_line(struct cnv_sheet *sheet,
                    enum cnv_style style,
                    const char *left,
                    const char *right)
{
    static const char *const on[] = { "", "\033[1m", "\033[2m", "\033[33m", "\033[31m" };
    const struct cnv_watch_screen *screen = sheet->screen;
    bool is_coloured = screen->is_coloured && style != CNV_STYLE_PLAIN;

    if (sheet->lines == screen->height) {
        return;
    }
    (void) fputs(is_coloured ? on[style] : "", sheet->out);
    size_t used = cnv_columns_put(sheet->out, left, screen->width, screen->is_utf8);
    if (*right != '\0' && used + strlen(right) + 2 <= screen->width) {
        (void) fprintf(
            sheet->out, "%*s%s", (int) (screen->width - used - strlen(right)), "", right);
    }
    (void) fputs(is_coloured ? "\033[0m\n" : "\n", sheet->out);
    sheet->lines++;
}

void cnv_sheet_add(char *line, const char *format, ...)
{
    size_t used = strlen(line);
    va_list values;

    va_start(values, format);
    (void) vsnprintf(line + used, CNV_SHEET_LINE - used, format, values);
    va_end(values);
}

/* rows_csv.c - the columns of rounds.csv, in their order. */
#include "report/rows_csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char cnv_rows_csv_head[] =
    "round,seconds,exchanges,local_steps,contributors,loss,gradient_norm,"
    "variance,bytes_up,bytes_down,payload_up,reason\n";

size_t cnv_csv_real(double value, char text[CNV_CSV_REAL_SIZE])
{
    int len = 0;

    text[0] = '\0';
    for (int digits = 15; !isnan(value) && digits <= 17; digits++) {
        len = snprintf(text, CNV_CSV_REAL_SIZE, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    return (size_t) len;
}

static size_t add_real(char *text, double value)
{
    text[0] = ',';
    return 1 + cnv_csv_real(value, text + 1);
}

static size_t add_count(char *text, uint64_t value)
{
    return (size_t) snprintf(text, 32, ",%" PRIu64, value);
}

/* A quoted field, so that commas in the sentence do no harm. */
static size_t add_quoted(char *text, const char *value)
{
    size_t used = 0;

    if (*value == '\0') {
        return 0;
    }
    text[used++] = '"';
    for (; *value != '\0'; value++) {
        if (*value == '"') {
            text[used++] = '"';
        }
        text[used++] = *value;
    }
    text[used++] = '"';
    return used;
}

size_t cnv_rows_csv(const struct cnv_round_row *row, char text[CNV_ROWS_CSV_SIZE])
{
    bool is_round = row->round != 0;
    size_t used = 0;

    if (is_round) {
        used += (size_t) snprintf(text, 32, "%" PRIu64, row->round);
    }
    used += add_real(text + used, row->seconds);
    used += add_count(text + used, row->exchanges);
    if (is_round) {
        used += add_count(text + used, row->local_steps);
        used += add_count(text + used, row->contributors);
    } else {
        text[used++] = ',';
        text[used++] = ',';
    }
    used += add_real(text + used, row->loss);
    used += add_real(text + used, row->gradient_norm);
    used += add_real(text + used, is_round ? row->variance : (double) NAN);
    used += add_count(text + used, row->bytes_up);
    used += add_count(text + used, row->bytes_down);
    used += add_count(text + used, row->payload_up);
    text[used++] = ',';
    if (is_round) {
        used += add_quoted(text + used, row->reason);
    }
    text[used++] = '\n';
    text[used] = '\0';
    return used;
}

struct cnv_blob *cnv_rows_csv_file(const struct cnv_round_row *rows, size_t count)
{
    const size_t head = strlen(cnv_rows_csv_head);
    char *text = cnv_array_new(head + count * CNV_ROWS_CSV_SIZE + 1, 1);

    if (text == NULL) {
        return NULL;
    }
    size_t used = head;
    memcpy(text, cnv_rows_csv_head, head + 1);
    for (size_t i = 0; i < count; i++) {
        used += cnv_rows_csv(&rows[i], text + used);
    }
    struct cnv_blob *blob = cnv_blob_copy(text, used);
    cnv_free(text);
    return blob;
}

/*
 * rounds.c - the table of rounds as CSV or JSON. The rows are copied on the loop; the text, which
 * takes far longer for a long run, is made on the worker pool.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "io/internal.h"
#include "report/rows_csv.h"

struct rounds_answer {
    struct cnv_job job;
    struct cnv_daemon *daemon;
    struct cnv_asker asker;
    bool is_csv;
    struct cnv_round_row *rows;
    size_t count;
    struct cnv_blob *text; /* NULL: out of memory */
};

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* The columns of rounds.csv; of the last row, the final model's, only what it has. */
static json_t *round_json(const struct cnv_round_row *row)
{
    bool is_last = row->round == 0;
    json_t *reason = is_last ? json_null() : json_string(row->reason);

    return json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o}",
                     "round",
                     is_last ? json_null() : json_integer((json_int_t) row->round),
                     "seconds",
                     real_or_null(row->seconds),
                     "exchanges",
                     (json_int_t) row->exchanges,
                     "local_steps",
                     is_last ? json_null() : json_integer((json_int_t) row->local_steps),
                     "contributors",
                     is_last ? json_null() : json_integer((json_int_t) row->contributors),
                     "loss",
                     real_or_null(row->loss),
                     "gradient_norm",
                     real_or_null(row->gradient_norm),
                     "variance",
                     real_or_null(row->variance),
                     "bytes_up",
                     (json_int_t) row->bytes_up,
                     "bytes_down",
                     (json_int_t) row->bytes_down,
                     "payload_up",
                     (json_int_t) row->payload_up,
                     "reason",
                     reason == NULL ? json_null() : reason);
}

static struct cnv_blob *rounds_json(const struct cnv_round_row *rows, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        (void) json_array_append_new(array, round_json(&rows[i]));
    }
    json_t *root = json_pack("{s:i, s:b, s:{s:o}}", "schema", 1, "ok", 1, "data", "rows", array);
    return root == NULL ? NULL : cnv_json_blob(root);
}

static void rounds_run(struct cnv_job *job)
{
    struct rounds_answer *answer = (struct rounds_answer *) job;

    answer->text = answer->is_csv ? cnv_rows_csv_file(answer->rows, answer->count)
                                  : rounds_json(answer->rows, answer->count);
}

static void rounds_done(struct cnv_job *job)
{
    struct rounds_answer *answer = (struct rounds_answer *) job;
    struct cnv_daemon *daemon = answer->daemon;

    daemon->answers--;
    if (answer->text == NULL) {
        cnv_control_refuse(
            daemon, &answer->asker, CNV_E_NOMEM, "no memory for the table of rounds");
    } else {
        cnv_control_reply(
            daemon, &answer->asker, answer->is_csv ? "text/csv" : "application/json", answer->text);
    }
    cnv_blob_unref(answer->text);
    cnv_free(answer->rows);
    cnv_free(answer);
}

/* How many rows belong to rounds up to after: they are in order, and who follows lacks a few. */
static size_t rows_up_to(const struct cnv_engine *engine, uint64_t after)
{
    size_t first = cnv_engine_rows(engine) - 1;
    struct cnv_round_row row = { .round = 0 };

    while (first > 0) {
        cnv_engine_row(engine, first - 1, &row);
        if (row.round <= after) {
            break;
        }
        first--;
    }
    return first;
}

void cnv_rounds_answer(struct cnv_daemon *daemon,
                       const struct cnv_asker *asker,
                       uint64_t after,
                       bool is_csv)
{
    size_t first = rows_up_to(daemon->engine, after);
    size_t count = cnv_engine_rows(daemon->engine) - first;
    struct cnv_round_row *rows = cnv_array_new(count, sizeof(*rows));
    struct rounds_answer *answer = cnv_object_new(struct rounds_answer);

    if (rows == NULL || answer == NULL || daemon->answers >= CNV_ANSWERS_MAX) {
        cnv_free(rows);
        cnv_free(answer);
        cnv_control_refuse(daemon, asker, CNV_E_FULL, "too many are asking: ask again later");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        cnv_engine_row(daemon->engine, first + i, &rows[i]);
    }
    *answer = (struct rounds_answer){
        .job = { .run = rounds_run, .done = rounds_done, .cost = count * CNV_ROWS_CSV_SIZE },
        .daemon = daemon,
        .asker = *asker,
        .is_csv = is_csv,
        .rows = rows,
        .count = count,
    };
    daemon->answers++;
    cnv_pool_submit(daemon->pool, &answer->job);
}

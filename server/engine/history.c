/* history.c - one row for each commit, as rounds.csv shows it. Rows never change. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "internal.h"

void cnv_history_add(struct cnv_engine *engine)
{
    const struct cnv_round *round = &engine->round;

    if (engine->row_count == engine->row_capacity) {
        size_t capacity = engine->row_capacity == 0 ? 64 : 2 * engine->row_capacity;
        struct cnv_round_row *rows =
            cnv_array_resize(engine->rows, engine->row_capacity, capacity, sizeof(*rows));

        if (rows == NULL) {
            return; /* the table ends early, the run goes on */
        }
        engine->rows = rows;
        engine->row_capacity = capacity;
    }
    struct cnv_round_row *row = &engine->rows[engine->row_count++];
    row->round = round->number;
    row->seconds = cnv_run_seconds(engine);
    row->exchanges = engine->exchanges;
    row->local_steps = round->steps;
    row->contributors = round->frozen_count;
    row->loss = round->loss;
    row->gradient_norm = round->gradient_norm;
    row->variance = round->variance;
    row->bytes_up = engine->bytes_up;
    row->bytes_down = engine->bytes_down;
    row->payload_up = engine->payload_up;
    memcpy(row->reason, round->decision.reason, sizeof(row->reason));
}

size_t cnv_engine_rows(const struct cnv_engine *engine)
{
    return engine->row_count + 1;
}

void cnv_engine_row(const struct cnv_engine *engine, size_t i, struct cnv_round_row *ret_row)
{
    if (i < engine->row_count) {
        *ret_row = engine->rows[i];
        return;
    }
    *ret_row = (struct cnv_round_row){
        .seconds = cnv_run_seconds(engine),
        .exchanges = engine->exchanges,
        .loss = engine->final_loss,
        .gradient_norm = NAN,
        .variance = NAN,
        .bytes_up = engine->bytes_up,
        .bytes_down = engine->bytes_down,
        .payload_up = engine->payload_up,
    };
}

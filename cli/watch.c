/* watch.c - keeps what is known of a run. */
#include "watch.h"

#include <string.h>

#include "envelope.h"

void cnv_watch_fini(struct cnv_watch *watch)
{
    json_decref(watch->status);
    json_decref(watch->rows);
    *watch = (struct cnv_watch){ 0 };
}

/* A daemon started anew counts its rounds anew, whatever its run is called. */
static bool is_another_run(const struct cnv_watch *watch, const json_t *data)
{
    return strcmp(cnv_json_text(watch->status, "run/id", ""), cnv_json_text(data, "run/id", "")) !=
               0 ||
           cnv_json_count(data, "run/version") < cnv_json_count(watch->status, "run/version");
}

void cnv_watch_status(struct cnv_watch *watch, json_t *data)
{
    if (is_another_run(watch, data)) {
        cnv_watch_fini(watch);
    }
    watch->is_fast = watch->status != NULL && cnv_json_count(watch->status, "run/round") !=
                                                  cnv_json_count(data, "run/round");
    json_decref(watch->status);
    watch->status = json_incref(data);
    watch->is_away = false;
    const struct cnv_forecast_point point = {
        .seconds = cnv_json_number(data, "run/seconds"),
        .rounds = cnv_json_count(data, "run/version"),
        .iterations = cnv_json_count(data, "run/iteration"),
        .bytes = cnv_json_number(data, "run/bytes_up") + cnv_json_number(data, "run/bytes_down"),
    };
    cnv_forecast_note(&watch->forecast, &point);
}

void cnv_watch_rows(struct cnv_watch *watch, const json_t *data)
{
    const json_t *rows = cnv_json_at(data, "rows");

    if (watch->rows == NULL) {
        watch->rows = json_array();
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        uint64_t round = cnv_json_count(row, "round");

        if (round > watch->last_round && json_array_append(watch->rows, row) == 0) {
            watch->last_round = round;
        }
    }
    while (json_array_size(watch->rows) > CNV_WATCH_ROUNDS) {
        (void) json_array_remove(watch->rows, 0);
    }
}

bool cnv_watch_lacks_rows(const struct cnv_watch *watch, uint64_t *ret_after)
{
    uint64_t version = cnv_json_count(watch->status, "run/version");
    uint64_t first = version > CNV_WATCH_ROUNDS ? version - CNV_WATCH_ROUNDS : 0;

    *ret_after = watch->last_round > first ? watch->last_round : first;
    return version > watch->last_round;
}

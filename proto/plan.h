/* plan.h - which exchanges a round of a solver consists of. */
#ifndef CNV_PROTO_PLAN_H
#define CNV_PROTO_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CNV_PLAN_MAX = 8, CNV_EXCHANGE_NAME_SIZE = 16 };

/* Names of the exchanges in order. The last of a training round is "model". */
struct cnv_plan {
    uint32_t count;
    char names[CNV_PLAN_MAX][CNV_EXCHANGE_NAME_SIZE];
};

/* As the table in plan.c says: "gradient,direction,loss,model" for giant; "model" for most. */
const char *cnv_plan_of_solver(const char *solver);

/* The round that only evaluates the final model. */
#define CNV_PLAN_EVALUATE "loss"

/* The round of a policy that watches agents drift apart: monitor comes until it is time. */
#define CNV_PLAN_MONITOR "monitor,model"

/* What a vector of the exchange monitor travels in, whatever encoding/up is. */
#define CNV_MONITOR_ENCODING "f32"

/* Coordinates of the vector that this monitor offers; 0: it has scalars only. */
uint64_t cnv_monitor_length(const char *monitor, uint64_t dimension);

/* False, and ret_plan untouched: empty, too many, something behind "model", or a name that is not
 * one of model, gradient, direction, loss, scale, monitor, auxiliary, batch. */
bool cnv_plan_parse(const char *text, struct cnv_plan *ret_plan);

#endif

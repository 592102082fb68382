/* plan.c - plans by solver, and the reading of one from an announce. */
#include "proto/plan.h"

#include <string.h>

#include "base/sketch.h"

static const char *const plan_exchanges[] = { "model", "gradient", "direction", "loss",
                                              "scale", "monitor",  "auxiliary", "batch" };

/* Solvers whose rounds are more than one averaging of models. */
static const struct {
    const char *solver;
    const char *plan;
} plans[] = {
    { "giant", "gradient,direction,loss,model" },
    { "bfgs", "gradient,loss,model" },
    { "fedac", "auxiliary,model" },
    { "savic", "scale,model" },
    { "sgd-batch", "batch,model" },
    { "adam-batch", "batch,model" },
};

const char *cnv_plan_of_solver(const char *solver)
{
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        if (strcmp(plans[i].solver, solver) == 0) {
            return plans[i].plan;
        }
    }
    return "model";
}

uint64_t cnv_monitor_length(const char *monitor, uint64_t dimension)
{
    if (strcmp(monitor, "sketch") == 0) {
        return CNV_SKETCH_SIZE;
    }
    return strcmp(monitor, "exact") == 0 ? dimension : 0;
}

static const char *plan_exchange_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(plan_exchanges) / sizeof(plan_exchanges[0]); i++) {
        if (strlen(plan_exchanges[i]) == len && memcmp(plan_exchanges[i], name, len) == 0) {
            return plan_exchanges[i];
        }
    }
    return NULL;
}

bool cnv_plan_parse(const char *text, struct cnv_plan *ret_plan)
{
    struct cnv_plan plan = { .count = 0 };
    bool has_model = false;

    for (;;) {
        size_t len = strcspn(text, ",");
        const char *name = plan_exchange_find(text, len);

        if (name == NULL || has_model || plan.count == CNV_PLAN_MAX) {
            return false;
        }
        has_model = strcmp(name, "model") == 0;
        memcpy(plan.names[plan.count++], name, len + 1);
        if (text[len] == '\0') {
            break;
        }
        text += len + 1;
    }
    *ret_plan = plan;
    return true;
}

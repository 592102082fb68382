/* registry.c - every policy by name. Adding one is a line here and a line in registry.h. */
#include "registry.h"

#include <string.h>

static const struct cnv_policy_ops *const policies[] = {
    &cnv_policy_fixed,    &cnv_policy_adaptive_l, &cnv_policy_adaptive_period, &cnv_policy_growing,
    &cnv_policy_one_shot, &cnv_policy_dynamic,    &cnv_policy_budget,
};

enum { BUILT_IN = sizeof(policies) / sizeof(policies[0]) };

const struct cnv_policy_ops *cnv_policy_at(size_t i)
{
    return i < BUILT_IN ? policies[i] : cnv_policy_adopted(i - BUILT_IN);
}

const struct cnv_policy_ops *cnv_policy_find(const char *name)
{
    for (size_t i = 0; cnv_policy_at(i) != NULL; i++) {
        if (strcmp(cnv_policy_at(i)->name, name) == 0) {
            return cnv_policy_at(i);
        }
    }
    return NULL;
}

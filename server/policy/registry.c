/* registry.c - every policy by name. Adding one is a line here and a line in registry.h. */
#include "registry.h"

#include <string.h>

static const struct cnv_policy_ops *const policies[] = {
    &cnv_policy_adaptive_l, &cnv_policy_adaptive_period, &cnv_policy_fixed,
    &cnv_policy_growing,    &cnv_policy_one_shot,
};

const struct cnv_policy_ops *cnv_policy_at(size_t i)
{
    return i < sizeof(policies) / sizeof(policies[0]) ? policies[i] : NULL;
}

const struct cnv_policy_ops *cnv_policy_find(const char *name)
{
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        if (strcmp(policies[i]->name, name) == 0) {
            return policies[i];
        }
    }
    return NULL;
}

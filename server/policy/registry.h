/* registry.h - the policies there are. Inside server/policy. */
#ifndef CNV_SERVER_POLICY_REGISTRY_H
#define CNV_SERVER_POLICY_REGISTRY_H

#include "policy/policy.h"

extern const struct cnv_policy_ops cnv_policy_adaptive_l;
extern const struct cnv_policy_ops cnv_policy_adaptive_period;
extern const struct cnv_policy_ops cnv_policy_dynamic;
extern const struct cnv_policy_ops cnv_policy_budget;
extern const struct cnv_policy_ops cnv_policy_fixed;
extern const struct cnv_policy_ops cnv_policy_growing;
extern const struct cnv_policy_ops cnv_policy_one_shot;

/* The i-th policy that came from a plug-in, or NULL past the last. */
const struct cnv_policy_ops *cnv_policy_adopted(size_t i);

#endif

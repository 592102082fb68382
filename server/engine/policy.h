/* policy.h - the policy of the run, made from the settings. Inside server/engine; see policy.c. */
#ifndef CNV_SERVER_ENGINE_POLICY_H
#define CNV_SERVER_ENGINE_POLICY_H

#include "engine/internal.h"

/* The policy that config names, with its state, and its settings as the engine uses them; takes the
 * place of the one before. On failure nothing has changed. */
CNV_MUST_CHECK enum cnv_status
cnv_policy_equip(struct cnv_engine *engine, const struct cnv_config *config, struct cnv_error *err);

/* Lets go of it. */
void cnv_policy_drop(struct cnv_engine *engine);

#endif

/*
 * policy.c - the policy of the run: made from the settings, and set anew by an operator.
 *
 * Happy path of a change: the new policy is made beside the old one, takes its place, and is asked
 * at the next commit as if it were asked for the first time of a run.
 * What can fail: no such policy, settings it refuses, no memory, a run that is over; then the old
 * one stays. A change between a decision and its commit does not touch the record of that commit,
 * which names the policy whose state it holds.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/policy.h"

static enum cnv_status policy_new(const struct cnv_config *config,
                                  const struct cnv_policy_ops **ret_policy,
                                  void **ret_state,
                                  struct cnv_error *err)
{
    const char *kind = cnv_config_text(config, "policy/kind");
    const struct cnv_policy_ops *policy = cnv_policy_find(kind);

    if (policy == NULL) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "policy/kind=%s: no such policy is loaded: policy/plugins or --plugin FILE "
                        "names the shared object when the server starts",
                        kind);
    }
    void *state = cnv_array_new(1, policy->state_size);
    if (state == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory for policy %s", kind);
    }
    enum cnv_status status = policy->init(state, config, err);
    if (status != CNV_OK) {
        if (policy->fini != NULL) {
            policy->fini(state);
        }
        cnv_free(state);
        return status;
    }
    *ret_policy = policy;
    *ret_state = state;
    return CNV_OK;
}

void cnv_policy_drop(struct cnv_engine *engine)
{
    if (engine->policy_state != NULL && engine->policy->fini != NULL) {
        engine->policy->fini(engine->policy_state);
    }
    cnv_free(engine->policy_state);
    engine->policy_state = NULL;
}

enum cnv_status
cnv_policy_equip(struct cnv_engine *engine, const struct cnv_config *config, struct cnv_error *err)
{
    struct cnv_settings *settings = &engine->settings;
    const struct cnv_policy_ops *policy = NULL;
    void *state = NULL;
    enum cnv_status status = policy_new(config, &policy, &state, err);

    if (status != CNV_OK) {
        return status;
    }
    assert(policy != NULL);
    cnv_policy_drop(engine);
    engine->policy = policy;
    engine->policy_state = state;
    engine->config = config;
    settings->local_steps = (uint32_t) cnv_config_integer(config, "policy/local-steps");
    settings->max_local_steps = (uint32_t) cnv_config_integer(config, "policy/max-local-steps");
    settings->is_balanced = strcmp(cnv_config_text(config, "policy/balance"), "time") == 0;
    settings->evaluate_every = (uint64_t) cnv_config_integer(config, "policy/evaluate");
    return CNV_OK;
}

enum cnv_status cnv_engine_set_policy(struct cnv_engine *engine,
                                      uint64_t now_ms,
                                      const struct cnv_config *config,
                                      const char *who,
                                      struct cnv_error *err)
{
    const char *before = engine->policy->name;
    char text[CNV_WHY_SIZE];

    engine->now_ms = now_ms;
    if (cnv_run_is_over(engine)) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "the run is %s: no decision is left to make",
                        cnv_run_state_name(engine->state));
    }
    enum cnv_status status = cnv_policy_equip(engine, config, err);
    if (status != CNV_OK) {
        return status;
    }
    const char *now = engine->policy->name;
    (void) snprintf(engine->policy_set,
                    sizeof(engine->policy_set),
                    "policy %s%s%s by %.64s",
                    strcmp(before, now) == 0 ? "" : before,
                    strcmp(before, now) == 0 ? "set anew: " : " -> ",
                    now,
                    who);
    (void) snprintf(text, sizeof(text), "%.120s, from the next decision on", engine->policy_set);
    cnv_note(engine, CNV_NOTE_POLICY, NULL, CNV_OK, text);
    return CNV_OK;
}

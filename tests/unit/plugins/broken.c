/*
 * broken.c - policies with one fault each, chosen by a macro: what a loader has to refuse by name.
 * Without a macro it is sound: policy "twice", which decides two local steps.
 */
#include <stdio.h>

#include "policy/policy.h"

#ifdef BROKEN_UNRESOLVED
extern void cnv_function_of_another_version(void);
#endif

static enum cnv_status init(void *state, const struct cnv_config *config, struct cnv_error *err)
{
    (void) state;
    (void) config;
    (void) err;
    return CNV_OK;
}

#ifndef BROKEN_FUNCTION
static void decide(void *state, const struct cnv_round_view *view, struct cnv_decision *decision)
{
    (void) state;
    (void) view;
#ifdef BROKEN_UNRESOLVED
    cnv_function_of_another_version();
#endif
    decision->local_steps = 2;
    (void) snprintf(decision->reason, sizeof(decision->reason), "always twice");
}
#endif

static const struct cnv_param options[] = {
#ifdef BROKEN_OPTION
    { "share", CNV_PARAM_REAL, "", 0, 1, NULL, "2", "A default out of its range." },
#endif
    { .path = NULL },
};

#ifdef BROKEN_SAVE
static size_t save(const void *state, uint8_t *bytes, size_t size)
{
    (void) state;
    (void) bytes;
    (void) size;
    return 0;
}
#endif

static const struct cnv_policy_ops ops = {
#ifdef BROKEN_NAME
    .name = "Twice!",
#else
    .name = "twice",
#endif
#ifndef BROKEN_TEXT
    .text = "two local steps in every round",
#endif
    .state_size = 1,
    .init = init,
#ifndef BROKEN_FUNCTION
    .decide = decide,
#endif
#ifdef BROKEN_SAVE
    .save = save,
#endif
};

#if defined(BROKEN_VERSION) || defined(BROKEN_KIND) || defined(BROKEN_SIZE) || defined(BROKEN_MAGIC)
const struct cnv_plugin cnv_plugin = {
#ifdef BROKEN_MAGIC
    .magic = "another",
#else
    .magic = "convene",
#endif
#ifdef BROKEN_VERSION
    .version = CNV_PLUGIN_VERSION + 6,
#else
    .version = CNV_PLUGIN_VERSION,
#endif
#ifdef BROKEN_KIND
    .kind = 77,
#else
    .kind = CNV_PLUGIN_POLICY,
#endif
#ifdef BROKEN_SIZE
    .sizes = { sizeof(struct cnv_policy_ops), sizeof(struct cnv_round_view) + 8 },
#endif
    .ops = &ops,
    .options = options,
};
#elif !defined(BROKEN_SYMBOL)
CNV_POLICY_PLUGIN(&ops, options);
#else
const struct cnv_policy_ops *const another_symbol = &ops;
const struct cnv_param *const and_another = options;
#endif

/* A policy set in mid-run: it makes the next decision, and what is refused changes nothing. */
#include <criterion/criterion.h>

#include <string.h>

#include "engine_script.h"

static const char *const settings[] = {
    "run/agents=2", "policy/kind=adaptive-l", "policy/local-steps=3", "run/rounds=9", NULL
};

static void play_round(struct script *script)
{
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 1.0);
}

static enum cnv_status change(struct script *script, const char *words, struct cnv_error *err)
{
    struct cnv_config *config = cnv_config_copy(script->config);
    enum cnv_status status = cnv_config_change_policy(config, words, err);

    if (status == CNV_OK) {
        status = cnv_engine_set_policy(script->engine, script->now_ms, config, "anna", err);
    }
    if (status != CNV_OK) {
        cnv_config_destroy(config);
        return status;
    }
    cnv_config_destroy(script->config); /* the engine has let go of it */
    script->config = config;
    return CNV_OK;
}

static uint64_t announced_steps(const struct script *script)
{
    return script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.local_steps;
}

Test(engine_policy, set_in_mid_run_makes_the_next_decision_and_says_who_asked, .timeout = 10)
{
    struct script *script = script_new(settings);
    struct cnv_round_row row;

    script_join_all(script, 2, 3);
    play_round(script);
    cr_assert_eq(change(script, "fixed local-steps=7", NULL), CNV_OK);
    cr_assert(script_noted(
        script, CNV_NOTE_POLICY, "policy adaptive-l -> fixed by anna, from the next decision on"));
    cr_assert_str_eq(script_view(script).policy, "fixed");
    cr_assert_str_eq(script_view(script).reason, "policy adaptive-l -> fixed by anna");
    cr_assert_str_eq(script_view(script).policy_set, "policy adaptive-l -> fixed by anna");
    cr_assert_eq(announced_steps(script), 3, "the round in hand goes on");
    play_round(script);
    cr_assert_eq(announced_steps(script), 7);
    cr_assert_str_eq(script_view(script).policy_set, "", "it has decided");
    cr_assert_str_eq(script->record.policy, "fixed");
    play_round(script);
    cnv_engine_row(script->engine, 2, &row);
    cr_assert_str_eq(row.reason, "policy adaptive-l -> fixed by anna: L = 7 in every round");
    cr_assert_str_eq(script_view(script).reason, "L = 7 in every round");
    script_destroy(script);
}

Test(engine_policy, may_be_set_before_round_1_and_again_before_it_decided, .timeout = 10)
{
    struct script *script = script_new(settings);

    cr_assert_eq(change(script, "fixed", NULL), CNV_OK);
    cr_assert_eq(change(script, "local-steps=5", NULL), CNV_OK);
    script_join_all(script, 2, 3);
    cr_assert_eq(announced_steps(script), 5);
    cr_assert_str_eq(script_view(script).reason,
                     "policy set anew: fixed by anna: L = 5 in every round");
    script_destroy(script);
}

Test(engine_policy, between_decision_and_commit_leaves_that_commit_alone, .timeout = 10)
{
    struct script *script = script_new(settings);

    script_join_all(script, 2, 3);
    script->holds_persist = true;
    play_round(script);
    cr_assert_str_eq(script->record.policy, "adaptive-l");
    cr_assert_eq(change(script, "fixed local-steps=7", NULL), CNV_OK);
    script_persisted(script);
    cr_assert_eq(announced_steps(script), 3);
    play_round(script);
    script_persisted(script);
    cr_assert_eq(announced_steps(script), 7);
    script_destroy(script);
}

static void expect_refusal(struct script *script, const char *words, const char *line)
{
    struct cnv_error err = { .text = "" };

    cr_assert_eq(change(script, words, &err), CNV_E_INPUT, "%s", words);
    cr_assert_not_null(strstr(err.text, line), "%s: %s", words, err.text);
    cr_assert_str_eq(script_view(script).policy, "adaptive-l");
    cr_assert_str_eq(cnv_config_text(script->config, "policy/kind"), "adaptive-l");
}

Test(engine_policy, what_is_wrong_is_named_and_changes_nothing, .timeout = 10)
{
    struct script *script = script_new(settings);

    script_join_all(script, 2, 3);
    expect_refusal(script, "", "expected KIND, KEY=VALUE or both");
    expect_refusal(script, "fixd", "command: policy/kind=fixd: allowed is fixed, adaptive-l");
    expect_refusal(script, "fixed local-steps=0", "policy/local-steps=0: allowed is a whole");
    expect_refusal(script, "fixed locl-steps=2", "nearest known key is policy/local-steps");
    expect_refusal(script, "fixed run/rounds=2", "only the keys of policy/ can be set");
    expect_refusal(script, "plugins=x.so", "plug-ins are loaded when the server starts");
    expect_refusal(script, "fixed adaptive-l", "adaptive-l: expected KEY=VALUE behind the kind");
    expect_refusal(script, "local-steps=2000", "at most policy/max-local-steps=1000");
    expect_refusal(script, "adaptive-period", "needs run/iterations");
    expect_refusal(script, "plugin:gone", "policy/kind=plugin:gone: no such policy is loaded");
    play_round(script);
    cr_assert_eq(announced_steps(script), 3);
    cnv_engine_stop(script->engine, script->now_ms, "test");
    expect_refusal(script, "fixed", "the run is finished: no decision is left to make");
    script_destroy(script);
}

/* test_engine_memory.c - memory runs out at any point: the run goes on or says why it failed. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "engine_script.h"

/* Members that repeat what has no answer, as agents do. */
static void repeat_all(struct script *script, uint64_t length)
{
    static const char *const names[] = { "", "a1", "a2" };

    for (cnv_peer_id peer = 1; peer <= 2; peer++) {
        script_hello(script, peer, names[peer]);
        script_loaded(script, peer);
    }
    for (cnv_peer_id peer = 1; peer <= 2; peer++) {
        script_ready(script, peer, length);
    }
}

static void offer_scaled(struct script *script, cnv_peer_id peer)
{
    struct cnv_msg_offer offer = script_offer_head(script, peer, "scaled", 10);
    double factor = 0.5;

    offer.reference = 1;
    offer.scalars.count = 1;
    script_offer_message(script, peer, &offer, &factor);
}

/* Whatever exchange is in hand. */
static void take_part(struct script *script)
{
    const double loss[] = { 0.5 };

    for (cnv_peer_id peer = 1; peer <= 2; peer++) {
        const char *name = script_view(script).exchange_name;

        if (strcmp(name, "loss") == 0) {
            script_offer_scalars(script, peer, loss, 1);
        } else if (strcmp(name, "model") == 0) {
            offer_scaled(script, peer);
        } else if (name[0] != '\0') {
            script_offer(script, peer, 1.0);
        }
    }
}

static struct script *run_with_failure(uint64_t call, uint64_t after)
{
    struct script *script = script_new(
        (const char *const[]){ "run/agents=2", "run/rounds=1", "solver/kind=giant", NULL });

    script->fail_call = call;
    script->fail_after = after;
    repeat_all(script, 3);
    for (int i = 0; i < 3 && script_view(script).state == CNV_RUN_WAITING; i++) {
        repeat_all(script, 3);
    }
    for (int i = 0; i < 12 && script_view(script).state == CNV_RUN_RUNNING; i++) {
        take_part(script);
    }
    return script;
}

Test(engine_memory, running_out_ends_the_run_in_words_or_not_at_all, .timeout = 60)
{
    struct script *script = run_with_failure(0, 0);
    uint64_t calls = script->calls;
    uint64_t failed = 0;

    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    script_destroy(script);
    for (uint64_t call = 1; call <= calls; call++) {
        for (uint64_t after = 1; after <= 8; after++) {
            script = run_with_failure(call, after);
            struct cnv_engine_view view = script_view(script);

            if (view.state == CNV_RUN_FAILED) {
                cr_assert(strstr(view.state_reason, "memory") != NULL, "%s", view.state_reason);
                failed++;
            } else {
                cr_assert_eq(view.state,
                             CNV_RUN_FINISHED,
                             "call %llu, allocation %llu: %s",
                             (unsigned long long) call,
                             (unsigned long long) after,
                             view.state_reason);
                cr_assert_eq(view.version, 1);
            }
            script_destroy(script); /* also checks that no blob is left */
        }
    }
    cr_assert_gt(failed, 0);
}

Test(engine_memory, an_engine_that_cannot_be_made_leaves_nothing, .timeout = 10)
{
    struct cnv_config *config = cnv_config_new();
    struct cnv_engine_setup setup = {
        .config = config,
        .spec = "",
        .run = 1,
        .server = 2,
        .token_seed = 3,
        .bulk_endpoint = "",
    };
    struct cnv_engine_io io = { .self = NULL };
    struct cnv_engine *engine = NULL;
    uint64_t n = 1;

    for (; engine == NULL; n++) {
        struct cnv_error err = { .status = CNV_OK };

        cnv_mem_fail_after(n);
        enum cnv_status status = cnv_engine_new(&setup, &io, 0, &engine, &err);
        cnv_mem_fail_after(0);
        cr_assert_eq(status, engine == NULL ? CNV_E_NOMEM : CNV_OK);
        cr_assert_eq(engine == NULL, err.text[0] != '\0');
        cr_assert(engine != NULL || cnv_blob_alive() == 0);
    }
    cr_assert_gt(n, 5);
    cnv_engine_destroy(engine);
    cnv_engine_destroy(NULL);
    cnv_config_destroy(config);
    cr_assert_eq(cnv_blob_alive(), 0);
}

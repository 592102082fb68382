/* test_engine_l1.c - the loss of a run with an l1 term: agents know nothing of it, the engine adds
 * it. */
#include <criterion/criterion.h>
#include <math.h>

#include "engine_script.h"

enum { DIMENSION = 700 }; /* more than is decoded at a time */

/* An offer with the member's own objective. */
static void offer(struct script *script, cnv_peer_id peer, const double *values, double loss)
{
    struct cnv_msg_offer head = script_offer_head(script, peer, "f64", 10);

    head.scalars.count = 1;
    head.scalars.at[0] = loss;
    script_offer_message(script, peer, &head, values);
}

static double loss_of(const struct script *script, size_t row)
{
    struct cnv_round_row found;

    cnv_engine_row(script->engine, row, &found);
    return found.loss;
}

/* From zeros to -1, 2, -1, 2, ... and on to the end. */
static struct script *play(const char *down, const char *stop)
{
    const char *const settings[] = {
        "run/agents=2",
        "solver/kind=isega",
        "optimiser/kind=sega",
        "encoding/fraction=1",
        "run/rounds=2",
        "solver/step-rule=given",
        "solver/step=0.125",
        "optimiser/l1=0.25",
        "policy/evaluate=1",
        down,
        stop,
        NULL,
    };
    struct script *script = script_new(settings);
    double values[DIMENSION];

    for (size_t j = 0; j < DIMENSION; j++) {
        values[j] = (j % 2 == 0 ? -1 : 2);
        values[j] += copysign(0.125 * 0.25, values[j]); /* what the prox takes away */
    }
    script_join_all(script, 2, DIMENSION);
    offer(script, 1, values, 3);
    offer(script, 2, values, 5);
    cr_assert_eq(script_model(script, 0), -1);
    cr_assert_eq(script_model(script, 699), 2);
    return script;
}

static void check(const char *down)
{
    const double l1 = 0.25 * (350 * 1 + 350 * 2);
    struct script *script = play(down, NULL);
    double nothing[DIMENSION] = { 0 };

    cr_assert_eq(loss_of(script, 0), 4, "at zeros there is none");
    offer(script, 1, nothing, 1);
    offer(script, 2, nothing, 2);
    cr_assert_eq(loss_of(script, 1), 1.5 + l1);
    double rest = 0;
    for (size_t j = 0; j < DIMENSION; j++) {
        rest += fabs(script_model(script, j));
    }
    script_offer_scalars(script, 1, (const double[]){ 0.5 }, 1);
    script_offer_scalars(script, 2, (const double[]){ 0.5 }, 1);
    cr_assert_eq(script_view(script).state, CNV_RUN_FINISHED);
    cr_assert_float_eq(loss_of(script, 2), 0.5 + 0.25 * rest, 1e-9);
    script_destroy(script);
}

Test(engine_l1, is_in_every_loss, .timeout = 10)
{
    check("encoding/down=f64");
    check("encoding/down=f32");
}

Test(engine_l1, counts_for_the_stop_rule, .timeout = 10)
{
    struct script *script = play("encoding/down=f64", "stop/loss=10");

    cr_assert_str_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.plan,
                     "loss",
                     "4 at zeros is less than 10");
    script_offer_scalars(script, 1, (const double[]){ 1 }, 1);
    script_offer_scalars(script, 2, (const double[]){ 1 }, 1);
    cr_assert_eq(loss_of(script, 1), 1 + 0.25 * 1050);
    script_destroy(script);
}

Test(engine_l1, is_in_the_loss_at_the_end_of_asynchronous_isgd, .timeout = 10)
{
    const char *const settings[] = {
        "run/agents=2",         "solver/kind=blocks",     "optimiser/kind=async-isgd",
        "encoding/fraction=1",  "run/rounds=1",           "sync/mode=async",
        "sync/damping=0",       "solver/step-rule=given", "solver/step=0.5",
        "sync/contributions=1", "optimiser/l1=0.5",       NULL,
    };
    struct script *script = script_new(settings);
    const double values[] = { -4.5, 2.5 };

    script_join_all(script, 2, 2);
    struct cnv_msg_offer head = script_offer_head(script, 1, "f64", 10);
    script_offer_message(script, 1, &head, values);
    cr_assert_eq(script_model(script, 0), -2); /* the mean of both agents, less 0.25 */
    cr_assert_eq(script_model(script, 1), 1);
    script_offer_scalars(script, 1, (const double[]){ 3 }, 1);
    script_offer_scalars(script, 2, (const double[]){ 3 }, 1);
    cr_assert_eq(loss_of(script, 1), 3 + 0.5 * 3);
    script_destroy(script);
}

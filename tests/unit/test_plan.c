/* test_plan.c - plans are read strictly, and every solver's plan can be read. */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/plan.h"

Test(plan, of_giant_has_four_exchanges, .timeout = 5)
{
    struct cnv_plan plan;

    cr_assert(cnv_plan_parse(cnv_plan_of_solver("giant"), &plan));
    cr_assert_eq(plan.count, 4);
    cr_assert_str_eq(plan.names[0], "gradient");
    cr_assert_str_eq(plan.names[1], "direction");
    cr_assert_str_eq(plan.names[2], "loss");
    cr_assert_str_eq(plan.names[3], "model");
}

Test(plan, of_other_solvers_is_the_model, .timeout = 5)
{
    struct cnv_plan plan;

    cr_assert(cnv_plan_parse(cnv_plan_of_solver("newton"), &plan));
    cr_assert_eq(plan.count, 1);
    cr_assert_str_eq(plan.names[0], "model");
    cr_assert_str_eq(cnv_plan_of_solver("sgd"), "model");
    cr_assert_str_eq(cnv_plan_of_solver("sgd-batch"), "batch,model");
    cr_assert_str_eq(cnv_plan_of_solver("adam-batch"), "batch,model");
    cr_assert(cnv_plan_parse("batch,model", &plan));
}

Test(plan, may_do_without_a_model, .timeout = 5)
{
    struct cnv_plan plan;

    cr_assert(cnv_plan_parse(CNV_PLAN_EVALUATE, &plan));
    cr_assert_eq(plan.count, 1);
    cr_assert(cnv_plan_parse("scale,monitor,loss,loss,loss,loss,loss,model", &plan));
    cr_assert_eq(plan.count, CNV_PLAN_MAX);
    cr_assert_str_eq(plan.names[7], "model");
}

Test(plan, with_anything_else_is_refused, .timeout = 5)
{
    static const char *const bad[] = {
        "",
        ",",
        "model,",
        ",model",
        "loss,,model",
        "Model",
        "models",
        "mode",
        "model loss",
        " model",
        "model,loss",
        "model,model",
        "loss,loss,loss,loss,loss,loss,loss,loss,loss",
        "a-name-that-is-longer-than-any-exchange-could-be-called",
    };
    struct cnv_plan plan = { .count = 77 };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_not(cnv_plan_parse(bad[i], &plan), "\"%s\"", bad[i]);
    }
    cr_assert_eq(plan.count, 77);
}

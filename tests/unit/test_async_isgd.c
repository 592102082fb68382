/* Asynchronous ISGD on the server: hand-computed steps, snapshots, the prox. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/mem.h"
#include "config/config.h"
#include "optimiser/optimiser.h"

struct desk {
    const struct cnv_optimiser_ops *ops;
    struct cnv_config *config;
    void *state;
};

static struct desk desk_new(const char *l1, const char *prox, const char *solver)
{
    struct desk desk = { cnv_optimiser_find("async-isgd"), cnv_config_new(), NULL };

    cr_assert_eq(cnv_config_assign(desk.config, "run/agents=2", "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_assign(desk.config, "solver/step=1", "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_assign(desk.config, l1, "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_assign(desk.config, prox, "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_assign(desk.config, solver, "test", NULL), CNV_OK);
    desk.state = cnv_array_new(1, desk.ops->state_size);
    cr_assert_eq(desk.ops->init(desk.state, desk.config, 2, NULL), CNV_OK);
    return desk;
}

static void desk_free(struct desk *desk)
{
    desk->ops->fini(desk->state);
    cnv_free(desk->state);
    cnv_config_destroy(desk->config);
}

/* Agent slot, sent model (snapshot, snapshot), answers update; out is the next version. */
static void arrive(
    struct desk *desk, size_t slot, double snapshot, double a, double b, bool counts, double *out)
{
    double sent[2] = { snapshot, snapshot };
    double base[2] = { 0, 0 };
    double update[2] = { a, b };
    struct cnv_apply_input input = {
        .count = 2, .base = base, .update = update, .snapshot = sent, .slot = slot
    };

    desk->ops->apply_slice(desk->state, &input, out);
    desk->ops->conclude(desk->state, counts);
}

static void expect(const double *out, double a, double b)
{
    cr_assert(fabs(out[0] - a) < 1e-15 && fabs(out[1] - b) < 1e-15, "%g %g", out[0], out[1]);
}

Test(async_isgd, w_is_the_mean_of_what_each_led_to_last, .timeout = 5)
{
    struct desk desk = desk_new("optimiser/l1=0", "optimiser/prox=corrected", "solver/kind=blocks");
    double out[2];

    arrive(&desk, 0, 0, 1, 0, true, out); /* x = (1, 0), (0, 0) */
    expect(out, 0.5, 0);
    arrive(&desk, 1, 0, 0, 4, false, out); /* given up: leaves no trace */
    arrive(&desk, 1, 0, 0, 2, true, out);  /* x = (1, 0), (0, 2) */
    expect(out, 0.5, 1);
    arrive(&desk, 0, 0.5, -1, 0, true, out); /* x_0 = (-0.5, 0.5): the other block goes back */
    expect(out, -0.25, 1.25);
    desk_free(&desk);
}

/* Two blocks of one coordinate, one sent: the share is 1/2, the step 1. */
Test(async_isgd, the_prox_has_the_share_of_blocks_unless_as_printed, .timeout = 5)
{
    struct desk corrected =
        desk_new("optimiser/l1=0.2", "optimiser/prox=corrected", "solver/kind=blocks");
    struct desk printed =
        desk_new("optimiser/l1=0.2", "optimiser/prox=printed", "solver/kind=blocks");
    double out[2];

    arrive(&corrected, 0, 0, 1, -0.1, true, out); /* w = (0.5, -0.05), shrunk by 0.1 */
    expect(out, 0.4, 0);
    arrive(&printed, 0, 0, 1, -1, true, out); /* w = (0.5, -0.5), shrunk by 0.2 */
    expect(out, 0.3, -0.3);
    desk_free(&corrected);
    desk_free(&printed);
}

/* solver/step=1 is then what all blocks move by in the mean. */
Test(async_isgd, the_share_is_in_the_step_of_isgd_already, .timeout = 5)
{
    struct desk corrected =
        desk_new("optimiser/l1=0.2", "optimiser/prox=corrected", "solver/kind=isgd");
    struct desk printed =
        desk_new("optimiser/l1=0.2", "optimiser/prox=printed", "solver/kind=isgd");
    double out[2];

    arrive(&corrected, 0, 0, 1, -1, true, out); /* w = (0.5, -0.5), shrunk by 0.2 */
    expect(out, 0.3, -0.3);
    arrive(&printed, 0, 0, 1, -1, true, out); /* shrunk by 0.4 */
    expect(out, 0.1, -0.1);
    desk_free(&corrected);
    desk_free(&printed);
}

/* story.h - a world moved on by hand, for tests that tell what happens in it. */
#ifndef CNV_TESTS_SIMULATION_STORY_H
#define CNV_TESTS_SIMULATION_STORY_H

#include <criterion/criterion.h>
#include <stdbool.h>

#include "world.h"

/* Whether there is more to come. */
static inline bool step(struct world *world)
{
    struct cnv_error err = { 0 };
    bool is_more = true;

    cr_assert_eq(cnv_sim_step(world->sim, &is_more, &err), CNV_OK, "%s", err.text);
    cr_assert_lt(cnv_sim_now_ms(world->sim), 600000, "it takes too long");
    return is_more;
}

static inline struct cnv_engine_view view_of(const struct world *world)
{
    struct cnv_engine_view view;

    cnv_engine_view(cnv_sim_engine(world->sim), &view);
    return view;
}

#endif

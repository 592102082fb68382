/* speed.c - half of each new figure is the one before, so that it neither jumps nor goes stale. */
#include "main/speed.h"

enum { MEASURE_US = 500000 };

void cnv_speed_round(struct cnv_speed *speed, uint32_t local_steps)
{
    speed->steps_left = local_steps;
}

bool cnv_speed_step(struct cnv_speed *speed, uint64_t busy_us)
{
    if (speed->steps_left == 0) {
        return false;
    }
    speed->steps_left--;
    speed->steps++;
    speed->busy_us += busy_us;
    /* The first steps count at once: a run may be over before half a second of computing. */
    if (speed->busy_us == 0 || (speed->busy_us < MEASURE_US && speed->steps_per_second > 0.0)) {
        return false;
    }
    double measured = (double) speed->steps * 1e6 / (double) speed->busy_us;
    speed->steps_per_second =
        speed->steps_per_second > 0.0 ? (speed->steps_per_second + measured) / 2.0 : measured;
    speed->steps = 0;
    speed->busy_us = 0;
    return true;
}

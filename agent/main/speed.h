/* speed.h - local steps per second of computing, over the last few seconds of it. */
#ifndef CNV_AGENT_MAIN_SPEED_H
#define CNV_AGENT_MAIN_SPEED_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing measured. */
struct cnv_speed {
    double steps_per_second; /* 0: not known yet */
    uint32_t steps_left;     /* local steps of the round still to come; what follows is no step */
    uint64_t steps;          /* of the measurement in hand */
    uint64_t busy_us;
};

/* A round of local_steps begins. */
void cnv_speed_round(struct cnv_speed *speed, uint32_t local_steps);

/* The trainer worked for busy_us; true: steps_per_second is new. */
bool cnv_speed_step(struct cnv_speed *speed, uint64_t busy_us);

#endif

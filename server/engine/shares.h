/* shares.h - how many local steps each member takes so that all are done together. Pure. */
#ifndef CNV_SERVER_ENGINE_SHARES_H
#define CNV_SERVER_ENGINE_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A member that takes fixed_s + steps * step_s seconds in a round. */
struct cnv_share {
    size_t owner; /* the caller's number of the member; decides between equals */
    double fixed_s;
    double step_s;  /* > 0 */
    uint32_t steps; /* in: as it stands, 0: not yet; out: its share */
};

/*
 * Divides n * nominal steps (1 <= nominal <= most) among n members, from 1 to most each, so that
 * the time of the one that takes longest is as short as whole steps allow, and no more unequally
 * than that asks for. What stands stays, if it has that many steps and nobody is off by more than
 * half a step and a tenth: so that times, which are measured, do not make the shares swing.
 * Reorders shares. False: all stay.
 */
bool cnv_shares_divide(struct cnv_share *shares, size_t n, uint32_t nominal, uint32_t most);

#endif

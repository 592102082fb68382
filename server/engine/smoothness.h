/* smoothness.h - L of the run, which step sizes of the methods that draw blocks follow from. */
#ifndef CNV_SERVER_ENGINE_SMOOTHNESS_H
#define CNV_SERVER_ENGINE_SMOOTHNESS_H

#include <stdbool.h>

struct cnv_engine;
struct cnv_member;

/* When round 1 opens: from what the members say of theirs. False: memory is out. */
bool cnv_smoothness_fix(struct cnv_engine *engine);
/* A member has said its own: a note, if the run's L, gathered before it came, is too small for it.
 */
void cnv_smoothness_compare(struct cnv_engine *engine, const struct cnv_member *member);

#endif

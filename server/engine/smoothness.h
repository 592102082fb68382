/* smoothness.h - L of the run, which step sizes of the methods that draw blocks follow from. */
#ifndef CNV_SERVER_ENGINE_SMOOTHNESS_H
#define CNV_SERVER_ENGINE_SMOOTHNESS_H

#include <stdbool.h>

struct cnv_engine;

/* When round 1 opens: from what the members say of theirs. False: memory is out. */
bool cnv_smoothness_fix(struct cnv_engine *engine);

#endif

/* num.c - settings of the libraries underneath. */
#include "num/num.h"

#include <cblas.h>

void cnv_num_init(void)
{
    openblas_set_num_threads(1);
}

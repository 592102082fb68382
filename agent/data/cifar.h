/* cifar.h - CIFAR-10's binary records: a byte of label, then an image of 3 x 32 x 32 bytes. */
#ifndef CNV_AGENT_DATA_CIFAR_H
#define CNV_AGENT_DATA_CIFAR_H

#include "base/status.h"
#include "data/idx.h"
#include "data/input.h"

/*
 * Reads the labels of all records, and leaves images at the first, for cnv_idx_next. images is
 * borrowed until idx is closed. CNV_E_INPUT names file and offset. The caller closes idx, also
 * after a failure.
 */
CNV_MUST_CHECK enum cnv_status
cnv_cifar_open(struct cnv_input *images, struct cnv_idx *ret_idx, struct cnv_error *err);

#endif

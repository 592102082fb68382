/* check.h - rules between keys that have a file of their own. Inside lib/config. */
#ifndef CNV_CONFIG_CHECK_H
#define CNV_CONFIG_CHECK_H

#include "config/config.h"

/* Solvers and server optimisers that are two halves of one method, and what tables need. */
enum cnv_status cnv_config_check_tables(const struct cnv_config *config, struct cnv_error *err);
/* Solvers that draw blocks, encoding/up=blocks, and what the server optimisers for them need. */
enum cnv_status cnv_config_check_blocks(const struct cnv_config *config, struct cnv_error *err);
/* optimiser/kind=scaled. */
enum cnv_status cnv_config_check_scaled(const struct cnv_config *config, struct cnv_error *err);

#endif

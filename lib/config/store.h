/* store.h - what the files of this folder share of the store. */
#ifndef CNV_CONFIG_STORE_H
#define CNV_CONFIG_STORE_H

struct cnv_config;

/* Takes over every setting of other: how a reader that works on a copy ends, once all went well. */
void cnv_config_become(struct cnv_config *config, const struct cnv_config *other);

#endif

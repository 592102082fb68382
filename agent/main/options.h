/* options.h - the command line of convene-agent, with the settings it leads to. */
#ifndef CNV_AGENT_MAIN_OPTIONS_H
#define CNV_AGENT_MAIN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

enum { CNV_AGENT_NAME_SIZE = 65 };

struct cnv_agent_options {
    const char *server;    /* NULL: as the join file says */
    const char *join_file; /* NULL: without keys */
    const char *data;
    char name[CNV_AGENT_NAME_SIZE]; /* "": as the join file says */
    uint32_t shard;                 /* 0 of 0: leased */
    uint32_t shards;
    uint32_t cores;      /* 0: as many as there are */
    int64_t patience_ms; /* for the server's first answer; -1: forever */
    bool wants_help;
    bool wants_version;
    struct cnv_config *config; /* owned */
};

/*
 * Reads command line, configuration file and environment, and looks at the data files so that
 * what cannot work is said before anything else happens. environment: as environ. warn: called
 * with each unknown CONVENE_ variable.
 *
 * CNV_E_INPUT: something is not allowed; the text names it and what is.
 */
CNV_MUST_CHECK enum cnv_status cnv_agent_options_read(int argc,
                                                      char **argv,
                                                      char *const *environment,
                                                      void (*warn)(const char *name),
                                                      struct cnv_agent_options *ret_options,
                                                      struct cnv_error *err);

void cnv_agent_options_fini(struct cnv_agent_options *options);

void cnv_agent_options_help(FILE *out);

#endif

/*
 * policy.c - the command "policy": shows the policy, or sets another in mid-run.
 *
 * The settings of the run are replaced as a whole, by a copy with the change: engine and status
 * read the same ones at any time. Nothing is loaded on command: a plug-in has to be there already.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "io/internal.h"
#include "report/report.h"

static enum cnv_status policy_set(struct cnv_daemon *daemon,
                                  const struct cnv_asker *asker,
                                  const char *words,
                                  struct cnv_error *err)
{
    struct cnv_config *changed = cnv_config_copy(daemon->config);
    enum cnv_status status = CNV_OK;

    if (changed == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    cnv_log(CNV_LOG_INFO,
            "command",
            "name=policy_set who=%s argument=%s",
            cnv_log_quote(asker->user),
            cnv_log_quote(words));
    status = cnv_config_change_policy(changed, words, err);
    if (status == CNV_OK) {
        status = cnv_engine_set_policy(
            daemon->engine, cnv_daemon_now(daemon), changed, asker->user, err);
    }
    if (status != CNV_OK) {
        cnv_config_destroy(changed);
        return status;
    }
    cnv_config_destroy(daemon->own_config);
    daemon->own_config = changed;
    daemon->config = changed;
    return CNV_OK;
}

void cnv_policy_answer(struct cnv_daemon *daemon,
                       const struct cnv_asker *asker,
                       const char *argument)
{
    struct cnv_error err;
    enum cnv_status status = CNV_OK;

    if (strncmp(argument, "set ", strlen("set ")) == 0) {
        status = policy_set(daemon, asker, argument + strlen("set "), &err);
    } else if (argument[0] != '\0') {
        status = cnv_fail(
            &err, CNV_E_INPUT, "policy: the argument must be empty, or set KIND KEY=VALUE ...");
    }
    if (status == CNV_OK) {
        cnv_control_json(daemon, asker, cnv_report_policy(daemon->engine));
    } else {
        cnv_control_refuse(daemon, asker, status, err.text);
    }
}

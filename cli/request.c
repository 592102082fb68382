/* request.c - one question to a daemon: endpoint, answer, and how a failure is told. */
#include "request.h"

#include <stdlib.h>

#include "envelope.h"
#include "net/endpoint.h"

enum cnv_status cnv_request_open(const struct cnv_request *request,
                                 struct cnv_control **ret_control,
                                 struct cnv_error *err)
{
    char endpoint[CNV_ENDPOINT_SIZE];
    struct cnv_joinfile keys;
    /* Nothing in this process changes the environment. */
    const char *named = getenv("CONVENE_CONTROL"); /* NOLINT(concurrency-mt-unsafe) */

    if (request->control != NULL) {
        named = request->control;
    }
    if (named == NULL || *named == '\0') {
        (void) cnv_endpoint_control(endpoint, sizeof(endpoint));
        named = endpoint;
    }
    enum cnv_status status = CNV_OK;
    if (request->join != NULL) {
        status = cnv_joinfile_read(request->join, &keys, err);
    }
    if (status == CNV_OK) {
        status =
            cnv_control_open(named, request->join == NULL ? NULL : &keys, false, ret_control, err);
    }
    return status;
}

int64_t cnv_request_timeout_ms(const struct cnv_request *request)
{
    double timeout = request->timeout > 0.0 ? request->timeout : 5.0;

    return (int64_t) (timeout < 1e9 ? timeout * 1e3 : 1e12);
}

static enum cnv_status ask(const struct cnv_request *request,
                           const char *question,
                           const char *argument,
                           struct cnv_blob **ret_body,
                           struct cnv_error *err)
{
    struct cnv_control *control = NULL;
    enum cnv_status status = cnv_request_open(request, &control, err);

    if (status == CNV_OK) {
        cnv_control_attach(control, request->payload);
        status = cnv_control_call(
            control, question, argument, cnv_request_timeout_ms(request), ret_body, err);
    }
    cnv_control_close(control);
    return status;
}

bool cnv_request_ask(const struct cnv_command *command,
                     const struct cnv_request *request,
                     const char *question,
                     const char *argument,
                     struct cnv_blob **ret_body,
                     enum cnv_exit *ret_code)
{
    struct cnv_error err = { 0 };

    *ret_body = NULL;
    if (ask(request, question, argument, ret_body, &err) == CNV_OK) {
        return true;
    }
    if (request->json) {
        cnv_envelope_print_failure(&err, stdout);
    }
    cnv_blob_unref(*ret_body);
    *ret_body = NULL;
    *ret_code = cnv_command_fail(command, &err);
    return false;
}

enum cnv_exit cnv_request_show(const struct cnv_command *command,
                               const struct cnv_request *request,
                               const char *question,
                               const char *argument,
                               void (*show)(const json_t *data, FILE *out))
{
    struct cnv_blob *body = NULL;
    struct cnv_error err = { 0 };
    json_t *root = NULL;
    enum cnv_exit code = CNV_EXIT_DONE;

    if (!cnv_request_ask(command, request, question, argument, &body, &code)) {
        return code;
    }
    if (request->json) {
        (void) fwrite(cnv_blob_data(body), 1, cnv_blob_len(body), stdout);
        (void) fprintf(stdout, "\n");
    } else if (cnv_envelope_parse(body, &root, &err) == CNV_OK) {
        show(json_object_get(root, "data"), stdout);
        json_decref(root);
    } else {
        code = cnv_command_fail(command, &err);
    }
    cnv_blob_unref(body);
    return code;
}

/*
 * model.c - the newest model as a .npy file, made once a version on the worker pool.
 *
 * Happy path: the first who asks starts a job that puts the head before the payload; when it is
 * done its file is kept, and sent to who asked. Others who ask for the same version are sent the
 * same bytes. The file goes when a newer model stands.
 * A run that has no model yet: that of the run before is sent, with a file made for each who asks.
 */
#include <string.h>

#include "base/mem.h"
#include "io/internal.h"
#include "proto/npy.h"
#include "proto/vector.h"
#include "report/report.h"

struct model_answer {
    struct cnv_job job;
    struct cnv_daemon *daemon;
    struct cnv_asker asker;
    struct cnv_blob *model; /* encoded payload */
    uint64_t dimension;
    size_t width;
    struct cnv_blob *npy; /* NULL: out of memory */
    uint64_t version;
    bool is_before; /* of the run before: the file is not kept */
    uint8_t head[CNV_NPY_HEAD_SIZE];
};

static const char npy_type[] = "application/x-npy";

static void model_run(struct cnv_job *job)
{
    struct model_answer *answer = (struct model_answer *) job;
    size_t length = (size_t) answer->dimension;
    size_t len = cnv_blob_len(answer->model) / answer->width;

    answer->npy = cnv_blob_new_raw(CNV_NPY_HEAD_SIZE + len);
    if (answer->npy != NULL) {
        memcpy(cnv_blob_edit(answer->npy), answer->head, CNV_NPY_HEAD_SIZE);
        cnv_vector_first(cnv_blob_data(answer->model),
                         length,
                         answer->width,
                         len / length,
                         cnv_blob_edit(answer->npy) + CNV_NPY_HEAD_SIZE);
    }
}

static void model_done(struct cnv_job *job)
{
    struct model_answer *answer = (struct model_answer *) job;
    struct cnv_daemon *daemon = answer->daemon;

    daemon->answers--;
    if (answer->npy == NULL) {
        cnv_control_refuse(daemon, &answer->asker, CNV_E_NOMEM, "no memory for the model's file");
    } else {
        cnv_control_reply(daemon, &answer->asker, npy_type, answer->npy);
    }
    if (answer->npy != NULL && !answer->is_before) {
        cnv_blob_unref(daemon->npy);
        daemon->npy = cnv_blob_ref(answer->npy);
        daemon->npy_version = answer->version;
    }
    cnv_blob_unref(answer->npy);
    cnv_blob_unref(answer->model);
    cnv_free(answer);
}

void cnv_model_answer(struct cnv_daemon *daemon, const struct cnv_asker *asker)
{
    struct cnv_engine_view view;
    struct model_answer *answer = NULL;

    cnv_engine_view(daemon->engine, &view);
    bool is_before = view.model == NULL && daemon->before.model != NULL;
    if (view.model == NULL && !is_before) {
        cnv_control_refuse(
            daemon, asker, CNV_E_UNEXPECTED, "there is no model yet: no agent is ready");
        return;
    }
    if (!is_before && daemon->npy != NULL && daemon->npy_version == view.version) {
        cnv_control_reply(daemon, asker, npy_type, daemon->npy);
        return;
    }
    if (daemon->answers >= CNV_ANSWERS_MAX ||
        (answer = cnv_object_new(struct model_answer)) == NULL) {
        cnv_control_refuse(daemon, asker, CNV_E_FULL, "too many are asking: ask again later");
        return;
    }
    uint64_t dimension = is_before ? daemon->before.dimension : view.dimension;
    *answer = (struct model_answer){
        .job = { .run = model_run, .done = model_done, .cost = dimension },
        .daemon = daemon,
        .asker = *asker,
        .model = cnv_blob_ref(is_before ? daemon->before.model : view.model),
        .dimension = dimension,
        .width = is_before ? daemon->before.width : view.model_width,
        .version = view.version,
        .is_before = is_before,
    };
    (void) cnv_npy_head(
        is_before ? daemon->before.encoding : view.model_encoding, dimension, answer->head);
    daemon->answers++;
    cnv_pool_submit(daemon->pool, &answer->job);
}

void cnv_model_tick(struct cnv_daemon *daemon)
{
    struct cnv_engine_view view;

    cnv_engine_view(daemon->engine, &view);
    if (daemon->npy != NULL && daemon->npy_version != view.version) {
        cnv_blob_unref(daemon->npy);
        daemon->npy = NULL;
    }
    if (view.model != NULL) {
        cnv_blob_unref(daemon->before.model);
        daemon->before.model = NULL;
    }
    /* Who was sent that model asks for the report after it. */
    if (view.version > 0) {
        cnv_model_forget_before(daemon);
    }
}

void cnv_model_keep(struct cnv_daemon *daemon)
{
    struct cnv_engine_view view;

    cnv_engine_view(daemon->engine, &view);
    if (view.model == NULL) {
        return; /* a run that never began: what was before it still counts */
    }
    double *labels = cnv_array_new(view.label_count, sizeof(*labels));
    if (labels == NULL) {
        return; /* then there is nothing before */
    }
    if (view.label_count > 0) {
        memcpy(labels, view.labels, view.label_count * sizeof(*labels));
    }
    cnv_model_forget_before(daemon);
    daemon->before = (struct cnv_run_before){
        .model = cnv_blob_ref(view.model),
        .encoding = view.model_encoding,
        .width = view.model_width,
        .dimension = view.dimension,
        .labels = labels,
        .label_count = view.label_count,
        .report = cnv_report_run(daemon->engine, daemon->config),
    };
}

void cnv_model_forget_before(struct cnv_daemon *daemon)
{
    cnv_blob_unref(daemon->before.model);
    cnv_free(daemon->before.labels);
    json_decref(daemon->before.report);
    daemon->before = (struct cnv_run_before){ .model = NULL };
}

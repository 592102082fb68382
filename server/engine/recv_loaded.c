/*
 * recv_loaded.c - what a member's data looks like; from the first run/agents of them comes the
 * shape of the run: features, label map, rows (with data/shared=true those that each of them has).
 *
 * Happy path: loaded from each ► once run/agents are loaded the shape is fixed and sent to all.
 * What can fail, by name and for good: no rows, labels that are not ascending and finite, labels
 * where others have real targets, more labels in all than a message holds; later a higher feature
 * or an unknown label; of data that all share, fewer rows than others.
 * Invariant: the shape does not depend on the order in which members load, and never changes.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "internal.h"

static bool loaded_labels_are_valid(const double *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(labels[i]) || (i > 0 && !(labels[i - 1] < labels[i]))) {
            return false;
        }
    }
    return true;
}

/* The sum over all members stays far below 2^64. */
static const uint64_t loaded_rows_max = UINT64_C(1) << 40;

/* What is wrong with the data whatever the run looks like. */
static enum cnv_status loaded_check(const struct cnv_engine *engine,
                                    const struct cnv_member *member,
                                    const struct cnv_msg_loaded *loaded,
                                    const struct cnv_blob *payload,
                                    struct cnv_error *err)
{
    if (loaded->rows == 0 || loaded->rows > loaded_rows_max) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "%s has %" PRIu64 " rows, allowed are 1 to %" PRIu64,
                        member->name,
                        loaded->rows,
                        loaded_rows_max);
    }
    if (loaded->features > engine->settings.dimension_max) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "%s has feature %" PRIu64 ", limits/dimension allows %" PRIu64,
                        member->name,
                        loaded->features,
                        engine->settings.dimension_max);
    }
    if (loaded->labels > CNV_LABELS_MAX ||
        cnv_blob_len(payload) != loaded->labels * sizeof(double)) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "%s sent %zu bytes for %" PRIu64 " labels, at most %d are allowed",
                        member->name,
                        cnv_blob_len(payload),
                        loaded->labels,
                        CNV_LABELS_MAX);
    }
    return CNV_OK;
}

/* Whether the member's data fits the fixed shape. */
static enum cnv_status
loaded_fits(const struct cnv_engine *engine, const struct cnv_member *member, struct cnv_error *err)
{
    size_t at = 0;

    if (member->features > engine->features) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "%s has feature %" PRIu64 ", the run has features up to %" PRIu64,
                        member->name,
                        member->features,
                        engine->features);
    }
    if (engine->settings.is_shared && member->rows != engine->total_rows) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "%s has %" PRIu64 " rows, the others %" PRIu64
                        ": with data/shared=true all have the same",
                        member->name,
                        member->rows,
                        engine->total_rows);
    }
    if ((member->label_count == 0) != (engine->label_count == 0)) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "%s has %s, the run has %s",
                        member->name,
                        member->label_count == 0 ? "real targets" : "labels",
                        engine->label_count == 0 ? "real targets" : "labels");
    }
    for (size_t i = 0; i < member->label_count; i++) {
        while (at < engine->label_count && engine->labels[at] < member->labels[i]) {
            at++;
        }
        if (at == engine->label_count || engine->labels[at] > member->labels[i]) {
            return cnv_fail(err,
                            CNV_E_MISFIT,
                            "%s has label %g, which is none of the run's %zu labels",
                            member->name,
                            member->labels[i],
                            engine->label_count);
        }
    }
    return CNV_OK;
}

static bool loaded_counts(const struct cnv_member *member)
{
    return member->is_loaded &&
           (member->state == CNV_MEMBER_JOINING || member->state == CNV_MEMBER_READY);
}

/* They are needed until they are part of the shape. */
static void loaded_forget_labels(struct cnv_member *member)
{
    cnv_free(member->labels);
    member->labels = NULL;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *) a;
    double right = *(const double *) b;

    return left < right ? -1 : left > right;
}

/* The union of all label sets, ascending; false when memory is out. */
static bool shape_unite(struct cnv_engine *engine)
{
    size_t total = 0;
    size_t used = 0;

    for (size_t i = 0; i < engine->member_count; i++) {
        total += loaded_counts(engine->members[i]) ? engine->members[i]->label_count : 0;
    }
    engine->labels = cnv_array_new(total, sizeof(*engine->labels));
    if (engine->labels == NULL) {
        return false;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        if (loaded_counts(member) && member->label_count > 0) {
            memcpy(engine->labels + used,
                   member->labels,
                   member->label_count * sizeof(*member->labels));
            used += member->label_count;
        }
    }
    qsort(engine->labels, used, sizeof(*engine->labels), compare_doubles);
    for (size_t i = 0; i < used; i++) {
        if (engine->label_count == 0 ||
            engine->labels[engine->label_count - 1] < engine->labels[i]) {
            engine->labels[engine->label_count++] = engine->labels[i];
        }
    }
    return true;
}

/* Members without labels among such with labels are refused; true if there were any. */
static bool shape_refuse_mixed(struct cnv_engine *engine)
{
    bool has_labels = false;
    bool is_mixed = false;
    char text[CNV_ERROR_TEXT_SIZE];

    for (size_t i = 0; i < engine->member_count; i++) {
        has_labels |= loaded_counts(engine->members[i]) && engine->members[i]->label_count > 0;
    }
    for (size_t i = 0; has_labels && i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (loaded_counts(member) && member->label_count == 0) {
            (void) snprintf(
                text, sizeof(text), "%s has real targets, the others have labels", member->name);
            cnv_member_refuse(engine, member, CNV_E_MISFIT, text);
            is_mixed = true;
        }
    }
    return is_mixed;
}

/* More labels than a message holds: who brings most of them is refused; true if there are so many.
 */
static bool shape_refuse_many(struct cnv_engine *engine)
{
    struct cnv_member *most = NULL;
    char text[CNV_ERROR_TEXT_SIZE];

    if (engine->label_count <= CNV_LABELS_MAX) {
        return false;
    }
    cnv_free(engine->labels);
    engine->labels = NULL;
    engine->label_count = 0;
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (loaded_counts(member) && (most == NULL || member->label_count > most->label_count)) {
            most = member;
        }
    }
    if (most == NULL) {
        return false; /* nobody has brought any of them */
    }
    (void) snprintf(text,
                    sizeof(text),
                    "%s has %zu labels, those of all are more than %d",
                    most->name,
                    most->label_count,
                    CNV_LABELS_MAX);
    cnv_member_refuse(engine, most, CNV_E_MISFIT, text);
    return true;
}

/* Of data that all share: members with fewer rows than others are refused; true if there were any.
 */
static bool shape_refuse_short(struct cnv_engine *engine)
{
    uint64_t most = 0;
    bool is_short = false;
    char text[CNV_ERROR_TEXT_SIZE];

    for (size_t i = 0; engine->settings.is_shared && i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        most = loaded_counts(member) && member->rows > most ? member->rows : most;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (loaded_counts(member) && member->rows < most) {
            (void) snprintf(text,
                            sizeof(text),
                            "%s has %" PRIu64 " rows, others %" PRIu64
                            ": with data/shared=true all have the same",
                            member->name,
                            member->rows,
                            most);
            cnv_member_refuse(engine, member, CNV_E_MISFIT, text);
            is_short = true;
        }
    }
    return is_short;
}

/* Fixes the shape once enough members are loaded, and tells them. */
static void shape_fix(struct cnv_engine *engine)
{
    size_t loaded = 0;

    for (size_t i = 0; i < engine->member_count; i++) {
        loaded += loaded_counts(engine->members[i]);
    }
    if (loaded < engine->settings.agents || shape_refuse_mixed(engine) ||
        shape_refuse_short(engine)) {
        return;
    }
    if (!shape_unite(engine)) {
        cnv_run_end(engine, CNV_RUN_FAILED, "out of memory for the label map");
        return;
    }
    if (shape_refuse_many(engine)) {
        return;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (loaded_counts(member)) {
            engine->total_rows =
                engine->settings.is_shared ? member->rows : engine->total_rows + member->rows;
            engine->features =
                engine->features < member->features ? member->features : engine->features;
        }
    }
    engine->has_shape = true;
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (loaded_counts(member)) {
            cnv_member_move(member, CNV_MEMBER_JOINING, "building");
            cnv_post_shape(engine, member);
        }
        member->is_loaded = loaded_counts(member); /* a lost one is checked when it is back */
        loaded_forget_labels(member);
    }
}

void cnv_recv_loaded(struct cnv_engine *engine,
                     struct cnv_member *member,
                     const struct cnv_msg_loaded *loaded,
                     struct cnv_blob *payload)
{
    struct cnv_error err = { .status = CNV_OK };

    if (member->is_follower || loaded_check(engine, member, loaded, payload, &err) != CNV_OK) {
        goto refuse;
    }
    double *labels = cnv_array_new(loaded->labels, sizeof(*labels));
    if (labels == NULL) {
        return; /* it says so again */
    }
    if (loaded->labels > 0) {
        memcpy(labels, cnv_blob_data(payload), loaded->labels * sizeof(*labels));
    }
    cnv_free(member->labels);
    member->labels = labels;
    member->label_count = loaded->labels;
    member->rows = loaded->rows;
    member->features = loaded->features;
    if (!loaded_labels_are_valid(labels, loaded->labels)) {
        (void) cnv_fail(
            &err, CNV_E_MISFIT, "labels of %s are not finite and ascending", member->name);
        goto refuse;
    }
    if ((engine->has_shape && loaded_fits(engine, member, &err) != CNV_OK) ||
        cnv_place_take(engine, member, loaded->rows, &err) != CNV_OK) {
        goto refuse;
    }
    member->is_loaded = true;
    if (engine->has_shape) {
        loaded_forget_labels(member);
        cnv_post_shape(engine, member);
    } else {
        (void) snprintf(member->why, sizeof(member->why), "waiting for the others to load");
        shape_fix(engine);
    }
    return;

refuse:
    if (err.status == CNV_OK) {
        (void) cnv_fail(&err, CNV_E_UNEXPECTED, "%s is a follower, it has no data", member->name);
    }
    cnv_member_refuse(engine, member, err.status, err.text);
}

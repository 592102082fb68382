/* view.c - what status, the progress line and the simulator see. Reads only. */
#include <math.h>
#include <string.h>

#include "internal.h"
#include "proto/vector.h"

const char *cnv_run_state_name(enum cnv_run_state state)
{
    switch (state) {
    case CNV_RUN_WAITING:
        return "waiting";
    case CNV_RUN_RUNNING:
        return "running";
    case CNV_RUN_DRAINING:
        return "draining";
    case CNV_RUN_FINISHED:
        return "finished";
    case CNV_RUN_FAILED:
        return "failed";
    }
    return "unknown";
}

const char *cnv_member_state_name(enum cnv_member_state state)
{
    switch (state) {
    case CNV_MEMBER_JOINING:
        return "joining";
    case CNV_MEMBER_READY:
        return "ready";
    case CNV_MEMBER_WORKING:
        return "working";
    case CNV_MEMBER_OFFERED:
        return "offered";
    case CNV_MEMBER_LOST:
        return "lost";
    case CNV_MEMBER_LEFT:
        return "left";
    }
    return "unknown";
}

/* READY is told apart by the member's place in the round. */
static enum cnv_member_state visible_state(const struct cnv_engine *engine,
                                           const struct cnv_member *member)
{
    if (member->state != CNV_MEMBER_READY || !member->in_round || member->refusal != CNV_OK) {
        return member->state;
    }
    return member->offer.is_here || engine->round.phase == CNV_PHASE_COMMITTING
               ? CNV_MEMBER_OFFERED
               : CNV_MEMBER_WORKING;
}

static bool is_ranked(const struct cnv_member *member)
{
    return member->state == CNV_MEMBER_READY && !member->is_follower;
}

/* The wait under way: it is done, others are not. */
static uint64_t
waiting_ms(const struct cnv_engine *engine, const struct cnv_member *member, uint64_t now_ms)
{
    enum cnv_phase phase = engine->round.phase;
    uint64_t since_ms = member->offer.whole_ms;
    bool is_open = phase == CNV_PHASE_COLLECTING || phase == CNV_PHASE_PULLING;

    return is_open && since_ms > 0 && now_ms > since_ms ? now_ms - since_ms : 0;
}

bool cnv_engine_member(const struct cnv_engine *engine,
                       uint64_t now_ms,
                       size_t i,
                       struct cnv_member_view *ret_member)
{
    if (i >= engine->member_count) {
        return false;
    }
    const struct cnv_member *member = engine->members[i];
    uint64_t rank = 0;

    for (size_t k = 0; is_ranked(member) && k < engine->member_count; k++) {
        rank += is_ranked(engine->members[k]) && cnv_member_compare(engine->members[k], member) < 0;
    }
    *ret_member = (struct cnv_member_view){
        .name = member->name,
        .host = member->host,
        .state = visible_state(engine, member),
        .why = member->why,
        .shard = member->shard,
        .shards = member->shards,
        .rank = rank,
        .incarnation = member->incarnation,
        .rows = member->rows,
        .rounds = member->rounds,
        .refused = member->refused,
        .bytes_up = member->bytes_up,
        .bytes_down = member->bytes_down,
        .steps_per_second = member->steps_per_second,
        .heard_ms = now_ms > member->heard_ms ? now_ms - member->heard_ms : 0,
        .local_steps = member->local_steps,
        .steps = member->pace.steps,
        .busy_ms = member->pace.busy_ms,
        .took_ms = member->pace.took_ms,
        .wait_ms = member->pace.wait_ms,
        .waited_ms =
            member->pace.waited_ms + member->pace.waits_ms + waiting_ms(engine, member, now_ms),
        .held_ms = member->pace.held_ms,
        .is_waited_for = cnv_round_is_awaiting(engine, member),
    };
    return true;
}

/* Sums the members' reports on the newest version that was reported on. */
static void view_test(const struct cnv_engine *engine, struct cnv_engine_view *view)
{
    bool is_error = false;
    double sum = 0;

    view->test_metric = "";
    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        if (member->test_rows > 0 && member->test_version >= view->test_version) {
            view->test_version = member->test_version;
            is_error = member->test_is_error;
        }
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        if (member->test_rows > 0 && member->test_version == view->test_version &&
            member->test_is_error == is_error) {
            sum += member->test_value;
            view->test_rows += member->test_rows;
            view->test_unknown += member->test_unknown;
        }
    }
    if (view->test_rows > 0) {
        view->test_metric = is_error ? "mean_squared_error" : "accuracy";
        view->test_value = sum / (double) view->test_rows;
    }
}

void cnv_engine_view(const struct cnv_engine *engine, struct cnv_engine_view *ret_view)
{
    const struct cnv_round *round = &engine->round;
    bool is_in_hand = round->phase != CNV_PHASE_IDLE;

    *ret_view = (struct cnv_engine_view){
        .run_name = engine->run_name,
        .run = engine->run,
        .state = engine->state,
        .state_reason = engine->reason,
        .version = engine->version,
        .round = is_in_hand ? round->number : engine->version,
        .attempt = is_in_hand ? round->attempt : 0,
        .exchange = is_in_hand ? round->exchange : 0,
        .exchange_name = is_in_hand ? cnv_round_exchange(round) : "",
        .estimate = is_in_hand ? round->estimate : NAN,
        .iteration = engine->iteration,
        .dimension = engine->dimension,
        .features = engine->features,
        .labels = engine->labels,
        .label_count = engine->label_count,
        .total_rows = engine->total_rows,
        .smoothness = engine->smoothness > 0 ? engine->smoothness : NAN,
        .policy = engine->policy->name,
        .local_steps =
            engine->has_decision ? engine->decision.local_steps : engine->settings.local_steps,
        .solver = engine->has_decision ? engine->decision.solver
                                       : cnv_config_text(engine->config, "solver/kind"),
        .reason = engine->policy_set[0] != '\0'                        ? engine->policy_set
                  : is_in_hand && round->phase != CNV_PHASE_COMMITTING ? round->decision.reason
                                                                       : engine->decision.reason,
        .policy_set = engine->has_decision ? engine->policy_set : "",
        .seconds = cnv_run_seconds(engine),
        .exchanges = engine->exchanges,
        .bytes_up = engine->bytes_up,
        .bytes_down = engine->bytes_down,
        .payload_up = engine->payload_up,
        .members = engine->member_count,
        .model = engine->model == NULL ? NULL : engine->model->blob,
        .model_encoding = engine->settings.down->name,
        .model_width = engine->width.kept,
        .digest = engine->model == NULL ? 0 : engine->model->digest,
    };
    view_test(engine, ret_view);
}

uint32_t cnv_engine_model_digest(const struct cnv_engine *engine)
{
    const struct cnv_parcel *model = engine->model;

    if (model == NULL || engine->width.kept == 1) {
        return model == NULL ? 0 : model->digest;
    }
    return cnv_vector_first_digest(cnv_blob_data(model->blob),
                                   (size_t) engine->dimension,
                                   engine->width.kept,
                                   engine->settings.down->size(1));
}

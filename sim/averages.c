/*
 * averages.c - that a committed model is the old one plus the mean of what its contributors sent,
 * or what the server optimiser makes of that mean.
 *
 * Every vector the trainers compute and every result they are told is noted. At a commit, the
 * mean is computed anew from the definition, not by the server's code, over the members whose
 * count of contributions has grown, in rank order, through the encodings and back. The earlier
 * exchanges of the round (gradient, direction) must be means over the same members: who is lost
 * after the first of them restarts the round.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/partition.h"
#include "encodings/encoding.h"
#include "mean.h"
#include "proto/plan.h"
#include "tables.h"

/* So many contributors' earlier contributions are looked at too. */
enum { OLDER_BITS = 8 };

void sim_averages_forget(struct sim_promises *promises, uint64_t round)
{
    struct vector_note **at = &promises->notes;

    while (*at != NULL) {
        struct vector_note *note = *at;

        if (note->round > round) {
            at = &note->next;
            continue;
        }
        *at = note->next;
        cnv_free(note->values);
        cnv_free(note->sent);
        cnv_free(note);
    }
}

static void note_vector(struct cnv_sim *sim, const struct vector_note *from, const double *values)
{
    struct vector_note *note = cnv_object_new(struct vector_note);

    if (note == NULL) {
        sim_fail(sim, CNV_E_NOMEM, "notes");
        return;
    }
    *note = *from;
    if (values != NULL) {
        note->values = cnv_array_new(note->length, sizeof(*values));
        if (note->values == NULL) {
            cnv_free(note->sent);
            cnv_free(note);
            sim_fail(sim, CNV_E_NOMEM, "notes");
            return;
        }
        memcpy(note->values, values, note->length * sizeof(*values));
    }
    note->next = sim->promises->notes;
    sim->promises->notes = note;
}

void sim_promises_contribution(struct cnv_sim *sim,
                               struct sim_agent *agent,
                               const convene_contribution *contribution)
{
    struct vector_note note = {
        .agent = agent,
        .round = contribution->round,
        .attempt = contribution->attempt,
        .exchange = contribution->exchange,
        .version = agent->version,
        .is_model = agent->place < agent->plan.count &&
                    strcmp(agent->plan.names[agent->place], "model") == 0,
        .samples = contribution->samples,
        .steps = contribution->steps,
        .is_scaled = contribution->is_scaled,
        .factor = contribution->factor,
        .reference = contribution->reference,
        .length = contribution->length * (contribution->width > 1 ? contribution->width : 1),
    };

    if (sim->promises != NULL && sim_tables_are_there(sim) && note.is_model &&
        !sim_tables_note(contribution, &note)) {
        sim_fail(sim, CNV_E_NOMEM, "notes");
    } else if (sim->promises != NULL) {
        note_vector(sim, &note, contribution->values);
    }
}

static void
check_settled(struct cnv_sim *sim, const struct sim_agent *agent, const convene_event *event)
{
    const struct vector_note *known =
        sim_find_result(sim->promises, event->round, event->attempt, event->exchange);
    struct vector_note note = {
        .round = event->round,
        .attempt = event->attempt,
        .exchange = event->exchange,
        .length = event->length,
    };

    if (known == NULL) {
        note_vector(sim, &note, event->values);
    } else if (known->length != event->length ||
               memcmp(known->values, event->values, event->length * sizeof(double)) != 0) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 3: %s was told another result of round %" PRIu64 ", exchange %u",
                 agent->name,
                 event->round,
                 event->exchange);
    }
}

void sim_promises_event(struct cnv_sim *sim, struct sim_agent *agent, const convene_event *event)
{
    struct cnv_plan plan;

    if (sim->promises == NULL) {
        return;
    }
    if (event->kind == CONVENE_ROUND && cnv_plan_parse(event->plan, &agent->plan)) {
        agent->place = 0;
        agent->version = event->version;
        sim_promises_smoothness(sim, agent->name, event->smoothness);
    } else if (event->kind == CONVENE_SETTLED) {
        agent->place += event->again ? 0 : 1;
    }
    /* Who was frozen may hear of an older round. */
    if (event->kind == CONVENE_ROUND && strcmp(event->plan, CNV_PLAN_EVALUATE) != 0 &&
        event->round >= sim->promises->round && cnv_plan_parse(event->plan, &plan)) {
        sim->promises->round = event->round;
        sim->promises->exchanges = plan.count;
    } else if (event->kind == CONVENE_SETTLED && event->values != NULL) {
        check_settled(sim, agent, event);
    }
}

/* --- Who is in the newest version ---------------------------------------------------------- */

static int by_rank(const void *a, const void *b)
{
    const struct contributor *left = a;
    const struct contributor *right = b;

    if (left->shard != right->shard) {
        return left->shard < right->shard ? -1 : 1;
    }
    return strcmp(left->name, right->name);
}

static struct sim_agent *find_agent(const struct cnv_sim *sim, const char *name)
{
    for (size_t i = 0; i < sim->agent_count; i++) {
        if (strcmp(sim->agents[i]->name, name) == 0) {
            return sim->agents[i];
        }
    }
    return NULL;
}

/* In rank order: the members whose count has grown, which must be by one. */
static size_t find_contributors(struct cnv_sim *sim, struct contributor *contributors)
{
    struct cnv_member_view member;
    size_t count = 0;

    for (size_t i = 0; cnv_engine_member(sim->engine, sim->now_us / 1000, i, &member); i++) {
        struct sim_agent *agent = find_agent(sim, member.name);

        if (agent == NULL || member.rounds == agent->counted) {
            continue;
        }
        if (member.rounds != agent->counted + 1) {
            sim_fail(sim,
                     CNV_E_UNEXPECTED,
                     "promise 2: contributions of %s went from %" PRIu64 " to %" PRIu64,
                     member.name,
                     agent->counted,
                     member.rounds);
        }
        agent->counted = member.rounds;
        contributors[count++] = (struct contributor){ .name = agent->name, .shard = member.shard };
    }
    qsort(contributors, count, sizeof(*contributors), by_rank);
    return count;
}

/* The next note from here on of what this agent computed for this exchange, up to this attempt;
 * round 0: of any round. */
static const struct vector_note *
find_note(const struct vector_note *note, const char *name, const struct vector_note *like)
{
    bool is_any = like->round == 0;

    while (note != NULL &&
           (note->agent == NULL || (!is_any && note->round != like->round) ||
            (!is_any && note->attempt > like->attempt) || note->is_model != like->is_model ||
            (!like->is_model && note->exchange != like->exchange) ||
            strcmp(note->agent->name, name) != 0)) {
        note = note->next;
    }
    return note;
}

static bool is_same_vector(const struct vector_note *a, const struct vector_note *b)
{
    if (a->values == NULL || b->values == NULL || a->length != b->length) {
        return a->values == b->values && a->factor == b->factor;
    }
    return memcmp(a->values, b->values, a->length * sizeof(*a->values)) == 0;
}

/*
 * What each computed last for this exchange. Of those who computed it more than once, the k-th is
 * taken at its last other vector where bit k of older is set: a new process, or the second new one,
 * computes anew what a predecessor had offered whole, and that is what counts.
 * False: one has nothing.
 */
static bool find_contributions(const struct sim_promises *promises,
                               struct contributor *contributors,
                               size_t count,
                               const struct vector_note *like,
                               unsigned older)
{
    for (size_t i = 0; i < count; i++) {
        const struct vector_note *note = find_note(promises->notes, contributors[i].name, like);
        const struct vector_note *before =
            note == NULL ? NULL : find_note(note->next, contributors[i].name, like);

        while (before != NULL && is_same_vector(before, note)) {
            before = find_note(before->next, contributors[i].name, like);
        }
        if (before != NULL) {
            note = (older & 1U) != 0 ? before : note;
            older >>= 1;
        }
        contributors[i].note = note;
        if (note == NULL) {
            return false;
        }
    }
    return true;
}

/* --- Whether it follows -------------------------------------------------------------------- */

/* What was told of the exchanges before the model's is the mean over the same members. */
static bool results_follow(const struct cnv_sim *sim,
                           struct contributor *contributors,
                           size_t count,
                           struct vector_note like,
                           double *work,
                           size_t length)
{
    const char *down = cnv_config_text(sim->setup.config, "encoding/down");

    for (like.exchange = 0; like.exchange + 1 < sim->promises->exchanges; like.exchange++) {
        const struct vector_note *result =
            sim_find_result(sim->promises, like.round, like.attempt, like.exchange);

        if (result == NULL) {
            continue; /* scalars only */
        }
        bool is_met = false;

        for (unsigned older = 0; !is_met && older < 1U << OLDER_BITS; older++) {
            is_met = find_contributions(sim->promises, contributors, count, &like, older) &&
                     sim_take_mean(sim, contributors, count, work, work + length, length) &&
                     sim_pass(down, work, length) &&
                     memcmp(work, result->values, length * sizeof(*work)) == 0;
        }
        if (!is_met) {
            return false;
        }
    }
    return true;
}

/* What the server optimiser makes of the mean, by its definition, in place; momentum[length]
 * becomes what it would remember. */
static void
apply_optimiser(const struct cnv_sim *sim, double *mean, double *momentum, size_t length)
{
    const char *kind = cnv_config_text(sim->setup.config, "optimiser/kind");
    const double *before = sim->promises->momentum;
    double beta = cnv_config_real(sim->setup.config, "optimiser/momentum");
    double step = cnv_config_real(sim->setup.config, "optimiser/step");
    struct cnv_partition partition;

    if (strcmp(kind, "saga-table") == 0) {
        return; /* what it remembers is no mean of updates: sim_tables_mean */
    }
    if ((strcmp(kind, "sega") == 0 || strcmp(kind, "sega-table") == 0) &&
        cnv_partition_read(sim->setup.config, length, &partition, NULL) == CNV_OK) {
        for (size_t j = 0; j < length; j++) {
            double heard = before == NULL ? 0 : before[j];

            momentum[j] = heard + mean[j];
            mean[j] = heard + mean[j] / partition.tau;
        }
        return;
    }
    for (size_t j = 0; strcmp(kind, "none") != 0 && j < length; j++) {
        momentum[j] = beta * (before == NULL ? 0 : before[j]) + mean[j];
        mean[j] = strcmp(kind, "momentum") == 0 ? step * momentum[j]
                                                : step * (mean[j] + beta * momentum[j]);
    }
}

/* Where a server optimiser has an l1 term: the step times its weight; else 0. */
static double threshold_of(const struct cnv_sim *sim)
{
    return cnv_config_real(sim->setup.config, "solver/step") *
           cnv_config_real(sim->setup.config, "optimiser/l1");
}

/* The newest model stands: so does what the server optimiser remembers. */
static void keep_momentum(struct cnv_sim *sim, const double *momentum, size_t length)
{
    struct sim_promises *promises = sim->promises;

    if (sim_is_kind(sim, "optimiser/kind", "none") ||
        sim_is_kind(sim, "optimiser/kind", "scaled")) {
        return;
    }
    if (promises->momentum == NULL) {
        promises->momentum = cnv_array_new(length, sizeof(*momentum));
    }
    if (promises->momentum == NULL) {
        sim_fail(sim, CNV_E_NOMEM, "momentum");
        return;
    }
    memcpy(promises->momentum, momentum, length * sizeof(*momentum));
}

/* Whether the new model follows from the old one in this attempt of the round. */
static bool model_follows(const struct cnv_sim *sim,
                          struct contributor *contributors,
                          size_t count,
                          struct vector_note like,
                          unsigned older,
                          double *work,
                          size_t length)
{
    const struct version_note *newest = &sim->promises->versions[sim->promises->version_count - 1];
    const char *down = cnv_config_text(sim->setup.config, "encoding/down");
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(down);
    double *model = work + 2 * length;
    double threshold = threshold_of(sim);

    like.is_model = true;
    if (!find_contributions(sim->promises, contributors, count, &like, older) ||
        !sim_take_mean(sim, contributors, count, work, work + length, length)) {
        return false;
    }
    apply_optimiser(sim, work, work + 3 * length, length);
    sim_tables_mean(sim, contributors, count, work + 3 * length);
    encoding->decode(newest[-1].bytes, length, NULL, model);
    for (size_t j = 0; j < length; j++) {
        model[j] += work[j];
        if (threshold > 0) {
            model[j] = model[j] > threshold    ? model[j] - threshold
                       : model[j] < -threshold ? model[j] + threshold
                                               : 0;
        }
    }
    encoding->decode(newest->bytes, length, NULL, work);
    return sim_pass(down, model, length) && memcmp(model, work, length * sizeof(*work)) == 0;
}

/* The same for SAVIC with one round trip (Chezhegov et al. 2024), whose matrix lies beside the
 * model. work has 10 length. */
static bool scaled_follows(const struct cnv_sim *sim,
                           struct contributor *contributors,
                           size_t count,
                           struct vector_note like,
                           unsigned older,
                           double *work,
                           size_t length)
{
    const struct cnv_config *config = sim->setup.config;
    const struct version_note *newest = &sim->promises->versions[sim->promises->version_count - 1];
    const char *down = cnv_config_text(config, "encoding/down");
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(down);
    bool is_oasis = sim_is_kind(sim, "solver/scaling", "oasis");
    double beta1 = cnv_config_real(config, "solver/beta1");
    double beta2 = cnv_config_real(config, "solver/beta2");
    double alpha = cnv_config_real(config, "solver/alpha");
    double step = cnv_config_real(config, "solver/step") * (1.0 - beta1);
    double power = pow(beta2, (double) (sim->promises->version_count - 1));
    double beta = sim->promises->version_count == 2 ? 0.0
                  : is_oasis                        ? beta2
                                                    : (beta2 - power) / (1.0 - power);
    double *model = work + 6 * length;

    like.is_model = true;
    if (!find_contributions(sim->promises, contributors, count, &like, older) ||
        !sim_take_mean(sim, contributors, count, work, work + 3 * length, 3 * length)) {
        return false;
    }
    encoding->decode(newest[-1].bytes, 2 * length, NULL, model);
    for (size_t j = 0; j < length; j++) {
        double d = beta * model[2 * j + 1] + (1.0 - beta) * work[2 * length + j];
        double entry = fmax(alpha, is_oasis ? fabs(d) : sqrt(fabs(d)));

        model[2 * j] += work[j] - step * work[length + j] / entry;
        model[2 * j + 1] = d;
    }
    encoding->decode(newest->bytes, 2 * length, NULL, work + 8 * length);
    return sim_pass(down, model, 2 * length) &&
           memcmp(model, work + 8 * length, 2 * length * sizeof(*work)) == 0;
}

static bool follows(struct cnv_sim *sim,
                    struct contributor *contributors,
                    size_t count,
                    uint64_t round,
                    size_t length)
{
    double *work = cnv_array_new(10 * length, sizeof(*work));
    bool is_scaled = sim_is_kind(sim, "optimiser/kind", "scaled");
    struct vector_note like = { .round = sim_is_async(sim) ? 0 : round,
                                .attempt = sim_is_async(sim) };
    bool is_met = false;

    for (const struct vector_note *note = sim->promises->notes; note != NULL; note = note->next) {
        if (note->round == like.round && note->attempt > like.attempt) {
            like.attempt = note->attempt;
        }
    }
    for (; like.attempt > 0 && !is_met && work != NULL; like.attempt--) {
        bool is_consistent = results_follow(sim, contributors, count, like, work, length);

        for (unsigned older = 0; is_consistent && !is_met && older < 1U << OLDER_BITS; older++) {
            is_met = is_scaled ? scaled_follows(sim, contributors, count, like, older, work, length)
                               : model_follows(sim, contributors, count, like, older, work, length);
        }
    }
    if (is_met) {
        keep_momentum(sim, work + 3 * length, length);
        sim_tables_keep(sim, contributors, count);
    }
    cnv_free(work);
    return is_met;
}

/* What counted counts never again, nor what the same agents computed before it. */
static void
forget_counted(struct sim_promises *promises, const struct contributor *contributors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sim_agent *agent =
            contributors[i].note == NULL ? NULL : contributors[i].note->agent;
        struct vector_note **at = &promises->notes;
        bool is_counted = false;

        while (*at != NULL) {
            struct vector_note *note = *at;

            is_counted |= note == contributors[i].note;
            if (!is_counted || note->agent != agent) {
                at = &note->next;
                continue;
            }
            *at = note->next;
            cnv_free(note->values);
            cnv_free(note->sent);
            cnv_free(note);
        }
    }
}

void sim_averages_check(struct cnv_sim *sim, const struct cnv_engine_view *view, size_t length)
{
    struct contributor *contributors = cnv_array_new(sim->agent_count, sizeof(*contributors));
    size_t count = contributors == NULL ? 0 : find_contributors(sim, contributors);
    struct cnv_round_row row;

    cnv_engine_row(sim->engine, cnv_engine_rows(sim->engine) - 2, &row);
    if (count == 0 || count != row.contributors ||
        !follows(sim, contributors, count, row.round, length)) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 2: version %" PRIu64 " is not the old model plus the mean of its %zu "
                 "contributors (the server says %" PRIu64 ") in round %" PRIu64,
                 view->version,
                 count,
                 row.contributors,
                 row.round);
    }
    sim->promises->iteration = view->iteration;
    if (sim_is_async(sim)) {
        forget_counted(sim->promises, contributors, count);
    } else {
        sim_averages_forget(sim->promises, row.round);
    }
    cnv_free(contributors);
}

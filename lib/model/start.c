/* start.c - a warm start: the file that run/start names, and whether it fits the run's settings. */
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "model/model.h"

static bool is_file(const char *start)
{
    size_t len = strlen(start);

    return len > 4 && strcmp(start + len - 4, ".npy") == 0;
}

/* What the card says of problem and intercept must be what the run is to do. */
static enum cnv_status card_suits(const struct cnv_card *card,
                                  const struct cnv_config *config,
                                  const char *start,
                                  struct cnv_error *err)
{
    const char *problem = cnv_config_text(config, "problem/kind");
    bool has_intercept = cnv_config_boolean(config, "problem/intercept");

    if (strcmp(card->problem, problem) != 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "run/start=%.120s: is a model of problem/kind=%.20s, the run's is %s",
                        start,
                        card->problem,
                        problem);
    }
    if (card->has_intercept != has_intercept) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "run/start=%.120s: is a model with problem/intercept=%s, the run's is %s",
                        start,
                        card->has_intercept ? "true" : "false",
                        has_intercept ? "true" : "false");
    }
    if (card->hidden[0] != '\0' &&
        strcmp(card->hidden, cnv_config_text(config, "problem/hidden")) != 0) {
        return cnv_fail(
            err,
            CNV_E_INPUT,
            "run/start=%.120s: is a model with problem/hidden=%.20s, the run's is %.20s",
            start,
            card->hidden,
            cnv_config_text(config, "problem/hidden"));
    }
    return CNV_OK;
}

static enum cnv_status read_file(const struct cnv_config *config,
                                 const char *path,
                                 struct cnv_start *start,
                                 struct cnv_error *err)
{
    char card[CNV_MODEL_PATH_SIZE];
    enum cnv_status status = cnv_model_read(path, &start->model, err);

    if (status != CNV_OK || !cnv_card_path(path, card) || access(card, F_OK) != 0) {
        return status;
    }
    status = cnv_card_read(card, &start->card, err);
    if (status == CNV_OK) {
        status = cnv_card_fits(&start->card, &start->model, path, err);
    }
    if (status == CNV_OK) {
        status = card_suits(&start->card, config, path, err);
    }
    start->has_card = status == CNV_OK;
    return status;
}

enum cnv_status
cnv_start_read(const struct cnv_config *config, struct cnv_start *ret_start, struct cnv_error *err)
{
    const char *path = cnv_config_text(config, "run/start");
    struct cnv_start start = { .has_card = false };
    struct cnv_error why;
    enum cnv_status status = CNV_OK;

    if (strcmp(path, "model") == 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "run/start=model: there is no model yet; \"convene submit\" can go on from "
                        "that of the run before");
    }
    if (is_file(path)) {
        status = read_file(config, path, &start, &why);
    }
    if (status != CNV_OK) {
        cnv_start_fini(&start);
        return strncmp(why.text, "run/start", 9) == 0
                   ? cnv_fail(err, status, "%s", why.text)
                   : cnv_fail(err, status, "run/start: %.220s", why.text);
    }
    *ret_start = start;
    return CNV_OK;
}

void cnv_start_fini(struct cnv_start *start)
{
    cnv_card_fini(&start->card);
    cnv_model_fini(&start->model);
    start->has_card = false;
}

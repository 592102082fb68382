/* cmd_evaluate.c - convene evaluate: how good a model is on a data file. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "config/config.h"
#include "data/load.h"
#include "envelope.h"
#include "evaluate.h"
#include "files.h"
#include "format.h"
#include "num/num.h"

struct evaluate_args {
    struct cnv_option_list words; /* MODEL DATA */
    const char *config;
    struct cnv_option_list set;
    bool json;
};

extern char **environ;

static const struct cnv_option options[] = {
    { "",
      CNV_OPTION_LIST,
      offsetof(struct evaluate_args, words),
      "MODEL DATA",
      "A model (model.npy with model.json beside it, or the directory of a report) and data." },
    { "set",
      CNV_OPTION_LIST,
      offsetof(struct evaluate_args, set),
      "PATH=VALUE",
      "How the data is read: data/label=first and the like. May be repeated." },
    { "config",
      CNV_OPTION_TEXT,
      offsetof(struct evaluate_args, config),
      "FILE",
      "Settings in ZPL, of which data/... count." },
    { "json",
      CNV_OPTION_FLAG,
      offsetof(struct evaluate_args, json),
      NULL,
      "Print the figures as one JSON envelope." },
    { .name = NULL },
};

/* What was read. Zero before use. */
struct evidence {
    struct cnv_model model;
    struct cnv_card card;
    struct cnv_shard *data;
};

static void warn_unknown(const char *name)
{
    (void) fprintf(stderr, "convene evaluate: warning: the variable %s is not a setting\n", name);
}

static enum cnv_status read_settings(const struct evaluate_args *args,
                                     const struct cnv_card *card,
                                     struct cnv_config *config,
                                     struct cnv_error *err)
{
    static const char *const ignored[] = { "CONVENE_CONTROL", NULL };
    enum cnv_status status =
        args->config == NULL ? CNV_OK : cnv_config_load(config, args->config, err);

    if (status == CNV_OK) {
        status = cnv_config_environment(config, environ, ignored, warn_unknown, err);
    }
    for (size_t i = 0; i < args->set.count && status == CNV_OK; i++) {
        status = cnv_config_assign(config, args->set.at[i], "--set", err);
    }
    /* What the model was trained with stands above all. */
    if (status == CNV_OK && card->label_names[0] != '\0') {
        status = cnv_config_set(config, "data/labels", card->label_names, "model.json", err);
    }
    return status;
}

static enum cnv_status
read_model(const char *word, struct evidence *evidence, struct cnv_error *err)
{
    char path[CNV_PATH_SIZE];
    char card[CNV_MODEL_PATH_SIZE];
    struct stat about;
    enum cnv_status status = CNV_OK;

    if (stat(word, &about) == 0 && S_ISDIR(about.st_mode)) {
        status = cnv_path_join(path, word, "model.npy", err);
    } else if (snprintf(path, sizeof(path), "%s", word) >= (int) sizeof(path)) {
        status = cnv_fail(err, CNV_E_INPUT, "the path %.40s... is too long", word);
    }
    if (status == CNV_OK && !cnv_card_path(path, card)) {
        status = cnv_fail(err, CNV_E_INPUT, "the path %.40s... is too long", word);
    }
    if (status == CNV_OK) {
        status = cnv_model_read(path, &evidence->model, err);
    }
    if (status == CNV_OK) {
        status = cnv_card_read(card, &evidence->card, err);
    }
    return status == CNV_OK ? cnv_card_fits(&evidence->card, &evidence->model, path, err) : status;
}

static enum cnv_status
read_data(const struct evaluate_args *args, struct evidence *evidence, struct cnv_error *err)
{
    struct cnv_config *config = cnv_config_new();
    enum cnv_status status = CNV_OK;

    if (config == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    status = read_settings(args, &evidence->card, config, err);
    if (status == CNV_OK) {
        struct cnv_data_options reading = cnv_data_options_of(config);

        reading.scale = evidence->card.scale != 0.0 ? evidence->card.scale : reading.scale;
        status = cnv_shard_read(args->words.at[1], &reading, &evidence->data, err);
    }
    cnv_config_destroy(config);
    return status;
}

/* --- JSON --------------------------------------------------------------------------------- */

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* The labels of the data that the model does not know. */
static json_t *strange_labels(const struct evidence *evidence,
                              const struct cnv_evaluation *evaluation)
{
    json_t *list = json_array();
    size_t place = 0;

    for (size_t i = 0; i < evaluation->label_count; i++) {
        if (!cnv_card_label(&evidence->card, evaluation->labels[i], &place)) {
            (void) json_array_append_new(list, json_real(evaluation->labels[i]));
        }
    }
    return list;
}

static json_t *confusion_json(const struct evidence *evidence,
                              const struct cnv_evaluation *evaluation)
{
    json_t *table = evaluation->confusion == NULL ? json_null() : json_array();
    size_t classes = evidence->card.label_count;

    for (size_t i = 0; evaluation->confusion != NULL && i < classes; i++) {
        json_t *line = json_array();

        for (size_t j = 0; j < classes; j++) {
            (void) json_array_append_new(
                line, json_integer((json_int_t) evaluation->confusion[i * classes + j]));
        }
        (void) json_array_append_new(table, line);
    }
    return table;
}

static void print_json(const struct evidence *evidence, const struct cnv_evaluation *evaluation)
{
    json_t *labels = json_array();
    json_t *data = NULL;

    for (size_t i = 0; i < evidence->card.label_count; i++) {
        (void) json_array_append_new(labels, json_real(evidence->card.labels[i]));
    }
    data = json_pack("{s:s, s:I, s:o, s:o, s:I}",
                     "problem",
                     evidence->card.problem,
                     "rows",
                     (json_int_t) evaluation->rows,
                     "loss",
                     number_or_null(evaluation->loss),
                     "objective",
                     number_or_null(evaluation->objective),
                     "strange_features",
                     (json_int_t) evaluation->strange_features);
    if (evaluation->is_classification) {
        (void) json_object_update_new(
            data,
            json_pack("{s:I, s:f, s:I, s:o, s:o, s:o}",
                      "correct",
                      (json_int_t) evaluation->correct,
                      "accuracy",
                      (double) evaluation->correct / (double) evaluation->rows,
                      "strange_rows",
                      (json_int_t) (evaluation->rows - evaluation->known),
                      "strange_labels",
                      strange_labels(evidence, evaluation),
                      "labels",
                      labels,
                      "confusion",
                      confusion_json(evidence, evaluation)));
    } else {
        json_decref(labels);
        (void) json_object_update_new(
            data,
            json_pack(
                "{s:f, s:o}", "rmse", evaluation->rmse, "r2", number_or_null(evaluation->r2)));
    }
    json_t *root = json_pack("{s:i, s:b, s:o}", "schema", 1, "ok", 1, "data", data);
    (void) json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
    (void) putchar('\n');
    json_decref(root);
}

/* --- Text --------------------------------------------------------------------------------- */

/* "7" or, where labels are words, "virginica". */
static const char *label_name(const struct cnv_card *card, double label, char text[CNV_FORMAT_SIZE])
{
    const char *name = card->label_names;

    for (double k = 0; k < label && *name != '\0'; k++) {
        name += strcspn(name, ",");
        name += *name == ',';
    }
    if (*name == '\0') {
        return cnv_format_number(text, label, 10);
    }
    (void) snprintf(text, CNV_FORMAT_SIZE, "%.*s", (int) strcspn(name, ","), name);
    return text;
}

static void print_strange(const struct evidence *evidence, const struct cnv_evaluation *evaluation)
{
    size_t rows = evaluation->rows - evaluation->known;
    size_t place = 0;
    size_t shown = 0;

    if (evaluation->strange_features > 0) {
        (void) printf(
            "note      the data has %zu features more than the model: they take no part\n",
            evaluation->strange_features);
    }
    if (rows == 0) {
        return;
    }
    (void) printf("note      %zu rows have a label that the model does not know:", rows);
    for (size_t i = 0; i < evaluation->label_count && shown < 8; i++) {
        if (!cnv_card_label(&evidence->card, evaluation->labels[i], &place)) {
            (void) printf("%s %g", shown++ == 0 ? "" : ",", evaluation->labels[i]);
        }
    }
    (void) printf("%s; they count as wrong\n", shown == 8 ? ", ..." : "");
}

static void print_confusion(const struct evidence *evidence,
                            const struct cnv_evaluation *evaluation)
{
    const struct cnv_card *card = &evidence->card;
    size_t classes = card->label_count;
    size_t width = 7;
    char text[CNV_FORMAT_SIZE];

    if (evaluation->confusion == NULL) {
        return;
    }
    for (size_t i = 0; i < classes; i++) {
        size_t len = strlen(label_name(card, card->labels[i], text));

        width = len > width ? len : width;
    }
    (void) printf("\n%*s  taken for\n%*s", (int) width, "label", (int) width, "");
    for (size_t j = 0; j < classes; j++) {
        (void) printf("  %*s", (int) width, label_name(card, card->labels[j], text));
    }
    (void) printf("  %8s\n", "right");
    for (size_t i = 0; i < classes; i++) {
        size_t total = 0;

        (void) printf("%*s", (int) width, label_name(card, card->labels[i], text));
        for (size_t j = 0; j < classes; j++) {
            total += evaluation->confusion[i * classes + j];
            (void) printf("  %*zu", (int) width, evaluation->confusion[i * classes + j]);
        }
        if (total == 0) {
            (void) printf("  %8s\n", "-");
        } else {
            (void) printf("  %7.2f%%\n",
                          100.0 * (double) evaluation->confusion[i * classes + i] / (double) total);
        }
    }
}

static void print_text(const struct evidence *evidence, const struct cnv_evaluation *evaluation)
{
    char text[CNV_FORMAT_SIZE];

    (void) printf("model     %s, %" PRIu64 " coordinates, %" PRIu64 " features, %s\n",
                  evidence->card.problem,
                  evidence->card.dimension,
                  evidence->card.features,
                  evidence->card.fingerprint);
    (void) printf("rows      %zu (%s)\n", evaluation->rows, evidence->data->about);
    if (evaluation->is_classification) {
        (void) printf("accuracy  %.4f (%zu of %zu)\n",
                      (double) evaluation->correct / (double) evaluation->rows,
                      evaluation->correct,
                      evaluation->rows);
    } else {
        (void) printf("rmse      %s\n", cnv_format_number(text, evaluation->rmse, 7));
        (void) printf("r2        %s\n", cnv_format_number(text, evaluation->r2, 7));
    }
    (void) printf("loss      %s without the regulariser,",
                  cnv_format_number(text, evaluation->loss, 10));
    (void) printf(" %s with it (l2 %g",
                  cnv_format_number(text, evaluation->objective, 10),
                  evidence->card.l2);
    if (evidence->card.l1 > 0) {
        (void) printf(", l1 %g", evidence->card.l1);
    }
    (void) printf(")\n");
    print_strange(evidence, evaluation);
    print_confusion(evidence, evaluation);
}

static enum cnv_exit evaluate_run(const struct cnv_command *command, void *raw)
{
    const struct evaluate_args *args = raw;
    struct evidence evidence = { .data = NULL };
    struct cnv_evaluation evaluation = { .rows = 0 };
    struct cnv_error err = { 0 };
    enum cnv_exit code = CNV_EXIT_DONE;
    enum cnv_status status = CNV_OK;

    if (args->words.count != 2) {
        status = cnv_fail(&err, CNV_E_INPUT, "expected two words, MODEL and DATA: see --help");
    }
    cnv_num_init();
    if (status == CNV_OK) {
        status = read_model(args->words.at[0], &evidence, &err);
    }
    if (status == CNV_OK) {
        status = read_data(args, &evidence, &err);
    }
    if (status == CNV_OK) {
        status = cnv_evaluate(&evidence.card, &evidence.model, evidence.data, &evaluation, &err);
    }
    if (status != CNV_OK) {
        if (args->json) {
            cnv_envelope_print_failure(&err, stdout);
        }
        code = cnv_command_fail(command, &err);
    } else if (args->json) {
        print_json(&evidence, &evaluation);
    } else {
        print_text(&evidence, &evaluation);
    }
    cnv_evaluation_fini(&evaluation);
    cnv_shard_destroy(evidence.data);
    cnv_card_fini(&evidence.card);
    cnv_model_fini(&evidence.model);
    return code;
}

const struct cnv_command cnv_command_evaluate = {
    .name = "evaluate",
    .text = "Say how good a model is on a data file.",
    .options = options,
    .args_size = sizeof(struct evaluate_args),
    .examples = "  convene evaluate result test.libsvm.xz\n"
                "  convene evaluate result/model.npy table.csv --set data/label=first\n"
                "  convene evaluate result t10k-images-idx3-ubyte.gz --json | jq .data.accuracy\n",
    .notes =
        "Label map, scaling and problem are those of the training, as model.json has them;\n"
        "how a table is read (data/skip, data/missing, data/label, ...) is not, and is said again\n"
        "with --set. Rows of a label that the model does not know count as wrong in the\n"
        "accuracy, and not in the loss.\n",
    .run = evaluate_run,
};

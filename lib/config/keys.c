/*
 * keys.c - the one table of settings, from which parser, defaults, help and reference page are
 * made.
 *
 * A new key is a new row here and nothing else; what must hold between keys is in check.c.
 * Integers stay within 2^53, so that a double holds every one of them.
 */
#include "config/config.h"

#include <math.h>

/* Shorthands for the rows below, undefined again at the end of the table. */
#define INTEGER(path, unit, low, high, initial, text)                                              \
    {                                                                                              \
        path, CNV_PARAM_INTEGER, unit, low, high, NULL, initial, text                              \
    }
#define REAL(path, unit, low, high, initial, text)                                                 \
    {                                                                                              \
        path, CNV_PARAM_REAL, unit, low, high, NULL, initial, text                                 \
    }
#define FRACTION(path, low, high, initial, text)                                                   \
    {                                                                                              \
        path, CNV_PARAM_FRACTION, "", low, high, NULL, initial, text                               \
    }
#define BOOLEAN(path, initial, text)                                                               \
    {                                                                                              \
        path, CNV_PARAM_BOOLEAN, "", 0, 0, NULL, initial, text                                     \
    }
#define CHOICE(path, choices, initial, text)                                                       \
    {                                                                                              \
        path, CNV_PARAM_CHOICE, "", 0, 0, choices, initial, text                                   \
    }
#define TEXT(path, initial, text)                                                                  \
    {                                                                                              \
        path, CNV_PARAM_TEXT, "", 0, 0, NULL, initial, text                                        \
    }

#define LARGEST_INTEGER   0x1p53
#define LARGEST_REAL      1e300
#define SMALLEST_POSITIVE 1e-300

const struct cnv_param cnv_config_keys[] = {
    TEXT("run/name", "run", "Name of the run in status, logs and reports."),
    INTEGER("run/seed",
            "",
            0,
            LARGEST_INTEGER,
            "1",
            "Seed of everything that is drawn: the shuffle of the rows and the minibatches."),
    INTEGER(
        "run/agents", "agents", 1, 100000, "1", "Members that must be ready before round 1 opens."),
    INTEGER("run/rounds",
            "rounds",
            0,
            LARGEST_INTEGER,
            "100",
            "Rounds after which the run ends; 0: no limit."),
    INTEGER("run/iterations",
            "steps",
            0,
            LARGEST_INTEGER,
            "0",
            "Local steps of an agent (the sum of L) after which the run ends, the last round cut "
            "to fit; 0: no limit. run/rounds holds as well."),
    REAL("run/seconds", "s", 0, LARGEST_REAL, "0", "Time after which the run ends; 0: no limit."),
    BOOLEAN("run/linger",
            "true",
            "Whether the daemon stays up after the run, serving model and status."),
    TEXT(
        "run/start",
        "zeros",
        "The model the run starts from: zeros, ones, random (normal numbers, drawn from run/seed), "
        "FILE.npy (with its card beside it, if there is one) or, with convene submit, model (that "
        "of the run before)."),
    REAL("run/start-scale",
         "",
         SMALLEST_POSITIVE,
         LARGEST_REAL,
         "0.05",
         "Standard deviation of each coordinate of a random start."),

    REAL("stop/gradient",
         "",
         0,
         LARGEST_REAL,
         "0",
         "Ends the run when the norm of the global gradient is at most this; 0: off."),
    REAL("stop/loss",
         "",
         -INFINITY,
         LARGEST_REAL,
         "-inf",
         "Ends the run when the global loss is at most this; -inf: off."),
    INTEGER("stop/bytes",
            "bytes",
            0,
            LARGEST_INTEGER,
            "0",
            "Ends the run when this much has been sent, both ways; 0: off."),

    CHOICE(
        "problem/kind", "logistic|ridge|softmax|mlp|plugin:NAME", "logistic", "What is minimised."),
    TEXT("problem/options",
         "",
         "Settings of a problem from a plug-in, as it lists them: name=value,name=value."),
    FRACTION("problem/l2",
             0,
             LARGEST_REAL,
             "0",
             "Weight of the regulariser (l2/2) |w|^2; 1/n: one over the rows of the whole run."),
    BOOLEAN(
        "problem/intercept",
        "false",
        "Whether the model has an intercept, which is not regularised; an mlp always has biases."),
    TEXT("problem/hidden",
         "32",
         "Units of the hidden layers of an mlp, one or two numbers separated by a comma: 64,32."),

    CHOICE("solver/kind",
           "newton|giant|sgd|adam|plugin:NAME",
           "newton",
           "How an agent moves in a local step."),
    TEXT("solver/options",
         "",
         "Settings of a solver from a plug-in, as it lists them: name=value,name=value."),
    TEXT("solver/plan",
         "",
         "Exchanges of a round of a solver from a plug-in, in order: gradient,model; empty: model "
         "alone."),
    REAL("solver/step", "", SMALLEST_POSITIVE, LARGEST_REAL, "0.1", "Step size of sgd, adam."),
    INTEGER("solver/batch",
            "rows",
            0,
            LARGEST_INTEGER,
            "32",
            "Rows of a minibatch of sgd, adam; 0: the whole shard."),
    REAL("solver/momentum", "", 0, 0.9999, "0", "Momentum of sgd."),
    REAL("solver/beta1", "", 0, 0.9999, "0.9", "adam: memory of the mean of the gradients."),
    REAL("solver/beta2",
         "",
         0,
         0.999999,
         "0.999",
         "adam: memory of the mean of the squared gradients."),
    REAL("solver/epsilon",
         "",
         SMALLEST_POSITIVE,
         LARGEST_REAL,
         "1e-8",
         "adam: added to the root of the mean square that a step is divided by."),
    REAL("solver/weight-decay",
         "",
         0,
         1e6,
         "0",
         "adam: share of the model taken off in a step, times the step size (AdamW)."),
    REAL("solver/clip",
         "",
         0,
         LARGEST_REAL,
         "0",
         "adam: norm to which longer gradients are cut; 0: off."),
    CHOICE("solver/decay-kind",
           "steps|inverse|cosine",
           "steps",
           "How the step size falls: at solver/decay-at; as solver/decay-scale over the iteration; "
           "as half a cosine over run/iterations."),
    REAL("solver/decay",
         "",
         SMALLEST_POSITIVE,
         1,
         "0.1",
         "Factor on the step size at each iteration listed in solver/decay-at."),
    TEXT("solver/decay-at",
         "",
         "Iterations, ascending and separated by commas, at which the step size decays."),
    REAL("solver/decay-scale",
         "",
         SMALLEST_POSITIVE,
         LARGEST_REAL,
         "1",
         "decay-kind inverse: the step is at most this over (iteration + solver/decay-offset); "
         "c/mu in Stich 2019."),
    REAL("solver/decay-offset",
         "",
         1,
         LARGEST_REAL,
         "1",
         "decay-kind inverse: added to the iteration, which counts from 0."),
    INTEGER("solver/warm-up",
            "steps",
            0,
            LARGEST_INTEGER,
            "0",
            "First iterations, over which the step size rises in proportion."),
    REAL("solver/armijo",
         "",
         0,
         0.5,
         "0.1",
         "Share of the predicted decrease a line search asks for."),
    REAL("solver/shrink",
         "",
         1e-6,
         0.999999,
         "0.5",
         "Factor between two steps tried by a line search."),
    INTEGER(
        "solver/halvings", "steps", 1, 1000, "40", "Steps a line search tries before it gives up."),
    INTEGER("solver/cg-above",
            "coordinates",
            0,
            LARGEST_INTEGER,
            "1500",
            "Dimension above which conjugate gradients replace the Cholesky factorisation."),
    INTEGER("solver/cg-iterations",
            "iterations",
            1,
            LARGEST_INTEGER,
            "250",
            "Most iterations of conjugate gradients for one direction."),
    REAL("solver/cg-tolerance",
         "",
         0,
         0.999999,
         "1e-10",
         "Residual, relative to the gradient, at which conjugate gradients stop."),

    CHOICE("policy/kind",
           "fixed|adaptive-l|adaptive-period|growing|one-shot|dynamic|plugin:NAME",
           "fixed",
           "What decides how long agents work alone."),
    TEXT("policy/options",
         "",
         "Settings of a policy from a plug-in, as it lists them: name=value,name=value."),
    TEXT("policy/plugins",
         "",
         "Shared objects with policies that the server loads, separated by commas."),
    INTEGER("policy/local-steps",
            "steps",
            1,
            1000000000,
            "3",
            "Local steps L of a round; where adaptive-l starts."),
    INTEGER(
        "policy/max-local-steps", "steps", 1, 1000000000, "1000", "Most local steps of a round."),
    REAL("policy/delta",
         "",
         0,
         INFINITY,
         "1e-2",
         "adaptive-l: decrease of the loss in a round below which L falls by one; inf: in every "
         "round."),
    INTEGER("policy/period",
            "steps",
            1,
            1000000000,
            "4",
            "adaptive-period: local steps of a round while the variance is sampled, and where it "
            "starts from."),
    REAL("policy/band-low",
         "",
         0,
         LARGEST_REAL,
         "0.7",
         "adaptive-period: one step more when the variance is below this times its target."),
    REAL("policy/band-high",
         "",
         0,
         LARGEST_REAL,
         "1.3",
         "adaptive-period: one step fewer when the variance is above this times its target."),
    REAL("policy/sample",
         "",
         0,
         1,
         "0.25",
         "adaptive-period: share of run/iterations in which the target is sampled."),
    INTEGER("policy/warm-up",
            "steps",
            0,
            LARGEST_INTEGER,
            "0",
            "adaptive-period: so many first iterations average after every step."),
    CHOICE("policy/schedule",
           "increasing|constant|decreasing|unending|stich|hkmc",
           "increasing",
           "growing: when rounds end; unending: as policy/growth says; stich and hkmc: as often as "
           "those papers ask for."),
    INTEGER("policy/rounds",
            "rounds",
            0,
            65535,
            "0",
            "growing: rounds R that run/iterations is cut into; 0: as many as agents."),
    REAL("policy/growth",
         "steps",
         1,
         1e9,
         "1",
         "growing: by how much each round of the unending schedule is longer than the last."),
    CHOICE("policy/balance",
           "none|time",
           "none",
           "Whether faster hosts get more local steps so that all finish together, the mean of L "
           "kept and updates normalised by steps taken (Wang et al. 2020): for solvers whose "
           "steps are alike, as those of sgd; newton's are not, and giant takes no notice."),
    CHOICE("policy/monitor",
           "naive|linear|sketch|exact",
           "linear",
           "dynamic: what agents say of their drift: its square; and its part along the model's "
           "last move; or a sketch, 5 kB; or all of it, for comparison (Theologitis et al. 2025)."),
    INTEGER("policy/check-every",
            "steps",
            1,
            1000000000,
            "1",
            "dynamic: local steps between two looks at the drift."),
    REAL("policy/threshold",
         "",
         0,
         LARGEST_REAL,
         "0",
         "dynamic: model variance Theta above which models are averaged; 0: learnt from the last "
         "round (FDA-Opt)."),
    INTEGER("policy/evaluate",
            "rounds",
            0,
            LARGEST_INTEGER,
            "1",
            "The loss is evaluated every so many rounds; 0: only the final model's. adaptive-l "
            "always does."),

    CHOICE("aggregate/kind", "mean", "mean", "How contributions become one vector."),
    CHOICE("aggregate/weighting",
           "samples|uniform",
           "samples",
           "What a contribution weighs: its rows, or all alike."),
    CHOICE("optimiser/kind", "none", "none", "How the averaged update is applied to the model."),

    CHOICE("sync/mode", "barrier", "barrier", "Who is waited for: barrier is all members."),
    REAL("sync/rejoin",
         "s",
         0,
         LARGEST_REAL,
         "3",
         "How long a round waits for a lost member to come back."),

    CHOICE("encoding/up", "f64|f32", "f64", "How updates travel to the server."),
    CHOICE("encoding/down", "f64|f32", "f64", "How models travel to the agents."),

    TEXT("listen/data", "tcp://127.0.0.1:5550", "Endpoint agents join at."),
    TEXT("listen/bulk",
         "",
         "Endpoint for large vectors; empty: the port after that of listen/data."),
    TEXT("listen/control",
         "",
         "Endpoint for status and commands; empty: a socket of the user's own in XDG_RUNTIME_DIR "
         "or /tmp."),
    TEXT("listen/advertise", "", "Endpoint that join files and logs name instead of listen/data."),

    TEXT("data/test", "", "Data file on which agents score the model at the end."),
    BOOLEAN("data/shuffle",
            "true",
            "Whether rows are shuffled, with the run's seed, before they are split into shards."),
    REAL("data/scale",
         "",
         0,
         LARGEST_REAL,
         "0",
         "Factor on every value; 0: 1/255 for images, 1 for text."),

    CHOICE("data/format",
           "auto|libsvm|csv|idx",
           "auto",
           "Format of data files; auto: csv by name (.csv, .tsv), else told by content."),
    CHOICE("data/header",
           "auto|yes|no",
           "auto",
           "Whether the first line of a CSV file names its columns; auto: when none of it is a "
           "number."),
    CHOICE("data/separator",
           "auto|comma|semicolon|tab",
           "auto",
           "What stands between the fields of a CSV file; auto: told by its first line."),
    TEXT("data/label",
         "auto",
         "Column of a CSV file that holds the label: first, last, a number from 1 or a name; auto: "
         "the one named label, target, class or y, else the last."),
    TEXT("data/skip",
         "",
         "Columns of a CSV file that are left out, numbers or names separated by commas: id,date."),
    TEXT("data/labels",
         "",
         "Labels of a CSV file that are words, separated by commas; the k-th is label k, from 0: "
         "no,yes."),
    CHOICE("data/missing",
           "error|drop|zero",
           "error",
           "What a missing value in a CSV file (empty, NA, nan, ?) does: error, drop the row, or "
           "count as zero."),

    TEXT("security/certificate",
         "",
         "The server's secret key file; empty: no encryption, loopback only."),
    TEXT("security/allow", "", "File that lists the names and public keys of those who may join."),
    BOOLEAN("security/insecure",
            "false",
            "Whether the daemon may listen beyond loopback without a certificate."),

    REAL("limits/heartbeat",
         "s",
         0.01,
         86400,
         "5",
         "How often agents and server say that they are there."),
    REAL("limits/patience", "s", 0.02, 86400, "20", "Silence after which a peer counts as gone."),
    REAL("limits/drain", "s", 0, 86400, "8", "How long a drain may take."),
    INTEGER("limits/members", "agents", 1, 100000, "1000", "Most members at a time."),
    INTEGER("limits/pinned",
            "bytes",
            1048576,
            LARGEST_INTEGER,
            "1073741824",
            "Most bytes held for peers that have stopped reading."),
    INTEGER("limits/chunk",
            "bytes",
            4096,
            67108864,
            "1048576",
            "Size of a chunk of a large vector; a multiple of 8. A link has to carry one in the "
            "time it takes at "
            "8192 bytes/s, for all that share the link together: less for slower ones."),
    INTEGER(
        "limits/window", "chunks", 1, 65536, "8", "Chunks a sender may be ahead of the receiver."),
    INTEGER("limits/threads",
            "threads",
            0,
            1024,
            "0",
            "The server's worker threads; 0: one for each core."),
    INTEGER("limits/dimension", "coordinates", 1, 0x1p40, "2147483648", "Largest model."),
    INTEGER("limits/samples",
            "rows",
            0,
            LARGEST_INTEGER,
            "0",
            "Most rows an agent may claim as its weight; 0: no limit."),

    BOOLEAN("agent/stay",
            "false",
            "Whether the agent waits for the next run when one is over; else it ends, unless "
            "another is queued already."),
    INTEGER("agent/threads", "threads", 1, 1024, "1", "Threads an agent computes with."),
    REAL("agent/step-seconds",
         "s",
         0,
         86400,
         "0",
         "A local step of this agent takes at least so long: it computes, then rests. To play a "
         "slower "
         "host; 0: off."),
    TEXT("agent/plugins",
         "",
         "Shared objects with solvers and problems that this agent loads, separated by commas."),

    CHOICE("log/level", "error|warn|info|debug", "info", "What is logged."),
    BOOLEAN("log/json", "false", "Whether log lines are JSON instead of logfmt."),
    { NULL, CNV_PARAM_TEXT, NULL, 0, 0, NULL, NULL, NULL },
};

#undef INTEGER
#undef REAL
#undef FRACTION
#undef BOOLEAN
#undef CHOICE
#undef TEXT

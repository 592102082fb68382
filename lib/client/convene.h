/*
 * convene.h - take part in a run of convene: join, learn how many local steps to take, average,
 * leave.
 *
 *   convene_client *client = NULL;
 *   convene_options options = { .server = "tcp://host:5550", .name = "gpu-3" };
 *   if (convene_join(&options, &client, &error) != CONVENE_OK) ...
 *   convene_loaded(client, &(convene_data){ .rows = n, .features = d });
 *   while (convene_wait(client, -1, &event) == CONVENE_OK) {
 *       ... event->kind says what to do next ...
 *       convene_event_release(event);
 *   }
 *   convene_leave(client, "done");
 *
 * A client belongs to one thread; the network has its own, so that the server hears from us
 * however long a computation takes. Vectors are float64 in and out, whatever travels.
 */
#ifndef CONVENE_H
#define CONVENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CONVENE_API __attribute__((visibility("default")))
#else
#define CONVENE_API
#endif

#define CONVENE_SCALARS_MAX 16

/* Results of calls. The numbers are the exit codes of the programs. */
typedef enum convene_result {
    CONVENE_OK = 0,
    CONVENE_FAILED = 1,
    CONVENE_USAGE = 2,   /* an argument is not allowed */
    CONVENE_REFUSED = 3, /* the server cannot be reached or said no */
    CONVENE_TIMEOUT = 4,
} convene_result;

/* One line for a person. */
typedef struct convene_error {
    convene_result result;
    char text[240];
} convene_error;

/* What happens when a run ends. */
typedef enum convene_stay {
    CONVENE_STAY_RUN = 0, /* FINISHED: the session is over */
    CONVENE_STAY_NEXT,    /* ENDED if another run is queued, its WELCOME follows; else FINISHED */
    CONVENE_STAY_SERVER,  /* ENDED in any case: the next run is waited for */
} convene_stay;

typedef struct convene_options {
    const char *server;    /* endpoint, "tcp://host:port" or "ipc://path" */
    const char *name;      /* NULL: host name and process number */
    const char *join_file; /* CURVE keys as written by "convene keygen --agent"; NULL: none */
    const char *role;      /* NULL or "worker"; "follower" receives each committed model */
    uint32_t shard;        /* from 1; 0 with shards 0: the server leases one */
    uint32_t shards;
    uint32_t cores;      /* 0: as many as there are */
    int64_t patience_ms; /* how long convene_join waits for the server's answer; -1: forever;
                          * 0: not at all, the answer (WELCOME or LOST) comes as an event */
    convene_stay stay;
    uint64_t rows; /* of data behind this client, the most samples it may claim: what convene_begin
                    * says of it; 0: one. Others say it with convene_loaded */
} convene_options;

/* Where the connection stands. */
typedef enum convene_link {
    CONVENE_LINK_CONNECTING = 0, /* for the first time */
    CONVENE_LINK_WAITING,        /* no server there, or not any more; it is tried again and again */
    CONVENE_LINK_CONNECTED,
} convene_link;

typedef struct convene_client convene_client;

/* Rows and labels of the data behind this client. */
typedef struct convene_data {
    uint64_t rows;
    uint64_t features;    /* highest feature index, from 1 */
    const double *labels; /* [label_count] ascending; NULL for real targets */
    size_t label_count;
} convene_data;

typedef enum convene_event_kind {
    CONVENE_WELCOME = 1, /* specification, shard: load the data, then convene_loaded */
    CONVENE_SHAPE,       /* features, label map, rows of the run: build, then convene_ready */
    CONVENE_ROUND,       /* a round, or a new attempt of it: forget any work in hand, start anew */
    CONVENE_SETTLED,     /* an exchange has its result */
    CONVENE_COMMIT, /* the round is over: the model changed, counted says whether we are in it */
    CONVENE_REFUSED_CONTRIBUTION, /* error says why; the next event is a round or a commit */
    CONVENE_FINISHED,             /* the run is over; exit_code and text say how */
    CONVENE_LOST = 8, /* refused or replaced, for good: result and text say why (interrupted: OK) */
    CONVENE_ENDED,    /* as FINISHED, but the session stays: the next run's WELCOME follows */
} convene_event_kind;

/* Which members are set is said in brackets. Strings and vectors live until the release. */
typedef struct convene_event {
    convene_event_kind kind;
    const char *text;       /* [FINISHED, ENDED, LOST, REFUSED_CONTRIBUTION] one line */
    convene_result result;  /* [LOST] */
    int exit_code;          /* [FINISHED, ENDED] 0 done, 1 failed */
    const char *spec;       /* [WELCOME] "path=value" lines */
    const char *run_name;   /* [WELCOME] */
    uint32_t shard, shards; /* [WELCOME] */
    uint64_t features;      /* [SHAPE] of the run */
    const double *labels;   /* [SHAPE] [label_count] label map */
    size_t label_count;     /* [SHAPE] */
    uint64_t total_rows;    /* [SHAPE] */
    uint64_t round;         /* [ROUND, SETTLED, COMMIT] */
    uint64_t attempt;       /* [ROUND, SETTLED] */
    uint64_t version;       /* [ROUND, COMMIT] */
    uint64_t iteration;     /* [ROUND, COMMIT] */
    uint32_t local_steps;   /* [ROUND] L */
    const char *solver;     /* [ROUND] */
    const char *plan;       /* [ROUND] exchanges in order: "gradient,direction,loss,model" */
    bool evaluate;          /* [ROUND] scalars[0] of exchange 0 is to be the loss at the model */
    bool counted;           /* [COMMIT] */
    uint32_t check_every;   /* [ROUND] plan with monitor: it comes after so many local steps, and
                             * again after so many more; local_steps is the most */
    const char *monitor;    /* [ROUND] what is offered there: naive, linear, sketch or exact */
    uint32_t exchange;      /* [SETTLED] number of the exchange in the round */
    bool again;             /* [SETTLED] the same place of the plan comes once more */
    const double *values;   /* [ROUND, COMMIT: the model; SETTLED: the result or NULL] */
    size_t length;
    double scalars[CONVENE_SCALARS_MAX]; /* [SETTLED] */
    size_t scalar_count;
    double smoothness; /* [ROUND] L of the run, the same for all; 0: not known */
    size_t width; /* [ROUND, COMMIT] vectors of length one behind the other in values: the model,
                   * and what the server keeps beside it. 1, but with some optimisers; then a
                   * contribution to model is wide too. */
} convene_event;

/* One contribution to one exchange. Copied by the call. */
typedef struct convene_contribution {
    uint64_t round;
    uint64_t attempt;
    uint32_t exchange;
    const double *values; /* [length] an update relative to the round's model, for monitor what it
                           * names; NULL: scalars only */
    size_t length;
    const uint32_t *blocks; /* [block_count] ascending: numbers of the blocks of `block` coordinates
                             * in which values may differ from zero; NULL: anywhere. What
                             * encoding/up=blocks sends; other encodings send all of values. */
    size_t block_count;
    size_t block;
    bool is_scaled; /* instead: factor * settled result of exchange reference */
    double factor;
    uint32_t reference;
    uint64_t samples; /* rows behind it */
    uint64_t steps;   /* local steps taken */
    double scalars[CONVENE_SCALARS_MAX];
    size_t scalar_count;
    size_t width; /* vectors of length one behind the other in values; 0 and 1: one */
} convene_contribution;

/* Score of the model on the client's own test data. */
typedef struct convene_score {
    uint64_t version;
    bool is_error; /* false: value counts correct rows; true: value sums squared errors */
    double value;
    uint64_t rows;
    uint64_t unknown; /* of them, rows of a label that is not in the label map: counted as wrong */
} convene_score;

/*
 * Connects and says hello; the first event will be WELCOME. A server that is not there yet is
 * waited for. CONVENE_USAGE: an option or the join file is not allowed; CONVENE_REFUSED: the
 * server said no, or was not there within patience_ms.
 */
CONVENE_API convene_result convene_join(const convene_options *options,
                                        convene_client **ret_client,
                                        convene_error *error);

/* Next event, waiting at most timeout_ms (-1: forever, 0: not at all; then CONVENE_TIMEOUT).
 * The event is the caller's until convene_event_release. After FINISHED or LOST, or when the client
 * was interrupted, nothing more comes: CONVENE_FAILED. */
CONVENE_API convene_result convene_wait(convene_client *client,
                                        int64_t timeout_ms,
                                        convene_event **ret_event);
CONVENE_API void convene_event_release(convene_event *event);

CONVENE_API convene_result convene_loaded(convene_client *client, const convene_data *data);
CONVENE_API convene_result convene_ready(convene_client *client, uint64_t dimension);
/* The same, for members whose step sizes follow from L: smoothness is that of this client's
 * objective, at least 0, and each ROUND brings that of the run if all members have said theirs. */
CONVENE_API convene_result convene_ready_smooth(convene_client *client,
                                                uint64_t dimension,
                                                double smoothness);
CONVENE_API convene_result convene_contribute(convene_client *client,
                                              const convene_contribution *contribution);
CONVENE_API convene_result convene_report(convene_client *client, const convene_score *score);

/* Why the last call of this client did not return CONVENE_OK; "" before the first. */
CONVENE_API const char *convene_reason(const convene_client *client);

CONVENE_API convene_link convene_link_state(const convene_client *client);

/* Says goodbye from the network's thread, whatever the client's own is doing. Any thread, and
 * signal handlers too; convene_leave is still needed. */
CONVENE_API void convene_interrupt(convene_client *client);

/* Measured speed, shown by the server. */
CONVENE_API void convene_speed(convene_client *client, double steps_per_second);

/*
 * For training loops of one's own: waits for the next round and gives its model; then, after the
 * local steps, averages. values is in: our model, out: the committed one. Rounds that only ask for
 * a loss are answered with none. CONVENE_FAILED with error->text when the run ended in failure;
 * *ret_local_steps = 0 means that the run is over and values holds the final model.
 */
CONVENE_API convene_result convene_begin(convene_client *client,
                                         double *values,
                                         size_t length,
                                         uint32_t *ret_local_steps,
                                         convene_error *error);
CONVENE_API convene_result convene_average(convene_client *client,
                                           double *values,
                                           size_t length,
                                           uint64_t samples,
                                           uint32_t *ret_local_steps,
                                           convene_error *error);

/* Says goodbye (reason may be NULL), closes and frees. NULL is fine. */
CONVENE_API void convene_leave(convene_client *client, const char *reason);

#ifdef __cplusplus
}
#endif

#endif

/*
 * simulation.c - runs of the whole system in memory, one for each seed, with the promises checked
 * after every step.
 *
 *   simulation --seeds 200      seeds 1 to 200, and those of seeds.txt
 *   simulation --seed 17        one of them; --trace: with a line for every message
 *
 * Ends with 1 at the first seed that fails, and says how to see it again.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

struct options {
    const char *program;
    uint64_t seed;
    uint64_t seeds;
    const char *file;
    FILE *trace;
    struct cnv_sim_tally tally; /* of all seeds */
    uint64_t commits;
};

static void count(struct options *options, const struct world *world)
{
    struct cnv_sim_tally tally;
    struct cnv_engine_view view;

    cnv_sim_tally(world->sim, &tally);
    cnv_engine_view(cnv_sim_engine(world->sim), &view);
    options->tally.lost += tally.lost;
    options->tally.damaged += tally.damaged;
    options->tally.cuts += tally.cuts;
    options->tally.kills += tally.kills;
    options->tally.leaves += tally.leaves;
    options->tally.freezes += tally.freezes;
    options->tally.poisoned += tally.poisoned;
    options->commits += view.version;
}

static void print_counts(const struct options *options)
{
    (void) printf("%" PRIu64 " commits; %" PRIu64 " messages lost, %" PRIu64 " damaged; %" PRIu64
                  " cuts, %" PRIu64 " kills, %" PRIu64 " goodbyes, %" PRIu64 " freezes, %" PRIu64
                  " poisoned contributions\n",
                  options->commits,
                  options->tally.lost,
                  options->tally.damaged,
                  options->tally.cuts,
                  options->tally.kills,
                  options->tally.leaves,
                  options->tally.freezes,
                  options->tally.poisoned);
}

static bool run_seed(struct options *options, uint64_t seed)
{
    struct world world;
    struct cnv_error err = { 0 };
    struct cnv_engine_view view;
    char text[768];

    world_draw(&world, seed);
    world_describe(&world, text, sizeof(text));
    if (options->seeds == 0) {
        (void) printf("seed %" PRIu64 ": %s\n", seed, text);
    }
    enum cnv_status status = world_start(&world, options->trace, &err);
    if (status == CNV_OK) {
        status = world_run(&world, &err);
    }
    if (status == CNV_OK) {
        cnv_engine_view(cnv_sim_engine(world.sim), &view);
        if (view.state != CNV_RUN_FINISHED) {
            status = cnv_fail(
                &err, CNV_E_UNEXPECTED, "promise 4: the run failed: %s", view.state_reason);
        } else if (options->seeds == 0) {
            (void) printf("finished: version %" PRIu64 " after %" PRIu64 " ms, %" PRIu64
                          " exchanges: %s\n",
                          view.version,
                          cnv_sim_now_ms(world.sim),
                          view.exchanges,
                          view.state_reason);
        }
    }
    if (world.sim != NULL) {
        count(options, &world);
    }
    if (!world_fini(&world) && status == CNV_OK) {
        status = cnv_fail(&err, CNV_E_UNEXPECTED, "promise 5: blobs are left at the end");
    }
    if (status != CNV_OK) {
        (void) printf("seed %" PRIu64 " failed (%s): %s\n  %s\n  replay: %s --seed %" PRIu64
                      " --trace\n",
                      seed,
                      cnv_status_name(status),
                      err.text,
                      text,
                      options->program,
                      seed);
    }
    return status == CNV_OK;
}

/* The seeds that failed once, one a line; '#' begins a remark. */
static bool run_file(struct options *options)
{
    FILE *file = fopen(options->file, "r");
    char line[256];
    bool is_good = true;

    if (file == NULL) {
        perror(options->file);
        return false;
    }
    while (is_good && fgets(line, sizeof(line), file) != NULL) {
        if (line[0] >= '0' && line[0] <= '9') {
            is_good = run_seed(options, strtoull(line, NULL, 10));
        }
    }
    (void) fclose(file);
    return is_good;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--trace") == 0) {
            options->trace = stdout;
            continue;
        }
        if (strcmp(argv[i], "--seed") == 0) {
            options->seed = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--seeds") == 0) {
            options->seeds = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--file") == 0) {
            options->file = value;
        } else {
            return false;
        }
        i++;
    }
    return options->seed > 0 || options->seeds > 0;
}

int main(int argc, char **argv)
{
    struct options options = { .program = argv[0] };
    bool is_good = true;

    if (!read_options(argc, argv, &options)) {
        (void) printf("usage: %s --seed N [--trace] | --seeds N [--file seeds.txt]\n", argv[0]);
        return 2;
    }
    if (options.seed > 0) {
        is_good = run_seed(&options, options.seed);
        print_counts(&options);
        return is_good ? 0 : 1;
    }
    if (options.file != NULL) {
        is_good = run_file(&options);
    }
    for (uint64_t seed = 1; seed <= options.seeds && is_good; seed++) {
        is_good = run_seed(&options, seed);
    }
    if (is_good) {
        (void) printf("%" PRIu64 " seeds passed\n", options.seeds);
        print_counts(&options);
    }
    return is_good ? 0 : 1;
}

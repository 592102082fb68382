/*
 * own_loop.c - a training loop of one's own that averages through convene.
 *
 * Every process has some rows of y = 3 x1 - 2 x2 + 0.5 of its own, which stay with it. It takes
 * the local steps it is asked for, gives its model to be averaged, and goes on from the average.
 *
 *   cc own_loop.c -o own_loop $(pkg-config --cflags --libs libconvene)
 *   convened --set run/agents=2 --set run/rounds=200 &
 *   ./own_loop tcp://127.0.0.1:5550 1 2 & ./own_loop tcp://127.0.0.1:5550 2 2
 */
#include <convene.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 50, LENGTH = 3 };

static const double step_size = 0.3;

/* This process's rows: x1, x2, a constant 1, and y. */
static void make_rows(unsigned shard, double rows[ROWS][LENGTH + 1])
{
    unsigned state = shard;

    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < 2; j++) {
            state = state * 1103515245U + 12345U;
            rows[i][j] = (double) (state >> 16) / 32768.0 - 1.0;
        }
        rows[i][2] = 1.0;
        rows[i][3] = 3.0 * rows[i][0] - 2.0 * rows[i][1] + 0.5;
    }
}

/* One step down the gradient of half the mean squared error. */
static void take_step(double rows[ROWS][LENGTH + 1], double *model)
{
    double gradient[LENGTH] = { 0.0 };

    for (int i = 0; i < ROWS; i++) {
        double error = -rows[i][LENGTH];

        for (int j = 0; j < LENGTH; j++) {
            error += rows[i][j] * model[j];
        }
        for (int j = 0; j < LENGTH; j++) {
            gradient[j] += error * rows[i][j] / ROWS;
        }
    }
    for (int j = 0; j < LENGTH; j++) {
        model[j] -= step_size * gradient[j];
    }
}

int main(int argc, char **argv)
{
    double rows[ROWS][LENGTH + 1];
    double model[LENGTH];
    convene_client *client = NULL;
    convene_error error;
    uint32_t local_steps = 0;

    if (argc != 4) {
        (void) fprintf(stderr, "usage: own_loop ENDPOINT SHARD SHARDS\n");
        return CONVENE_USAGE;
    }
    convene_options options = { .server = argv[1], .patience_ms = 10000, .rows = ROWS };
    options.shard = (uint32_t) strtoul(argv[2], NULL, 10);
    options.shards = (uint32_t) strtoul(argv[3], NULL, 10);
    make_rows(options.shard, rows);

    convene_result result = convene_join(&options, &client, &error);
    if (result == CONVENE_OK) {
        result = convene_begin(client, model, LENGTH, &local_steps, &error);
    }
    while (result == CONVENE_OK && local_steps > 0) {
        for (uint32_t i = 0; i < local_steps; i++) {
            take_step(rows, model);
        }
        result = convene_average(client, model, LENGTH, ROWS, &local_steps, &error);
    }
    convene_leave(client, NULL);
    if (result != CONVENE_OK) {
        (void) fprintf(stderr, "own_loop: %s\n", error.text);
        return (int) result;
    }
    (void) printf("y = %.4f x1 %+.4f x2 %+.4f\n", model[0], model[1], model[2]);
    return 0;
}

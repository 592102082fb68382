/* test_stop.c - SIGTERM in the middle of a computation: a goodbye, and the end within 2 seconds. */
#include <criterion/criterion.h>
#include <czmq.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "client/convene.h"
#include "main/stop.h"
#include "support/fake_server.h"

static void *idle(void *unused)
{
    for (;;) {
        zclock_sleep(1000);
    }
    return unused;
}

/* What OpenBLAS does before main: threads that let every signal in. */
static bool start(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, idle, NULL) == 0 && cnv_stop_start();
}

/* A process that has joined and computes without ever looking up; reads its server from a pipe. */
static void compute(int from_parent)
{
    char endpoint[64] = "";
    convene_client *client = NULL;

    if (!start() || read(from_parent, endpoint, sizeof(endpoint) - 1) <= 0) {
        _exit(90);
    }
    convene_options options = { .server = endpoint, .name = "busy", .patience_ms = 5000 };
    if (convene_join(&options, &client, NULL) != CONVENE_OK) {
        _exit(91);
    }
    cnv_stop_client(client);
    for (;;) {
        zclock_sleep(1000);
    }
}

Test(stop, a_busy_agent_says_goodbye_and_ends, .timeout = 20)
{
    struct cnv_message message;
    int ends[2];
    int status = 0;

    /* Forked before anything of ZeroMQ exists here. */
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        compute(ends[0]);
    }
    struct fake_server *server = fake_server_open(NULL, NULL);
    cr_assert_gt(write(ends[1], server->data, strlen(server->data)), 0);
    cr_assert(fake_server_expect(server, CNV_DATA, CNV_KIND_HELLO, &message));
    fake_server_welcome(server);
    cr_assert(fake_server_expect(server, CNV_DATA, CNV_KIND_BEAT, &message));

    int64_t begin = zclock_mono();
    cr_assert_eq(kill(child, SIGTERM), 0);
    cr_assert(fake_server_expect(server, CNV_DATA, CNV_KIND_LEAVE, &message));
    cr_assert_lt(zclock_mono() - begin, 500);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_lt(zclock_mono() - begin, 2000);
    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), 0);
    fake_server_close(server);
}

/* A process that stops for nobody, once it catches signals. */
static pid_t idle_child(void)
{
    char byte = 0;
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        if (!start() || write(ends[1], "x", 1) != 1) {
            _exit(90);
        }
        (void) idle(NULL);
    }
    cr_assert_eq(read(ends[0], &byte, 1), 1);
    return child;
}

Test(stop, a_second_signal_ends_soon, .timeout = 20)
{
    int status = 0;
    pid_t child = idle_child();
    int64_t begin = zclock_mono();

    do {
        cr_assert_eq(kill(child, SIGINT), 0);
        zclock_sleep(20);
    } while (waitpid(child, &status, WNOHANG) == 0);
    cr_assert_lt(zclock_mono() - begin, 1000);
    cr_assert(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
    cr_assert_eq(WEXITSTATUS(status), 0);
}

Test(stop, two_signals_at_once_are_one_wish, .timeout = 20)
{
    int status = 0;
    pid_t child = idle_child();
    int64_t begin = zclock_mono();

    cr_assert_eq(kill(child, SIGTERM), 0);
    cr_assert_eq(kill(child, SIGINT), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_gt(zclock_mono() - begin, 1000, "the main thread had no time to end in order");
    cr_assert(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
}

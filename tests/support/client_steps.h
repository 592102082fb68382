/*
 * client_steps.h - steps that tests of the client share: a joined client, events in order, rounds.
 *
 * Each fails the test when it does not come about.
 */
#ifndef CNV_TESTS_CLIENT_STEPS_H
#define CNV_TESTS_CLIENT_STEPS_H

#include "client/convene.h"
#include "support/fake_server.h"

/* A client named a1 with shard 2 of 5 that has said hello, or will when there is a server. */
convene_client *join(const struct fake_server *server);

/* The next event within 5 s, which is of that kind; the caller's to release. */
convene_event *expect(convene_client *client, convene_event_kind kind);
void expect_and_release(convene_client *client, convene_event_kind kind);

/* What the server hears on data, within 5 s; other kinds are skipped. */
void hear(struct fake_server *server, enum cnv_kind kind, struct cnv_message *ret_message);

/* Up to round 1 of a run whose model has length zeros. */
void open_round(struct fake_server *server, convene_client *client, size_t length);

#endif

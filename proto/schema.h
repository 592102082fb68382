/*
 * schema.h - every message's fields, once: structs, codec, PROTOCOL.md's check and fuzz seeds
 * come from these lists.
 *
 * Header frame: msgpack array [version, kind, field, field, ...] in the order given here.
 * Types: U64 unsigned integer, F64 float64, BOOL, STR one line of UTF-8 of at most LIMIT bytes,
 * F64S array of at most LIMIT float64, SOME float64 that may be left out with all behind it: then
 * it is 0. New fields are appended, never inserted. A change here also goes into PROTOCOL.md,
 * section 10, and vectors.txt: their tests print the lines that are missing.
 */
#ifndef CNV_PROTO_SCHEMA_H
#define CNV_PROTO_SCHEMA_H

/* M(SYMBOL, number, name, who sends it, whether a payload frame may follow) */
#define CNV_MESSAGE_LIST(M)                                                                        \
    M(HELLO, 1, hello, AGENT, NONE)                                                                \
    M(WELCOME, 2, welcome, SERVER, SPEC)                                                           \
    M(LOADED, 3, loaded, AGENT, LABELS)                                                            \
    M(SHAPE, 4, shape, SERVER, LABELS)                                                             \
    M(READY, 5, ready, AGENT, NONE)                                                                \
    M(ANNOUNCE, 6, announce, SERVER, NONE)                                                         \
    M(OFFER, 7, offer, AGENT, VECTOR)                                                              \
    M(CREDIT, 8, credit, EITHER, NONE)                                                             \
    M(CHUNK, 9, chunk, EITHER, VECTOR)                                                             \
    M(SETTLED, 10, settled, SERVER, VECTOR)                                                        \
    M(COMMIT, 11, commit, SERVER, VECTOR)                                                          \
    M(BEAT, 12, beat, EITHER, NONE)                                                                \
    M(REPORT, 13, report, AGENT, NONE)                                                             \
    M(LEAVE, 14, leave, AGENT, NONE)                                                               \
    M(REJOIN, 15, rejoin, SERVER, NONE)                                                            \
    M(REPLACED, 16, replaced, SERVER, NONE)                                                        \
    M(FINISH, 17, finish, SERVER, NONE)                                                            \
    M(ATTACH, 18, attach, AGENT, NONE)                                                             \
    M(ERROR, 19, error, EITHER, NONE)                                                              \
    M(COMMAND, 20, command, TOOL, SPEC)                                                            \
    M(REPLY, 21, reply, SERVER, BODY)

/* F(TYPE, field, LIMIT, "meaning") */
#define CNV_HELLO_FIELDS(F)                                                                        \
    F(U64, version_min, 0, "oldest protocol version the agent speaks")                             \
    F(U64, version_max, 0, "newest protocol version the agent speaks")                             \
    F(STR, name, 64, "the agent's name: letters, digits, '.', '_', '-'")                           \
    F(STR, host, 64, "where it runs")                                                              \
    F(U64, instance, 0, "random number of this process: tells a reconnect from a rival")           \
    F(U64, cores, 0, "processor cores it may use")                                                 \
    F(STR, role, 16, "\"worker\" or \"follower\"")                                                 \
    F(U64, shard, 0, "shard it holds, from 1; 0: lease me one")                                    \
    F(U64, shards, 0, "of how many; 0: as the server says")

#define CNV_WELCOME_FIELDS(F)                                                                      \
    F(U64, run, 0, "random number of this run")                                                    \
    F(STR, run_name, 64, "its name")                                                               \
    F(U64, server, 0, "random number of this server process")                                      \
    F(U64, incarnation, 0, "counts the sessions of this server process")                           \
    F(U64, token, 0, "secret of this session; the bulk socket presents it")                        \
    F(U64, shard, 0, "shard to load, from 1")                                                      \
    F(U64, shards, 0, "of how many")                                                               \
    F(U64, heartbeat_ms, 0, "send a beat at least this often")                                     \
    F(U64, patience_ms, 0, "silence after which either side gives the other up")                   \
    F(U64, chunk_bytes, 0, "payload bytes of every chunk but a transfer's last")                   \
    F(U64, window, 0, "chunks a receiver lets run ahead")                                          \
    F(STR, bulk, 255, "endpoint of the bulk socket; a '*' host means the data socket's")

#define CNV_LOADED_FIELDS(F)                                                                       \
    F(U64, rows, 0, "rows of the shard")                                                           \
    F(U64,                                                                                         \
      features,                                                                                    \
      0,                                                                                           \
      "highest feature index that occurs in the file, other shards included, from 1")              \
    F(U64, labels, 0, "distinct labels in the payload; 0: real targets")

#define CNV_SHAPE_FIELDS(F)                                                                        \
    F(U64, features, 0, "features of the run")                                                     \
    F(U64, labels, 0, "labels in the payload: the run's label map")                                \
    F(U64, rows, 0, "rows of all shards: what \"1/n\" means")

#define CNV_READY_FIELDS(F)                                                                        \
    F(U64, dimension, 0, "coordinates of the model, as the problem computes it")                   \
    F(SOME,                                                                                        \
      smoothness,                                                                                  \
      0,                                                                                           \
      "largest curvature of the member's objective; 0: not asked for, or not known")

#define CNV_ANNOUNCE_FIELDS(F)                                                                     \
    F(U64, run, 0, "the run")                                                                      \
    F(U64, round, 0, "number of the round, from 1")                                                \
    F(U64, attempt, 0, "grows with every restart of the round, from 1")                            \
    F(U64, version, 0, "model version the round starts from")                                      \
    F(U64, iteration, 0, "local steps of the run before this round (sum of nominal L)")            \
    F(U64, local_steps, 0, "L: local steps this agent takes")                                      \
    F(STR, solver, 23, "with which solver")                                                        \
    F(STR, plan, 127, "exchanges of the round in order, separated by commas")                      \
    F(BOOL, evaluate, 0, "scalars[0] of exchange 0 is to be the loss at the model")                \
    F(U64, check_every, 0, "plan with monitor: local steps between two of them; else 0")           \
    F(STR, monitor, 15, "what is offered there: naive, linear, sketch or exact; else empty")       \
    F(SOME, smoothness, 0, "that of the run, the same for all; 0: not asked for, or not known")

#define CNV_OFFER_FIELDS(F)                                                                        \
    F(U64, run, 0, "the run")                                                                      \
    F(U64, round, 0, "the round")                                                                  \
    F(U64, attempt, 0, "the newest attempt of the round the agent knows")                          \
    F(U64, exchange, 0, "number of the exchange in the round, from 0")                             \
    F(U64, version, 0, "model version the contribution is relative to")                            \
    F(U64, transfer, 0, "the agent's number for this upload, growing, from 1")                     \
    F(STR, encoding, 15, "of the vector; empty: scalars only")                                     \
    F(U64, length, 0, "coordinates of the vector")                                                 \
    F(U64, bytes, 0, "payload bytes of the vector")                                                \
    F(U64, crc, 0, "CRC-32C of the payload frame, where it comes with the offer")                  \
    F(U64, reference, 0, "encoding scaled: exchange whose settled result is scaled")               \
    F(U64, samples, 0, "rows behind the contribution")                                             \
    F(U64, steps, 0, "local steps taken")                                                          \
    F(F64S, scalars, 16, "averaged with the vector's weights")

#define CNV_CREDIT_FIELDS(F)                                                                       \
    F(U64, transfer, 0, "the sender's number of the transfer")                                     \
    F(U64, attempt, 0, "uploads: the attempt the chunks are for; downloads: 0")                    \
    F(U64, next, 0, "first chunk the receiver still wants")                                        \
    F(U64, limit, 0, "chunks below this index may be sent (absolute)")                             \
    F(BOOL, rewind, 0, "send again from next: what came after it is lost")

#define CNV_CHUNK_FIELDS(F)                                                                        \
    F(U64, transfer, 0, "the sender's number of the transfer")                                     \
    F(U64, attempt, 0, "as in the credit that asked for it; downloads: 0")                         \
    F(U64, index, 0, "position in the transfer, from 0")                                           \
    F(U64, crc, 0, "CRC-32C of the payload frame")

#define CNV_SETTLED_FIELDS(F)                                                                      \
    F(U64, run, 0, "the run")                                                                      \
    F(U64, round, 0, "the round")                                                                  \
    F(U64, attempt, 0, "the attempt that settled it")                                              \
    F(U64, exchange, 0, "number of the exchange in the round")                                     \
    F(U64, contributors, 0, "members whose contributions are in the result")                       \
    F(U64, transfer, 0, "the server's number for the download; 0: no vector")                      \
    F(STR, encoding, 15, "of the vector; empty: scalars only")                                     \
    F(U64, length, 0, "coordinates of the vector")                                                 \
    F(U64, bytes, 0, "payload bytes of the vector")                                                \
    F(U64, digest, 0, "CRC-32C over the CRC-32Cs of its slices")                                   \
    F(F64S, scalars, 16, "averaged scalars")                                                       \
    F(BOOL, again, 0, "the same place of the plan comes next once more")

#define CNV_COMMIT_FIELDS(F)                                                                       \
    F(U64, run, 0, "the run")                                                                      \
    F(U64, round, 0, "the round that led to it; 0: the model of the start")                        \
    F(U64, version, 0, "version of the model")                                                     \
    F(U64, iteration, 0, "local steps of the run so far")                                          \
    F(U64, contributors, 0, "members whose contributions are in it")                               \
    F(BOOL, counted, 0, "the receiver's contribution is one of them")                              \
    F(U64, transfer, 0, "the server's number for the download")                                    \
    F(STR, encoding, 15, "of the model")                                                           \
    F(U64, length, 0, "numbers in the payload: coordinates of the model, times width")             \
    F(U64, bytes, 0, "payload bytes of the model")                                                 \
    F(U64, digest, 0, "CRC-32C over the CRC-32Cs of its slices")                                   \
    F(U64, width, 0, "numbers for each coordinate, side by side; the first is the model's")

#define CNV_BEAT_FIELDS(F)                                                                         \
    F(U64, run, 0, "the run")                                                                      \
    F(U64, version, 0, "newest model version the sender holds whole; 0 also: none")                \
    F(U64, round, 0, "newest round it knows; 0: none")                                             \
    F(U64, attempt, 0, "newest attempt of that round it knows")                                    \
    F(U64, exchange, 0, "exchange it works on or waits for")                                       \
    F(STR, state, 15, "agent: loading, idle, working, offered; server: run state")                 \
    F(F64, steps_per_second, 0, "agent: measured speed; 0: not yet known")

#define CNV_REPORT_FIELDS(F)                                                                       \
    F(U64, run, 0, "the run")                                                                      \
    F(U64, version, 0, "model version the score is of")                                            \
    F(STR, metric, 15, "\"correct\" rows or \"squared_error\"")                                    \
    F(F64, value, 0, "sum over the rows of the agent's test data")                                 \
    F(U64, rows, 0, "rows of the agent's test data")                                               \
    F(U64, unknown, 0, "those of a label outside the run's map, which count as wrong")

#define CNV_LEAVE_FIELDS(F)    F(STR, reason, 200, "why the agent goes")
#define CNV_REJOIN_FIELDS(F)   F(U64, server, 0, "random number of the server process")
#define CNV_REPLACED_FIELDS(F) F(STR, host, 64, "where the newer process of that name runs")

#define CNV_FINISH_FIELDS(F)                                                                       \
    F(U64, run, 0, "the run that has ended")                                                       \
    F(U64, version, 0, "version of its final model")                                               \
    F(U64, exit, 0, "0: done; 1: failed")                                                          \
    F(STR, reason, 200, "why it ended")                                                            \
    F(BOOL, next, 0, "another run follows on this server: who stays is welcomed to it")

#define CNV_ATTACH_FIELDS(F) F(U64, token, 0, "of the welcome on the data socket")

#define CNV_ERROR_FIELDS(F)                                                                        \
    F(U64, code, 0, "number of the failure, see the table of errors")                              \
    F(BOOL, fatal, 0, "the session is over; trying again unchanged is useless")                    \
    F(U64, round, 0, "the round it is about; 0: none")                                             \
    F(STR, text, 239, "one line for a person")

#define CNV_COMMAND_FIELDS(F)                                                                      \
    F(U64, id, 0, "given back in the reply")                                                       \
    F(STR, command, 31, "status, agents, rounds, policy, model, submit, drain, stop")              \
    F(STR, argument, 255, "depends on the command; may be empty")

#define CNV_REPLY_FIELDS(F)                                                                        \
    F(U64, id, 0, "of the command")                                                                \
    F(U64, code, 0, "0: done; else number of the failure")                                         \
    F(STR, text, 239, "one line for a person where code is not 0")                                 \
    F(STR, type, 31, "of the payload: application/json, application/x-npy, text/csv")

#endif

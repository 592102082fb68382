/*
 * status.h - what can go wrong, in one list, grouped by what has to be given up.
 *
 * A function that can fail in more than one way returns enum cnv_status (0 is CNV_OK)
 * and writes one line of detail into an optional struct cnv_error, its last argument.
 * On failure outputs are untouched and nothing is half done.
 */
#ifndef CNV_BASE_STATUS_H
#define CNV_BASE_STATUS_H

#define CNV_MUST_CHECK       __attribute__((warn_unused_result))
#define CNV_PRINTF(at, args) __attribute__((__format__(__printf__, at, args)))

/* What is given up: the message, the peer's session, the round, or the process. */
enum cnv_scope {
    CNV_SCOPE_NONE,
    CNV_SCOPE_MESSAGE,
    CNV_SCOPE_PEER,
    CNV_SCOPE_ROUND,
    CNV_SCOPE_PROCESS,
};

/* The numbers travel in error messages: never reuse one. */
#define CNV_STATUS_LIST(X)                                                                         \
    X(CNV_E_MALFORMED, 1, MESSAGE, "malformed", "message cannot be decoded")                       \
    X(CNV_E_KIND, 2, MESSAGE, "unknown_kind", "message kind is not known")                         \
    X(CNV_E_STALE, 3, MESSAGE, "stale", "message belongs to an older run or version")              \
    X(CNV_E_UNEXPECTED, 4, MESSAGE, "unexpected", "message does not fit the state")                \
    X(CNV_E_CHECKSUM, 5, MESSAGE, "checksum", "payload does not match its checksum")               \
    X(CNV_E_VERSION, 20, PEER, "version", "no protocol version in common")                         \
    X(CNV_E_UNAUTHORIZED, 21, PEER, "unauthorized", "key or name is not allowed")                  \
    X(CNV_E_MISFIT, 22, PEER, "misfit", "data does not fit the model")                             \
    X(CNV_E_FULL, 23, PEER, "full", "a limit of the server is reached")                            \
    X(CNV_E_NO_SHARD, 24, PEER, "no_shard", "no shard is free, or it is held by another")          \
    X(CNV_E_REPLACED, 25, PEER, "replaced", "another process has taken the name")                  \
    X(CNV_E_SLOW, 26, PEER, "slow", "peer makes no progress")                                      \
    X(CNV_E_NOT_FINITE, 40, ROUND, "not_finite", "a number is NaN or infinite")                    \
    X(CNV_E_SIZE, 41, ROUND, "size", "vector has the wrong size")                                  \
    X(CNV_E_DISAGREE, 42, ROUND, "disagree", "members disagree on a shared scalar")                \
    X(CNV_E_EMPTY, 43, ROUND, "empty", "no valid contribution")                                    \
    X(CNV_E_NOMEM, 60, PROCESS, "no_memory", "out of memory")                                      \
    X(CNV_E_INPUT, 61, PROCESS, "input", "the user asked for something not allowed")               \
    X(CNV_E_UNREACHABLE, 62, PROCESS, "unreachable", "the other side cannot be reached")           \
    X(CNV_E_TIMEOUT, 63, PROCESS, "timeout", "it took too long")                                   \
    X(CNV_E_SYSTEM, 64, PROCESS, "system", "the operating system refused")                         \
    X(CNV_E_NUMERIC, 65, PROCESS, "numeric", "a factorisation or iteration failed")

enum cnv_status {
    CNV_OK = 0,
#define CNV_STATUS_ENUM(symbol, number, scope, name, text) symbol = -(number),
    CNV_STATUS_LIST(CNV_STATUS_ENUM)
#undef CNV_STATUS_ENUM
};

enum { CNV_ERROR_TEXT_SIZE = 240 };

/* One line for a person: names the thing, the value and what is allowed. No newline. */
struct cnv_error {
    enum cnv_status status;
    char text[CNV_ERROR_TEXT_SIZE];
};

/* Exit codes of all programs (documented in README.md). */
enum cnv_exit {
    CNV_EXIT_DONE = 0,
    CNV_EXIT_FAILED = 1,
    CNV_EXIT_USAGE = 2,
    CNV_EXIT_REFUSED = 3,
    CNV_EXIT_TIMEOUT = 4,
};

/* Fills err (which may be NULL) and returns status, so that failing is one return. */
enum cnv_status cnv_fail(struct cnv_error *err, enum cnv_status status, const char *format, ...)
    CNV_PRINTF(3, 4);

/* Short name as in logs and error messages ("misfit"); "ok" for CNV_OK, "unknown" else. */
const char *cnv_status_name(enum cnv_status status);

/* The general sentence for the status. */
const char *cnv_status_text(enum cnv_status status);

enum cnv_scope cnv_status_scope(enum cnv_status status);

/* The exit code a program ends with when this status ends it. */
enum cnv_exit cnv_status_exit(enum cnv_status status);

#endif

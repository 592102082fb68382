/*
 * certificate.h - CURVE keys in files, and the list of keys that are let in.
 *
 * A certificate is a small ZPL file, the same as CZMQ's zcert writes and reads:
 *
 *     metadata
 *         name = "gpu-3"
 *     curve
 *         public-key = "40 characters of Z85"
 *         secret-key = "40 characters of Z85"
 *
 * Without secret-key it is a public certificate. Files with a secret key must not be readable by
 * others; such a file is refused. (What an agent is given is a join file: client/joinfile.h.)
 */
#ifndef CNV_NET_CERTIFICATE_H
#define CNV_NET_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "net/endpoint.h"

enum {
    CNV_KEY_SIZE = 41,  /* Z85 text of a key with its NUL */
    CNV_NAME_SIZE = 65, /* an agent's name with its NUL, as in the message hello */
};

struct cnv_certificate {
    char name[CNV_NAME_SIZE]; /* whom the key belongs to; "" : not said */
    char public_key[CNV_KEY_SIZE];
    char secret_key[CNV_KEY_SIZE]; /* "": a public certificate */
    /* Of a server: where agents find it, for making their join files; "": not said. */
    char endpoint[CNV_ENDPOINT_SIZE];
};

/* A fresh pair of keys; CNV_E_SYSTEM when libzmq was built without CURVE. */
CNV_MUST_CHECK enum cnv_status cnv_certificate_generate(const char *name,
                                                        struct cnv_certificate *ret_certificate,
                                                        struct cnv_error *err);

/*
 * Reads a certificate. CNV_E_INPUT with file and line: cannot be read, not such a
 * file, a key that is not one, no public key, or a secret key in a file others may read.
 */
CNV_MUST_CHECK enum cnv_status cnv_certificate_load(const char *file,
                                                    struct cnv_certificate *ret_certificate,
                                                    struct cnv_error *err);

/*
 * Writes a new file: everything, for its owner alone (0600), or without secret (0644). An existing
 * file is never overwritten. CNV_E_INPUT: it exists, or cannot be written.
 */
CNV_MUST_CHECK enum cnv_status cnv_certificate_save(const struct cnv_certificate *certificate,
                                                    const char *file,
                                                    bool with_secret,
                                                    struct cnv_error *err);

/* Letters, digits, '.', '_', '-'; 1 to 64 of them. */
bool cnv_name_is_valid(const char *name);

/* --- Who is let in ------------------------------------------------------------------------ */

struct cnv_allow;

/*
 * Reads the list: a directory of certificates (each names its holder; files that begin with a dot
 * are skipped), or a file with lines "NAME PUBLIC-KEY" ('#' begins a comment line). CNV_E_INPUT
 * with file and line for an unreadable list, a bad name or key, or a key given to two names.
 */
CNV_MUST_CHECK enum cnv_status
cnv_allow_new(const char *path, struct cnv_allow **ret_allow, struct cnv_error *err);
void cnv_allow_destroy(struct cnv_allow *allow);

/* Reads the list again. On failure the old list stays in force. */
CNV_MUST_CHECK enum cnv_status cnv_allow_reload(struct cnv_allow *allow, struct cnv_error *err);

/* Reloads if file or directory changed since the list was read: one stat, else nothing. */
CNV_MUST_CHECK enum cnv_status cnv_allow_refresh(struct cnv_allow *allow, struct cnv_error *err);

/* The name the key is bound to, or NULL. Borrowed until the next reload. */
const char *cnv_allow_find(const struct cnv_allow *allow, const char *public_key);

/* Is any key bound to this name? For ending the sessions of those taken off the list. */
bool cnv_allow_has_name(const struct cnv_allow *allow, const char *name);

/* Grows with every list that came into force. */
uint64_t cnv_allow_generation(const struct cnv_allow *allow);

size_t cnv_allow_count(const struct cnv_allow *allow);

#endif

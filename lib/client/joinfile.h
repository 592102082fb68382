/*
 * joinfile.h - the file "convene keygen --agent NAME" writes and convene-agent --join reads.
 *
 * All an agent needs to be let in: where the server is, the server's public key, the agent's name
 * (to which the server binds its key) and the agent's own key pair. ZPL, mode 0600; the format is
 * in README.md of this folder.
 */
#ifndef CNV_CLIENT_JOINFILE_H
#define CNV_CLIENT_JOINFILE_H

#include "base/status.h"
#include "net/certificate.h"
#include "net/endpoint.h"

struct cnv_joinfile {
    char endpoint[CNV_ENDPOINT_SIZE]; /* server/endpoint: the data socket, "tcp://host:5550" */
    char server_key[CNV_KEY_SIZE];    /* server/public-key: 40 characters of Z85 */
    char name[CNV_NAME_SIZE];         /* agent/name */
    char public_key[CNV_KEY_SIZE];    /* agent/public-key */
    char secret_key[CNV_KEY_SIZE];    /* agent/secret-key */
};

/*
 * Makes the file with mode 0600. An existing file is never overwritten.
 *
 * CNV_E_INPUT: a field is not allowed, or the file exists; CNV_E_SYSTEM: it cannot be written
 * (nothing is left behind).
 */
CNV_MUST_CHECK enum cnv_status
cnv_joinfile_write(const char *path, const struct cnv_joinfile *file, struct cnv_error *err);

/*
 * CNV_E_INPUT: the file cannot be read, others than its owner may read it, or it is not such a
 * file; the text names file, line or field, and what is allowed.
 */
CNV_MUST_CHECK enum cnv_status
cnv_joinfile_read(const char *path, struct cnv_joinfile *ret_file, struct cnv_error *err);

#endif

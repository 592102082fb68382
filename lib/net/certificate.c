/*
 * certificate.c - reads and writes certificates, strictly: what is not understood is refused, with
 * file and line. Invariants: a loaded certificate has a public key, and a secret key fits it.
 */
#include "net/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "net/key.h"

enum { LINE_SIZE = 512, KEY_BYTES = 32 };

/* One line of ZPL taken apart. */
struct zpl_line {
    bool is_section; /* no indentation: a section's name */
    char *name;
    char *value; /* "" where there is none */
};

bool cnv_name_is_valid(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len < CNV_NAME_SIZE &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

bool cnv_key_is_valid(const char *key)
{
    uint8_t bytes[KEY_BYTES];

    return strlen(key) == CNV_KEY_SIZE - 1 && zmq_z85_decode(bytes, key) != NULL;
}

char *cnv_line_trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) {
        text[--len] = '\0';
    }
    return text;
}

/* False: a line without meaning (blank, comment). */
static bool zpl_split(char *line, struct zpl_line *ret_line)
{
    bool is_section = line[0] != ' ' && line[0] != '\t';
    char *name = cnv_line_trim(line);

    if (name[0] == '\0' || name[0] == '#') {
        return false;
    }
    char *value = strchr(name, '=');
    if (value != NULL) {
        *value++ = '\0';
        value = cnv_line_trim(value);
        size_t len = strlen(value);
        if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
            value[len - 1] = '\0';
            value++;
        }
    }
    *ret_line = (struct zpl_line){
        .is_section = is_section,
        .name = cnv_line_trim(name),
        .value = value == NULL ? name + strlen(name) : value,
    };
    return true;
}

/* Copies value to where it belongs; false when it is not allowed there. */
static bool certificate_put(struct cnv_certificate *certificate,
                            const char *section,
                            const char *name,
                            const char *value)
{
    bool is_curve = strcmp(section, "curve") == 0;
    char *key = NULL;

    if (!is_curve && strcmp(section, "metadata") != 0) {
        return true;
    }
    if (!is_curve && strcmp(name, "name") == 0) {
        (void) snprintf(certificate->name, sizeof(certificate->name), "%s", value);
        return cnv_name_is_valid(value);
    }
    if (!is_curve && strcmp(name, "endpoint") == 0) {
        (void) snprintf(certificate->endpoint, sizeof(certificate->endpoint), "%s", value);
        return cnv_endpoint_parse(value, name, &(struct cnv_endpoint){ 0 }, NULL) == CNV_OK;
    }
    if (is_curve && strcmp(name, "public-key") == 0) {
        key = certificate->public_key;
    } else if (is_curve && strcmp(name, "secret-key") == 0) {
        key = certificate->secret_key;
    } else {
        return true;
    }
    (void) snprintf(key, CNV_KEY_SIZE, "%s", value);
    return cnv_key_is_valid(value);
}

static enum cnv_status certificate_read(FILE *in,
                                        const char *file,
                                        struct cnv_certificate *certificate,
                                        struct cnv_error *err)
{
    char section[32] = "";
    char line[LINE_SIZE];
    struct zpl_line zpl;

    for (unsigned number = 1; fgets(line, sizeof(line), in) != NULL; number++) {
        if (!zpl_split(line, &zpl)) {
            continue;
        }
        if (zpl.is_section) {
            (void) snprintf(section, sizeof(section), "%s", zpl.name);
        } else if (!certificate_put(certificate, section, zpl.name, zpl.value)) {
            /* The value is not repeated: it may be a secret. */
            return cnv_fail(err, CNV_E_INPUT, "%s:%u: %s is not valid", file, number, zpl.name);
        }
    }
    if (ferror(in) != 0) {
        return cnv_fail(err, CNV_E_INPUT, "%s: %s", file, strerrordesc_np(errno));
    }
    if (certificate->public_key[0] == '\0') {
        return cnv_fail(err, CNV_E_INPUT, "%s: no curve/public-key: not a certificate", file);
    }
    return CNV_OK;
}

static enum cnv_status certificate_check_secret(FILE *in,
                                                const char *file,
                                                const struct cnv_certificate *certificate,
                                                struct cnv_error *err)
{
    char public_key[CNV_KEY_SIZE];
    struct stat is;

    if (certificate->secret_key[0] == '\0') {
        return CNV_OK;
    }
    if (fstat(fileno(in), &is) != 0) {
        return cnv_fail(err, CNV_E_INPUT, "%s: %s", file, strerrordesc_np(errno));
    }
    if ((is.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: holds a secret key but has mode %04o: must be readable by its owner "
                        "alone (chmod 600)",
                        file,
                        (unsigned) (is.st_mode & 07777));
    }
    if (zmq_curve_public(public_key, certificate->secret_key) != 0 ||
        strcmp(public_key, certificate->public_key) != 0) {
        return cnv_fail(err, CNV_E_INPUT, "%s: secret and public key do not belong together", file);
    }
    return CNV_OK;
}

enum cnv_status cnv_certificate_generate(const char *name,
                                         struct cnv_certificate *ret_certificate,
                                         struct cnv_error *err)
{
    struct cnv_certificate certificate = { .name = "" };

    if (!cnv_name_is_valid(name)) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "name \"%.80s\": must be 1 to 64 letters, digits, '.', '_', '-'",
                        name);
    }
    if (zmq_curve_keypair(certificate.public_key, certificate.secret_key) != 0) {
        return cnv_fail(
            err, CNV_E_SYSTEM, "libzmq cannot make CURVE keys: %s", zmq_strerror(zmq_errno()));
    }
    (void) snprintf(certificate.name, sizeof(certificate.name), "%s", name);
    *ret_certificate = certificate;
    return CNV_OK;
}

enum cnv_status cnv_certificate_load(const char *file,
                                     struct cnv_certificate *ret_certificate,
                                     struct cnv_error *err)
{
    struct cnv_certificate certificate = { .name = "" };
    struct stat is;
    FILE *in = fopen(file, "re");

    if (in == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "%s: %s", file, strerrordesc_np(errno));
    }
    enum cnv_status status = fstat(fileno(in), &is) == 0 && S_ISREG(is.st_mode)
                                 ? certificate_read(in, file, &certificate, err)
                                 : cnv_fail(err, CNV_E_INPUT, "%s: not a file", file);
    if (status == CNV_OK) {
        status = certificate_check_secret(in, file, &certificate, err);
    }
    (void) fclose(in);
    if (status == CNV_OK) {
        *ret_certificate = certificate;
    }
    return status;
}

static bool
certificate_write(const struct cnv_certificate *certificate, bool with_secret, FILE *out)
{
    (void) fputs(with_secret
                     ? "# CURVE certificate with its secret key: give this file to nobody else.\n"
                     : "# CURVE public certificate.\n",
                 out);
    (void) fprintf(out, "metadata\n    name = \"%s\"\n", certificate->name);
    if (certificate->endpoint[0] != '\0') {
        (void) fprintf(out, "    endpoint = \"%s\"\n", certificate->endpoint);
    }
    (void) fprintf(out, "curve\n    public-key = \"%s\"\n", certificate->public_key);
    if (with_secret) {
        (void) fprintf(out, "    secret-key = \"%s\"\n", certificate->secret_key);
    }
    return ferror(out) == 0;
}

enum cnv_status cnv_certificate_save(const struct cnv_certificate *certificate,
                                     const char *file,
                                     bool with_secret,
                                     struct cnv_error *err)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, with_secret ? 0600 : 0644);
    if (fd < 0) {
        return cnv_fail(err, CNV_E_INPUT, "cannot write %s: %s", file, strerrordesc_np(errno));
    }
    FILE *out = fdopen(fd, "w");
    bool is_written = out != NULL && certificate_write(certificate, with_secret, out);
    is_written = (out == NULL ? close(fd) : fclose(out)) == 0 && is_written;
    if (!is_written) {
        int why = errno;

        (void) unlink(file);
        return cnv_fail(err, CNV_E_SYSTEM, "cannot write %s: %s", file, strerrordesc_np(why));
    }
    return CNV_OK;
}

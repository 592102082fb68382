#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/certificate.h"
#include "net/endpoint.h"
#include "net/frame.h"
#include "net/resolve.h"
#include "net/socket.h"

static struct cnv_endpoint parsed(const char *text)
{
    struct cnv_endpoint endpoint;

    cr_assert_eq(cnv_endpoint_parse(text, "listen/data", &endpoint, NULL), CNV_OK, "%s", text);
    return endpoint;
}

Test(endpoint, names_its_parts, .timeout = 5)
{
    struct cnv_endpoint endpoint = parsed("tcp://[::1]:5550");
    char text[CNV_ENDPOINT_SIZE];

    cr_assert_eq(endpoint.transport, CNV_TCP);
    cr_assert_str_eq(endpoint.host, "[::1]");
    cr_assert_eq(endpoint.port, 5550);
    cr_assert_str_eq(cnv_endpoint_format(&endpoint, text, sizeof(text)), "tcp://[::1]:5550");
    endpoint = parsed("tcp://127.0.0.1:*");
    cr_assert_eq(endpoint.port, 0);
    cr_assert_str_eq(cnv_endpoint_format(&endpoint, text, sizeof(text)), "tcp://127.0.0.1:*");
    endpoint = parsed("ipc:///run/convene");
    cr_assert_str_eq(endpoint.host, "/run/convene");
    cr_assert_str_eq(cnv_endpoint_format(&endpoint, text, sizeof(text)), "ipc:///run/convene");
}

Test(endpoint, refuses_what_is_none, .timeout = 5)
{
    static const char *const bad[] = {
        "",         "5550",         "tcp://",           "tcp://host",    "tcp://:5550",
        "tcp://h:", "tcp://h:port", "tcp://h:65536",    "tcp://h:-1",    "tcp://h:5550x",
        "ipc://",   "udp://h:1",    "tcp:/127.0.0.1:1", "inproc://test",
    };
    struct cnv_endpoint endpoint;
    struct cnv_error err;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(
            cnv_endpoint_parse(bad[i], "listen/data", &endpoint, &err), CNV_E_INPUT, "%s", bad[i]);
        cr_assert_eq(strncmp(err.text, "listen/data", 11), 0, "%s", err.text);
    }
    char path[200] = "ipc://";
    memset(path + 6, 'x', 108);
    cr_assert_eq(cnv_endpoint_parse(path, "listen/data", &endpoint, &err), CNV_E_INPUT);
    path[6 + 107] = '\0';
    cr_assert_eq(cnv_endpoint_parse(path, "listen/data", &endpoint, &err), CNV_OK);
}

Test(resolve, knows_which_kinds_of_addresses_a_host_has, .timeout = 10)
{
    struct cnv_endpoint localhost = parsed("tcp://localhost:5550");
    struct cnv_endpoint address;

    cr_assert_eq(cnv_resolve_families("tcp://127.0.0.1:1"), CNV_FAMILY_4);
    cr_assert_eq(cnv_resolve_families("tcp://[::1]:1"), CNV_FAMILY_6);
    cr_assert_eq(cnv_resolve_families("ipc:///run/convene"), 0);
    cr_assert_eq(cnv_resolve_families("tcp://no.such.host.invalid:1"), 0);
    cr_assert(cnv_resolve_needs_ipv6("tcp://[fe80::1%lo]:1"));
    cr_assert_not(cnv_resolve_needs_ipv6("tcp://localhost:1"));
    cr_assert(cnv_resolve_address(&localhost, &address));
    cr_assert(cnv_endpoint_is_local(&address), "%s", address.host);
    cr_assert_eq(address.port, 5550);
    cr_assert_not(
        cnv_resolve_address(&(struct cnv_endpoint){ .host = "no.such.host.invalid" }, &address));
}

Test(endpoint, bulk_is_the_next_port_or_a_path_beside, .timeout = 5)
{
    static const char *const pairs[][2] = {
        { "tcp://*:5550", "tcp://*:5551" },
        { "tcp://127.0.0.1:*", "tcp://127.0.0.1:*" },
        { "ipc:///run/c", "ipc:///run/c.bulk" },
    };
    struct cnv_endpoint from;
    struct cnv_endpoint next;
    char text[CNV_ENDPOINT_SIZE];

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        from = parsed(pairs[i][0]);
        cr_assert_eq(cnv_endpoint_next(&from, &next, NULL), CNV_OK);
        cr_assert_str_eq(cnv_endpoint_format(&next, text, sizeof(text)), pairs[i][1]);
    }
    from = parsed("tcp://*:65535");
    cr_assert_eq(cnv_endpoint_next(&from, &next, NULL), CNV_E_INPUT);
}

Test(endpoint, knows_what_only_this_machine_reaches, .timeout = 5)
{
    static const char *const local[] = { "tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://[::1]:1",
                                         "tcp://localhost:1", "ipc:///run/c",      "ipc://@c" };
    static const char *const open[] = { "tcp://*:1",        "tcp://0.0.0.0:1",     "tcp://[::]:1",
                                        "tcp://10.0.0.1:1", "tcp://127.example:1", "tcp://host:1" };
    struct cnv_endpoint endpoint;

    for (size_t i = 0; i < 6; i++) {
        endpoint = parsed(local[i]);
        cr_assert(cnv_endpoint_is_local(&endpoint), "%s", local[i]);
        endpoint = parsed(open[i]);
        cr_assert_not(cnv_endpoint_is_local(&endpoint), "%s", open[i]);
    }
    endpoint = parsed("ipc:///run/c");
    cr_assert(cnv_endpoint_is_file(&endpoint));
    endpoint = parsed("ipc://@c");
    cr_assert_not(cnv_endpoint_is_file(&endpoint));
}

Test(endpoint, control_is_the_users_own, .timeout = 5)
{
    char text[CNV_ENDPOINT_SIZE];
    char expected[CNV_ENDPOINT_SIZE];

    cr_assert_eq(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
    cr_assert_str_eq(cnv_endpoint_control(text, sizeof(text)), "ipc:///run/user/7/convene.control");
    cr_assert_eq(unsetenv("XDG_RUNTIME_DIR"), 0);
    (void) snprintf(expected,
                    sizeof(expected),
                    "ipc:///tmp/convene-%lu/convene.control",
                    (unsigned long) geteuid());
    cr_assert_str_eq(cnv_endpoint_control(text, sizeof(text)), expected);
}

/* --- certificates ------------------------------------------------------------------------- */

static char directory[64];

static void directory_make(void)
{
    strcpy(directory, "/tmp/test_net_XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
}

static void directory_remove(void)
{
    char command[128];

    (void) snprintf(command, sizeof(command), "rm -r %s", directory);
    cr_expect_eq(system(command), 0);
}

static const char *in_directory(const char *name)
{
    static char paths[4][128];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    (void) snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *out = fopen(path, "w");

    cr_assert_not_null(out);
    cr_assert_geq(fputs(text, out), 0);
    cr_assert_eq(fclose(out), 0);
    cr_assert_eq(chmod(path, mode), 0);
}

static struct cnv_certificate generated(const char *name)
{
    struct cnv_certificate certificate;

    cr_assert_eq(cnv_certificate_generate(name, &certificate, NULL), CNV_OK);
    return certificate;
}

Test(certificate,
     comes_back_as_it_was_saved,
     .init = directory_make,
     .fini = directory_remove,
     .timeout = 5)
{
    struct cnv_certificate certificate = generated("gpu-3");
    struct cnv_certificate read;
    struct cnv_error err;
    struct stat is;

    (void) strcpy(certificate.endpoint, "tcp://host:5550");
    cr_assert_eq(cnv_certificate_save(&certificate, in_directory("secret"), true, &err),
                 CNV_OK,
                 "%s",
                 err.text);
    cr_assert_eq(cnv_certificate_save(&certificate, in_directory("public"), false, &err),
                 CNV_OK,
                 "%s",
                 err.text);
    cr_assert_eq(stat(in_directory("secret"), &is), 0);
    cr_assert_eq(is.st_mode & 07777, 0600);
    cr_assert_eq(cnv_certificate_load(in_directory("secret"), &read, &err), CNV_OK, "%s", err.text);
    cr_assert_str_eq(read.name, "gpu-3");
    cr_assert_str_eq(read.public_key, certificate.public_key);
    cr_assert_str_eq(read.secret_key, certificate.secret_key);
    cr_assert_str_eq(read.endpoint, "tcp://host:5550");
    cr_assert_eq(cnv_certificate_load(in_directory("public"), &read, &err), CNV_OK, "%s", err.text);
    cr_assert_str_eq(read.public_key, certificate.public_key);
    cr_assert_str_eq(read.secret_key, "");
    cr_assert_eq(cnv_certificate_save(&certificate, in_directory("secret"), true, &err),
                 CNV_E_INPUT);
}

Test(certificate,
     with_a_secret_is_for_its_owner_alone,
     .init = directory_make,
     .fini = directory_remove,
     .timeout = 5)
{
    struct cnv_certificate certificate = generated("server");
    struct cnv_error err;

    cr_assert_eq(cnv_certificate_save(&certificate, in_directory("c"), true, &err), CNV_OK);
    cr_assert_eq(chmod(in_directory("c"), 0640), 0);
    cr_assert_eq(cnv_certificate_load(in_directory("c"), &certificate, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "0640"), "%s", err.text);
}

/* As CZMQ 4.2.1 writes them: zcert_save, with metadata of its own. */
Test(certificate,
     of_czmq_is_understood,
     .init = directory_make,
     .fini = directory_remove,
     .timeout = 5)
{
    struct cnv_certificate certificate = generated("x");
    struct cnv_certificate read;
    struct cnv_error err;
    char text[1024];

    (void) snprintf(text,
                    sizeof(text),
                    "#   ****  Generated on 2026-01-01 00:00:00 by CZMQ  ****\n"
                    "#   ZeroMQ CURVE **Secret** Certificate\n\n"
                    "metadata\n    name = \"peter\"\n    email = \"p@example\"\n"
                    "curve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n",
                    certificate.public_key,
                    certificate.secret_key);
    write_file(in_directory("c"), text, 0600);
    cr_assert_eq(cnv_certificate_load(in_directory("c"), &read, &err), CNV_OK, "%s", err.text);
    cr_assert_str_eq(read.name, "peter");
    cr_assert_str_eq(read.public_key, certificate.public_key);
}

Test(certificate,
     damaged_is_refused_with_file_and_line,
     .init = directory_make,
     .fini = directory_remove,
     .timeout = 5)
{
    static const char *const bad[] = {
        "",
        "model.npy",
        "curve\n    public-key = \"short\"\n",
        "metadata\n    name = \"two words\"\n",
        "curve\n    secret-key = \"0123456789012345678901234567890123456789\"\n",
    };
    struct cnv_certificate read;
    struct cnv_error err;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_file(in_directory("c"), bad[i], 0600);
        cr_assert_eq(cnv_certificate_load(in_directory("c"), &read, &err), CNV_E_INPUT);
        cr_assert_eq(strncmp(err.text, directory, strlen(directory)), 0, "%s", err.text);
    }
    cr_assert_eq(cnv_certificate_load(in_directory("none"), &read, &err), CNV_E_INPUT);
    cr_assert_eq(cnv_certificate_load(directory, &read, &err), CNV_E_INPUT);
    struct cnv_certificate mixed = generated("a");
    struct cnv_certificate other = generated("b");
    memcpy(mixed.secret_key, other.secret_key, sizeof(mixed.secret_key));
    cr_assert_eq(cnv_certificate_save(&mixed, in_directory("mixed"), true, &err), CNV_OK);
    cr_assert_eq(cnv_certificate_load(in_directory("mixed"), &read, &err), CNV_E_INPUT);
    cr_assert_eq(cnv_certificate_generate("no/name", &read, &err), CNV_E_INPUT);
}

/* --- allow lists --------------------------------------------------------------------------- */

static void write_list(const char *file, const struct cnv_certificate *certificates, size_t n)
{
    char text[2048] = "# who may join\n\n";

    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(text);
        (void) snprintf(text + used,
                        sizeof(text) - used,
                        "%s\t%s\n",
                        certificates[i].name,
                        certificates[i].public_key);
    }
    write_file(file, text, 0644);
}

Test(allow,
     file_binds_keys_to_names_and_is_read_again,
     .init = directory_make,
     .fini = directory_remove,
     .timeout = 10)
{
    struct cnv_certificate who[3] = { generated("a"), generated("b"), generated("c") };
    struct cnv_allow *allow = NULL;
    struct cnv_error err;
    const char *file = in_directory("allow");

    write_list(file, who, 2);
    cr_assert_eq(cnv_allow_new(file, &allow, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_allow_count(allow), 2);
    cr_assert_str_eq(cnv_allow_find(allow, who[0].public_key), "a");
    cr_assert_str_eq(cnv_allow_find(allow, who[1].public_key), "b");
    cr_assert_null(cnv_allow_find(allow, who[2].public_key));
    cr_assert_null(cnv_allow_find(allow, ""));
    write_list(file, who + 1, 2);
    cr_assert_eq(cnv_allow_reload(allow, &err), CNV_OK);
    cr_assert_null(cnv_allow_find(allow, who[0].public_key));
    cr_assert_not(cnv_allow_has_name(allow, "a"));
    cr_assert_str_eq(cnv_allow_find(allow, who[2].public_key), "c");
    cr_assert(cnv_allow_has_name(allow, "c"));
    cnv_allow_destroy(allow);
}

Test(allow,
     bad_list_leaves_the_old_one_in_force,
     .init = directory_make,
     .fini = directory_remove,
     .timeout = 10)
{
    struct cnv_certificate who = generated("a");
    struct cnv_certificate twice[2] = { who, who };
    struct cnv_allow *allow = NULL;
    struct cnv_error err;
    const char *file = in_directory("allow");

    write_list(file, &who, 1);
    cr_assert_eq(cnv_allow_new(file, &allow, &err), CNV_OK);
    write_file(file, "a not-a-key\n", 0644);
    cr_assert_eq(cnv_allow_refresh(allow, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "allow:1"), "%s", err.text);
    cr_assert_eq(cnv_allow_refresh(allow, &err), CNV_OK, "the same mistake is told once");
    cr_assert_str_eq(cnv_allow_find(allow, who.public_key), "a");
    write_list(file, twice, 2);
    cr_assert_eq(cnv_allow_reload(allow, &err), CNV_E_INPUT);
    cr_assert_eq(unlink(file), 0);
    cr_assert_eq(cnv_allow_reload(allow, &err), CNV_E_INPUT);
    cr_assert_str_eq(cnv_allow_find(allow, who.public_key), "a");
    cnv_allow_destroy(allow);
    cr_assert_eq(cnv_allow_new(file, &allow, &err), CNV_E_INPUT);
}

Test(allow,
     directory_of_certificates,
     .init = directory_make,
     .fini = directory_remove,
     .timeout = 10)
{
    struct cnv_certificate a = generated("a");
    struct cnv_certificate b = generated("b");
    struct cnv_allow *allow = NULL;
    struct cnv_error err;

    write_file(in_directory(".hidden"), "not a certificate", 0644);
    cr_assert_eq(cnv_certificate_save(&a, in_directory("a.cert"), false, &err), CNV_OK);
    cr_assert_eq(cnv_allow_new(directory, &allow, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_allow_count(allow), 1);
    cr_assert_eq(cnv_certificate_save(&b, in_directory("b.cert"), false, &err), CNV_OK);
    cr_assert_eq(cnv_allow_refresh(allow, &err), CNV_OK);
    cr_assert_str_eq(cnv_allow_find(allow, b.public_key), "b");
    cnv_allow_destroy(allow);
}

Test(allow,
     failed_allocations_leave_nothing_behind,
     .init = directory_make,
     .fini = directory_remove,
     .timeout = 10)
{
    struct cnv_certificate who = generated("a");
    struct cnv_allow *allow = NULL;

    write_list(in_directory("allow"), &who, 1);
    for (uint64_t n = 1; allow == NULL; n++) {
        cnv_mem_fail_after(n);
        enum cnv_status status = cnv_allow_new(in_directory("allow"), &allow, NULL);
        cnv_mem_fail_after(0);
        cr_assert(status == CNV_OK || status == CNV_E_NOMEM);
        cr_assert_leq(n, 4);
    }
    cnv_allow_destroy(allow);
}

/* --- sockets and frames --------------------------------------------------------------------- */

static void *socket_made(void *context, int type)
{
    const struct cnv_socket_setup setup = { .type = type, .hwm = 100, .message_bytes = -1 };
    void *socket = NULL;
    struct cnv_error err;

    cr_assert_eq(cnv_socket_new(context, &setup, &socket, &err), CNV_OK, "%s", err.text);
    return socket;
}

Test(socket, tells_which_port_a_wildcard_became_and_whether_it_is_taken, .timeout = 10)
{
    void *context = zmq_ctx_new();
    void *first = socket_made(context, ZMQ_ROUTER);
    void *second = socket_made(context, ZMQ_ROUTER);
    struct cnv_endpoint wanted = parsed("tcp://127.0.0.1:*");
    struct cnv_endpoint bound;
    struct cnv_error err;

    cr_assert_eq(
        cnv_socket_bind(first, &wanted, "listen/data", &bound, &err), CNV_OK, "%s", err.text);
    cr_assert_neq(bound.port, 0);
    cr_assert_eq(cnv_socket_bind(second, &bound, "listen/data", &wanted, &err), CNV_E_SYSTEM);
    cr_assert_eq(strncmp(err.text, "listen/data=tcp://127.0.0.1:", 28), 0, "%s", err.text);
    cr_assert_eq(zmq_close(first), 0);
    cr_assert_eq(zmq_close(second), 0);
    cr_assert_eq(zmq_ctx_term(context), 0);
}

Test(socket,
     unix_socket_is_private_and_not_taken_over_while_in_use,
     .init = directory_make,
     .fini = directory_remove,
     .timeout = 10)
{
    void *context = zmq_ctx_new();
    void *first = socket_made(context, ZMQ_ROUTER);
    void *second = socket_made(context, ZMQ_ROUTER);
    struct cnv_endpoint endpoint = { .transport = CNV_IPC };
    struct cnv_endpoint bound;
    struct cnv_error err;
    struct stat is;

    strcpy(endpoint.host, in_directory("socket"));
    cr_assert_eq(
        cnv_socket_bind(first, &endpoint, "listen/control", &bound, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(stat(endpoint.host, &is), 0);
    cr_assert_eq(is.st_mode & 0777, 0600);
    cr_assert_eq(cnv_socket_bind(second, &endpoint, "listen/control", &bound, &err), CNV_E_SYSTEM);
    strcpy(endpoint.host, in_directory("file"));
    write_file(endpoint.host, "precious", 0644);
    cr_assert_eq(cnv_socket_bind(second, &endpoint, "listen/control", &bound, &err), CNV_E_INPUT);
    cr_assert_eq(stat(endpoint.host, &is), 0);
    cr_assert_eq(zmq_close(first), 0);
    cr_assert_eq(zmq_close(second), 0);
    cr_assert_eq(zmq_ctx_term(context), 0);
}

Test(frame, large_pieces_travel_without_a_copy_and_are_counted, .timeout = 10)
{
    struct cnv_pinned pinned = { .bytes = 0 };
    struct cnv_blob *blob = cnv_blob_new(300000);
    zmq_msg_t frame;

    memset(cnv_blob_edit(blob), 7, 300000);
    cr_assert_eq(cnv_frame_from_blob(&frame, blob, 100000, 200000, &pinned), CNV_OK);
    cr_assert_eq(zmq_msg_data(&frame), cnv_blob_data(blob) + 100000);
    cr_assert_eq(pinned.bytes, 200000);
    cr_assert_eq(zmq_msg_close(&frame), 0);
    cr_assert_eq(pinned.bytes, 0);
    cr_assert_eq(cnv_frame_from_blob(&frame, blob, 5, 1000, &pinned), CNV_OK);
    cr_assert_eq(pinned.bytes, 0);
    cr_assert_eq(zmq_msg_size(&frame), 1000);
    cr_assert_eq(((uint8_t *) zmq_msg_data(&frame))[999], 7);
    cr_assert_eq(zmq_msg_close(&frame), 0);
    cnv_blob_unref(blob);
    cr_assert_eq(cnv_blob_alive(), 0);
}

Test(frame, received_becomes_a_blob_and_failing_loses_nothing, .timeout = 10)
{
    struct cnv_blob *blob = NULL;
    zmq_msg_t frame;

    cr_assert_eq(zmq_msg_init_size(&frame, 100000), 0);
    memset(zmq_msg_data(&frame), 9, 100000);
    const void *bytes = zmq_msg_data(&frame);
    for (uint64_t n = 1; n <= 2; n++) {
        cnv_mem_fail_after(n);
        cr_assert_null(cnv_frame_to_blob(&frame));
        cnv_mem_fail_after(0);
        cr_assert_eq(zmq_msg_size(&frame), 100000);
    }
    blob = cnv_frame_to_blob(&frame);
    cr_assert_eq(cnv_blob_data(blob), bytes);
    cr_assert_eq(cnv_blob_len(blob), 100000);
    cr_assert_eq(zmq_msg_close(&frame), 0);
    cr_assert_eq(cnv_blob_data(blob)[99999], 9);
    cnv_blob_unref(blob);
    cr_assert_eq(cnv_blob_alive(), 0);
}

Test(frame, failing_to_pin_counts_nothing, .timeout = 10)
{
    struct cnv_pinned pinned = { .bytes = 0 };
    struct cnv_blob *blob = cnv_blob_new(100000);
    zmq_msg_t frame;

    cnv_mem_fail_after(1);
    cr_assert_eq(cnv_frame_from_blob(&frame, blob, 0, 100000, &pinned), CNV_E_NOMEM);
    cnv_mem_fail_after(0);
    cr_assert_eq(pinned.bytes, 0);
    cnv_blob_unref(blob);
    cr_assert_eq(cnv_blob_alive(), 0);
}

/* resolve.c - see resolve.h. */
#include "net/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool has_family(const char *host, int family)
{
    struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;

    if (getaddrinfo(host, NULL, &hints, &found) != 0) {
        return false;
    }
    freeaddrinfo(found);
    return true;
}

unsigned cnv_resolve_families(const char *text)
{
    struct cnv_endpoint endpoint;

    if (cnv_endpoint_parse(text, "", &endpoint, NULL) != CNV_OK || endpoint.transport != CNV_TCP) {
        return 0;
    }
    if (endpoint.host[0] == '[') {
        return CNV_FAMILY_6;
    }
    return (has_family(endpoint.host, AF_INET) ? CNV_FAMILY_4 : 0U) |
           (has_family(endpoint.host, AF_INET6) ? CNV_FAMILY_6 : 0U);
}

bool cnv_resolve_needs_ipv6(const char *text)
{
    return cnv_resolve_families(text) == CNV_FAMILY_6;
}

bool cnv_resolve_address(const struct cnv_endpoint *endpoint, struct cnv_endpoint *ret_endpoint)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    char address[CNV_ENDPOINT_SIZE];

    if (getaddrinfo(endpoint->host, NULL, &hints, &found) != 0) {
        return false;
    }
    bool is_named = getnameinfo(found->ai_addr,
                                found->ai_addrlen,
                                address,
                                sizeof(address) - 2,
                                NULL,
                                0,
                                NI_NUMERICHOST) == 0;
    bool is_ipv6 = found->ai_family == AF_INET6;
    freeaddrinfo(found);
    if (!is_named) {
        return false;
    }
    *ret_endpoint = *endpoint;
    (void) snprintf(
        ret_endpoint->host, sizeof(ret_endpoint->host), is_ipv6 ? "[%.200s]" : "%.200s", address);
    return true;
}

/* resolve.h - the addresses behind the name of a host. Asks the system's resolver: may block. */
#ifndef CNV_NET_RESOLVE_H
#define CNV_NET_RESOLVE_H

#include <stdbool.h>

#include "net/endpoint.h"

/* Kinds of addresses a host has. */
enum { CNV_FAMILY_4 = 1, CNV_FAMILY_6 = 2 };

/* Of the host in tcp://HOST:PORT; 0: none that is known now, or no such endpoint. */
unsigned cnv_resolve_families(const char *text);

/*
 * Whether a socket that connects to the endpoint has to be told to use IPv6. Not where it can do
 * without: libzmq would then use no other, also where "localhost" listens on 127.0.0.1 alone.
 */
bool cnv_resolve_needs_ipv6(const char *text);

/* The endpoint with the first address of its host in place of the name; false: it has none. */
bool cnv_resolve_address(const struct cnv_endpoint *endpoint, struct cnv_endpoint *ret_endpoint);

#endif

#pragma once
/* Network addresses as text from outside: whose request it is behind proxies, and the bytes to count it under. */
#include "base.h"

/* With or without a port ("203.0.113.7", "203.0.113.7:80", "[2001:db8::1]:80", "2001:db8::1"). IPv4 is mapped into
 * IPv6. */
int gw_address_parse(uint8_t out[16], struct slice text) MUST_CHECK;
/*
 * The address that the outermost of `hops` trusted proxies saw: each adds its own peer at the end of X-Forwarded-For,
 * so what stands further left is the client's claim. lines: that header's, in order. Falls back to what is further
 * right, at last to the peer, when there are fewer entries or one is no address. Without a port; borrowed from the input.
 */
struct slice gw_address_forwarded(const char *const *lines, unsigned n_lines, unsigned hops,
                                  const char *peer);
/* Whose requests are counted together: an IPv4 address, or an IPv6 network of 64 bits, which one client owns whole. */
void gw_address_owner(uint8_t out[16], const uint8_t address[16]);

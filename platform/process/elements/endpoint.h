/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses of sockets: IPv4 with port, or a unix socket's file or abstract name.
 */
#ifndef IMAGO_PLATFORM_PROCESS_ELEMENTS_ENDPOINT_H
#define IMAGO_PLATFORM_PROCESS_ELEMENTS_ENDPOINT_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/error.h"
#include "lib/string.h"

/* length 0: none. */
struct endpoint {
  union {
    struct sockaddr any;
    struct sockaddr_in ip;
    struct sockaddr_un file;
  };
  socklen_t length;
};

/* `address` in network order, `port` in host order. */
void endpoint_set_ip(struct endpoint *endpoint, uint32_t address, uint16_t port);
/* A file, or after a NUL byte an abstract name (unix(7)). -ERROR_TOO_BIG. */
int endpoint_set_unix(struct endpoint *endpoint, const char *name, size_t length) MUST_USE;
bool endpoint_is_file(const struct endpoint *endpoint);
bool endpoint_same(const struct endpoint *a, const struct endpoint *b);
/* "10.0.0.1:80", "/run/socket", "@abstract", or "(unnamed)" for a client that has no name. Always ends in NUL. */
enum { ENDPOINT_TEXT = 112 };
void endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT]);

#endif

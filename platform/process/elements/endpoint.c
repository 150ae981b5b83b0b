/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses of sockets.
 */
#include "platform/process/elements/endpoint.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include "lib/text.h"

enum { PATH_OFFSET = offsetof(struct sockaddr_un, sun_path) };

void endpoint_set_ip(struct endpoint *endpoint, uint32_t address, uint16_t port) {
  *endpoint = (struct endpoint){.ip = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = address},
                                .length = sizeof endpoint->ip};
}

/* A file's name has its NUL in the address, too; an abstract one is as long as it is. */
int endpoint_set_unix(struct endpoint *endpoint, const char *name, size_t length) {
  bool file = length > 0 && name[0] != '\0';
  *endpoint = (struct endpoint){.file.sun_family = AF_UNIX};
  if (length + file > sizeof endpoint->file.sun_path) return -ERROR_TOO_BIG;
  memcpy(endpoint->file.sun_path, name, length);
  endpoint->length = (socklen_t)(PATH_OFFSET + length + file);
  return 0;
}

bool endpoint_is_file(const struct endpoint *endpoint) {
  return endpoint->length > PATH_OFFSET && endpoint->any.sa_family == AF_UNIX && endpoint->file.sun_path[0] != '\0';
}

bool endpoint_same(const struct endpoint *a, const struct endpoint *b) {
  return a->length == b->length && memcmp(&a->any, &b->any, a->length) == 0;
}

void endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT]) {
  char ip[INET_ADDRSTRLEN];
  size_t name = endpoint->length > PATH_OFFSET ? endpoint->length - PATH_OFFSET : 0;
  if (name > 0 && endpoint->any.sa_family == AF_INET) {
    (void)inet_ntop(AF_INET, &endpoint->ip.sin_addr, ip, sizeof ip);
    format_text(text, ENDPOINT_TEXT, "%s:%u", ip, ntohs(endpoint->ip.sin_port));
  } else if (name == 0) {
    format_text(text, ENDPOINT_TEXT, "(unnamed)");
  } else if (endpoint_is_file(endpoint)) {
    format_text(text, ENDPOINT_TEXT, "%.*s", (int)strnlen(endpoint->file.sun_path, name), endpoint->file.sun_path);
  } else {
    format_text(text, ENDPOINT_TEXT, "@%.*s", (int)strnlen(endpoint->file.sun_path + 1, name - 1),
                endpoint->file.sun_path + 1);
  }
}

/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names of addresses and ports, by scope. The scope of element "a/b/c" is "a/b/": a name is looked for there, then in "a/", then at
 * the top.
 */
#include "click/address_book.h"

#include "click/args.h"
#include "click/number.h"
#include "click/router.h"
#include "lib/memory.h"

/* --- finding --- */

/* Length of the scope that the element's name stands in, its '/' included. */
static size_t scope_length(const char *name, size_t length) {
  while (length > 0 && name[length - 1] != '/')
    length--;
  return length;
}

static bool suffix_is(struct slice suffix, const char *name) {
  size_t i = 0;
  for (; i < suffix.length && name[i]; i++) {
    char c = suffix.data[i];
    if ((c >= 'A' && c <= 'Z' ? (char)(c + 32) : c) != name[i]) return false;
  }
  return i == suffix.length && name[i] == '\0';
}

/* Cuts ":ip" and the like off; false when it asks for another kind. */
static bool strip_suffix(enum address_kind kind, struct slice *name) {
  static const char *const suffixes[ADDRESS_KINDS][2] = {
      [ADDRESS_IP] = {"ip", "ip4"},          [ADDRESS_IP_PREFIX] = {"ipnet", "ip4net"},
      [ADDRESS_IP6] = {"ip6", "ip6"},        [ADDRESS_IP6_PREFIX] = {"ip6net", "ip6net"},
      [ADDRESS_ETHER] = {"eth", "ethernet"},
  };
  size_t at = name->length;
  while (at > 0 && name->data[at - 1] != ':')
    at--;
  if (at == 0) return true;
  struct slice suffix = {name->data + at, name->length - at};
  name->length = at - 1;
  if (!suffixes[kind][0]) return false;
  return suffix_is(suffix, suffixes[kind][0]) || suffix_is(suffix, suffixes[kind][1]);
}

const struct address_entry *address_book_find(const struct element *context, enum address_kind kind,
                                              struct slice name) {
  const struct address_book *book = context && context->router ? context->router->addresses : NULL;
  if (!book || !strip_suffix(kind, &name) || name.length == 0 || name.length > CLICK_MAX_NAME) return NULL;
  char key[CLICK_MAX_FULL_NAME + CLICK_MAX_NAME];
  size_t scope = strlen(context->name);
  if (scope > CLICK_MAX_FULL_NAME) return NULL;
  memcpy(key, context->name, scope);
  for (;;) {
    scope = scope_length(context->name, scope);
    memcpy(key + scope, name.data, name.length);
    int64_t index = name_table_find(&book->names[kind], (struct slice){key, scope + name.length});
    if (index >= 0) return &book->entries[index];
    if (scope == 0) return NULL;
    scope--; /* the '/' */
  }
}

/* --- defining --- */

static struct address_entry *add_entry(struct element *context, enum address_kind kind, struct slice name) {
  struct router *router = context->router;
  if (!router->addresses) router->addresses = memory_alloc(sizeof *router->addresses);
  struct address_book *book = router->addresses;
  if (!book) return NULL;
  struct text full = {0};
  text_add_bytes(&full, context->name, scope_length(context->name, strlen(context->name)));
  text_add_slice(&full, name);
  if (full.failed) return NULL;
  int64_t known = name_table_find(&book->names[kind], (struct slice){full.data, full.length});
  if (known >= 0) {
    text_free(&full);
    return &book->entries[known]; /* defined again: the last counts */
  }
  if (book->count == book->capacity) {
    uint32_t larger = book->capacity ? book->capacity * 2 : 16;
    void *moved = memory_resize(book->entries, larger * sizeof *book->entries);
    if (!moved) {
      text_free(&full);
      return NULL;
    }
    book->entries = moved;
    book->capacity = larger;
  }
  if (name_table_add(&book->names[kind], (struct slice){full.data, full.length}, book->count) != 0) {
    text_free(&full);
    return NULL;
  }
  struct address_entry *entry = &book->entries[book->count++];
  *entry = (struct address_entry){.name = full.data};
  return entry;
}

static int define_one(struct element *context, struct slice name, struct slice text, struct report *report) {
  struct address_entry value = {0}, *entry = NULL;
  enum address_kind kind = ADDRESS_IP;
  if (address_ip(context, text, &value.value.ip) == 0) {
    kind = ADDRESS_IP;
  } else if (address_ip_prefix(context, text, false, &value.value.ip_prefix) == 0) {
    kind = ADDRESS_IP_PREFIX;
    struct ip_prefix prefix = value.value.ip_prefix;
    /* "10.0.0.1/8" is a host and its network. */
    if (prefix.address & ~prefix.mask) {
      entry = add_entry(context, ADDRESS_IP, name);
      if (!entry) return -ERROR_NO_MEMORY;
      entry->value.ip = prefix.address;
    }
  } else if (address_ip6(context, text, &value.value.ip6) == 0) {
    kind = ADDRESS_IP6;
  } else if (address_ip6_prefix(context, text, false, &value.value.ip6_prefix) == 0) {
    kind = ADDRESS_IP6_PREFIX;
  } else if (address_ether(context, text, value.value.ether) == 0) {
    kind = ADDRESS_ETHER;
  } else {
    return report_error(report, ERROR_INVALID, "\"%.*s\" '%.*s' is not a recognizable address", (int)name.length,
                        name.data, (int)text.length, text.data);
  }
  entry = add_entry(context, kind, name);
  if (!entry) return -ERROR_NO_MEMORY;
  entry->value = value.value;
  return 0;
}

int address_define(struct element *context, const char *argument, struct report *report) {
  struct slice rest = slice_of(argument), name = slice_next_word(&rest), word;
  if (name.length == 0) return 0;
  if (name.length > CLICK_MAX_NAME || slice_trim(rest).length == 0) {
    return report_error(report, ERROR_INVALID, "expected 'NAME [ADDRS]', got '%.100s'", argument);
  }
  int result = 0;
  while ((word = slice_next_word(&rest)).length > 0) {
    int error = define_one(context, name, word, report);
    if (error) result = error;
  }
  return result;
}

static int define_port_name(struct element *context, enum address_kind kind, struct slice name, uint16_t port) {
  struct address_entry *entry = add_entry(context, kind, name);
  if (!entry) return -ERROR_NO_MEMORY;
  entry->value.port = port;
  return 0;
}

int address_define_port(struct element *context, const char *argument, struct report *report) {
  struct slice rest = slice_of(argument), name = slice_next_word(&rest), place = slice_next_word(&rest);
  if (name.length == 0 || name.data[0] == '#') return 0; /* as in /etc/services */
  const char *slash = place.length ? memchr(place.data, '/', place.length) : NULL;
  struct slice number = {place.data, slash ? (size_t)(slash - place.data) : place.length};
  struct slice protocol = slash ? (struct slice){slash + 1, place.length - number.length - 1} : (struct slice){"", 0};
  uint64_t port;
  if (number_unsigned(number, UINT16_MAX, &port) != 0) {
    return report_error(report, ERROR_INVALID, "expected 'NAME PORT/PROTO', got '%.100s'", argument);
  }
  bool tcp = !slash || slice_equals(protocol, "tcp"), udp = !slash || slice_equals(protocol, "udp");
  for (; name.length > 0 && name.length <= CLICK_MAX_NAME && name.data[0] != '#'; name = slice_next_word(&rest)) {
    int result = tcp ? define_port_name(context, ADDRESS_TCP_PORT, name, (uint16_t)port) : 0;
    if (result == 0 && udp) result = define_port_name(context, ADDRESS_UDP_PORT, name, (uint16_t)port);
    if (result) return result;
  }
  return 0;
}

void address_book_free(struct address_book *book) {
  if (!book) return;
  for (uint32_t i = 0; i < book->count; i++)
    memory_free(book->entries[i].name);
  for (unsigned i = 0; i < ADDRESS_KINDS; i++)
    name_table_free(&book->names[i]);
  memory_free(book->entries);
  memory_free(book);
}

/* SPDX-License-Identifier: BSD-3-Clause
 *
 * AddressInfo and PortInfo: names for addresses and ports, which the arguments of other elements may use. They handle no packets.
 */
#include "click/address.h"
#include "click/element.h"

static int define_all(struct element *e, const struct args *rest, struct report *report,
                      int (*define)(struct element *, const char *, struct report *)) {
  int result = 0;
  for (uint32_t i = 0; i < rest->count; i++) {
    int error = define(e, rest->values[i], report);
    if (error) result = error;
  }
  return result;
}

static int address_info_configure(struct element *e, const struct args *rest, struct report *report) {
  return define_all(e, rest, report, address_define);
}

static const struct element_class address_info_class = {
    .name = "AddressInfo",
    .purpose = "specifies address information",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct element),
    .takes_rest = true,
    .phase = CONFIGURE_INFO,
    .configure = address_info_configure,
    .example = "AddressInfo(gateway 10.0.0.1/24 00:11:22:33:44:55, v6 2001:db8::1);\n"
               "... -> EtherEncap(0x0800, gateway, gateway:eth) -> ...",
    .manual =
        "Arguments are NAME ADDRESS [ADDRESS...]. A name may stand for an IPv4 address, an IPv4 prefix, an IPv6 address, an "
        "IPv6 prefix and an Ethernet address at once; which is meant follows from the place, or from a suffix: NAME:ip, "
        "NAME:ipnet, NAME:ip6, NAME:ip6net, NAME:eth. 10.0.0.1/24 is both a host and its network. Names hold in the "
        "compound element where they are defined, and in those inside it.",
};
ELEMENT(AddressInfo, address_info_class);

static int port_info_configure(struct element *e, const struct args *rest, struct report *report) {
  return define_all(e, rest, report, address_define_port);
}

static const struct element_class port_info_class = {
    .name = "PortInfo",
    .purpose = "specifies TCP and UDP port names",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct element),
    .takes_rest = true,
    .phase = CONFIGURE_INFO,
    .configure = port_info_configure,
    .example = "PortInfo(game 27015/udp, api 8443 rest);",
    .manual =
        "Arguments are NAME PORT[/PROTOCOL] [ALIAS...], as lines of /etc/services: without protocol the name is for TCP and "
        "UDP, and what begins with '#' is a comment. Names hold in the compound element where they are defined, and in "
        "those inside it. The usual names (http, domain, ssh ...) need no definition.",
};
ELEMENT(PortInfo, port_info_class);

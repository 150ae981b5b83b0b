/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rows of the elements that look at headers, and of those that print. The packets, here as sources of one packet, are scapy's.
 */
#include "tests/unit/elements/rows.h"

#define SOURCE(bytes) "InfiniteSource(DATA \\<" bytes ">, LIMIT 1, TIMESTAMP false)"
/* IP(src="10.0.0.1", dst="10.0.0.2", id=7, ttl=5, tos=9) / UDP(sport=1, dport=2) / "hi" */
#define UDP "4509001e000700000511a1bd0a0000010a00000200010002000a836b6869"
/* IP(src="10.0.0.255", dst="10.0.0.2") / UDP(sport=1, dport=2): from the broadcast address of 10.0.0.0/24 */
#define BROADCAST "4500001c00010000401165d00a0000ff0a000002000100020008eada"
/* The same from 10.0.0.1 with one bit of the IP checksum turned */
#define BAD_SUM "4500001c00010000401167ce0a0000010a000002000100020008ebd8"
/* IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(id=0x0102, seq=0x0304) */
#define ECHO "4500001c00010000400166de0a0000010a0000020800f3f901020304"
/* Ether(src="00:00:00:00:00:01", dst=broadcast) / ARP(hwsrc="00:00:00:00:00:01", psrc="10.0.0.1", pdst="10.0.0.2") */
#define ARP                                      \
  "ffffffffffff00000000000108060001080006040001" \
  "0000000000010a0000010000000000000a000002"

#define IP_PRINT(arguments) "MarkIPHeader -> e :: $C(" arguments ", TIMESTAMP false) -> Discard"
#define LINE "10.0.0.1.1 > 10.0.0.2.2: udp 10"

const struct row rows_header[] = {
    {"MarkIPHeader", "OFFSET", SOURCE("aaaa" UDP) " -> e :: $C(OFFSET 2) -> IPPrint(TIMESTAMP false) -> Discard",
     "R %log", LINE, "markipheader.hh; ipprint.cc"},
    {"CheckIPHeader CheckIPHeader2", "OFFSET", SOURCE("aaaa" UDP) " -> e :: $C(OFFSET 2) -> c :: Counter -> Discard",
     "R c.count e.drops", "1|0", "checkipheader.hh"},
    {"CheckIPHeader CheckIPHeader2", "INTERFACES drops",
     SOURCE(BROADCAST) " -> e :: $C(INTERFACES 10.0.0.9/24) -> c :: Counter -> Discard", "R c.count e.drops", "0|1",
     "checkipheader.hh: from the interface's broadcast address"},
    {"CheckIPHeader CheckIPHeader2", "BADSRC",
     SOURCE(BROADCAST) " -> e :: $C(BADSRC 10.0.0.255) -> c :: Counter -> Discard", "R c.count", "0",
     "checkipheader.hh"},
    {"CheckIPHeader CheckIPHeader2", "GOODDST",
     SOURCE(BROADCAST) " -> e :: $C(BADSRC 10.0.0.255, GOODDST 10.0.0.2) -> c :: Counter -> Discard", "R c.count", "1",
     "checkipheader.hh"},
    {"CheckIPHeader", "CHECKSUM", SOURCE(BAD_SUM) " -> e :: $C(CHECKSUM false) -> c :: Counter -> Discard", "R c.count",
     "1", "checkipheader.hh; RFC 791: the sum is wrong"},
    {"CheckIPHeader2", "CHECKSUM", SOURCE(BAD_SUM) " -> e :: $C(CHECKSUM true) -> c :: Counter -> Discard", "R c.count",
     "0", "checkipheader2.hh; RFC 791: the sum is wrong"},
    {"CheckIPHeader CheckIPHeader2", "VERBOSE", "i :: Inject -> e :: $C(VERBOSE true) -> Discard", "I=a_b %log",
     "e: IP header check failed: tiny packet\ne: IP header check failed: tiny packet", "checkipheader.cc, drop"},
    {"CheckTCPHeader", "VERBOSE", "i :: Inject -> e :: $C(VERBOSE true) -> Discard", "I=a_b %log",
     "e: TCP header check failed: not TCP\ne: TCP header check failed: not TCP", "checktcpheader.cc, drop"},
    {"CheckUDPHeader", "VERBOSE", "i :: Inject -> e :: $C(VERBOSE true) -> Discard", "I=a_b %log",
     "e: UDP header check failed: not UDP\ne: UDP header check failed: not UDP", "checkudpheader.cc, drop"},
    {"CheckICMPHeader", "VERBOSE", "i :: Inject -> e :: $C(VERBOSE true) -> Discard", "I=a_b %log",
     "e: ICMP header check failed: not ICMP\ne: ICMP header check failed: not ICMP", "checkicmpheader.cc, drop"},
    {"CheckIPHeader CheckIPHeader2", "DETAILS drops", "i :: Inject -> e :: $C(DETAILS true) -> Discard",
     "I=a_b e.drops e.drop_details",
     "2|2\ttiny packet\n0\tbad IP version\n0\tbad IP header length\n0\tbad IP length\n0\tbad IP checksum\n0\tbad source address",
     "checkipheader.cc, read_handler"},
    {"CheckTCPHeader", "DETAILS drops", "i :: Inject -> e :: $C(DETAILS true) -> Discard",
     "I=a_b e.drops e.drop_details", "2|2\tnot TCP\n0\tbad packet length\n0\tbad TCP checksum",
     "checktcpheader.cc, read_handler"},
    {"CheckUDPHeader", "DETAILS drops", "i :: Inject -> e :: $C(DETAILS true) -> Discard",
     "I=a_b e.drops e.drop_details", "2|2\tnot UDP\n0\tbad packet length\n0\tbad UDP checksum",
     "checkudpheader.cc, read_handler"},
    {"CheckICMPHeader", "DETAILS drops", "i :: Inject -> e :: $C(DETAILS true) -> Discard",
     "I=a_b e.drops e.drop_details", "2|2\tnot ICMP\n0\tbad packet length\n0\tbad ICMP checksum",
     "checkicmpheader.cc, read_handler"},

    {"Print", "LABEL", "i :: Inject -> e :: $C(LABEL x) -> Discard", "I=abc %log", "x:    3 | 616263",
     "print.cc, simple_action"},
    {"Print", "MAXLENGTH", "i :: Inject -> e :: $C(MAXLENGTH 2) -> Discard", "I=abc %log", "   3 | 6162",
     "print.cc, simple_action: %4d"},
    {"Print", "LENGTH", "i :: Inject -> e :: $C(x, LENGTH 2) -> Discard", "I=abc %log", "x:    3 | 6162",
     "print.cc: deprecated"},
    {"Print", "NBYTES", "i :: Inject -> e :: $C(x, NBYTES 2) -> Discard", "I=abc %log", "x:    3 | 6162",
     "print.cc: deprecated"},
    {"Print", "CONTENTS", "i :: Inject -> e :: $C(x, CONTENTS ASCII) -> Discard", "I=abc %log", "x:    3 |  abc",
     "print.cc"},
    {"Print", "TIMESTAMP", "i :: Inject -> SetTimestamp(7) -> e :: $C(x, 0, TIMESTAMP true) -> Discard", "I=a %log",
     "x: 7.000000:    1", "print.cc"},
    {"Print", "PRINTANNO", "i :: Inject -> Paint(255, 0) -> e :: $C(x, 0, PRINTANNO true) -> Discard", "I=a %log",
     "x:    1 | ff0000000000000000000000000000000000000000000000"
     "000000000000000000000000000000000000000000000000",
     "print.cc: 48 bytes"},
    {"Print", "CPU", "i :: Inject -> e :: $C(x, 0, CPU true) -> Discard", "I=a %log", "x(0):    1", "print.cc"},
    {"Print", "HEADROOM", "i :: Inject -> e :: $C(x, 0, HEADROOM true) -> Discard", "I=a %log", "x:    1 (h256 t1663)",
     "print.cc; 1,920 bytes are the buffer (docs/click.md)"},
    {"Print", "ACTIVE active", "i :: Inject -> e :: $C(x, 0, ACTIVE false) -> Discard",
     "I=a %log e.active e.active=1 I=bc %log", "|false|x:    2", "print.hh"},

    {"IPPrint", "LABEL", SOURCE(UDP) " -> " IP_PRINT("LABEL x"), "R %log", "x: " LINE, "ipprint.cc, simple_action"},
    {"IPPrint", "CONTENTS", SOURCE(UDP) " -> " IP_PRINT("CONTENTS HEX"), "R %log",
     LINE "\n  4509001e 00070000 0511a1bd 0a000001 0a000002 00010002\n  000a836b 6869", "ipprint.cc: 24 bytes a line"},
    {"IPPrint", "PAYLOAD", SOURCE(UDP) " -> " IP_PRINT("PAYLOAD ASCII"), "R %log", LINE "\n  hi", "ipprint.cc"},
    {"IPPrint", "MAXLENGTH", SOURCE(UDP) " -> " IP_PRINT("PAYLOAD ASCII, MAXLENGTH 1"), "R %log", LINE "\n  h",
     "ipprint.cc"},
    {"IPPrint", "NBYTES", SOURCE(UDP) " -> " IP_PRINT("PAYLOAD ASCII, NBYTES 1"), "R %log", LINE "\n  h",
     "ipprint.cc: deprecated"},
    {"IPPrint", "ID", SOURCE(UDP) " -> " IP_PRINT("ID true"), "R %log", "id 7 " LINE, "ipprint.cc"},
    {"IPPrint", "TTL", SOURCE(UDP) " -> " IP_PRINT("TTL true"), "R %log", "ttl 5 " LINE, "ipprint.cc"},
    {"IPPrint", "TOS", SOURCE(UDP) " -> " IP_PRINT("TOS true"), "R %log", "tos 9 " LINE, "ipprint.cc"},
    {"IPPrint", "LENGTH", SOURCE(UDP) " -> " IP_PRINT("LENGTH true"), "R %log", "length 30 " LINE, "ipprint.cc"},
    {"IPPrint", "TIMESTAMP", SOURCE(UDP) " -> " IP_PRINT("x"), "R %log", "x: " LINE, "ipprint.cc"},
    {"IPPrint", "AGGREGATE", SOURCE(UDP) " -> Paint(3, 20) -> " IP_PRINT("AGGREGATE true"), "R %log", "#3: " LINE,
     "ipprint.cc; packet_anno.hh: AGGREGATE begins at 20"},
    {"IPPrint", "PAINT", SOURCE(UDP) " -> Paint(3) -> " IP_PRINT("PAINT true"), "R %log", "paint 3: " LINE,
     "ipprint.cc"},
    {"IPPrint", "ETHER",
     SOURCE(
         UDP) " -> MarkIPHeader -> EtherEncap(0x0800, 2:2:2:2:2:2, 4:4:4:4:4:4) -> e :: $C(ETHER true, TIMESTAMP false) -> "
              "Discard",
     "R %log", "02-02-02-02-02-02 > 04-04-04-04-04-04: " LINE, "ipprint.hh"},
    {"IPPrint", "SWAP", SOURCE(ECHO) " -> " IP_PRINT("SWAP false"), "R %log",
     "10.0.0.1 > 10.0.0.2: icmp echo (513, 1027)", "ipprint.cc, swapit: 0x0201 and 0x0403 on a little-endian machine"},
    {"IPPrint", "ACTIVE active", SOURCE(UDP) " -> " IP_PRINT("ACTIVE false"), "R %log e.active e.active=true e.active",
     "|false|true", "ipprint.hh"},
    {"IPPrint", "OUTFILE", SOURCE(UDP) " -> " IP_PRINT("OUTFILE x"), NULL, "OUTFILE: lines go to the log only",
     "docs/click.md: refused"},
    {"IPPrint", "CHANNEL", SOURCE(UDP) " -> " IP_PRINT("CHANNEL c"), "R %log", "",
     "Click's router.cc, chatter_channel: nobody listens"},

    {"ARPPrint", "LABEL", SOURCE(ARP) " -> e :: $C(LABEL x, TIMESTAMP false) -> Discard", "R %log",
     "x: arp who-has 10.0.0.2 tell 10.0.0.1", "arpprint.cc"},
    {"ARPPrint", "TIMESTAMP", SOURCE(ARP) " -> e :: $C(TIMESTAMP false) -> Discard", "R %log",
     "arp who-has 10.0.0.2 tell 10.0.0.1", "arpprint.cc"},
    {"ARPPrint", "ETHER", SOURCE(ARP) " -> e :: $C(TIMESTAMP false, ETHER true) -> Discard", "R %log",
     "00-00-00-00-00-01 > FF-FF-FF-FF-FF-FF: arp who-has 10.0.0.2 tell 10.0.0.1", "arpprint.cc"},
    {"ARPPrint", "ACTIVE active", SOURCE(ARP) " -> e :: $C(ACTIVE false) -> Discard",
     "R %log e.active e.active=true e.active", "|false|true", "arpprint.hh"},
    {"ARPPrint", "OUTFILE", SOURCE(ARP) " -> e :: $C(OUTFILE x) -> Discard", NULL, "OUTFILE: lines go to the log only",
     "docs/click.md: refused"},
    {0}};

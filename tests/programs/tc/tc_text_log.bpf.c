/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Watches a text protocol: numbers that follow a keyword in the first line are parsed with helpers, compared with limits, and put into
 * words for the log.
 */
#include "headers.h"

#include <linux/pkt_cls.h>

enum { TEXT_PORT = 4242, LINE = 32, TEXT = 64 };

const volatile __u64 limit = 1000;

struct line {
  char text[TEXT];
};

RING(lines, 16384);

SEC("tc")
int tc_text_log(struct __sk_buff *skb) {
  struct cursor c = cursor_of_skb(skb);
  struct udphdr *udp = open_udp(&c);
  if (!udp || udp->dest != bpf_htons(TEXT_PORT)) return TC_ACT_OK;
  char line[LINE + 1] = {0};
  for (__u32 i = 0; i < LINE; i++) {
    char *letter = TAKE(&c, char);
    if (!letter || *letter == '\n') break;
    line[i] = *letter;
  }
  if (bpf_strncmp(line, 5, "LOAD ")) return TC_ACT_OK;
  unsigned long value = 0;
  if (bpf_strtoul(line + 5, LINE - 5, 10, &value) <= 0) return TC_ACT_SHOT;
  if (value <= limit) return TC_ACT_OK;
  struct line *out = bpf_ringbuf_reserve(&lines, sizeof *out, 0);
  if (!out) return TC_ACT_OK;
  __u64 arguments[2] = {value, limit};
  bpf_snprintf(out->text, sizeof out->text, "load %llu over %llu", arguments, sizeof arguments);
  bpf_ringbuf_submit(out, 0);
  return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";

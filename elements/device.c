/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What FromDevice and ToDevice share.
 */
#include "elements/device.h"

int device_check_burst(const struct device *d, struct report *report) {
  if (d->burst == 0 || d->burst > BATCH_MAX) {
    return report_error(report, ERROR_INVALID, "BURST: must be between 1 and %d, not %u", BATCH_MAX, d->burst);
  }
  return 0;
}

int device_take(struct device *d, const char *fix, struct report *report) {
  const struct element *e = &d->element;
  struct nic *nic = NULL;
  if (e->services->nic_open != NULL) {
    int error = e->services->nic_open(d->name, d->method, &nic, report);
    if (error != 0) return error;
  } else if ((nic = e->services->nic_find(d->name)) == NULL) {
    return report_error(report, ERROR_NOT_FOUND,
                        "no network interface '%s'; interfaces are eth0, eth1, ... in the order given", d->name);
  }
  for (uint32_t i = 0; i < e->router->element_count; i++) {
    const struct element *other = e->router->elements[i];
    if (other != e && other->class == e->class && ((const struct device *)other)->nic == nic) {
      return report_error(report, ERROR_EXISTS, "interface '%s' is taken by '%s :: %s' already; %s", d->name,
                          other->name, other->class->name, fix);
    }
  }
  d->nic = nic;
  return 0;
}

const struct nic *device_nic(const struct router *router, unsigned index) {
  const struct element_class *const classes[] = {element_class_find("FromDevice"), element_class_find("ToDevice")};
  for (uint32_t i = 0; i < router->element_count; i++) {
    const struct element *e = router->elements[i];
    if (e->class != classes[0] && e->class != classes[1]) continue;
    const struct nic *nic = ((const struct device *)e)->nic;
    if (nic->index == index) return nic;
  }
  return NULL;
}

const struct nic_stats *device_stats(const struct device *d) {
  if (d->nic->ops->refresh != NULL) d->nic->ops->refresh(d->nic);
  return &d->nic->stats;
}

int device_read_stats(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  const struct nic_stats *stats = device_stats(owner);
  const struct {
    const char *name;
    const uint64_t *value;
  } rows[] = {
      {"rx_packets", &stats->rx_packets}, {"rx_bytes", &stats->rx_bytes},         {"tx_packets", &stats->tx_packets},
      {"tx_bytes", &stats->tx_bytes},     {"rx_no_buffer", &stats->rx_no_buffer}, {"rx_too_long", &stats->rx_too_long},
      {"rx_error", &stats->rx_error},     {"rx_missed", &stats->rx_missed},       {"tx_error", &stats->tx_error},
      {"tx_full", &stats->tx_full},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    text_addf(out, "%s %llu\n", rows[i].name, (unsigned long long)counter_read(rows[i].value));
  }
  return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fields by name, and packets to and from lines and records: what is common to all fields. The format is that of the manual page of
 * Click's ToIPSummaryDump.
 */
#include "click/number.h"
#include "click/words.h"
#include "platform/process/summary/field.h"

static const struct summary_group *const groups[] = {
    &summary_annotation_fields, &summary_link_fields, &summary_ip_fields,
    &summary_transport_fields,  &summary_icmp_fields, &summary_payload_fields,
};

/* Other names, some of older versions. */
static const char *const synonyms[][2] = {
    {"utimestamp", "timestamp"},
    {"ts", "timestamp"},
    {"sec", "ts_sec"},
    {"usec", "ts_usec"},
    {"usec1", "ts_usec1"},
    {"first_utimestamp", "first_timestamp"},
    {"first_ts", "first_timestamp"},
    {"pkt_count", "count"},
    {"packet_count", "count"},
    {"agg", "aggregate"},
    {"wire_length", "wire_len"},
    {"length", "ip_len"},
    {"ip_p", "ip_proto"},
    {"tcp_seqno", "tcp_seq"},
    {"tcp_ackno", "tcp_ack"},
    {"tcp_win", "tcp_window"},
    {"ether_src", "eth_src"},
    {"ether_dst", "eth_dst"},
    {"ether_type", "eth_type"},
    {"payload_length", "payload_len"},
};

/* Stands for what a reader does not know. */
static const struct summary_field ignored = {.name = "none", .form = FORM_NUMBER};

static const struct summary_field *find_exact(const char *name) {
  for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++) {
    if (strcmp(synonyms[i][0], name) == 0) name = synonyms[i][1];
  }
  for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
    for (unsigned i = 0; i < groups[g]->count; i++) {
      if (strcmp(groups[g]->fields[i].name, name) == 0) return &groups[g]->fields[i];
    }
  }
  return NULL;
}

/* "tcp seq" is tcp_seq, and "ttl" is ip_ttl. */
static const struct summary_field *find_field(struct slice word) {
  char name[64];
  size_t length = format_text(name, sizeof name, "%.*s", (int)(word.length < 32 ? word.length : 32), word.data);
  if (word.length > 32) return NULL;
  for (size_t i = 0; i < length; i++) {
    if (name[i] == ' ') name[i] = '_';
  }
  const struct summary_field *field = find_exact(name);
  if (field != NULL || memchr(name, '_', length) != NULL) return field;
  char of_ip[sizeof name + 3];
  format_text(of_ip, sizeof of_ip, "ip_%s", name);
  return find_exact(of_ip);
}

static int add_field(struct slice word, enum summary_use use, struct summary_fields *fields, struct report *report) {
  const struct summary_field *field = find_field(word);
  if (fields->count == SUMMARY_FIELDS_MAX) {
    return report_error(report, ERROR_TOO_BIG, "more than %d fields", SUMMARY_FIELDS_MAX);
  }
  if (field == NULL && use != SUMMARY_READ) {
    return report_error(report, ERROR_NOT_FOUND, "unknown content type '%.*s'", (int)word.length, word.data);
  }
  if (use == SUMMARY_WRITE_BINARY && field->form == FORM_TEXT) {
    return report_error(report, ERROR_INVALID, "cannot use field %.*s with BINARY", (int)word.length, word.data);
  }
  if (field == NULL) {
    report_warning(report, "unknown content type '%.*s'", (int)word.length, word.data);
    field = &ignored;
  } else if (use == SUMMARY_READ && field->store == NULL) {
    report_warning(report, "content type '%.*s' ignored on input", (int)word.length, word.data);
  }
  /* Sorted by insertion: fields of the same order stay as they stand in the line. */
  unsigned at = fields->count;
  while (at > 0 && fields->field[fields->order[at - 1]]->order > field->order) {
    fields->order[at] = fields->order[at - 1];
    at--;
  }
  fields->order[at] = (uint8_t)fields->count;
  fields->field[fields->count++] = field;
  return 0;
}

int summary_fields_parse(const char *names, enum summary_use use, struct summary_fields *fields,
                         struct report *report) {
  struct slice rest = slice_of(names);
  int status = 0;
  fields->count = 0;
  for (struct slice word; (word = words_next(&rest)).length > 0;) {
    struct text plain = {0};
    words_unquote(word, &plain);
    int added = plain.failed ? -ERROR_NO_MEMORY : add_field(slice_of(text_string(&plain)), use, fields, report);
    text_free(&plain);
    if (added != 0) status = added;
    if (added == -ERROR_TOO_BIG || added == -ERROR_NO_MEMORY) break;
  }
  if (status == 0 && fields->count == 0) return report_error(report, ERROR_INVALID, "no contents specified");
  if (status != 0) fields->count = 0;
  return status;
}

bool summary_fields_have(const struct summary_fields *fields, const char *name) {
  for (unsigned i = 0; i < fields->count; i++) {
    if (strcmp(fields->field[i]->name, name) == 0) return true;
  }
  return false;
}

void summary_fields_describe(const struct summary_fields *fields, bool binary, struct text *out) {
  text_add(out, "!data");
  for (unsigned i = 0; i < fields->count; i++) {
    const char *name = fields->field[i]->name;
    /* As text both have as many digits as they need. */
    text_addf(out, " %s", strcmp(name, "ntimestamp") == 0 && !binary ? "timestamp" : name);
  }
  text_add(out, "\n");
}

/* --- writing --- */

static void pack(const struct summary_field *field, const struct summary_value *value, struct text *out) {
  static const uint8_t zeros[16] = {0};
  uint8_t bytes[8];
  uint64_t number = value->number;
  uint8_t length = (uint8_t)value->length;
  switch (field->form) {
    case FORM_BYTES:
      text_add_bytes(out, value->bytes != NULL ? value->bytes : zeros, field->size);
      return;
    case FORM_VARIABLE:
      text_add_bytes(out, &length, 1);
      if (length > 0) text_add_bytes(out, value->bytes, length);
      return;
    case FORM_MICRO:
    case FORM_NANO:
      number = value->number / 1000000000 << 32 | value->number % 1000000000 / (field->form == FORM_MICRO ? 1000 : 1);
      break;
    default:
      break;
  }
  store_be64(bytes, number);
  text_add_bytes(out, bytes + sizeof bytes - field->size, field->size);
}

static void print(const struct summary_view *view, const struct summary_field *field, const struct summary_value *value,
                  struct text *out) {
  if (field->print != NULL) {
    field->print(view, field, value, out);
  } else {
    text_addf(out, "%llu", (unsigned long long)value->number);
  }
}

static bool any_of_ip(const struct summary_fields *fields) {
  bool any = false;
  for (unsigned i = 0; i < fields->count; i++)
    any |= fields->field[i]->of_ip;
  return any;
}

void summary_write(const struct summary_fields *fields, const struct packet *p, const struct summary_style *style,
                   struct text *out, struct text *bad) {
  uint32_t extra = style->extra_length ? annotation_u32(p, SUMMARY_EXTRA_LENGTH) : 0;
  struct summary_view view = {.p = p, .length = p->length, .extra = extra, .extra_capture = extra, .bad = bad};
  if (any_of_ip(fields)) summary_view_ip(&view, style);
  size_t start = out->length;
  if (style->binary) text_add_bytes(out, "\0\0\0\0", 4);
  for (unsigned i = 0; i < fields->count; i++) {
    const struct summary_field *field = fields->field[i];
    struct summary_value value = {0};
    bool applies = field->look(&view, field, &value);
    if (!applies) value = (struct summary_value){0};
    if (i > 0 && !style->binary) text_add(out, " ");
    if (style->binary) {
      pack(field, &value, out);
    } else if (applies) {
      print(&view, field, &value, out);
    } else {
      text_add(out, "-");
    }
  }
  if (!style->binary) text_add(out, "\n");
  if (style->binary && !out->failed) store_be32(out->data + start, (uint32_t)(out->length - start));
}

#define METADATA 0x80000000u /* in the length of a record that is a line */

void summary_write_line(struct slice line, bool binary, struct text *out) {
  uint8_t length[4];
  store_be32(length, (uint32_t)(line.length + sizeof length) | METADATA);
  if (binary) text_add_bytes(out, length, sizeof length);
  text_add_slice(out, line);
}

/* --- reading --- */

/* Takes the field off the front of *rest; false: it is cut off. */
static bool unpack(const struct summary_field *field, struct slice *rest, struct summary_value *value) {
  const uint8_t *from = (const uint8_t *)rest->data;
  size_t length = field->size;
  if (field->form == FORM_VARIABLE) length = rest->length > 0 ? (size_t)from[0] + 1 : 1;
  if (field->form == FORM_TEXT || length > rest->length) {
    rest->length = 0;
    return false;
  }
  *rest = (struct slice){rest->data + length, rest->length - length};
  if (field->form == FORM_VARIABLE) {
    value->bytes = from + 1;
    value->length = (uint32_t)length - 1;
    return value->length <= OPTIONS_MAX;
  }
  value->bytes = from;
  value->length = (uint32_t)length;
  for (size_t i = 0; i < length && length <= 8; i++)
    value->number = value->number << 8 | from[i];
  if (field->form != FORM_MICRO && field->form != FORM_NANO) return true;
  uint64_t unit = field->form == FORM_MICRO ? 1000 : 1, part = (value->number & UINT32_MAX) * unit;
  value->number = (value->number >> 32) * 1000000000 + part;
  return part < 1000000000;
}

static bool parse_number(const struct summary_field *field, struct slice word, struct summary_value *value) {
  uint64_t max = field->size == 8 ? UINT64_MAX : ((uint64_t)1 << field->size * 8) - 1;
  return number_unsigned(word, max, &value->number) == 0;
}

static bool store_word(struct summary_draft *draft, const struct summary_field *field, struct slice word) {
  struct summary_value value = {0};
  bool good = field->parse != NULL ? field->parse(draft, field, word, &value) : parse_number(field, word, &value);
  return good && field->store(draft, field, &value);
}

static unsigned read_text(struct summary_draft *draft, struct slice line, bool *malformed) {
  const struct summary_fields *fields = &draft->context->fields;
  struct slice words[SUMMARY_FIELDS_MAX];
  unsigned told = 0;
  for (unsigned i = 0; i < fields->count; i++)
    words[i] = words_next(&line);
  for (unsigned i = 0; i < fields->count; i++) {
    const struct summary_field *field = fields->field[fields->order[i]];
    struct slice word = words[fields->order[i]];
    if (field->store == NULL || word.length == 0 || slice_equals(word, "-")) continue;
    bool good = store_word(draft, field, word);
    told += good;
    *malformed |= !good;
  }
  return told;
}

static unsigned read_record(struct summary_draft *draft, struct slice record, bool *malformed) {
  const struct summary_fields *fields = &draft->context->fields;
  struct summary_value values[SUMMARY_FIELDS_MAX];
  bool whole[SUMMARY_FIELDS_MAX];
  unsigned told = 0;
  for (unsigned i = 0; i < fields->count; i++) {
    values[i].number = 0;
    whole[i] = unpack(fields->field[i], &record, &values[i]);
  }
  for (unsigned i = 0; i < fields->count; i++) {
    unsigned at = fields->order[i];
    const struct summary_field *field = fields->field[at];
    if (field->store == NULL) continue;
    bool good = whole[at] && field->store(draft, field, &values[at]);
    told += good;
    *malformed |= !good;
  }
  return told;
}

unsigned summary_read(const struct summary_context *context, struct slice line, bool binary, struct packet *p,
                      bool *malformed) {
  struct summary_draft draft = {.p = p, .context = context};
  *malformed = false;
  if (context->have_aggregate) annotation_set_u32(p, ANNOTATION_AGGREGATE, context->aggregate);
  unsigned told = binary ? read_record(&draft, line, malformed) : read_text(&draft, line, malformed);
  if (told > 0) summary_draft_finish(&draft);
  return told;
}

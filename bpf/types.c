/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The check of a type table, and values as text and JSON. Types refer to earlier types only and the depth is limited, so the
 * recursion over them ends.
 */
#include "bpf/types.h"

#include "lib/bytes.h"

/* --- check --- */

static int complain(struct report *report, uint32_t type, const char *what) {
  return report_error(report, ERROR_INVALID, "type %u: %s", type, what);
}

static int check_member(const struct bpf_types *t, uint32_t index, const struct bpf_type_member *m,
                        struct report *report) {
  const struct bpf_type *type = &t->types[index];
  if (m->name >= t->names_length) return complain(report, index, "name of a member is outside the names");
  if (type->kind == BPF_TYPE_ENUM) return 0;
  if (m->type >= index) return complain(report, index, "member is of no earlier type");
  const uint64_t width = m->bits != 0 ? m->bits : (uint64_t)t->types[m->type].size * 8;
  if (m->bits > 64 || (m->bits == 0 && m->position % 8 != 0)) return complain(report, index, "member is no bit-field");
  if (m->position + width > (uint64_t)type->size * 8) return complain(report, index, "member is outside its struct");
  if (m->bits != 0 && m->position % 8 + m->bits > 64) return complain(report, index, "bit-field is too wide");
  return 0;
}

static bool is_scalar_size(uint32_t size) { return size == 1 || size == 2 || size == 4 || size == 8; }

static int check_type(const struct bpf_types *t, uint32_t index, uint8_t depth[BPF_TYPES_MAX], struct report *report) {
  const struct bpf_type *type = &t->types[index];
  depth[index] = 1;
  switch ((enum bpf_type_kind)type->kind) {
    case BPF_TYPE_BYTES:
      return 0;
    case BPF_TYPE_BOOL:
    case BPF_TYPE_CHAR:
      return type->size == 1 ? 0 : complain(report, index, "bool or char of another size than 1");
    case BPF_TYPE_UNSIGNED:
    case BPF_TYPE_SIGNED:
      return is_scalar_size(type->size) ? 0 : complain(report, index, "number of another size than 1, 2, 4 or 8");
    case BPF_TYPE_ARRAY:
      if (type->first >= index) return complain(report, index, "array of no earlier type");
      if (type->count > BPF_TYPES_MAX_ELEMENTS || t->types[type->first].size == 0 ||
          (uint64_t)type->count * t->types[type->first].size != type->size) {
        return complain(report, index, "array is not as long as its elements");
      }
      depth[index] = (uint8_t)(depth[type->first] + 1);
      break;
    case BPF_TYPE_ENUM:
    case BPF_TYPE_STRUCT:
      if (type->kind == BPF_TYPE_ENUM && !is_scalar_size(type->size))
        return complain(report, index, "enum of odd size");
      if (type->first > t->member_count || type->count > t->member_count - type->first) {
        return complain(report, index, "members are outside the table");
      }
      for (uint32_t i = 0; i < type->count; i++) {
        const struct bpf_type_member *member = &t->members[type->first + i];
        int status = check_member(t, index, member, report);
        if (status != 0) return status;
        if (type->kind == BPF_TYPE_STRUCT && depth[member->type] >= depth[index]) {
          depth[index] = (uint8_t)(depth[member->type] + 1);
        }
      }
      break;
    default:
      return complain(report, index, "unknown kind");
  }
  return depth[index] <= BPF_TYPES_MAX_DEPTH ? 0 : complain(report, index, "nested too deeply");
}

int bpf_types_check(const struct bpf_types *t, struct report *report) {
  uint8_t depth[BPF_TYPES_MAX];
  if (t->type_count > BPF_TYPES_MAX) {
    return report_error(report, ERROR_TOO_BIG, "%u types; at most %d are allowed", t->type_count, BPF_TYPES_MAX);
  }
  if (t->type_count != 0 && (t->names_length == 0 || t->names[t->names_length - 1] != '\0')) {
    return report_error(report, ERROR_INVALID, "names of types do not end in a NUL");
  }
  for (uint32_t i = 0; i < t->type_count; i++) {
    int status = check_type(t, i, depth, report);
    if (status != 0) return status;
  }
  return 0;
}

/* --- formatting --- */

/* Members may overlap and nest, so a small value may have a long text; it is cut off here. */
#define TEXT_LIMIT (1u << 20)

struct printer {
  struct text *out;
  const struct bpf_types *types;
  bool json;
  size_t limit; /* of out's length */
};

static void print_bytes(const struct printer *p, const uint8_t *value, uint32_t size) {
  text_add(p->out, p->json ? "\"0x" : "");
  for (uint32_t i = 0; i < size; i++) {
    text_addf(p->out, "%02x", value[i]);
  }
  text_add(p->out, p->json ? "\"" : "");
}

static uint64_t load_number(const uint8_t *value, uint32_t size, bool is_signed) {
  uint64_t v = 0;
  memcpy(&v, value, size);
  const unsigned unused = 64 - size * 8;
  return is_signed ? (uint64_t)((int64_t)(v << unused) >> unused) : v;
}

static void print_quoted(const struct printer *p, const char *text, size_t length) {
  text_add(p->out, "\"");
  for (size_t i = 0; i < length; i++) {
    const unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') {
      text_addf(p->out, "\\%c", c);
    } else if (c < ' ' || c > '~') {
      text_addf(p->out, "\\u%04x", c);
    } else {
      text_add_bytes(p->out, &text[i], 1);
    }
  }
  text_add(p->out, "\"");
}

static const char *enumerator(const struct bpf_types *t, const struct bpf_type *type, uint64_t v) {
  for (uint32_t i = 0; i < type->count; i++) {
    const struct bpf_type_member *member = &t->members[type->first + i];
    if (member->position == (uint32_t)v) return t->names + member->name;
  }
  return NULL;
}

static void print_scalar(const struct printer *p, const struct bpf_type *type, uint64_t v) {
  const char *name;
  const char c = (char)v;
  switch ((enum bpf_type_kind)type->kind) {
    case BPF_TYPE_BOOL:
      text_add(p->out, v != 0 ? "true" : "false");
      return;
    case BPF_TYPE_CHAR:
      print_quoted(p, &c, 1);
      return;
    case BPF_TYPE_ENUM:
      name = enumerator(p->types, type, v);
      if (name != NULL) {
        if (p->json) {
          print_quoted(p, name, strlen(name));
        } else {
          text_add(p->out, name);
        }
        return;
      }
      text_addf(p->out, "%lld", (long long)v);
      return;
    case BPF_TYPE_SIGNED:
      text_addf(p->out, "%lld", (long long)v);
      return;
    default:
      text_addf(p->out, "%llu", (unsigned long long)v);
      return;
  }
}

static bool is_signed(const struct bpf_type *type) {
  return type->kind == BPF_TYPE_SIGNED || type->kind == BPF_TYPE_ENUM;
}

static bool is_scalar(const struct bpf_type *type) {
  return type->kind != BPF_TYPE_BYTES && type->kind != BPF_TYPE_STRUCT && type->kind != BPF_TYPE_ARRAY;
}

/* Bits position.. of the struct; check_member saw that they lie in 8 bytes from the first. */
static uint64_t load_bits(const uint8_t *value, uint32_t size, const struct bpf_type_member *m, bool sign) {
  const uint32_t at = m->position / 8, left = size - at;
  const unsigned unused = 64 - m->bits;
  uint64_t v = load_number(value + at, left < 8 ? left : 8, false) >> (m->position % 8) << unused;
  return sign ? (uint64_t)((int64_t)v >> unused) : v >> unused;
}

static void print(const struct printer *p, uint32_t index, const uint8_t *value);

static void print_struct(const struct printer *p, const struct bpf_type *type, const uint8_t *value) {
  text_add(p->out, "{");
  for (uint32_t i = 0; i < type->count; i++) {
    const struct bpf_type_member *member = &p->types->members[type->first + i];
    const struct bpf_type *of = &p->types->types[member->type];
    const char *name = p->types->names + member->name;
    if (i != 0) text_add(p->out, p->json ? ", " : " ");
    if (p->json) {
      print_quoted(p, name, strlen(name));
      text_add(p->out, ": ");
    } else if (*name != '\0') {
      text_addf(p->out, "%s ", name);
    }
    if (member->bits != 0) {
      print_scalar(p, of, load_bits(value, type->size, member, is_signed(of)));
    } else {
      print(p, member->type, value + member->position / 8);
    }
  }
  text_add(p->out, "}");
}

static void print(const struct printer *p, uint32_t index, const uint8_t *value) {
  const struct bpf_type *type = &p->types->types[index];
  if (p->out->length > p->limit) return;
  if (is_scalar(type)) {
    print_scalar(p, type, load_number(value, type->size, is_signed(type)));
  } else if (type->kind == BPF_TYPE_BYTES) {
    print_bytes(p, value, type->size);
  } else if (type->kind == BPF_TYPE_STRUCT) {
    print_struct(p, type, value);
  } else if (p->types->types[type->first].kind == BPF_TYPE_CHAR) {
    print_quoted(p, (const char *)value, strnlen((const char *)value, type->size));
  } else {
    const uint32_t step = p->types->types[type->first].size;
    text_add(p->out, "[");
    for (uint32_t i = 0; i < type->count; i++) {
      if (i != 0) text_add(p->out, p->json ? ", " : " ");
      print(p, type->first, value + (size_t)i * step);
    }
    text_add(p->out, "]");
  }
}

void bpf_types_format(struct text *out, const struct bpf_types *types, uint32_t type, const void *value, uint32_t size,
                      enum bpf_text_style style) {
  const struct printer p = {out, types, style == BPF_STYLE_JSON, out->length + TEXT_LIMIT};
  if (types != NULL && type < types->type_count && types->types[type].size == size) {
    print(&p, type, value);
  } else {
    print_bytes(&p, value, size);
  }
}

/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Handlers of Script that need more than their parameter: time, chance, files, processes, other handlers, the script's variables.
 */
#include "click/decimal.h"
#include "click/handlers.h"
#include "click/words.h"
#include "elements/script.h"

/* Handlers with `offset` 1 are the second of a pair: now_steady, writable, catq. */

int script_read_now(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r) {
  const struct services *services = ((const struct element *)owner)->services;
  uint64_t now = h->offset ? services->now() : services->wall();
  /* Click's timestamps have nanoseconds only when they are not whole microseconds. */
  uint64_t rest = now % DECIMAL_NANO;
  text_addf(out, "%llu.%0*llu", (unsigned long long)(now / DECIMAL_NANO), rest % 1000 ? 9 : 6,
            (unsigned long long)(rest % 1000 ? rest : rest / 1000));
  return 0;
}

/* Uniform in 0 to most: what would favour small numbers is drawn again. */
static uint32_t random_up_to(const struct services *services, uint32_t most) {
  if (most == UINT32_MAX) return services->random();
  uint32_t range = most + 1, unfair = (UINT32_MAX % range + 1) % range, drawn = services->random();
  for (unsigned tries = 0; drawn > UINT32_MAX - unfair && tries < 64; tries++)
    drawn = services->random();
  return drawn % range;
}

int script_read_random(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                       struct report *r) {
  const struct services *services = ((const struct element *)owner)->services;
  struct slice rest = parameter, first = words_next(&rest), second = words_next(&rest);
  uint64_t low = 0, high = INT32_MAX; /* without arguments: as C's random() */
  bool good = rest.length == 0;
  if (second.length > 0) {
    good = good && !slice_to_u64(first, UINT32_MAX, &low) && !slice_to_u64(second, UINT32_MAX, &high) && low <= high;
  } else if (first.length > 0) {
    good = good && !slice_to_u64(first, (uint64_t)UINT32_MAX + 1, &high) && high > 0;
    high--;
  }
  if (!good) return report_error(r, ERROR_INVALID, "bad N: expected nothing, N above 0, or N1 N2 with N1 <= N2");
  uint64_t drawn = low + random_up_to(services, (uint32_t)(high - low));
  text_addf(out, "%llu", (unsigned long long)drawn);
  return 0;
}

int script_read_callable(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                         struct report *r) {
  struct element *e = owner;
  struct slice rest = parameter, word;
  bool all = true;
  while (all && (word = words_next(&rest)).length > 0) {
    struct text name = {0};
    handler_name_resolve(e, word, &name);
    all = handler_exists(e->router, (struct slice){text_string(&name), name.length}, h->offset == 1);
    text_free(&name);
  }
  text_add(out, all ? "true" : "false");
  return 0;
}

int script_read_file(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r) {
  const struct services *services = ((const struct element *)owner)->services;
  struct text name = {0}, content = {0};
  words_unquote(slice_trim(parameter), &name);
  int error;
  if (name.length == 0) {
    error = report_error(r, ERROR_INVALID, "bad FILE: expected a name");
  } else if (!services->host) {
    struct slice file = services->file(text_string(&name));
    text_add_slice(&content, file);
    error = file.data ? 0 : report_error(r, ERROR_NOT_FOUND, "%s: not in the boot archive", text_string(&name));
  } else {
    error = services->host->file_read(text_string(&name), &content, r);
  }
  struct slice bytes = {text_string(&content), content.length};
  if (error == 0 && h->offset) {
    words_quote(bytes, true, out);
  } else if (error == 0) {
    text_add_slice(out, bytes);
  }
  text_free(&name);
  text_free(&content);
  return error;
}

int script_read_kill(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r) {
  const struct host *host = ((const struct element *)owner)->services->host;
  if (!host) return report_error(r, ERROR_UNSUPPORTED, "there are no signals in an image");
  struct slice rest = parameter, word = words_next(&rest);
  int number = host->signal_number(word), error = 0;
  if (number < 0) return report_error(r, ERROR_INVALID, "bad SIGNO");
  while (error == 0 && rest.length > 0) {
    uint64_t process;
    /* 0 and negative ids are groups of processes: too many at a slip of the hand. */
    if (slice_to_u64(words_next(&rest), INT32_MAX, &process) || process == 0)
      return report_error(r, ERROR_INVALID, "bad PID: expected a process's id");
    error = host->signal_send((int64_t)process, number, r);
  }
  return error;
}

/* --- variables --- */

/* The variable of that name, $args among them. NULL after reporting. */
static struct text *find_variable(struct script *s, struct slice name, bool add, struct report *r) {
  if (slice_equals(name, "args")) return &s->arguments;
  struct script_variable *variable = name.length > 0 ? script_variable(s, name, add) : NULL;
  if (variable) return &variable->value;
  if (name.length == 0) {
    report_error(r, ERROR_INVALID, "no variable");
  } else if (add) {
    report_error(r, ERROR_NO_MEMORY, "no room for more than %d variables", SCRIPT_VARIABLES_MAX);
  } else {
    report_error(r, ERROR_NOT_FOUND, "undefined variable '%.*s'", (int)(name.length < 60 ? name.length : 60),
                 name.data);
  }
  return NULL;
}

int script_read_get(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r) {
  struct slice rest = parameter, name = words_next(&rest);
  if (rest.length > 0) return report_error(r, ERROR_INVALID, "too many arguments");
  struct script *s = owner;
  if (!script_enter(s)) return report_error(r, ERROR_BUSY, "the script runs on another worker; try again");
  const struct text *value = find_variable(s, name, false, r);
  if (value) text_add_bytes(out, text_string(value), value->length);
  script_leave(s);
  return value ? 0 : -ERROR_NOT_FOUND;
}

int script_read_shift(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                      struct report *r) {
  struct slice rest = parameter, name = words_next(&rest);
  if (rest.length > 0) return report_error(r, ERROR_INVALID, "too many arguments");
  if (name.length == 0) name = slice_of("args");
  struct script *s = owner;
  if (!script_enter(s)) return report_error(r, ERROR_BUSY, "the script runs on another worker; try again");
  struct text *value = find_variable(s, name, false, r);
  if (value && value->length > 0) {
    struct slice left = {value->data, value->length};
    text_add_slice(out, words_next(&left));
    memmove(value->data, left.data, left.length);
    value->length = left.length;
    value->data[left.length] = '\0';
  }
  script_leave(s);
  return value ? 0 : -ERROR_NOT_FOUND;
}

int script_write_set(void *owner, const struct handler *h, struct slice value, struct report *r) {
  struct slice rest = value, name = words_next(&rest);
  struct script *s = owner;
  if (rest.length > EXPAND_MAX) return report_error(r, ERROR_TOO_BIG, "value over %d bytes", EXPAND_MAX);
  if (!script_enter(s)) return report_error(r, ERROR_BUSY, "the script runs on another worker; try again");
  struct text *variable = find_variable(s, name, true, r), copy = {0};
  if (variable) {
    text_add_slice(&copy, rest); /* it may be part of the variable */
    text_free(variable);
    *variable = copy;
  }
  script_leave(s);
  return variable ? 0 : -ERROR_INVALID;
}

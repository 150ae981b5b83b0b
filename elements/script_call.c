/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How a script calls handlers, and where it prints: standard output where there is a host, the log in an image.
 */
#include "click/handlers.h"
#include "click/router.h"
#include "click/words.h"
#include "elements/script.h"

/* A call taken apart: "e.handler PARAMETER". */
struct call {
  struct text name;  /* in full, as the router knows it */
  struct text value; /* the parameter */
};

static void call_free(struct call *call) {
  text_free(&call->name);
  text_free(&call->value);
}

static int call_split(struct script *s, struct slice text, bool quoted, struct call *call, struct report *report) {
  struct slice rest = text, word = words_next(&rest);
  struct text name = {0};
  *call = (struct call){0};
  words_unquote(word, &name);
  handler_name_resolve(&s->element, (struct slice){text_string(&name), name.length}, &call->name);
  if (quoted) {
    words_unquote(rest, &call->value);
  } else {
    text_add_slice(&call->value, rest);
  }
  bool failed = name.failed || call->name.failed || call->value.failed;
  text_free(&name);
  if (!failed && call->name.length > 0) return 0;
  call_free(call);
  return failed ? -ERROR_NO_MEMORY : report_error(report, ERROR_INVALID, "a handler's name is missing");
}

/* What the handler said goes below a line that names it. */
static void pass_on(const struct call *call, struct report *own, struct report *report) {
  if (own->errors + own->warnings > 0) {
    report_note(report, "While calling '%s':", text_string(&call->name));
    report_append(report, own);
  }
  report_free(own);
}

static struct slice text_slice(const struct text *text) { return (struct slice){text_string(text), text->length}; }

static int call_read(struct script *s, const struct call *call, struct text *value, struct report *report) {
  struct report own = {.prefix = "  "};
  int error = router_read(s->element.router, text_slice(&call->name), text_slice(&call->value), value, &own);
  if (error && own.errors == 0) report_error(&own, (enum error)(-error), "%s", error_text(error));
  if (error == 0 && own.errors > 0) error = -ERROR_INVALID;
  pass_on(call, &own, report);
  return error;
}

int script_read(struct script *s, struct slice text, bool quoted, struct text *value, struct report *report) {
  struct call call;
  int error = call_split(s, text, quoted, &call, report);
  if (error) return error;
  error = call_read(s, &call, value, report);
  call_free(&call);
  return error;
}

void script_write(struct script *s, const struct script_instruction *in, struct report *report) {
  struct text text = {0};
  struct call call;
  int error = script_expand(s, slice_of(in->text), false, &text, report);
  if (error == 0) error = call_split(s, text_slice(&text), in->quoted, &call, report);
  if (error == 0) {
    struct report own = {.prefix = "  "};
    s->write_status = router_write(s->element.router, text_slice(&call.name), text_slice(&call.value), &own);
    if (s->write_status < 0 && own.errors == 0)
      report_error(&own, (enum error)(-s->write_status), "%s", error_text(s->write_status));
    pass_on(&call, &own, report);
    call_free(&call);
  } else {
    s->write_status = error;
  }
  text_free(&text);
}

/* --- printing --- */

static void log_lines(struct script *s, struct slice rest) {
  while (rest.length > 0) {
    const char *end = memchr(rest.data, '\n', rest.length);
    size_t length = end ? (size_t)(end - rest.data) : rest.length;
    s->element.services->log(LOG_INFO, rest.data, length);
    rest.data += end ? length + 1 : length;
    rest.length -= end ? length + 1 : length;
  }
}

/* Where the text of a print goes. */
struct destination {
  struct text file; /* empty: standard output */
  bool append;
};

/* Takes ">FILE" or ">>FILE" from the front of *text. */
static void take_destination(struct slice *text, struct destination *to) {
  if (text->length == 0 || text->data[0] != '>') return;
  to->append = text->length > 1 && text->data[1] == '>';
  struct slice rest = {text->data + 1 + to->append, text->length - 1 - to->append};
  words_unquote(words_next(&rest), &to->file);
  if (strcmp(text_string(&to->file), "-") == 0) text_clear(&to->file);
  *text = rest;
}

static void deliver(struct script *s, const struct destination *to, const struct text *text, struct report *report) {
  const struct host *host = s->element.services->host;
  if (to->file.length > 0 && !host) {
    report_error(report, ERROR_UNSUPPORTED, "%s: there are no files in an image", text_string(&to->file));
  } else if (to->file.length > 0) {
    (void)host->file_write(text_string(&to->file), to->append, text_slice(text), report); /* it has reported */
  } else if (host) {
    host->print(text_string(text), text->length);
  } else {
    log_lines(s, text_slice(text));
  }
}

/* A word that begins so names a handler. */
static bool names_handler(struct slice text) {
  return text.length > 0 && (char_is_alpha(text.data[0]) || text.data[0] == '_' || text.data[0] == '@');
}

/* Appends what a print shows. */
static int printed(struct script *s, const struct script_instruction *in, struct slice text, struct text *out,
                   struct report *report) {
  struct text expanded = {0};
  struct expander expander = script_expander(s);
  bool handler = names_handler(text);
  int error = expand(&expander, text, !handler, &expanded, report);
  if (error == 0 && handler) {
    error = script_read(s, text_slice(&expanded), in->quoted, out, report);
  } else if (error == 0) {
    words_unquote(text_slice(&expanded), out);
  }
  text_free(&expanded);
  return error;
}

void script_print(struct script *s, const struct script_instruction *in, struct report *report) {
  struct destination to = {0};
  struct text out = {0};
  struct slice text = slice_of(in->text);
  if (in->code == SCRIPT_PRINT) {
    take_destination(&text, &to);
  } else { /* save, append: HANDLER FILE */
    struct slice rest = text;
    text = words_next(&rest);
    words_unquote(rest, &to.file);
    to.append = in->code == SCRIPT_APPEND;
    if (strcmp(text_string(&to.file), "-") == 0) text_clear(&to.file);
  }
  unsigned errors = report->errors;
  int error = printed(s, in, text, &out, report);
  bool complete = out.length > 0 && out.data[out.length - 1] == '\n';
  if (error == 0 && report->errors == errors && !complete && !in->no_newline) text_add(&out, "\n");
  if (error == 0 || out.length > 0) deliver(s, &to, &out, report);
  text_free(&to.file);
  text_free(&out);
}

void script_show(struct script *s, const struct script_instruction *in, struct report *report) {
  const struct host *host = s->element.services->host;
  struct text text = {0}, value = {0}, out = {0};
  struct call call;
  if (script_expand(s, slice_of(in->text), false, &text, report) == 0 &&
      call_split(s, text_slice(&text), in->quoted, &call, report) == 0) {
    if (call_read(s, &call, &value, report) == 0) {
      text_addf(&out, "%s:\n", text_string(&call.name));
      text_add_bytes(&out, text_string(&value), value.length);
      text_add(&out, "\n");
      if (host) {
        host->error(text_string(&out), out.length);
      } else {
        log_lines(s, text_slice(&out));
      }
    }
    call_free(&call);
  }
  text_free(&text);
  text_free(&value);
  text_free(&out);
}

/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The ControlSocket session. Response codes and texts are those of Click's element ControlSocket; where our report has more
 * to say, it follows in further lines of the same code.
 */
#include "click/control_session.h"

/* Click's response codes. */
enum {
  CODE_OK = 200,
  CODE_OK_WARNING = 220,
  CODE_SYNTAX = 500,
  CODE_UNIMPLEMENTED = 501,
  CODE_NO_ELEMENT = 510,
  CODE_NO_HANDLER = 511,
  CODE_HANDLER_ERROR = 520,
  CODE_TOO_BIG = 521,
  CODE_PERMISSION = 530,
  CODE_NO_ROUTER = 540,
};

/* Click's cp_integer into an int. */
#define CONTROL_LENGTH_MAX 0x7fffffffu

enum command {
  READ,
  READ_DATA,
  READ_UNTIL,
  WRITE,
  WRITE_DATA,
  WRITE_UNTIL,
  CHECK_READ,
  CHECK_WRITE,
  LLRPC,
  QUIT,
  HELP
};

static const struct {
  const char *word;
  enum command command;
} commands[] = {
    {"READ", READ},
    {"GET", READ},
    {"READDATA", READ_DATA},
    {"READUNTIL", READ_UNTIL},
    {"WRITE", WRITE},
    {"SET", WRITE},
    {"WRITEDATA", WRITE_DATA},
    {"SETDATA", WRITE_DATA},
    {"WRITEUNTIL", WRITE_UNTIL},
    {"CHECKREAD", CHECK_READ},
    {"CHECKWRITE", CHECK_WRITE},
    {"LLRPC", LLRPC},
    {"QUIT", QUIT},
    {"CLOSE", QUIT},
    {"HELP", HELP},
};

static const char *const help_lines[] = {
    "Commands supported:",
    "READ handler [arg...]   call read handler, return DATA",
    "READDATA handler len    call read handler with len data bytes, return DATA",
    "READUNTIL handler term  call read handler, take data until term, return DATA",
    "WRITE handler [arg...]  call write handler",
    "WRITEDATA handler len   call write handler, pass len data bytes",
    "WRITEUNTIL handler term call write handler, take data until term",
    "CHECKREAD handler       check if read handler is valid",
    "CHECKWRITE handler      check if write handler is valid",
    "QUIT                    close connection",
};

/* ---- replies ---- */

/* One message line; control characters, which could fake further lines, become '?'. */
static void reply_line(struct control_session *session, unsigned code, bool more, struct slice message) {
  text_addf(&session->output, "%u%c", code, more ? '-' : ' ');
  size_t start = session->output.length;
  text_add_slice(&session->output, message);
  if (session->output.failed) return;
  for (size_t i = start; i < session->output.length; i++) {
    unsigned char c = (unsigned char)session->output.data[i];
    if ((c < 0x20 && c != '\t') || c == 0x7f) session->output.data[i] = '?';
  }
  text_add(&session->output, "\r\n");
}

/* "FIRST'NAME'REST", then the lines of the report. */
static void reply(struct control_session *session, unsigned code, const char *first, struct slice name,
                  const char *rest, const struct report *report) {
  struct text message = {0};
  text_add(&message, first);
  if (name.data != NULL) {
    text_addf(&message, "'%.*s'", (int)name.length, name.data);
  }
  text_add(&message, rest);
  struct slice lines = {NULL, 0};
  if (report != NULL) lines = (struct slice){report->text.data, report->text.length};
  while (lines.length > 0 && lines.data[lines.length - 1] == '\n')
    lines.length--;
  reply_line(session, code, lines.length > 0, (struct slice){message.data, message.length});
  if (message.failed) session->output.failed = true;
  while (lines.length > 0) {
    const char *end = memchr(lines.data, '\n', lines.length);
    size_t length = end != NULL ? (size_t)(end - lines.data) : lines.length;
    size_t skip = end != NULL ? length + 1 : length;
    reply_line(session, code, skip < lines.length, (struct slice){lines.data, length});
    lines.data += skip;
    lines.length -= skip;
  }
  text_free(&message);
}

static const struct slice no_name = {NULL, 0};

static void reply_simple(struct control_session *session, unsigned code, const char *message) {
  reply(session, code, message, no_name, "", NULL);
}

/* Answers for a handler that is missing, or not readable or writable. */
static void reply_refused(struct control_session *session, int error, bool element_known) {
  const struct control_backend *backend = session->backend;
  struct slice name = session->handler;
  if (error == -ERROR_PERMISSION) {
    reply(session, CODE_PERMISSION, "Handler ", name, session->write ? " read-only" : " write-only", NULL);
  } else if (error == -ERROR_STATE) {
    reply_simple(session, CODE_NO_ROUTER, "No router installed");
  } else if (element_known) {
    /* Reading what does not exist yields the sentence that lists what does. */
    struct text nothing = {0};
    struct report report = {0};
    (void)backend->read(backend->context, name, no_name, &nothing, &report);
    reply(session, CODE_NO_HANDLER, "No handler named ", name, "", &report);
    text_free(&nothing);
    report_free(&report);
  } else {
    const char *dot = memchr(name.data, '.', name.length);
    if (dot != NULL) name.length = (size_t)(dot - name.data);
    reply(session, CODE_NO_ELEMENT, "No element named ", name, "", NULL);
  }
}

/* ---- commands ---- */

static void call_read(struct control_session *session) {
  const struct control_backend *backend = session->backend;
  struct slice parameter = {text_string(&session->data), session->data.length};
  struct text value = {0};
  struct report report = {0};
  bool known = false;
  int error = backend->check(backend->context, session->handler, false, &known);
  if (error < 0) {
    reply_refused(session, error, known);
    return;
  }
  error = backend->read(backend->context, session->handler, parameter, &value, &report);
  if (value.failed || value.length > CONTROL_REPLY_MAX) {
    reply(session, CODE_HANDLER_ERROR, "Read handler ", session->handler,
          value.failed ? " error: out of memory for the value" : " error: value over 8 MiB", NULL);
  } else if (error < 0 || report.errors > 0) {
    if (report.text.length == 0) report_note(&report, "%s", error_text(error));
    reply(session, CODE_HANDLER_ERROR, "Read handler ", session->handler, " error", &report);
  } else {
    reply(session, CODE_OK, "Read handler ", session->handler, " OK", NULL);
    text_addf(&session->output, "DATA %zu\r\n", value.length);
    text_add_bytes(&session->output, value.data, value.length);
  }
  text_free(&value);
  report_free(&report);
}

static void call_write(struct control_session *session) {
  const struct control_backend *backend = session->backend;
  /* The data's memory comes from memory_resize, so that it is aligned to 8 as write handlers expect. */
  struct slice value = {text_string(&session->data), session->data.length};
  struct report report = {0};
  bool known = false;
  int error = backend->check(backend->context, session->handler, true, &known);
  if (error < 0) {
    reply_refused(session, error, known);
    return;
  }
  error = backend->write(backend->context, session->handler, value, &report);
  if (error < 0 || report.errors > 0) {
    if (report.text.length == 0) report_note(&report, "%s", error_text(error));
    reply(session, CODE_HANDLER_ERROR, "Write handler ", session->handler, " error", &report);
  } else if (report.warnings > 0) {
    reply(session, CODE_OK_WARNING, "Write handler ", session->handler, " OK with warnings", &report);
  } else {
    reply(session, CODE_OK, "Write handler ", session->handler, " OK", &report);
  }
  report_free(&report);
}

static void call_check(struct control_session *session) {
  const struct control_backend *backend = session->backend;
  bool known = false;
  int error = backend->check(backend->context, session->handler, session->write, &known);
  if (error == 0) {
    reply(session, CODE_OK, session->write ? "Write handler " : "Read handler ", session->handler, " OK", NULL);
  } else if (error == -ERROR_PERMISSION) {
    /* Click says 511 here, unlike WRITE and READ, which say 530. */
    reply(session, CODE_NO_HANDLER, "Handler ", session->handler, session->write ? " not writable" : " not readable",
          NULL);
  } else {
    reply_refused(session, error, known);
  }
}

/* The command in flight is complete. */
static void call_handler(struct control_session *session) {
  if (session->data.failed) {
    reply(session, CODE_HANDLER_ERROR, session->write ? "Write handler " : "Read handler ", session->handler,
          " error: out of memory for the data", NULL);
  } else if (session->write) {
    call_write(session);
  } else {
    call_read(session);
  }
}

static void end_command(struct control_session *session) {
  text_free(&session->data); /* up to 4 MiB: not kept between commands */
  text_clear(&session->line);
  session->handler = session->terminator = no_name;
  session->state = CONTROL_COMMAND;
}

/* Upper case, as Click compares. */
static bool word_is(struct slice word, const char *upper) {
  if (word.length != strlen(upper)) return false;
  for (size_t i = 0; i < word.length; i++) {
    char c = word.data[i];
    if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
    if (c != upper[i]) return false;
  }
  return true;
}

static void reply_too_big(struct control_session *session) {
  reply(session, CODE_TOO_BIG, "Data too large for handler ", session->handler, ": at most 4194304 bytes", NULL);
}
_Static_assert(CONTROL_DATA_MAX == 4194304 && CONTROL_LINE_MAX == 65536, "the messages name the limits");

/* *DATA and LLRPC: the length that stands last. False when it is not one; that is answered then. */
static bool begin_data(struct control_session *session, struct slice length) {
  uint64_t n = 0;
  if (slice_to_u64(length, CONTROL_LENGTH_MAX, &n) != 0) {
    reply(session, CODE_SYNTAX, "Syntax error in length ", length, ": expected a number of bytes", NULL);
    return false;
  }
  session->remaining = n;
  session->state = CONTROL_DATA;
  return true;
}

/* What follows stays in step with the client: the bytes it announced are discarded. */
static void skip_data(struct control_session *session) { session->state = CONTROL_SKIP_DATA; }

static void run_quit(struct control_session *session, struct slice rest) {
  if (rest.length > 0) reply_simple(session, CODE_SYNTAX, "Bad command syntax");
  reply_simple(session, CODE_OK, "Goodbye!");
  session->state = CONTROL_CLOSED;
}

static void run_help(struct control_session *session) {
  size_t count = sizeof help_lines / sizeof help_lines[0];
  for (size_t i = 0; i < count; i++)
    reply_line(session, CODE_OK, i + 1 < count, slice_of(help_lines[i]));
}

/* Runs the line, or leaves the state in which its data are collected. */
static void run_line(struct control_session *session) {
  struct slice rest = slice_trim((struct slice){text_string(&session->line), session->line.length});
  struct slice word = slice_next_word(&rest);
  if (word.length == 0) return;
  size_t count = sizeof commands / sizeof commands[0], found = 0;
  while (found < count && !word_is(word, commands[found].word))
    found++;
  if (found == count) {
    reply(session, CODE_UNIMPLEMENTED, "Command ", word, " unimplemented; HELP lists the commands", NULL);
    return;
  }
  enum command command = commands[found].command;
  if (command == QUIT) {
    run_quit(session, rest);
    return;
  }
  if (command == HELP) {
    run_help(session);
    return;
  }

  session->handler = slice_next_word(&rest);
  session->write = command == WRITE || command == WRITE_DATA || command == WRITE_UNTIL || command == CHECK_WRITE;
  bool length_follows = command == READ_DATA || command == WRITE_DATA;
  bool check = command == CHECK_READ || command == CHECK_WRITE;
  struct slice more = rest, argument = slice_next_word(&more);
  if (session->handler.length == 0 || (length_follows && (argument.length == 0 || more.length > 0)) ||
      (check && argument.length > 0) || (command == LLRPC && more.length > 0)) {
    reply_simple(session, CODE_SYNTAX, "Wrong number of arguments");
    return;
  }
  switch (command) {
    case READ:
    case WRITE:
      text_add_slice(&session->data, rest);
      call_handler(session);
      break;
    case READ_DATA:
    case WRITE_DATA:
      if (begin_data(session, argument) && session->remaining > CONTROL_DATA_MAX) {
        reply_too_big(session);
        skip_data(session);
      }
      break;
    case READ_UNTIL:
    case WRITE_UNTIL:
      session->terminator = rest;
      session->line_start = 0;
      session->too_big = false;
      session->state = CONTROL_UNTIL;
      break;
    case CHECK_READ:
    case CHECK_WRITE:
      call_check(session);
      break;
    case LLRPC:
      if (argument.length > 0 && !begin_data(session, argument)) break;
      reply_simple(session, CODE_UNIMPLEMENTED, "Command 'LLRPC' unimplemented: use READ or WRITE");
      if (argument.length > 0) skip_data(session);
      break;
    case QUIT:
    case HELP:
      break;
  }
}

/* ---- input ---- */

/* Length of the run without line end at the start of bytes. */
static size_t line_run(const char *bytes, size_t length) {
  size_t i = 0;
  while (i < length && bytes[i] != '\n' && bytes[i] != '\r')
    i++;
  return i;
}

static size_t input_command(struct control_session *session, const char *bytes, size_t length, bool *done) {
  size_t run = line_run(bytes, length);
  if (session->state == CONTROL_COMMAND) {
    if (session->line.length + run > CONTROL_LINE_MAX) {
      reply_simple(session, CODE_SYNTAX, "Line too long: at most 65536 bytes; send longer values with WRITEDATA");
      session->state = CONTROL_SKIP_LINE;
    } else {
      text_add_bytes(&session->line, bytes, run);
    }
  }
  if (run == length) return run;
  session->after_return = bytes[run] == '\r';
  if (session->line.failed) {
    reply_simple(session, CODE_HANDLER_ERROR, "Out of memory for the command line");
  } else if (session->state == CONTROL_COMMAND) {
    run_line(session);
  }
  *done = session->state == CONTROL_COMMAND || session->state == CONTROL_SKIP_LINE;
  return run + 1;
}

static size_t input_data(struct control_session *session, const char *bytes, size_t length) {
  size_t taken = length < session->remaining ? length : (size_t)session->remaining;
  if (session->state == CONTROL_DATA) text_add_bytes(&session->data, bytes, taken);
  session->remaining -= taken;
  return taken;
}

/* True if the line that ends here is the terminator; blanks at its end don't count. */
static bool at_terminator(const struct control_session *session) {
  size_t length = session->data.length - session->line_start;
  const char *line = text_string(&session->data) + session->line_start;
  while (length > 0 && char_is_space(line[length - 1]))
    length--;
  return length == session->terminator.length && memcmp(line, session->terminator.data, length) == 0;
}

static size_t input_until(struct control_session *session, const char *bytes, size_t length, bool *done) {
  size_t run = line_run(bytes, length);
  size_t line_length = session->data.length - session->line_start;
  if (session->data.length + run > CONTROL_DATA_MAX) session->too_big = true;
  if (session->too_big) {
    /* Keep only the current line, as far as it matters for finding the terminator. */
    if (session->line_start > 0) {
      memmove(session->data.data, session->data.data + session->line_start, line_length);
      session->data.length = line_length;
      session->line_start = 0;
    }
    size_t room = line_length < CONTROL_LINE_MAX + 1 ? CONTROL_LINE_MAX + 1 - line_length : 0;
    text_add_bytes(&session->data, bytes, run < room ? run : room);
  } else {
    text_add_bytes(&session->data, bytes, run);
  }
  if (run == length) return run;
  session->after_return = bytes[run] == '\r';
  if (at_terminator(session)) {
    if (session->data.data != NULL) session->data.data[session->line_start] = '\0';
    session->data.length = session->line_start;
    *done = true;
  } else {
    text_add_bytes(&session->data, bytes + run, 1);
    session->line_start = session->data.length;
  }
  return run + 1;
}

/* The byte after a CR: an LF belongs to that line's end, and so also to the data that are collected line by line. */
static size_t input_after_return(struct control_session *session, char byte) {
  session->after_return = false;
  if (byte != '\n') return 0;
  if (session->state == CONTROL_UNTIL && session->data.length > 0) {
    text_add_bytes(&session->data, &byte, 1);
    session->line_start = session->data.length;
  }
  return 1;
}

/* Carries the bytes on by one run; *done at the end of a command. */
static size_t input_step(struct control_session *session, const char *bytes, size_t length, bool *done) {
  if (session->after_return) return input_after_return(session, bytes[0]);
  if (session->state == CONTROL_DATA || session->state == CONTROL_SKIP_DATA) return input_data(session, bytes, length);
  if (session->state != CONTROL_UNTIL) return input_command(session, bytes, length, done);

  size_t taken = input_until(session, bytes, length, done);
  if (session->data.failed) {
    /* Without the line's beginning the terminator cannot be found any more. */
    reply_simple(session, CODE_HANDLER_ERROR, "Out of memory for the data; closing");
    session->state = CONTROL_CLOSED;
  } else if (*done && session->too_big) {
    reply_too_big(session);
  } else if (*done) {
    call_handler(session);
  }
  return taken;
}

size_t control_session_input(struct control_session *session, const char *bytes, size_t length) {
  if (session->output.length - session->sent >= CONTROL_OUTPUT_HIGH || control_session_closed(session)) return 0;
  size_t taken = 0;
  bool done = false;
  while (taken < length && !done && session->state != CONTROL_CLOSED) {
    taken += input_step(session, bytes + taken, length - taken, &done);
    /* Here rather than with the last byte, because there may be none: WRITEDATA x 0. */
    if ((session->state == CONTROL_DATA || session->state == CONTROL_SKIP_DATA) && session->remaining == 0) {
      if (session->state == CONTROL_DATA) call_handler(session);
      done = true;
    }
  }
  if (done && session->state != CONTROL_CLOSED) end_command(session);
  return taken;
}

/* ---- output ---- */

struct slice control_session_output(const struct control_session *session) {
  return (struct slice){text_string(&session->output) + session->sent, session->output.length - session->sent};
}

void control_session_sent(struct control_session *session, size_t length) {
  session->sent += length;
  if (session->sent < session->output.length) return;
  session->sent = 0;
  if (session->output.failed) session->state = CONTROL_CLOSED; /* the flag goes with the text */
  /* A reply may have been megabytes; the usual one is not worth an allocation each time. */
  if (session->output.capacity > CONTROL_OUTPUT_HIGH) {
    text_free(&session->output);
  } else {
    text_clear(&session->output);
  }
}

bool control_session_closed(const struct control_session *session) {
  /* A reply that could not be stored whole would break the protocol: the client must not take half of it for an answer. */
  return session->state == CONTROL_CLOSED || session->output.failed;
}

void control_session_init(struct control_session *session, const struct control_backend *backend) {
  memset(session, 0, sizeof *session);
  session->backend = backend;
  text_add(&session->output, "Click::ControlSocket/1.3\r\n");
}

void control_session_free(struct control_session *session) {
  text_free(&session->line);
  text_free(&session->data);
  text_free(&session->output);
}

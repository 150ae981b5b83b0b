/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One client's session of Click's ControlSocket protocol, version 1.3, over any byte stream: bytes in, bytes out, no device.
 * Commands: READ READDATA READUNTIL WRITE WRITEDATA WRITEUNTIL CHECKREAD CHECKWRITE QUIT HELP, and Click's synonyms GET SET
 * SETDATA CLOSE; LLRPC is answered with 501. Every byte may be hostile.
 */
#ifndef IMAGO_CLICK_CONTROL_SESSION_H
#define IMAGO_CLICK_CONTROL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/bundle.h"
#include "lib/report.h"
#include "lib/text.h"

enum {
  CONTROL_LINE_MAX = 65536,           /* a command line; also a line of the terminator search in *UNTIL */
  CONTROL_DATA_MAX = BUNDLE_MAX_SIZE, /* what one command may carry to a handler */
  CONTROL_OUTPUT_HIGH = 65536,        /* no further command starts while this much output waits */
  CONTROL_REPLY_MAX = 8 << 20,        /* a handler's value; larger ones are refused with 520 */
};

/* Where commands go. Codes as router_read, router_write and router_check; `value` is aligned to 8. */
struct control_backend {
  int (*read)(void *context, struct slice name, struct slice parameter, struct text *out, struct report *report);
  int (*write)(void *context, struct slice name, struct slice value, struct report *report);
  int (*check)(void *context, struct slice name, bool write, bool *element_known);
  void *context;
};

enum control_state {
  CONTROL_COMMAND,   /* collecting a command line */
  CONTROL_SKIP_LINE, /* over CONTROL_LINE_MAX: discarding up to the line's end */
  CONTROL_DATA,      /* collecting `remaining` bytes */
  CONTROL_SKIP_DATA, /* refused already: discarding `remaining` bytes */
  CONTROL_UNTIL,     /* collecting lines up to the terminator */
  CONTROL_CLOSED,    /* QUIT was answered */
};

/* Invariant: memory grows only with bytes that the client really sent, or that a handler gave. */
struct control_session {
  const struct control_backend *backend;
  enum control_state state;
  bool after_return; /* the last line ended in CR: an LF now belongs to it */
  bool write;        /* of the command in flight */
  bool too_big;      /* UNTIL: the data went over the limit and are being discarded */
  struct text line;  /* the command line; while a command is in flight `handler` and `terminator` point into it */
  struct slice handler, terminator;
  struct text data;  /* what the command carries */
  size_t line_start; /* UNTIL: where the current line starts in data */
  uint64_t remaining;
  struct text output; /* replies; taken from `sent` on */
  size_t sent;
};

/* Starts a session: the banner is in the output. The struct must be zero, or one that was freed. */
void control_session_init(struct control_session *session, const struct control_backend *backend);
void control_session_free(struct control_session *session);
/* Takes bytes from the client, up to the end of one command at most, so that packets can flow between commands; returns how
 * many were taken. 0 when CONTROL_OUTPUT_HIGH bytes of output wait, or when the session is closed. */
size_t control_session_input(struct control_session *session, const char *bytes, size_t length);
/* What is to be sent; control_session_sent says how much of it was. */
struct slice control_session_output(const struct control_session *session);
void control_session_sent(struct control_session *session, size_t length);
/* True after QUIT, and after memory ran out for a reply: close the stream when the output is sent. */
bool control_session_closed(const struct control_session *session);

#endif

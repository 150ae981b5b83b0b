/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Script and DriverManager: the compiled script, its variables, and its state while it runs. script.c has the class and its
 * handlers, script_parse.c makes instructions of the configuration, script_variable.c substitutes, script_run.c executes,
 * script_call.c calls handlers and prints.
 */
#ifndef IMAGO_ELEMENTS_SCRIPT_H
#define IMAGO_ELEMENTS_SCRIPT_H

#include "click/element.h"
#include "click/expand.h"
#include "click/host.h"
#include "click/scheduler.h"

enum {
  SCRIPT_JUMPS_MAX = 1000,   /* without blocking, as in Click; then the script is given up */
  SCRIPT_SLICE = 256,        /* instructions; then packets have their turn, and the script goes on in the next round */
  SCRIPT_WHOLE_MAX = 100000, /* instructions of a run whose result somebody waits for */
  SCRIPT_VARIABLES_MAX = 1024,
  SCRIPT_SIGNALS_MAX = 16,
  SCRIPT_NAME_MAX = 128, /* of a handler that a PROXY script answers for */
};

enum script_type {
  SCRIPT_UNSET,
  SCRIPT_ACTIVE,
  SCRIPT_PASSIVE,
  SCRIPT_PACKET,
  SCRIPT_PROXY,
  SCRIPT_DRIVER,
  SCRIPT_SIGNAL
};

enum script_opcode {
  SCRIPT_WAIT, /* of the source only: becomes WAIT_STEP or WAIT_TIME */
  SCRIPT_WAIT_STEP,
  SCRIPT_WAIT_TIME,
  SCRIPT_PRINT,
  SCRIPT_SAVE,
  SCRIPT_APPEND,
  SCRIPT_READ,
  SCRIPT_WRITE,
  SCRIPT_SET,
  SCRIPT_INIT,
  SCRIPT_EXPORT,
  SCRIPT_LABEL,
  SCRIPT_GOTO,
  SCRIPT_LOOP, /* of the source only: becomes GOTO */
  SCRIPT_RETURN,
  SCRIPT_END,
  SCRIPT_EXIT,
  SCRIPT_STOP,
  SCRIPT_ERROR,
};

struct script_instruction {
  enum script_opcode code;
  bool quoted;     /* the form with q: one layer of quotes is taken off */
  bool no_newline; /* printn */
  uint32_t target; /* GOTO: of the instruction, or SCRIPT_FINISH + how it ends; SET, INIT, EXPORT: of the variable */
  uint32_t wanted, done; /* WAIT_STEP */
  char *text;            /* owned; NULL for instructions without */
};
#define SCRIPT_FINISH 0xffffff00u /* + enum script_opcode: a label that ends the script */

struct script_variable {
  char *name; /* owned */
  struct text value;
  struct handler handler; /* of an exported variable: by this name */
  bool exported;
};

/* Invariant: 0 <= at <= count; at == count only after the script was given up. */
struct script {
  struct element element;
  char *type_text;
  enum script_type type, default_type;
  struct script_instruction *code;
  uint32_t count, capacity;
  struct script_variable *variables;
  uint32_t variable_count, variable_capacity;

  uint32_t at;
  enum script_opcode outcome; /* RETURN, END, EXIT, STOP or ERROR when it ended there; otherwise WAIT */
  bool running;               /* calls from within change `at` and `pending` instead of running it again */
  bool started;               /* the first run, which the timer begins, is over or under way */
  bool resuming;              /* the timer continues a slice */
  uint32_t steps;             /* blocking instructions that may still be passed */
  uint32_t pending;           /* steps that were asked for while it runs */
  uint32_t jumps;
  int write_status;                   /* $? */
  struct text arguments;              /* $args */
  struct text result;                 /* of `return` */
  char handler_name[SCRIPT_NAME_MAX]; /* $0 */
  bool called_to_write;               /* $write */
  struct timer timer;
  struct handler proxy; /* the one that handler_find gave last */
  char proxy_name[SCRIPT_NAME_MAX];
  struct host_signal signals[SCRIPT_SIGNALS_MAX];
  uint32_t signal_count;
  bool listening;    /* the signals are added */
  const void *owner; /* of the thread that uses the script; NULL: none */
  uint32_t entered;
};

/* script_parse.c */
int script_parse(struct script *s, struct report *report) MUST_USE;
void script_free(struct script *s);
/* Index of the label's instruction or SCRIPT_FINISH + what ends the script; UINT32_MAX: there is none. */
uint32_t script_label(const struct script *s, struct slice name);

/* script_variable.c */
/* NULL: there is none (add: no memory, or too many). */
struct script_variable *script_variable(struct script *s, struct slice name, bool add);
struct expander script_expander(struct script *s);
/* Appends text with its substitutions made and, when `quoted`, without one layer of quotes. */
int script_expand(struct script *s, struct slice text, bool quoted, struct text *out, struct report *report) MUST_USE;

/* script_call.c */
int script_read(struct script *s, struct slice call, bool quoted, struct text *value, struct report *report) MUST_USE;
void script_print(struct script *s, const struct script_instruction *in, struct report *report);
void script_show(struct script *s, const struct script_instruction *in, struct report *report); /* read, readq */
void script_write(struct script *s, const struct script_instruction *in, struct report *report);

/* script_run.c */
/* One thread at a time uses a script; false when another does. May be nested. */
bool script_enter(struct script *s);
void script_leave(struct script *s);
/* Runs from s->at until it ends or blocks, passing `steps` blocking instructions. `whole`: in one go. From within the script only
 * notes the steps. Between script_enter and script_leave. */
void script_run(struct script *s, uint32_t steps, bool whole, struct report *report);
void script_jump(struct script *s, uint32_t target); /* to an instruction; those behind count steps anew */
void script_timer(struct timer *timer);
bool script_stop_asked(struct element *manager);
/* Puts what a run said into the log, below a line that names the script; frees it. */
void script_log(struct script *s, struct report *report);
int script_listen(struct script *s, struct report *report); /* SIGNAL: adds the signals */
void script_unlisten(struct script *s);
void script_signal(struct host_signal *signal);

/* script.c */
extern const struct argument script_arguments[];
extern const struct handler script_handlers[];
extern const char *const script_drops[];
extern const char script_manual[];
int script_configure(struct element *e, const struct args *rest, struct report *report);
int script_initialize(struct element *e, struct report *report);
void script_cleanup(struct element *e);
void script_push(struct element *e, unsigned port, struct batch *batch);
void script_pull(struct element *e, unsigned port, struct batch *batch, unsigned max);
const struct handler *script_handler_find(struct element *e, struct slice name);
const struct handler *script_handler_at(struct element *e, uint32_t index);

/* script_host.c: handlers that need more than their parameter */
int script_read_now(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r);
int script_read_random(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                       struct report *r);
int script_read_callable(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                         struct report *r);
int script_read_file(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r);
int script_read_kill(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r);
int script_read_get(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r);
int script_read_shift(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r);
int script_write_set(void *owner, const struct handler *h, struct slice value, struct report *r);

#endif

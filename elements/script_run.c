/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Execution. A script runs until it ends or blocks; a run that nobody waits for pauses after SCRIPT_SLICE instructions, so that
 * packets have their turn, and goes on from its timer. While it runs, what its own handlers ask of it (run, goto, step) changes the
 * state and takes effect at the next instruction: nothing is nested.
 */
#include "click/number.h"
#include "click/router.h"
#include "click/words.h"
#include "elements/script.h"

/* --- one thread at a time --- */

/* The address of a variable of the thread tells threads apart. */
bool script_enter(struct script *s) {
  const void *self = (const void *)&element_running, *nobody = NULL;
  if (__atomic_load_n(&s->owner, __ATOMIC_RELAXED) != self &&
      !__atomic_compare_exchange_n(&s->owner, &nobody, self, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return false;
  s->entered++;
  return true;
}

void script_leave(struct script *s) {
  if (--s->entered == 0) __atomic_store_n(&s->owner, NULL, __ATOMIC_RELEASE);
}

/* --- instructions --- */

enum progress { NEXT, BLOCKED, ENDED };

static enum progress finish(struct script *s, uint32_t here, enum script_opcode outcome) {
  s->at = here; /* running on from here ends it again */
  s->outcome = outcome;
  if (outcome == SCRIPT_STOP && s->element.services->stop_driver) s->element.services->stop_driver();
  return ENDED;
}

void script_jump(struct script *s, uint32_t target) {
  s->at = target;
  for (uint32_t i = target; i < s->count; i++)
    s->code[i].done = 0;
}

static enum progress wait_step(struct script *s, uint32_t here) {
  struct script_instruction *in = &s->code[here];
  uint32_t missing = in->wanted - in->done;
  uint32_t taken = missing < s->steps ? missing : s->steps;
  in->done += taken;
  s->steps -= taken;
  if (in->done == in->wanted) {
    in->done = 0; /* for the next time round */
    return NEXT;
  }
  s->at = here;
  return BLOCKED;
}

static enum progress wait_time(struct script *s, uint32_t here, struct report *report) {
  if (s->steps > 0) {
    s->steps--;
    timer_unschedule(&s->timer);
    return NEXT;
  }
  struct text text = {0};
  uint64_t delay = 0;
  int error = script_expand(s, slice_of(s->code[here].text), false, &text, report);
  if (error == 0 && number_time(slice_trim((struct slice){text_string(&text), text.length}), &delay) != 0) {
    error =
        report_error(report, ERROR_INVALID, "syntax error at 'wait': expected a time, not '%.60s'", text_string(&text));
  }
  text_free(&text);
  if (error) return finish(s, here, SCRIPT_ERROR);
  timer_schedule(&s->timer, s->element.services->now() + delay);
  s->at = here;
  return BLOCKED;
}

static enum progress jump_if(struct script *s, uint32_t here, struct report *report) {
  const struct script_instruction *in = &s->code[here];
  struct text text = {0};
  bool jump = true;
  int error = in->text ? script_expand(s, slice_of(in->text), false, &text, report) : 0;
  struct slice condition = slice_trim((struct slice){text_string(&text), text.length});
  if (error) {
    jump = false;
  } else if (condition.length > 0 && !words_bool(condition, &jump)) {
    report_error(report, ERROR_INVALID, "bad condition '%.60s'", text_string(&text));
    jump = false;
  }
  text_free(&text);
  if (!jump) return NEXT;
  if (in->target >= SCRIPT_FINISH) return finish(s, here, (enum script_opcode)(in->target - SCRIPT_FINISH));
  for (uint32_t i = in->target; i < here; i++)
    s->code[i].done = 0;
  s->at = in->target;
  return NEXT;
}

/* The value is made before the old one goes, which may be part of it; and before the variable is found, because a call in the text
 * may move the variables. */
static void assign(struct script *s, const struct script_instruction *in, struct report *report) {
  struct text value = {0};
  if (script_expand(s, slice_of(in->text), in->quoted, &value, report) == 0) {
    struct text *variable = in->code == SCRIPT_RETURN ? &s->result : &s->variables[in->target].value;
    text_free(variable);
    *variable = value;
  } else {
    text_free(&value);
  }
}

static enum progress fail(struct script *s, uint32_t here, struct report *report) {
  const struct script_instruction *in = &s->code[here];
  struct text message = {0};
  if (script_expand(s, slice_of(in->text), in->quoted, &message, report) == 0 && message.length > 0)
    report_error(report, ERROR_INVALID, "%s", text_string(&message));
  text_free(&message);
  return finish(s, here, SCRIPT_ERROR);
}

static enum progress execute(struct script *s, uint32_t here, struct report *report) {
  const struct script_instruction *in = &s->code[here];
  switch (in->code) {
    case SCRIPT_WAIT_STEP:
      return wait_step(s, here);
    case SCRIPT_WAIT_TIME:
      return wait_time(s, here, report);
    case SCRIPT_PRINT:
    case SCRIPT_SAVE:
    case SCRIPT_APPEND:
      script_print(s, in, report);
      return NEXT;
    case SCRIPT_READ:
      script_show(s, in, report);
      return NEXT;
    case SCRIPT_WRITE:
      script_write(s, in, report);
      return NEXT;
    case SCRIPT_SET:
      assign(s, in, report);
      return NEXT;
    case SCRIPT_GOTO:
      return jump_if(s, here, report);
    case SCRIPT_RETURN:
      assign(s, in, report);
      /* A call in the text may have sent the script elsewhere. */
      return s->at == here + 1 ? finish(s, here, SCRIPT_RETURN) : NEXT;
    case SCRIPT_END:
    case SCRIPT_EXIT:
    case SCRIPT_STOP:
      return finish(s, here, in->code);
    case SCRIPT_ERROR:
      return fail(s, here, report);
    default: /* label; init and export did their work at the start */
      return NEXT;
  }
}

/* --- runs --- */

static void give_up(struct script *s, struct report *report, const char *what) {
  report_error(report, ERROR_TOO_BIG, "%s: too many %s, giving up", s->element.name, what);
  timer_unschedule(&s->timer);
  s->at = s->count;
  s->outcome = SCRIPT_ERROR;
}

/* Until it ends, blocks, or has used up its instructions. */
static enum progress run_slice(struct script *s, unsigned instructions, struct report *report) {
  for (; instructions > 0; instructions--) {
    if (s->at >= s->count) return ENDED;
    uint32_t here = s->at++;
    enum progress progress = execute(s, here, report);
    if (progress != NEXT) return progress;
    if (s->at != here + 1 && ++s->jumps >= SCRIPT_JUMPS_MAX) {
      give_up(s, report, "jumps");
      return ENDED;
    }
  }
  return NEXT;
}

/* A signal script that ended with `end` waits for the next signal. */
static void listen_again(struct script *s, struct report *report) {
  if (s->type == SCRIPT_SIGNAL && s->outcome == SCRIPT_END) (void)script_listen(s, report); /* it has reported */
}

void script_run(struct script *s, uint32_t steps, bool whole, struct report *report) {
  if (s->running) {
    s->pending += steps;
    return;
  }
  s->running = true;
  if (!s->resuming) s->jumps = 0;
  s->resuming = false;
  s->steps = steps;
  s->pending = 0;
  s->outcome = SCRIPT_WAIT;
  for (;;) {
    enum progress progress = run_slice(s, whole ? SCRIPT_WHOLE_MAX : SCRIPT_SLICE, report);
    if (progress == NEXT && whole) {
      give_up(s, report, "instructions");
    } else if (progress == NEXT) {
      s->resuming = true;
      timer_schedule(&s->timer, s->element.services->now());
    } else if (s->pending > 0 && s->at < s->count) {
      s->steps = s->pending;
      s->pending = 0;
      s->outcome = SCRIPT_WAIT;
      continue;
    }
    break;
  }
  if (s->at >= s->count) s->outcome = SCRIPT_ERROR;
  s->running = false;
  listen_again(s, report);
}

void script_log(struct script *s, struct report *report) {
  if (report->errors + report->warnings > 0) {
    char line[CLICK_MAX_NAME + 64];
    size_t length =
        format_text(line, sizeof line, "While executing '%s :: %s':", s->element.name, s->element.class->name);
    enum log_level level = report->errors ? LOG_ERROR : LOG_WARNING;
    s->element.services->log(level, line, length < sizeof line ? length : sizeof line - 1);
    struct slice rest = {text_string(&report->text), report->text.length};
    while (rest.length > 0) {
      const char *end = memchr(rest.data, '\n', rest.length);
      length = end ? (size_t)(end - rest.data) : rest.length;
      s->element.services->log(level, rest.data, length);
      rest.data += end ? length + 1 : length;
      rest.length -= end ? length + 1 : length;
    }
  }
  report_free(report);
}

void script_timer(struct timer *timer) {
  struct script *s = CONTAINER_OF(timer, struct script, timer);
  enum { BUSY_NS = 1000000 };
  if (!script_enter(s)) {
    timer_schedule(timer, s->element.services->now() + BUSY_NS);
    return;
  }
  struct report report = {.prefix = "  "};
  uint32_t steps = s->resuming ? s->steps : s->started ? 1 : 0;
  s->started = true;
  script_run(s, steps, false, &report);
  script_log(s, &report);
  script_leave(s);
}

bool script_stop_asked(struct element *manager) {
  struct script *s = (struct script *)manager;
  if (s->outcome != SCRIPT_WAIT || s->at >= s->count) return true;
  if (!script_enter(s)) return false;
  struct report report = {.prefix = "  "};
  if (!s->started) {
    s->started = true;
    timer_unschedule(&s->timer);
    script_run(s, 0, false, &report);
  }
  if (s->outcome == SCRIPT_WAIT) script_run(s, 1, false, &report);
  script_log(s, &report);
  script_leave(s);
  return s->outcome != SCRIPT_WAIT;
}

/* --- signals --- */

void script_unlisten(struct script *s) {
  const struct host *host = s->element.services->host;
  for (uint32_t i = 0; s->listening && i < s->signal_count; i++)
    host->signal_remove(&s->signals[i]);
  s->listening = false;
}

int script_listen(struct script *s, struct report *report) {
  const struct host *host = s->element.services->host;
  int error = 0;
  if (s->listening) return 0;
  s->listening = true;
  for (uint32_t i = 0; error == 0 && i < s->signal_count; i++)
    error = host->signal_add(&s->signals[i], report);
  if (error) script_unlisten(s);
  return error;
}

void script_signal(struct host_signal *signal) {
  struct script *s = signal->owner;
  if (!script_enter(s)) return;
  struct report report = {.prefix = "  "};
  /* Added again at once, at `end`: meanwhile the signal must not do what it did before us, so it is removed only when the script
   * blocks or ends otherwise. */
  script_jump(s, 0);
  script_run(s, 0, true, &report);
  if (s->outcome != SCRIPT_END) script_unlisten(s);
  script_log(s, &report);
  script_leave(s);
}

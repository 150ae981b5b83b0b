/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Run directories: where they are, whether what they describe is alive, and how one is claimed and cleaned.
 */
#define _GNU_SOURCE
#include "tools/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory that only we can have filled: a socket or a symbolic link planted by somebody else must not be used. */
static int own_directory(const char *path, struct report *report) {
  if (mkdir(path, 0700) != 0 && errno != EEXIST) {
    return report_error(report, ERROR_IO, "%s: cannot make the run directory: %s", path, strerror(errno));
  }
  struct stat status;
  if (lstat(path, &status) != 0) return report_error(report, ERROR_IO, "%s: %s", path, strerror(errno));
  if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022) != 0) {
    return report_error(report, ERROR_PERMISSION,
                        "%s is not a directory that you alone can write to; remove it, or set XDG_RUNTIME_DIR", path);
  }
  return 0;
}

int rundir_base(char *buffer, size_t size, struct report *report) {
  const char *xdg = getenv("XDG_RUNTIME_DIR");
  size_t length;
  if (xdg != NULL && xdg[0] == '/' && access(xdg, W_OK | X_OK) == 0) {
    length = format_text(buffer, size, "%s/imago", xdg);
  } else if (access("/run/imago", W_OK | X_OK) == 0 || access("/run", W_OK | X_OK) == 0) {
    length = format_text(buffer, size, "/run/imago");
  } else {
    length = format_text(buffer, size, "/tmp/imago-%u", (unsigned)geteuid());
  }
  if (length >= size) {
    return report_error(report, ERROR_TOO_BIG, "XDG_RUNTIME_DIR is too long (%zu bytes): set it to a shorter path",
                        length);
  }
  return own_directory(buffer, report);
}

static bool name_is_good(const char *name) {
  for (const char *c = name; *c != '\0'; c++) {
    if (!char_is_word(*c) && (c == name || (*c != '-' && *c != '.'))) return false;
  }
  return name[0] != '\0' && name[0] != '_' && strlen(name) < RUN_NAME_MAX;
}

int rundir_locate(const char *name, struct rundir *dir, struct report *report) {
  if (!name_is_good(name)) {
    return report_error(report, ERROR_INVALID,
                        "'%s' cannot be the name of a run: use up to %d letters, digits, '-', '_' and '.', the first a "
                        "letter or digit",
                        name, RUN_NAME_MAX - 1);
  }
  char base[RUN_PATH_MAX];
  int error = rundir_base(base, sizeof(base), report);
  if (error != 0) return error;
  format_text(dir->name, sizeof(dir->name), "%s", name);
  char control[RUN_PATH_MAX];
  size_t length = format_text(control, sizeof(control), "%s/%s/control", base, name);
  if (length >= sizeof(control)) {
    return report_error(
        report, ERROR_TOO_BIG,
        "the path of the control socket, %s/%s/control, is %zu bytes long and a unix socket's may be %d: "
        "choose a shorter --name or XDG_RUNTIME_DIR",
        base, name, length, RUN_PATH_MAX - 1);
  }
  format_text(dir->path, sizeof(dir->path), "%s/%s", base, name);
  return 0;
}

void rundir_file(const struct rundir *dir, const char *file, char buffer[PATH_MAX]) {
  format_text(buffer, PATH_MAX, "%s/%s", dir->path, file);
}

/* Reads a small text file without its last newline; false when it is not there. */
static bool read_small(const struct rundir *dir, const char *file, char *buffer, size_t size) {
  char path[PATH_MAX];
  rundir_file(dir, file, path);
  buffer[0] = '\0';
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  ssize_t length = read(fd, buffer, size - 1);
  close(fd);
  if (length < 0) length = 0;
  buffer[length] = '\0';
  buffer[strcspn(buffer, "\n")] = '\0';
  return true;
}

static uint64_t read_number(const struct rundir *dir, const char *file, uint64_t otherwise) {
  char text[32];
  uint64_t value = otherwise;
  if (!read_small(dir, file, text, sizeof(text)) || slice_to_u64(slice_of(text), UINT64_MAX, &value) != 0) {
    return otherwise;
  }
  return value;
}

uint64_t process_start_from_stat(const char *stat) {
  const char *after_name = strrchr(stat, ')');
  if (after_name == NULL) return 0;
  struct slice rest = slice_of(after_name + 1);
  struct slice state = slice_next_word(&rest); /* field 3 */
  if (slice_equals(state, "Z") || slice_equals(state, "X")) return 0;
  struct slice word = {NULL, 0};
  for (unsigned field = 4; field <= 22; field++)
    word = slice_next_word(&rest);
  uint64_t start = 0;
  return slice_to_u64(word, UINT64_MAX, &start) == 0 ? start : 0;
}

uint64_t process_start_time(pid_t pid) {
  char path[64], stat[1024];
  format_text(path, sizeof(path), "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, stat, sizeof(stat) - 1);
  close(fd);
  if (length <= 0) return 0;
  stat[length] = '\0';
  return process_start_from_stat(stat);
}

void rundir_status(const struct rundir *dir, struct run_status *status) {
  memset(status, 0, sizeof(*status));
  uint64_t pid = read_number(dir, "pid", 0);
  if (pid == 0 || pid > INT_MAX) return;
  status->pid = (pid_t)pid;
  status->start = read_number(dir, "start", 0);
  read_small(dir, "platform", status->platform, sizeof(status->platform));
  read_small(dir, "image", status->image, sizeof(status->image));
  uint64_t exit_status = read_number(dir, "exit", UINT64_MAX);
  if (exit_status <= INT_MAX) {
    status->state = RUN_ENDED;
    status->exit_status = (int)exit_status;
  } else if (status->start != 0 && process_start_time(status->pid) == status->start) {
    status->state = RUN_RUNNING;
  } else {
    status->state = RUN_STALE;
  }
}

int rundir_find(const char *name, bool ended_too, struct rundir *dir, struct run_status *status,
                struct report *report) {
  int error = rundir_locate(name, dir, report);
  if (error != 0) return error;
  rundir_status(dir, status);
  if (status->state == RUN_RUNNING || (ended_too && status->state != RUN_ABSENT)) return 0;
  if (status->state == RUN_ENDED) {
    return report_error(report, ERROR_NOT_FOUND, "'%s' has ended (exit status %d); 'imago log %s' shows what it said",
                        name, status->exit_status, name);
  }
  if (status->state == RUN_STALE) {
    return report_error(
        report, ERROR_NOT_FOUND,
        "'%s' is gone without an exit status (process %d was killed?); 'imago log %s' shows what it said", name,
        (int)status->pid, name);
  }
  return report_error(report, ERROR_NOT_FOUND, "nothing called '%s' runs; 'imago ps' lists what does", name);
}

/* Every file in the directory: nobody but us writes there, and subdirectories are never made. */
static void remove_files(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL) return;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    unlinkat(dirfd(directory), entry->d_name, 0);
  }
  closedir(directory);
}

/* True if the path still leads to what is open: 'imago ps --clean' may have removed it since. */
static bool still_there(int fd, const char *path) {
  struct stat opened, named;
  return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

int rundir_claim(const struct rundir *dir, struct report *report) {
  int error = own_directory(dir->path, report);
  if (error != 0) return error;
  int fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return report_error(report, ERROR_IO, "%s: %s", dir->path, strerror(errno));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !still_there(fd, dir->path)) {
    close(fd);
    return report_error(report, ERROR_BUSY,
                        "'%s' is being started or cleaned up by another imago; try again, or choose another --name",
                        dir->name);
  }
  struct run_status status;
  rundir_status(dir, &status);
  if (status.state == RUN_RUNNING) {
    close(fd);
    return report_error(report, ERROR_EXISTS,
                        "'%s' is running already (process %d); stop it with 'imago stop %s' or choose another --name",
                        dir->name, (int)status.pid, dir->name);
  }
  remove_files(dir->path);
  return fd;
}

void rundir_remove(const struct rundir *dir) {
  remove_files(dir->path);
  rmdir(dir->path);
}

int rundir_write(const struct rundir *dir, const char *file, const char *content, struct report *report) {
  char path[PATH_MAX], temporary[PATH_MAX + 8];
  rundir_file(dir, file, path);
  format_text(temporary, sizeof(temporary), "%s.new", path);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return report_error(report, ERROR_IO, "%s: %s", temporary, strerror(errno));
  size_t length = strlen(content);
  bool good = write(fd, content, length) == (ssize_t)length;
  good = close(fd) == 0 && good;
  if (!good || rename(temporary, path) != 0) {
    return report_error(report, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
  }
  return 0;
}

int rundir_write_process(const struct rundir *dir, pid_t pid, struct report *report) {
  char text[32];
  format_text(text, sizeof(text), "%llu\n", (unsigned long long)process_start_time(pid));
  int error = rundir_write(dir, "start", text, report);
  if (error != 0) return error;
  format_text(text, sizeof(text), "%d\n", (int)pid);
  return rundir_write(dir, "pid", text, report); /* last: with it the run exists */
}

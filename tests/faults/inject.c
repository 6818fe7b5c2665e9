/* Preloaded into a program: the FAULT_AT-th operation on a file whose path contains FAULT_PATH fails or kills.
 *
 *   FAULT_PATH   part of the paths that are watched
 *   FAULT_AT     which operation, from 1; 0: none
 *   FAULT_KIND   kill: SIGKILL before it; half: a write writes half, then SIGKILL, others are done, then SIGKILL; short: a
 *                write writes half and says so, others are done; a number: it fails with this errno; from NUMBER on is
 *                written NUMBER+: it and all that follow but unlink
 *   FAULT_COUNT  a file that gets the number of operations when the program ends
 * Watched: open for writing, write, pwrite, fsync, fdatasync, ftruncate, rename, renameat2, link, unlink, rmdir, mkdir,
 * close of a file open for writing; and every mmap. Built by inject.sh. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long count = 0;

static int path_watched(const char* path) {
  const char* part = getenv("FAULT_PATH");
  return part && path && strstr(path, part) != NULL;
}

static int file_watched(int file) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0 || (fcntl(file, F_GETFL) & O_ACCMODE) == O_RDONLY) return 0;
  path[n] = 0;
  return path_watched(path);
}

enum { pass = 0, after = -1, half = -2 };

/* pass, after (do it, or half of it, then die), half (of a write) or an errno */
static int verdict(int watched, int is_unlink) {
  if (!watched) return pass;
  const long me = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
  const char *at = getenv("FAULT_AT"), *kind = getenv("FAULT_KIND");
  const long n = at ? atol(at) : 0;
  if (n == 0 || !kind || me < n) return pass;
  const int lasting = kind[strlen(kind) - 1] == '+';
  if (me > n && (!lasting || is_unlink)) return pass;
  if (strcmp(kind, "kill") == 0) kill(getpid(), SIGKILL);
  return strcmp(kind, "half") == 0 ? after : strcmp(kind, "short") == 0 ? half : atoi(kind);
}

__attribute__((destructor)) static void report(void) {
  const char* path = getenv("FAULT_COUNT");
  FILE* file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "%ld\n", count);
  fclose(file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
/* CALL must be an expression; the operation is done unless it is to fail. */
#define WATCHED(type, watched, unlinks, call)      \
  const int what = verdict(watched, unlinks);      \
  if (what > 0) {                                  \
    errno = what;                                  \
    return (type)-1;                               \
  }                                                \
  type const result = (call);                      \
  if (what == after) kill(getpid(), SIGKILL);      \
  return result

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  WATCHED(int, (flags & O_ACCMODE) != O_RDONLY && path_watched(path), 0, REAL(open)(path, flags, mode));
}
int open64(const char* path, int flags, ...) __attribute__((alias("open")));

ssize_t write(int file, const void* bytes, size_t size) {
  WATCHED(ssize_t, file_watched(file), 0, REAL(write)(file, bytes, what < 0 && size > 1 ? size / 2 : size));
}
ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  WATCHED(ssize_t, file_watched(file), 0, REAL(pwrite)(file, bytes, what == after ? size / 2 : size, at));
}
void* mmap(void* at, size_t size, int protection, int flags, int file, off_t from) {
  WATCHED(void*, 1, 0, REAL(mmap)(at, size, protection, flags, file, from));
}
void* mmap64(void* at, size_t size, int protection, int flags, int file, off64_t from) __attribute__((alias("mmap")));
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) __attribute__((alias("pwrite")));
int fsync(int file) { WATCHED(int, file_watched(file), 0, REAL(fsync)(file)); }
int fdatasync(int file) { WATCHED(int, file_watched(file), 0, REAL(fdatasync)(file)); }
int ftruncate(int file, off_t size) { WATCHED(int, file_watched(file), 0, REAL(ftruncate)(file, size)); }
int ftruncate64(int file, off64_t size) __attribute__((alias("ftruncate")));
int rename(const char* from, const char* to) { WATCHED(int, path_watched(to), 0, REAL(rename)(from, to)); }
int renameat2(int a, const char* from, int b, const char* to, unsigned flags) {
  WATCHED(int, path_watched(to), 0, REAL(renameat2)(a, from, b, to, flags));
}
int link(const char* from, const char* to) { WATCHED(int, path_watched(to), 0, REAL(link)(from, to)); }
int unlink(const char* path) { WATCHED(int, path_watched(path), 1, REAL(unlink)(path)); }
int rmdir(const char* path) { WATCHED(int, path_watched(path), 1, REAL(rmdir)(path)); }
int mkdir(const char* path, mode_t mode) { WATCHED(int, path_watched(path), 0, REAL(mkdir)(path, mode)); }
int close(int file) {
  const int what = verdict(file_watched(file), 0);
  const int result = REAL(close)(file); /* closed in any case: a failing close may not leak */
  if (what == after) kill(getpid(), SIGKILL);
  if (what > 0) {
    errno = what;
    return -1;
  }
  return result;
}

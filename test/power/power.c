/* Stands between a process and its disk (LD_PRELOAD; Linux, glibc).
 *
 * Every call that changes something below KVS_POWER_ROOT is written to the file
 * KVS_POWER_LOG, in the order in which it happened and with its bytes, and so
 * is what the process tells others: bytes written to sockets and to its
 * standard output. A replayer makes of that what a disk may hold after the
 * power failed. And the file KVS_POWER_CONTROL, which a test may write at any
 * time, says which calls fail, and how, or where the process is killed.
 *
 * One lock is held over each call and its record, so that the log has the true
 * order: a flush is recorded only after every write that it covered.
 *
 * LevelDB writes through stdio, whose own calls cannot be seen from outside;
 * its files are opened as streams of ours (fopencookie) instead. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* What a record says; test/support/power/log.ts reads them. */
enum kind {
  KIND_PROCESS = 1, /* a process begins, no file is open yet; the root */
  KIND_OPEN = 2,    /* path; offset is a set of OPEN_* */
  KIND_CLOSE = 3,
  KIND_WRITE = 4, /* bytes at offset */
  KIND_SYNC = 5,
  KIND_TRUNCATE = 6, /* to offset */
  KIND_RENAME = 7,   /* path, new path */
  KIND_UNLINK = 8,   /* path */
  KIND_MKDIR = 9,    /* path */
  KIND_RMDIR = 10,   /* path */
  KIND_TOLD = 11,    /* bytes that left the process */
  KIND_READ = 12     /* never recorded; reading may fail, too */
};

enum { OPEN_CREATED = 1, OPEN_TRUNCATED = 2, OPEN_CHANGES = 4 };

/* What happens to a call; any other value is the errno that it gets. */
enum {
  ACTION_NONE = 0,
  ACTION_KILL = 1000, /* the process is gone before the call */
  ACTION_TEAR = 1001, /* of a write half is done, then the process is gone */
  ACTION_LIE = 1002   /* the call says that it was done, and was not */
};

typedef struct record {
  uint32_t kind;
  int32_t fd;
  uint64_t offset;
  uint32_t len[2];
} record;

/* The bytes of KVS_POWER_CONTROL; test/support/power/faults.ts writes them. */
typedef struct control {
  _Atomic uint32_t kinds;  /* bit n: calls of kind n are meant */
  _Atomic uint32_t action; /* what happens to them */
  _Atomic uint32_t skip;   /* so many of them pass before */
  _Atomic uint32_t times;  /* and so many are hit; 0: all from there on */
  _Atomic uint32_t seen;   /* counted here: how many there were */
  char path[236];          /* only where the path has this in it */
} control;

enum { MAX_FILES = 65536, LOG_FD = 700 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static const char *root = "";
static size_t root_len;
static control *orders;
/* An open file below the root. libuv closes by a bare system call, unseen, so
 * that a descriptor may be of something else by now: dev and ino tell. */
typedef struct open_file {
  char *path; /* NULL: not open, or elsewhere */
  dev_t dev;
  ino_t ino;
  FILE *stream; /* of ours, see fopen */
} open_file;

static open_file files[MAX_FILES];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool below_root(const char *path) {
  return root_len > 0 && path != NULL && strncmp(path, root, root_len) == 0 &&
         (path[root_len] == '/' || path[root_len] == '\0');
}

/* The path of a file below the root; NULL for any other descriptor. */
static const char *path_of(int fd) {
  struct stat found;

  if (fd < 0 || fd >= MAX_FILES || files[fd].path == NULL) {
    return NULL;
  }
  if (fstat(fd, &found) != 0 || found.st_ino != files[fd].ino ||
      found.st_dev != files[fd].dev) {
    return NULL;
  }
  return files[fd].path;
}

/* Writes a record; |a| and |b| are what it says besides. */
static void put(enum kind kind, int fd, uint64_t offset, const struct iovec *a,
                const struct iovec *b) {
  record head = {(uint32_t)kind, fd, offset, {0, 0}};
  struct iovec parts[3] = {{&head, sizeof head}, {NULL, 0}, {NULL, 0}};
  int count = 1;

  if (log_fd < 0) {
    return;
  }
  if (a != NULL) {
    head.len[0] = (uint32_t)a->iov_len;
    parts[count++] = *a;
  }
  if (b != NULL) {
    head.len[1] = (uint32_t)b->iov_len;
    parts[count++] = *b;
  }
  if (syscall(SYS_writev, log_fd, parts, count) < 0) {
    abort(); /* a log with holes would prove nothing */
  }
}

static struct iovec text(const char *s) {
  struct iovec v = {(void *)(uintptr_t)s, strlen(s)};
  return v;
}

static void put_path(enum kind kind, int fd, uint64_t offset,
                     const char *path) {
  struct iovec v = text(path);
  put(kind, fd, offset, &v, NULL);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) {
    pause();
  }
}

/* What is ordered for this call: ACTION_NONE, ACTION_LIE, ACTION_TEAR or an
 * errno. Does not return where the process is to end here. */
static uint32_t order_for(enum kind kind, const char *path) {
  uint32_t seen, skip, times;

  if (orders == NULL || path == NULL) {
    return ACTION_NONE;
  }
  if ((atomic_load(&orders->kinds) & (1u << kind)) == 0 ||
      strstr(path, orders->path) == NULL) {
    return ACTION_NONE;
  }
  seen = atomic_fetch_add(&orders->seen, 1);
  skip = atomic_load(&orders->skip);
  times = atomic_load(&orders->times);
  if (seen < skip || (times != 0 && seen - skip >= times)) {
    return ACTION_NONE;
  }
  if (atomic_load(&orders->action) == ACTION_KILL) {
    die();
  }
  return atomic_load(&orders->action);
}

/* Whether an order makes the call fail; errno is set then. */
static bool fails(uint32_t order) {
  if (order == ACTION_NONE || order >= ACTION_KILL) {
    return false;
  }
  errno = (int)order;
  return true;
}

__attribute__((constructor)) static void begin(void) {
  const char *log = getenv("KVS_POWER_LOG");
  const char *plan = getenv("KVS_POWER_CONTROL");
  const char *dir = getenv("KVS_POWER_ROOT");
  long fd;

  if (dir == NULL) {
    return;
  }
  root = strdup(dir);
  root_len = root == NULL ? 0 : strlen(root);
  if (log != NULL) {
    fd = syscall(SYS_openat, AT_FDCWD, log,
                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log_fd = fcntl((int)fd, F_DUPFD_CLOEXEC, LOG_FD);
    syscall(SYS_close, fd);
    put_path(KIND_PROCESS, -1, 0, root);
  }
  if (plan != NULL) {
    fd = syscall(SYS_openat, AT_FDCWD, plan, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
      void *at = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED,
                      (int)fd, 0);
      orders = at == MAP_FAILED ? NULL : at;
      syscall(SYS_close, fd);
    }
  }
}

/* ---- opening and closing ------------------------------------------------- */

static void opened(int fd, const char *path, int flags, bool was_there) {
  uint64_t how = was_there ? 0 : OPEN_CREATED;
  struct stat found;

  if (fd >= MAX_FILES || fstat(fd, &found) != 0) {
    abort();
  }
  free(files[fd].path);
  files[fd] = (open_file){strdup(path), found.st_dev, found.st_ino, NULL};
  if (was_there && (flags & O_TRUNC) != 0) {
    how |= OPEN_TRUNCATED;
  }
  if ((flags & O_ACCMODE) != O_RDONLY) {
    how |= OPEN_CHANGES;
  }
  put_path(KIND_OPEN, fd, how, path);
}

static int open_below(const char *path, int flags, mode_t mode) {
  bool changes = (flags & (O_CREAT | O_TRUNC)) != 0;
  bool was_there;
  int fd = -1;

  pthread_mutex_lock(&lock);
  if (!fails(order_for(KIND_OPEN, path))) {
    was_there = !changes || access(path, F_OK) == 0;
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0) {
      opened(fd, path, flags, was_there);
    }
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

int open(const char *path, int flags, ...) {
  mode_t mode = 0;

  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list more;
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
  }
  if (below_root(path)) {
    return open_below(path, flags, mode);
  }
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int close(int fd) {
  int result;

  if (path_of(fd) == NULL) {
    return (int)syscall(SYS_close, fd);
  }
  pthread_mutex_lock(&lock);
  free(files[fd].path);
  files[fd] = (open_file){NULL, 0, 0, NULL};
  put(KIND_CLOSE, fd, 0, NULL, NULL);
  result = (int)syscall(SYS_close, fd);
  pthread_mutex_unlock(&lock);
  return result;
}

/* ---- writing ------------------------------------------------------------- */

/* Writes what |order| lets through; -1 with errno set where it forbids it. */
static ssize_t write_some(int fd, const struct iovec *v, off_t at,
                          uint32_t order) {
  size_t len = v->iov_len;

  if (fails(order)) {
    return -1;
  }
  if (order == ACTION_LIE) {
    return (ssize_t)len;
  }
  if (order == ACTION_TEAR) {
    len /= 2;
  }
  if (at < 0) {
    return syscall(SYS_write, fd, v->iov_base, len);
  }
  return syscall(SYS_pwrite64, fd, v->iov_base, len, at);
}

/* Writes one buffer; |at| below 0: where the file stands. */
static ssize_t write_below(int fd, const struct iovec *v, off_t at) {
  uint32_t order = order_for(KIND_WRITE, files[fd].path);
  ssize_t done = write_some(fd, v, at, order);
  struct iovec part = *v;

  if (done > 0 && order != ACTION_LIE) {
    off_t begin = at >= 0 ? at : lseek(fd, 0, SEEK_CUR) - done;
    part.iov_len = (size_t)done;
    put(KIND_WRITE, fd, (uint64_t)begin, &part, NULL);
  }
  if (order == ACTION_TEAR) {
    die();
  }
  return done;
}

/* Several buffers as one write, as far as they are taken. */
static ssize_t write_all_below(int fd, const struct iovec *v, int count,
                               off_t at) {
  ssize_t sum = 0;

  pthread_mutex_lock(&lock);
  for (int i = 0; i < count; i++) {
    ssize_t done = write_below(fd, &v[i], at < 0 ? at : at + sum);
    if (done < 0) {
      sum = sum == 0 ? -1 : sum;
      break;
    }
    sum += done;
    if ((size_t)done < v[i].iov_len) {
      break;
    }
  }
  pthread_mutex_unlock(&lock);
  return sum;
}

/* Bytes for a terminal, a pipe to whoever started us, or a socket. */
static bool leaves(int fd) {
  struct stat found;

  return log_fd >= 0 && (fd == STDOUT_FILENO ||
                         (fstat(fd, &found) == 0 && S_ISSOCK(found.st_mode)));
}

/* The record stands before the bytes: whoever has them finds it there. */
static void tell(int fd, const struct iovec *v, int count) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < count; i++) {
    put(KIND_TOLD, fd, 0, &v[i], NULL);
  }
  pthread_mutex_unlock(&lock);
}

ssize_t write(int fd, const void *bytes, size_t len) {
  struct iovec v = {(void *)(uintptr_t)bytes, len};

  if (path_of(fd) != NULL) {
    return write_all_below(fd, &v, 1, -1);
  }
  if (leaves(fd)) {
    tell(fd, &v, 1);
  }
  return syscall(SYS_write, fd, bytes, len);
}

ssize_t writev(int fd, const struct iovec *v, int count) {
  if (path_of(fd) != NULL) {
    return write_all_below(fd, v, count, -1);
  }
  if (leaves(fd)) {
    tell(fd, v, count);
  }
  return syscall(SYS_writev, fd, v, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at) {
  struct iovec v = {(void *)(uintptr_t)bytes, len};

  if (path_of(fd) != NULL) {
    return write_all_below(fd, &v, 1, at);
  }
  return syscall(SYS_pwrite64, fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at)
    __attribute__((alias("pwrite")));

ssize_t pwritev(int fd, const struct iovec *v, int count, off_t at) {
  if (path_of(fd) != NULL) {
    return write_all_below(fd, v, count, at);
  }
  return REAL(pwritev)(fd, v, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *v, int count, off_t at)
    __attribute__((alias("pwritev")));

int ftruncate(int fd, off_t size) {
  int result = -1;

  if (path_of(fd) == NULL) {
    return (int)syscall(SYS_ftruncate, fd, size);
  }
  pthread_mutex_lock(&lock);
  if (!fails(order_for(KIND_TRUNCATE, files[fd].path))) {
    result = (int)syscall(SYS_ftruncate, fd, size);
    if (result == 0) {
      put(KIND_TRUNCATE, fd, (uint64_t)size, NULL, NULL);
    }
  }
  pthread_mutex_unlock(&lock);
  return result;
}

int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));

static int flush(int fd, long call) {
  int result = -1;
  uint32_t order;

  if (path_of(fd) == NULL) {
    return (int)syscall(call, fd);
  }
  pthread_mutex_lock(&lock);
  order = order_for(KIND_SYNC, files[fd].path);
  if (order == ACTION_LIE) {
    result = 0;
  } else if (!fails(order)) {
    result = (int)syscall(call, fd);
    if (result == 0) {
      put(KIND_SYNC, fd, 0, NULL, NULL);
    }
  }
  pthread_mutex_unlock(&lock);
  return result;
}

int fsync(int fd) {
  return flush(fd, SYS_fsync);
}

int fdatasync(int fd) {
  return flush(fd, SYS_fdatasync);
}

/* ---- reading, which may fail ----------------------------------------------
 */

static bool read_fails(int fd) {
  return fails(order_for(KIND_READ, path_of(fd)));
}

ssize_t read(int fd, void *bytes, size_t len) {
  return read_fails(fd) ? -1 : syscall(SYS_read, fd, bytes, len);
}

ssize_t pread(int fd, void *bytes, size_t len, off_t at) {
  return read_fails(fd) ? -1 : syscall(SYS_pread64, fd, bytes, len, at);
}

ssize_t pread64(int fd, void *bytes, size_t len, off_t at)
    __attribute__((alias("pread")));

ssize_t preadv(int fd, const struct iovec *v, int count, off_t at) {
  return read_fails(fd) ? -1 : REAL(preadv)(fd, v, count, at);
}

ssize_t preadv64(int fd, const struct iovec *v, int count, off_t at)
    __attribute__((alias("preadv")));

/* ---- names -----------------------------------------------------------------
 */

/* One call about one path: done by |call| where nothing forbids it. */
static int name_below(enum kind kind, const char *path,
                      int (*call)(const char *, mode_t), mode_t mode) {
  int result = -1;

  pthread_mutex_lock(&lock);
  if (!fails(order_for(kind, path))) {
    result = call(path, mode);
    if (result == 0) {
      put_path(kind, -1, 0, path);
    }
  }
  pthread_mutex_unlock(&lock);
  return result;
}

static int do_unlink(const char *path, mode_t unused) {
  (void)unused;
  return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static int do_rmdir(const char *path, mode_t unused) {
  (void)unused;
  return (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

static int do_mkdir(const char *path, mode_t mode) {
  return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int unlink(const char *path) {
  return below_root(path) ? name_below(KIND_UNLINK, path, do_unlink, 0)
                          : do_unlink(path, 0);
}

int rmdir(const char *path) {
  return below_root(path) ? name_below(KIND_RMDIR, path, do_rmdir, 0)
                          : do_rmdir(path, 0);
}

int remove(const char *path) {
  int result = unlink(path);

  return result != 0 && (errno == EISDIR || errno == EPERM) ? rmdir(path)
                                                            : result;
}

int mkdir(const char *path, mode_t mode) {
  return below_root(path) ? name_below(KIND_MKDIR, path, do_mkdir, mode)
                          : do_mkdir(path, mode);
}

int rename(const char *from, const char *to) {
  struct iovec a, b;
  int result = -1;

  if (!below_root(from) && !below_root(to)) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  }
  pthread_mutex_lock(&lock);
  if (!fails(order_for(KIND_RENAME, to))) {
    result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (result == 0) {
      a = text(from);
      b = text(to);
      put(KIND_RENAME, -1, 0, &a, &b);
    }
  }
  pthread_mutex_unlock(&lock);
  return result;
}

/* ---- stdio -----------------------------------------------------------------
 */

static ssize_t cookie_read(void *cookie, char *bytes, size_t len) {
  return read((int)(intptr_t)cookie, bytes, len);
}

/* stdio takes 0 for a failure, and nothing below it. */
static ssize_t cookie_write(void *cookie, const char *bytes, size_t len) {
  ssize_t done = write((int)(intptr_t)cookie, bytes, len);
  return done < 0 ? 0 : done;
}

static int cookie_seek(void *cookie, off64_t *to, int whence) {
  off_t at = lseek((int)(intptr_t)cookie, *to, whence);
  *to = at;
  return at < 0 ? -1 : 0;
}

static int cookie_close(void *cookie) {
  return close((int)(intptr_t)cookie);
}

static int flags_of(const char *mode) {
  bool both = strchr(mode, '+') != NULL;

  switch (mode[0]) {
    case 'w':
      return (both ? O_RDWR : O_WRONLY) | O_CREAT | O_TRUNC;
    case 'a':
      return (both ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND;
    default:
      return both ? O_RDWR : O_RDONLY;
  }
}

FILE *fopen(const char *path, const char *mode) {
  static const cookie_io_functions_t calls = {cookie_read, cookie_write,
                                              cookie_seek, cookie_close};
  FILE *stream;
  int fd;

  if (!below_root(path)) {
    return REAL(fopen)(path, mode);
  }
  fd = open_below(path, flags_of(mode), 0666);
  if (fd < 0) {
    return NULL;
  }
  stream = fopencookie((void *)(intptr_t)fd, mode, calls);
  if (stream == NULL) {
    close(fd);
    return NULL;
  }
  pthread_mutex_lock(&lock);
  files[fd].stream = stream;
  pthread_mutex_unlock(&lock);
  return stream;
}

FILE *fopen64(const char *path, const char *mode)
    __attribute__((alias("fopen")));

int fileno(FILE *stream) {
  int fd = REAL(fileno)(stream);

  for (int i = 0; fd < 0 && i < MAX_FILES; i++) {
    if (files[i].stream == stream) {
      fd = i;
    }
  }
  return fd;
}

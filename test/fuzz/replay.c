/* Runs a fuzz target without a fuzzer:
 *   NAME_fuzz [--runs N] [--seed S] [FILE|FOLDER]…
 * Each file is replayed as it is, then N inputs are made from them by random
 * changes. The seed is printed first; the same seed and files make the same
 * inputs, so that a fault found here can be found again. */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { MAX_INPUTS = 4096, MAX_LEN = 1 << 20, ROOM = MAX_LEN + 64 };

typedef struct input {
  uint8_t *bytes;
  size_t len;
} input;

typedef struct corpus {
  input items[MAX_INPUTS];
  size_t count;
} corpus;

/* The target gets a block of exactly its length, so that ASan sees a read of
 * one byte too many. */
static void run_one(const uint8_t *bytes, size_t len) {
  uint8_t *copy = (uint8_t *)malloc(len == 0 ? 1 : len);

  if (copy == NULL) {
    abort();
  }
  if (len != 0) {
    memcpy(copy, bytes, len);
  }
  LLVMFuzzerTestOneInput(copy, len);
  free(copy);
}

static void add_file(corpus *c, const char *path) {
  FILE *file = fopen(path, "rb");

  if (file == NULL || c->count == MAX_INPUTS) {
    fprintf(stderr, "cannot take %s\n", path);
    exit(2);
  }
  input *item = &c->items[c->count];
  item->bytes = (uint8_t *)malloc(MAX_LEN);
  if (item->bytes == NULL) {
    abort();
  }
  item->len = fread(item->bytes, 1, MAX_LEN, file);
  fclose(file);
  uint8_t *fitted = (uint8_t *)realloc(item->bytes, item->len + 1);
  item->bytes = fitted == NULL ? item->bytes : fitted;
  c->count++;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_folder(corpus *c, const char *path) {
  struct dirent **names = NULL;
  int count = scandir(path, &names, NULL, by_name);

  for (int i = 0; i < count; i++) {
    char full[4096];
    snprintf(full, sizeof full, "%s/%s", path, names[i]->d_name);
    if (names[i]->d_name[0] != '.') {
      add_file(c, full);
    }
    free(names[i]);
  }
  free(names);
}

static void add_path(corpus *c, const char *path) {
  struct stat info;

  if (stat(path, &info) != 0) {
    printf("%s: not there; starting from an empty input\n", path);
  } else if (S_ISDIR(info.st_mode)) {
    add_folder(c, path);
  } else {
    add_file(c, path);
  }
}

static size_t below(uint64_t *seed, size_t limit) {
  return limit == 0 ? 0 : (size_t)(check_random(seed) % limit);
}

/* One random change: a bit, a byte, a cut, a doubled run or fresh bytes. */
static size_t change(uint8_t *bytes, size_t len, uint64_t *seed) {
  size_t at = below(seed, len);
  size_t run = 1 + below(seed, 16);

  if (len > MAX_LEN - 16) {
    return at;
  }
  switch (below(seed, 5)) {
    case 0:
      if (len != 0) {
        bytes[at] ^= (uint8_t)(1u << below(seed, 8));
      }
      return len;
    case 1:
      if (len != 0) {
        bytes[at] = (uint8_t)check_random(seed);
      }
      return len;
    case 2:
      return at;
    case 3:
      run = run > len - at ? len - at : run;
      memmove(bytes + at + run, bytes + at, len - at);
      return len + run;
    default:
      memmove(bytes + at + run, bytes + at, len - at);
      for (size_t i = 0; i < run; i++) {
        bytes[at + i] = (uint8_t)check_random(seed);
      }
      return len + run;
  }
}

static void run_changed(const corpus *c, unsigned long runs, uint64_t seed) {
  uint8_t *bytes = (uint8_t *)malloc(ROOM);

  if (bytes == NULL) {
    abort();
  }
  for (unsigned long i = 0; i < runs; i++) {
    const input *from = &c->items[below(&seed, c->count)];
    size_t len = from->len;
    memcpy(bytes, from->bytes, len);
    for (size_t n = 1 + below(&seed, 8); n > 0 && len < MAX_LEN; n--) {
      len = change(bytes, len, &seed);
    }
    run_one(bytes, len);
  }
  free(bytes);
}

int main(int argc, char **argv) {
  static corpus all;
  unsigned long runs = 0;
  uint64_t seed = (uint64_t)time(NULL);

  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
      runs = strtoul(argv[++i], NULL, 10);
    } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
      seed = strtoull(argv[++i], NULL, 10);
    } else {
      add_path(&all, argv[i]);
    }
  }
  size_t files = all.count;
  if (files == 0) {
    all.items[0].bytes = (uint8_t *)calloc(1, 1);
    all.count = 1;
  }
  printf("seed %llu\n", (unsigned long long)seed);
  fflush(stdout);
  for (size_t i = 0; i < all.count; i++) {
    run_one(all.items[i].bytes, all.items[i].len);
  }
  run_changed(&all, runs, seed);
  for (size_t i = 0; i < all.count; i++) {
    free(all.items[i].bytes);
  }
  printf("%zu files, %lu changed inputs: no fault\n", files, runs);
  return 0;
}

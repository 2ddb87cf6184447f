/* The samples against test/golden/core: NAME.mkv byte for byte, and NAME.txt,
 * which says in words what the bytes are. Run with --write (see
 * test/golden/core/write.sh) it writes both instead. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "mkv_dump.h"
#include "mkv_sample.h"

enum { ROOM = 64 * 1024 };

static uint8_t made[ROOM];
static char text[ROOM];

static size_t make(const mkv_sample *sample) {
  kvs_sink counted = kvs_counting_sink();
  kvs_buffer_sink buffer = kvs_make_buffer_sink(made, sizeof made);

  sample->write(&counted);
  sample->write(&buffer.sink);
  CHECK_EQ(buffer.sink.written, counted.written);
  CHECK(counted.written < ROOM);
  if (!CHECK(mkv_dump(made, (size_t)counted.written, text, sizeof text))) {
    fprintf(stderr, "%s", text);
  }
  return (size_t)counted.written;
}

static void path_of(char *path, size_t cap, const mkv_sample *sample,
                    const char *ending) {
  snprintf(path, cap, "test/golden/core/%s.%s", sample->name, ending);
}

static void compare(const mkv_sample *sample, const char *ending,
                    const void *bytes, size_t len) {
  static uint8_t golden[ROOM];
  char path[200];

  path_of(path, sizeof path, sample, ending);
  FILE *file = fopen(path, "rb");
  if (!CHECK(file != NULL)) {
    fprintf(stderr, "    no %s\n", path);
    return;
  }
  size_t got = fread(golden, 1, sizeof golden, file);
  fclose(file);
  if (!CHECK_EQ(len, got) ||
      !CHECK_BYTES(bytes, golden, len < got ? len : got)) {
    fprintf(stderr, "    %s\n", path);
  }
}

static void write_file(const mkv_sample *sample, const char *ending,
                       const void *bytes, size_t len) {
  char path[200];

  path_of(path, sizeof path, sample, ending);
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
    fprintf(stderr, "cannot write %s\n", path);
    exit(2);
  }
}

int main(int argc, char **argv) {
  bool write = argc > 1 && strcmp(argv[1], "--write") == 0;

  for (uint32_t i = 0; i < MKV_SAMPLES; i++) {
    check_begin(mkv_samples[i].name);
    size_t len = make(&mkv_samples[i]);
    void (*handle)(const mkv_sample *, const char *, const void *, size_t) =
        write ? write_file : compare;
    handle(&mkv_samples[i], "mkv", made, len);
    handle(&mkv_samples[i], "txt", text, strlen(text));
  }
  return check_report();
}

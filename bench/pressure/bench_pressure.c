/* SPDX-License-Identifier: Apache-2.0
 * What a link that is slower than its cameras delivers. `bench_pressure NAME`
 * runs one plan in simulated time and prints its figures as JSON; without NAME
 * it lists the plans. `bench_pressure check`
 * is the test; `bench_pressure link PORT RATE` is a slow link. index.mjs
 * runs all of them and makes the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "world.h"

#define MIB ((uint64_t)1024 * 1024)
#define SECONDS(n) ((uint64_t)(n)*KVS_TICKS_PER_SECOND)

/* 20 KB at 25 frames a second are 4 Mbit/s. Media of 20 minutes each. */
static const plan PLANS[] = {
    {"goodput95", 1, 20000, 50, 0.95, 128 * MIB, SECONDS(20), 1200, false},
    {"goodput90", 1, 20000, 50, 0.90, 128 * MIB, SECONDS(20), 1200, false},
    {"goodput70", 1, 20000, 50, 0.70, 128 * MIB, SECONDS(20), 1200, false},
    {"goodput50", 1, 20000, 50, 0.50, 128 * MIB, SECONDS(20), 1200, false},
    /* The arena is full long before the window. */
    {"arena70", 1, 20000, 50, 0.70, 10 * MIB, SECONDS(120), 1200, false},
    /* One GOP of 13.5 MB is more than the arena. */
    {"longGop70", 1, 60000, 225, 0.70, 10 * MIB, SECONDS(120), 1200, false},
    {"streams16at70", 16, 20000, 50, 0.70, 128 * MIB, SECONDS(120), 1200,
     false},
    {"longGopFree", 1, 60000, 225, 4.0, 10 * MIB, SECONDS(120), 1200, false},
    {"longGop16Free", 16, 40000, 225, 4.0, 128 * MIB, SECONDS(120), 1200,
     false},
};
/* Fragments that are on their way at the end of a shorter plan weigh more. */
#define LEAST_GOODPUT 0.94

enum { PLAN_COUNT = sizeof PLANS / sizeof PLANS[0] };

static void print_result(const world_result *r) {
  uint64_t could = r->offered < r->passed ? r->offered : r->passed;

  printf("{\"goodput\":%.4f,\"breaks\":%llu,\"falseDrops\":%llu,",
         could == 0 ? 0 : (double)r->persisted / (double)could,
         (unsigned long long)r->breaks, (unsigned long long)r->false_drops);
  printf("\"silentLosses\":%llu,\"sessions\":%llu,\"refused\":%llu,",
         (unsigned long long)r->silent_losses, (unsigned long long)r->sessions,
         (unsigned long long)r->refused);
  printf("\"dropped\":%llu,\"frames\":%llu,\"persistedMB\":%.1f,",
         (unsigned long long)r->dropped, (unsigned long long)r->frames,
         (double)r->persisted / 1e6);
  printf("\"offeredMB\":%.1f,\"passedMB\":%.1f}\n", (double)r->offered / 1e6,
         (double)r->passed / 1e6);
}

/* Every plan but that of 16 streams, a quarter as long: 0 when all that could
 * arrive did, nothing was broken for room and nothing told falsely. */
static int check(void) {
  int failed = 0;

  for (uint32_t i = 0; i < PLAN_COUNT; i++) {
    plan p = PLANS[i];
    world_result r;
    uint64_t could;

    if (p.streams > 1) {
      continue;
    }
    p.seconds /= 4;
    r = world_run(&p);
    could = r.offered < r.passed ? r.offered : r.passed;
    if (could == 0 || (double)r.persisted < LEAST_GOODPUT * (double)could ||
        r.breaks != 0 || r.false_drops != 0 || r.silent_losses != 0) {
      printf("%s: ", p.name);
      print_result(&r);
      failed = 1;
    }
  }
  return failed;
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "link") == 0) {
    return link_run((uint16_t)atoi(argv[2]), atof(argv[3]));
  }
  if (argc == 2 && strcmp(argv[1], "check") == 0) {
    return check();
  }
  for (uint32_t i = 0; i < PLAN_COUNT; i++) {
    if (argc < 2) {
      printf("%s\n", PLANS[i].name);
    } else if (strcmp(argv[1], PLANS[i].name) == 0) {
      world_result r = world_run(&PLANS[i]);

      print_result(&r);
      return 0;
    }
  }
  return argc < 2 ? 0 : 2;
}

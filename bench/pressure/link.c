/* SPDX-License-Identifier: Apache-2.0
 * Loopback TCP takes megabytes that no slow link would take: the receive
 * buffer is bounded to SOCKET_BYTES and the segments to those of Ethernet, so
 * that the sender's own buffer does not grow either. */
#define _GNU_SOURCE /* accept4 */

#include "link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  PAIRS = 128,
  SOCKET_BYTES = 64 * 1024,
  SEGMENT_BYTES = 1460,
  PIECE = 4096,
  TICK_MS = 5
};

/* A connection: |near| from the producer, |far| to the service. */
typedef struct pair {
  int near;
  int far; /* -1: the pair is free */

  bool near_ended;
} pair;

typedef struct link_state {
  int listener;
  uint16_t port;
  pair pairs[PAIRS];
  double credit;
  uint64_t passed;
  uint64_t connections;
  uint32_t turn;
} link_state;

static double seconds_now(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct sockaddr_in loopback(uint16_t port) {
  struct sockaddr_in at;

  memset(&at, 0, sizeof at);
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

static void set_option(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof value) != 0) {
    perror("link: setsockopt");
    exit(1);
  }
}

static int open_listener(uint16_t *port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in at = loopback(0);
  socklen_t len = sizeof at;

  set_option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BYTES / 2); /* it is doubled */
  set_option(fd, IPPROTO_TCP, TCP_MAXSEG, SEGMENT_BYTES);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
      listen(fd, PAIRS) != 0 ||
      getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
    perror("link: listen");
    exit(1);
  }
  *port = ntohs(at.sin_port);
  return fd;
}

static void close_pair(pair *p) {
  close(p->near);
  close(p->far);
  p->far = -1;
}

static void accept_pair(link_state *l) {
  struct sockaddr_in at = loopback(l->port);
  int near = accept4(l->listener, NULL, NULL, SOCK_NONBLOCK);

  if (near < 0) {
    return;
  }
  for (uint32_t i = 0; i < PAIRS; i++) {
    pair *p = &l->pairs[i];

    if (p->far >= 0) {
      continue;
    }
    memset(p, 0, sizeof *p);
    p->near = near;
    p->far = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(p->far, (struct sockaddr *)&at, sizeof at) != 0) {
      close_pair(p);
      return;
    }
    l->connections++;
    return;
  }
  close(near);
}

/* Answers go back without a limit: they are few and small. */
static void pass_back(pair *p) {
  uint8_t bytes[PIECE];
  ssize_t n = recv(p->far, bytes, sizeof bytes, MSG_DONTWAIT);

  if (n == 0) {
    close_pair(p);
  } else if (n > 0 && send(p->near, bytes, (size_t)n, MSG_NOSIGNAL) != n) {
    close_pair(p);
  }
}

/* One piece towards the service; whether anything moved. */
static bool pass_on(link_state *l, pair *p) {
  uint8_t bytes[SEGMENT_BYTES];
  ssize_t n;

  if (p->far < 0 || p->near_ended) {
    return false;
  }
  n = recv(p->near, bytes, SEGMENT_BYTES, MSG_DONTWAIT);
  if (n == 0) {
    p->near_ended = true;
    shutdown(p->far, SHUT_WR);
    return false;
  }
  if (n < 0) {
    return false;
  }
  l->credit -= (double)n;
  l->passed += (uint64_t)n;
  if (send(p->far, bytes, (size_t)n, MSG_NOSIGNAL) != n) {
    close_pair(p);
  }
  return true;
}

static void pass_all(link_state *l) {
  uint32_t idle = 0;

  for (uint32_t i = 0; i < PAIRS; i++) {
    if (l->pairs[i].far >= 0) {
      pass_back(&l->pairs[i]);
    }
  }
  while (l->credit > 0 && idle < PAIRS) {
    idle = pass_on(l, &l->pairs[l->turn]) ? 0 : idle + 1;
    l->turn = (l->turn + 1) % PAIRS;
  }
}

/* Whether standard input has ended. */
static bool is_over(void) {
  struct pollfd in = {STDIN_FILENO, POLLIN, 0};
  char byte;

  return poll(&in, 1, TICK_MS) == 1 && read(STDIN_FILENO, &byte, 1) <= 0;
}

int link_run(uint16_t port, double rate) {
  static link_state l;
  uint16_t own = 0;
  double last = seconds_now();
  double told = last;

  l.port = port;
  l.listener = open_listener(&own);
  for (uint32_t i = 0; i < PAIRS; i++) {
    l.pairs[i].far = -1;
  }
  printf("%u\n", (unsigned)own);
  fflush(stdout);
  while (!is_over()) {
    double now = seconds_now();
    double most = rate / 10; /* after a stall of this process */

    l.credit += (now - last) * rate;
    l.credit = l.credit < most ? l.credit : most;
    last = now;
    accept_pair(&l);
    pass_all(&l);
    if (now - told >= 0.1) {
      told = now;
      printf("%llu %llu\n", (unsigned long long)l.passed,
             (unsigned long long)l.connections);
      fflush(stdout);
    }
  }
  return 0;
}

#pragma once
// What the hardware does, for the test that reads along: SAY <device time in ms> <what> <state>
#include <cstdio>
#include "esphome/core/hal.h"

static inline void say(const char *what, const char *state) {
  printf("SAY %llu %s %s\n", (unsigned long long) esphome::millis_64(), what, state);
  fflush(stdout);
}

/* A machine that slept, for one process: CLOCK_BOOTTIME is ahead by the seconds in the file SLEPT_SECONDS_FILE. LD_PRELOAD. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*of_libc)(clockid_t, struct timespec *);
    static int file = -1;
    char text[16] = "";
    if (!of_libc)
        of_libc = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    int result = of_libc(clock, now);
    if (clock != CLOCK_BOOTTIME || result)
        return result;
    if (file < 0 && getenv("SLEPT_SECONDS_FILE"))
        file = open(getenv("SLEPT_SECONDS_FILE"), O_RDONLY | O_CLOEXEC);
    if (file >= 0 && pread(file, text, sizeof text - 1, 0) > 0)
        now->tv_sec += atol(text);
    return 0;
}

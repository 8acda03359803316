/* A disk that is slow to keep what it is given: fsync and fdatasync take longer by as many
   microseconds as the file named by SLOW_DISK says now. By LD_PRELOAD into PostgreSQL. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long said(void)
{
    char text[16] = {0};
    const char *path = getenv("SLOW_DISK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    return length > 0 ? atol(text) : 0;
}

static int kept(const char *name, int descriptor)
{
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
    int result = real(descriptor);
    int error = errno;
    long microseconds = said();
    struct timespec left = {microseconds / 1000000, microseconds % 1000000 * 1000};
    while (microseconds > 0 && nanosleep(&left, &left) == -1 && errno == EINTR)
        ;
    errno = error;
    return result;
}

int fsync(int descriptor) { return kept("fsync", descriptor); }
int fdatasync(int descriptor) { return kept("fdatasync", descriptor); }

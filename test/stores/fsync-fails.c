/* Preloaded: fsync and fdatasync fail with EIO as long as the file named in VOUCHSAFE_FSYNC_FAILS exists. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void) {
  const char *flag = getenv("VOUCHSAFE_FSYNC_FAILS");
  return flag != NULL && access(flag, F_OK) == 0;
}

#define FAILING(name)                                        \
  int name(int fd) {                                         \
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, #name); \
    if (fails()) {                                           \
      errno = EIO;                                           \
      return -1;                                             \
    }                                                        \
    return real(fd);                                         \
  }

FAILING(fsync)
FAILING(fdatasync)

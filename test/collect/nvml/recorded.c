/*
 * An NVML that answers what a folder holds. NVML_RECORDED names it: each call reads the file of its name, whose first line is
 * its return value and whose rest is what it writes. A call without a file answers NVML_ERROR_NOT_SUPPORTED (3). Structures
 * are written as they are recorded, so that what reads them is held to the layouts of the real library.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_SUPPORTED 3

static int answer(const char *call, long device, void *out, size_t size, size_t keep_from, size_t keep) {
  char path[4096];
  const char *folder = getenv("NVML_RECORDED");
  if (folder == NULL) return 1;
  if (device < 0) snprintf(path, sizeof path, "%s/%s", folder, call);
  else snprintf(path, sizeof path, "%s/%s.%ld", folder, call, device);
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NOT_SUPPORTED;
  char line[32];
  int result = fgets(line, sizeof line, file) == NULL ? 999 : atoi(line);
  if (result == 0 && out != NULL) {
    unsigned char *copy = calloc(1, size);
    fread(copy, 1, size, file);
    if (keep > 0) memcpy(copy + keep_from, (unsigned char *)out + keep_from, keep);
    memcpy(out, copy, size);
    free(copy);
  }
  fclose(file);
  return result;
}

/* A device's handle is any address: here its index, counted from one so that none is NULL. */
static long index_of(void *device) { return (long)(intptr_t)device - 1; }

int nvmlInit_v2(void) { return answer("nvmlInit_v2", -1, NULL, 0, 0, 0); }
int nvmlShutdown(void) { return answer("nvmlShutdown", -1, NULL, 0, 0, 0); }
int nvmlDeviceGetCount_v2(unsigned int *count) { return answer("nvmlDeviceGetCount_v2", -1, count, 4, 0, 0); }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
  *device = (void *)(intptr_t)(index + 1);
  return answer("nvmlDeviceGetHandleByIndex_v2", index, NULL, 0, 0, 0);
}
int nvmlSystemGetDriverVersion(char *text, unsigned int length) {
  return answer("nvmlSystemGetDriverVersion", -1, text, length, 0, 0);
}
int nvmlDeviceGetName(void *device, char *text, unsigned int length) {
  return answer("nvmlDeviceGetName", index_of(device), text, length, 0, 0);
}
int nvmlDeviceGetUUID(void *device, char *text, unsigned int length) {
  return answer("nvmlDeviceGetUUID", index_of(device), text, length, 0, 0);
}
int nvmlDeviceGetVbiosVersion(void *device, char *text, unsigned int length) {
  return answer("nvmlDeviceGetVbiosVersion", index_of(device), text, length, 0, 0);
}
int nvmlDeviceGetArchitecture(void *device, unsigned int *out) {
  return answer("nvmlDeviceGetArchitecture", index_of(device), out, 4, 0, 0);
}
int nvmlSystemGetConfComputeState(void *out) { return answer("nvmlSystemGetConfComputeState", -1, out, 12, 0, 0); }
int nvmlSystemGetConfComputeCapabilities(void *out) {
  return answer("nvmlSystemGetConfComputeCapabilities", -1, out, 8, 0, 0);
}
int nvmlSystemGetConfComputeGpusReadyState(unsigned int *out) {
  return answer("nvmlSystemGetConfComputeGpusReadyState", -1, out, 4, 0, 0);
}

#ifndef OLD_DRIVER
struct settings { unsigned int version, environment, ccFeature, devToolsMode, multiGpuMode; };
int nvmlSystemGetConfComputeSettings(struct settings *out) {
  if (out->version != (sizeof *out | (1u << 24))) return 25;
  return answer("nvmlSystemGetConfComputeSettings", -1, out, sizeof *out, 0, 4);
}
#endif

struct report {
  unsigned int isCecAttestationReportPresent, attestationReportSize, cecAttestationReportSize;
  unsigned char nonce[0x20], attestationReport[0x2000], cecAttestationReport[0x1000];
};
/* The recorded report answers its own nonce alone: another one is a recording for another question. */
int nvmlDeviceGetConfComputeGpuAttestationReport(void *device, struct report *out) {
  unsigned char asked[0x20];
  memcpy(asked, out->nonce, sizeof asked);
  int result = answer("nvmlDeviceGetConfComputeGpuAttestationReport", index_of(device), out, sizeof *out, 0, 0);
  if (result == 0 && memcmp(asked, out->nonce, sizeof asked) != 0) return 2;
  return result;
}

struct certificate {
  unsigned int certChainSize, attestationCertChainSize;
  unsigned char certChain[0x1000], attestationCertChain[0x1400];
};
int nvmlDeviceGetConfComputeGpuCertificate(void *device, struct certificate *out) {
  return answer("nvmlDeviceGetConfComputeGpuCertificate", index_of(device), out, sizeof *out, 0, 0);
}

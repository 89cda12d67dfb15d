/* A bake as bytes: opened, and its head and index believed only after they were checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif
#include "nfx_inside.h"

#define HEAD 128u
#define ENTRY 24u
#define MOST_SIDE 65536u
#define MOST_BETWEEN 1024u
#define MOST_CELLS 1024u
#define MOST_FRAMES (1u << 22)

static uint32_t u32(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }
static uint64_t u64(const uint8_t *p) { return u32(p) | (uint64_t)u32(p + 4) << 32; }
static float f32(const uint8_t *p) {
  uint32_t bits = u32(p);
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

uint32_t nfx_crc(uint32_t crc, const uint8_t *data, size_t size) {
  crc = ~crc;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

static const uint8_t *load(const char *path, size_t *size, int *is_mapped) {
#if defined(__unix__) || defined(__APPLE__)
  int file = open(path, O_RDONLY);
  struct stat facts = {0};
  void *data = MAP_FAILED;
  if (file < 0) return NULL;
  if (!fstat(file, &facts) && S_ISREG(facts.st_mode) && facts.st_size > 0)
    data = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  *size = (size_t)facts.st_size, *is_mapped = 1;
  return data == MAP_FAILED ? NULL : data;
#else
  FILE *file = fopen(path, "rb");
  uint8_t *data = NULL;
  long long end;
  if (!file) return NULL;
  if (!_fseeki64(file, 0, SEEK_END) && (end = _ftelli64(file)) > 0 && !_fseeki64(file, 0, SEEK_SET)) {
    data = malloc((size_t)end);
    *size = (size_t)end, *is_mapped = 0;
    if (data && fread(data, 1, (size_t)end, file) != (size_t)end) free(data), data = NULL;
  }
  fclose(file);
  return data;
#endif
}

static void unload(const nfx_file *file) {
#if defined(__unix__) || defined(__APPLE__)
  if (file->data) munmap((void *)file->data, file->size);
#else
  free((void *)file->data);
#endif
}

nfx_file *nfx_open(const char *path, char *why, size_t why_size) {
  nfx_file *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  file->data = load(path, &file->size, &file->is_mapped);
  if (!file->data) {
    snprintf(why, why_size, "%s: cannot be read", path);
    free(file);
    return NULL;
  }
  if (!nfx_read_head(file, why, why_size)) {
    nfx_close(file);
    return NULL;
  }
  return file;
}

void nfx_close(nfx_file *file) {
  if (file) unload(file);
  free(file);
}

nfx_facts nfx_facts_of(const nfx_file *file) { return file->facts; }

static const uint32_t channels_of[TRACKS] = {12, 3, 15, 6, 6 * NFX_GROUPS};

static int read_tracks(nfx_file *file, const uint8_t *at, const uint8_t *end, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (end - at < 16) return 0;
    uint32_t kind = u32(at), channels = u32(at + 4);
    if (kind >= TRACKS || channels != channels_of[kind] || file->tracks[kind].channels) return 0;
    nfx_track *track = &file->tracks[kind];
    track->height = u32(at + 8), track->width = u32(at + 12);
    if (!track->height || track->height > MOST_CELLS || !track->width || track->width > MOST_CELLS) return 0;
    if (end - at < 16 + 4 * (ptrdiff_t)channels) return 0;
    for (uint32_t c = 0; c < channels; c++) {
      track->steps[c] = f32(at + 16 + 4 * c);
      if (!(track->steps[c] > 0 && track->steps[c] <= 1)) return 0;
    }
    track->channels = channels;
    at += 16 + 4 * channels;
  }
  return at == end && file->tracks[GROUND].channels;
}

static int read_index(const nfx_file *file, uint64_t head) {
  uint64_t size = (uint64_t)file->facts.frames * ENTRY, at = file->index_at;
  if (at < head || at > file->size || file->size - at != size + 4) return 0;
  if (u32(file->data + at + size) != nfx_crc(0, file->data + at, size)) return 0;
  for (int64_t i = 0; i < file->facts.frames; i++) {
    nfx_entry one = nfx_entry_of(file, i);
    if (one.at < head || one.at > at || one.size > at - one.at) return 0;
    if (!(one.strength >= 0 && one.strength <= 1) || (!i && !one.is_key)) return 0;
  }
  return 1;
}

nfx_entry nfx_entry_of(const nfx_file *file, int64_t place) {
  const uint8_t *at = file->data + file->index_at + (uint64_t)place * ENTRY;
  nfx_entry one = {u64(at), u32(at + 8), u32(at + 12), u32(at + 16), f32(at + 20)};
  return one;
}

static const char *wrong_head(nfx_file *file) {
  const uint8_t *p = file->data;
  if (file->size < HEAD || memcmp(p, "NFXBAKE1", 8)) return "is no bake";
  if (u32(p + 8) != 1) return "is of a version that is not known here: update the plugin";
  uint32_t head = u32(p + 12), text = u32(p + 116);
  if (u64(p + 16) != file->size || head < HEAD || head > file->size) return "is incomplete";
  if (nfx_crc(nfx_crc(0, p, HEAD - 4), p + HEAD, head - HEAD) != u32(p + 124)) return "is damaged";
  file->index_at = u64(p + 24);
  nfx_facts facts = {u32(p + 32), u32(p + 36), u32(p + 40), u32(p + 44), (int32_t)u32(p + 48), u32(p + 52),
                     (int32_t)u32(p + 56), u32(p + 60), u32(p + 120)};
  file->facts = facts;
  file->cells_h = u32(p + 64), file->cells_w = u32(p + 68);
  for (int c = 0; c < 3; c++) file->luma[c] = f32(p + 80 + 4 * c), file->clear[c] = f32(p + 92 + 4 * c);
  file->black = f32(p + 104), file->scale = f32(p + 108);
  if (!facts.width || facts.width > MOST_SIDE || !facts.height || facts.height > MOST_SIDE) return "has no size";
  if (!facts.frames || facts.frames > MOST_FRAMES) return "has no frames";
  if (!file->cells_h || file->cells_h > MOST_CELLS || !file->cells_w || file->cells_w > MOST_CELLS) return "has no cells";
  if (!u32(p + 112) || u32(p + 112) > MOST_BETWEEN) return "has no keys";
  if (u32(p + 76) != NFX_GROUPS || u32(p + 72) > TRACKS || text > head - HEAD) return "has other planes";
  if (!read_tracks(file, p + HEAD, p + head - text, u32(p + 72))) return "has other planes";
  return read_index(file, head) ? NULL : "has no sound index";
}

int nfx_read_head(nfx_file *file, char *why, size_t why_size) {
  const char *wrong = wrong_head(file);
  if (wrong) snprintf(why, why_size, "the bake %s", wrong);
  return !wrong;
}

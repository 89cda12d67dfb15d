/* A place for one frame: read from its key on, and kept while the same one is asked for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "nfx_inside.h"

nfx_frame *nfx_frame_new(const nfx_file *file) {
  nfx_frame *frame = calloc(1, sizeof *frame);
  size_t count = (size_t)file->cells_h * file->cells_w;
  if (!frame) return NULL;
  frame->file = file, frame->place = frame->made = -1;
  frame->cells = malloc(count * CELL_CHANNELS * sizeof(float));
  frame->wide = malloc(count * (MOST_CHANNELS + 3) * sizeof(float));
  if (frame->cells && frame->wide) return frame;
  nfx_frame_free(frame);
  return NULL;
}

void nfx_frame_free(nfx_frame *frame) {
  if (!frame) return;
  for (int track = 0; track < TRACKS; track++) free(frame->numbers[track]);
  free(frame->cells), free(frame->wide), free(frame->lamps), free(frame);
}

static int find(nfx_frame *frame, int64_t place) {
  int64_t key = place;
  if (frame->place == place) return 1;
  while (key > 0 && !nfx_entry_of(frame->file, key).is_key) key--;
  int64_t next = frame->place >= key && frame->place < place ? frame->place + 1 : key;
  frame->made = -1;
  for (; next <= place; next++)
    if (!nfx_read_record(frame, next)) return 0;
  return 1;
}

int nfx_frame_read(nfx_frame *frame, int64_t number, const float *groups) {
  const nfx_facts *facts = &frame->file->facts;
  float wanted[NFX_GROUPS];
  for (int g = 0; g < NFX_GROUPS; g++) wanted[g] = groups && groups[g] >= 0 ? fminf(groups[g], 1e4f) : 1;
  int64_t place = number - facts->first;
  if (number < facts->first || place >= facts->frames || !find(frame, place)) return 0;
  if (frame->made == place && !memcmp(wanted, frame->groups, sizeof wanted)) return 1;
  memcpy(frame->groups, wanted, sizeof wanted);
  nfx_make_cells(frame);
  frame->made = place;
  return 1;
}

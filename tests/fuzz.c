/* Opens so many files of a folder, 0.nfx and on, lights two frames of each, and says how many could be opened and lit. */
#include <stdio.h>
#include <stdlib.h>
#include "nfx.h"

#define SIDE 128

int main(int count, char **words) {
  static float plate[SIDE * SIDE * 3], out[SIDE * SIDE * 3];
  const float groups[NFX_GROUPS] = {0, 2, 1, 0.5f, 3};
  char path[4096], why[256];
  int opened = 0, lit = 0;
  if (count < 3) return 2;
  for (int i = 0; i < SIDE * SIDE * 3; i++) plate[i] = (float)(i % 251) / 250;
  for (int i = 0; i < atoi(words[2]); i++) {
    snprintf(path, sizeof path, "%s/%d.nfx", words[1], i);
    nfx_file *file = nfx_open(path, why, sizeof why);
    if (!file) continue;
    nfx_facts facts = nfx_facts_of(file);
    nfx_frame *frame = nfx_frame_new(file);
    int w = facts.width < SIDE ? (int)facts.width : SIDE, h = facts.height < SIDE ? (int)facts.height : SIDE;
    opened++;
    int done = frame && nfx_frame_read(frame, facts.first + 4, NULL) && nfx_light(frame, 0, 0, w, h, plate, w * 3, out, w * 3, 3, 1);
    if (frame && nfx_frame_read(frame, facts.first, groups)) nfx_light(frame, 0, 0, w, h, plate, w * 3, out, w * 3, 3, 0.5f);
    lit += done;
    nfx_frame_free(frame);
    nfx_close(file);
  }
  printf("%d %d\n", opened, lit);
  return 0;
}

/* The light of a frame on the grid of cells: planes brought there, lamps turned up and down, and the veil put over both fields. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "nfx_inside.h"

#define GAMMA 2.2f /* the working encoding is near this power of light */

static void widen(const nfx_track *track, const int32_t *numbers, uint32_t height, uint32_t width, float *out) {
  uint32_t h = track->height, w = track->width;
  for (uint32_t c = 0; c < track->channels; c++, numbers += (size_t)h * w)
    for (uint32_t y = 0; y < height; y++) {
      float place = ((float)y + 0.5f) * ((float)h / (float)height) - 0.5f;
      place = fminf(fmaxf(place, 0), (float)(h - 1));
      uint32_t upper = (uint32_t)place, lower = upper + 1 < h ? upper + 1 : upper;
      float down = place - (float)upper;
      const int32_t *a = numbers + (size_t)upper * w, *b = numbers + (size_t)lower * w;
      for (uint32_t x = 0; x < width; x++) {
        float at = ((float)x + 0.5f) * ((float)w / (float)width) - 0.5f;
        at = fminf(fmaxf(at, 0), (float)(w - 1));
        uint32_t left = (uint32_t)at, right = left + 1 < w ? left + 1 : left;
        float on = at - (float)left;
        float over = (float)a[left] + on * (float)(a[right] - a[left]);
        float under = (float)b[left] + on * (float)(b[right] - b[left]);
        *out++ = track->steps[c] * (over + down * (under - over));
      }
    }
}

static float turned(const nfx_frame *frame, const float *shares, size_t count, size_t cell, int channel, int is_veil) {
  float total = 1;
  for (int g = 0; g < NFX_GROUPS; g++)
    total += (frame->groups[g] - 1) * shares[(size_t)(6 * g + 3 * is_veil + channel) * count + cell];
  return fmaxf(total, 0);
}

static void gain_ground(nfx_frame *frame, size_t count) {
  for (int c = 0; c < 3; c++)
    for (size_t i = 0; i < count; i++) {
      float gain = powf(turned(frame, frame->wide, count, i, c, 0), 1 / GAMMA);
      for (int k = 0; k < 4; k++) frame->cells[(size_t)(4 * c + k) * count + i] *= gain;
    }
}

static void put_veil(float *field, const float *veil, size_t count) {
  for (int c = 0; c < 3; c++)
    for (size_t i = 0; i < count; i++) {
      float over = veil[(size_t)c * count + i];
      for (int k = 0; k < 4; k++) field[(size_t)(4 * c + k) * count + i] *= 1 - over;
      field[(size_t)(4 * c + 3) * count + i] += over;
    }
}

static void bring(nfx_frame *frame, int track, float *out) {
  const nfx_file *file = frame->file;
  widen(&file->tracks[track], frame->numbers[track], file->cells_h, file->cells_w, out);
}

void nfx_make_cells(nfx_frame *frame) {
  size_t count = (size_t)frame->file->cells_h * frame->file->cells_w;
  float *cells = frame->cells, *veil = frame->wide + (size_t)MOST_CHANNELS * count;
  int is_turned = 0, has_shares = frame->mask >> SHARES & 1, has_veil = frame->mask >> VEIL & 1;
  for (int g = 0; g < NFX_GROUPS; g++) is_turned |= frame->groups[g] != 1;
  bring(frame, GROUND, cells);
  if (frame->mask >> SKY & 1) bring(frame, SKY, cells + 12 * count), bring(frame, MATTE, cells + 27 * count);
  if (has_veil) bring(frame, VEIL, veil);
  if (is_turned && has_shares) {
    bring(frame, SHARES, frame->wide);
    gain_ground(frame, count);
    for (int c = 0; c < 3 && has_veil; c++)
      for (size_t i = 0; i < count; i++)
        veil[(size_t)c * count + i] = fminf(veil[(size_t)c * count + i] * turned(frame, frame->wide, count, i, c, 1), 1);
  }
  if (!has_veil) return;
  put_veil(cells, veil, count);
  if (frame->mask >> SKY & 1) put_veil(cells + 12 * count, veil, count);
}

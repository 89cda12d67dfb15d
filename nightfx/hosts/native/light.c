/* The law of a pixel: ground, sky through its matte, what shines itself, grain, and how much of all is let through. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "nfx_inside.h"

#define KNEE 0.6f /* linear light from which on a sum is held below white */
#define STRONGEST 0.38490018f
#define BYTES_DEVIATION 147.8f

static const float LUMA[3] = {0.2126f, 0.7152f, 0.0722f};
static float clamp(float value, float low, float high) { return fminf(fmaxf(value, low), high); }
static float dot(const float *m, const float *p) { return m[0] * p[0] + m[1] * p[1] + m[2] * p[2]; }
static float smooth(float t) {
  t = clamp(t, 0, 1);
  return t * t * (3 - 2 * t);
}

float nfx_decoded(float code, int curve) {
  if (curve == NFX_CODED) return code;
  float size = fabsf(code), light = powf(size, 2.4f);
  if (curve == NFX_SRGB) light = size <= 0.04045f ? size / 12.92f : powf((size + 0.055f) / 1.055f, 2.4f);
  return copysignf(light, code);
}

float nfx_encoded(float light, int curve) {
  if (curve == NFX_CODED) return light;
  float size = fabsf(light), code = powf(size, 1 / 2.4f);
  if (curve == NFX_SRGB) code = size <= 0.0031308f ? size * 12.92f : 1.055f * powf(size, 1 / 2.4f) - 0.055f;
  return copysignf(code, light);
}

/* What the cells say along a row of pixels: each plane's row, of `cells_w` numbers, one after another. */
static void read_row(const nfx_frame *frame, int y, int planes, float *row) {
  const nfx_file *file = frame->file;
  uint32_t h = file->cells_h, w = file->cells_w;
  double place = ((double)y + 0.5) * h / file->facts.height - 0.5;
  place = fmin(fmax(place, 0), h - 1.0);
  uint32_t upper = (uint32_t)place, lower = upper + 1 < h ? upper + 1 : upper;
  float down = (float)(place - upper);
  for (int c = 0; c < planes; c++) {
    const float *a = frame->cells + ((size_t)c * h + upper) * w, *b = frame->cells + ((size_t)c * h + lower) * w;
    for (uint32_t x = 0; x < w; x++) *row++ = a[x] + (b[x] - a[x]) * down;
  }
}

static void read_pixel(const float *row, size_t w, size_t left, size_t right, float on, size_t first, size_t last, float *m) {
  for (size_t c = first; c < last; c++) m[c] = row[c * w + left] + (row[c * w + right] - row[c * w + left]) * on;
}

static void through_sky(const nfx_frame *frame, const float *m, const float *p, float *value) {
  const float *sky = m + 12, *day = m + 24, *matte = m + 27;
  if (matte[5] <= 0) return;
  float alpha = clamp(dot(matte, p) + matte[3], matte[4], matte[5]);
  if (alpha <= 0) return;
  float bright = fmaxf(dot(frame->file->luma, p), 0) / fmaxf(dot(frame->file->luma, day), 1e-6f);
  float own = smooth((bright - 0.4f) * (1 / 0.3f)) * smooth((alpha - 0.8f) * 5);
  float mixed = (1 - own) * fminf(alpha, bright);
  for (int c = 0; c < 3; c++) {
    const float *g = m + 4 * c, *s = sky + 4 * c;
    float at_day = dot(s, day) + s[3] - dot(g, day) - g[3];
    value[c] += frame->sky * (own * (dot(s, p) + s[3] - value[c]) + mixed * at_day);
  }
}

static void shine(const float *light, float *value) {
  float below[3], sum[3];
  for (int c = 0; c < 3; c++) {
    below[c] = nfx_decoded(fmaxf(value[c], 0), NFX_SRGB);
    sum[c] = below[c] + light[c];
  }
  float most = fmaxf(fmaxf(sum[0], sum[1]), sum[2]);
  float knee = fmaxf(fmaxf(fmaxf(below[0], below[1]), below[2]), KNEE);
  float over = fmaxf(most - knee, 0), room = fmaxf(1 - knee, 0);
  float keep = 1, white = 0;
  if (over > 0) {
    float pale = over / (over + 1) * (over / (over + 1));
    keep = (knee + room * over / fmaxf(over + room, 1e-20f)) / fmaxf(most, knee) * (1 - pale);
    white = fmaxf(1, knee) * pale;
  }
  for (int c = 0; c < 3; c++) value[c] = nfx_encoded(fmaxf(sum[c] * keep + white, below[c]), NFX_SRGB);
}

static float noise(uint32_t seed, int y, int x) {
  uint32_t h = seed ^ (uint32_t)y * 0x27D4EB2Fu ^ (uint32_t)x * 0x165667B1u;
  h = (h ^ h >> 16) * 0x7FEB352Du;
  h = (h ^ h >> 15) * 0x846CA68Bu;
  h ^= h >> 16;
  int total = (int)(h & 255) + (int)(h >> 8 & 255) + (int)(h >> 16 & 255) + (int)(h >> 24);
  return (float)(total - 510) / BYTES_DEVIATION;
}

static void put_grain(const nfx_frame *frame, int y, int x, float *value) {
  float grey = clamp(dot(LUMA, value), 0, 1);
  float grain = sqrtf(grey) * (1 - grey) * (frame->grain / STRONGEST) * noise(frame->seed, y, x);
  for (int c = 0; c < 3; c++) value[c] += grain;
}

/* The light of lamps on a row from x0 to before x1, 3 numbers a pixel; returns whether there is any. */
static int lamps_on(const nfx_frame *frame, int y, int x0, int x1, const float *in, int step, float *light) {
  int any = 0;
  memset(light, 0, (size_t)(x1 - x0) * 3 * sizeof *light);
  for (uint32_t i = 0; i < frame->lamp_count; i++) {
    const nfx_lamp *lamp = &frame->lamps[i];
    if (y < lamp->top || y >= lamp->top + lamp->height) continue;
    int first = lamp->left > x0 ? lamp->left : x0, last = lamp->left + lamp->width < x1 ? lamp->left + lamp->width : x1;
    float turned = frame->groups[lamp->kind & 255];
    for (int x = first; x < last; x++) {
      float cover = turned * nfx_cover(frame->file, lamp, x - lamp->left, y - lamp->top, in + (ptrdiff_t)(x - x0) * step);
      if (cover <= 0) continue;
      for (int c = 0; c < 3; c++) light[3 * (x - x0) + c] += cover * lamp->light[c];
      any = 1;
    }
  }
  return any;
}

static void light_row(const nfx_frame *frame, int y, int x0, int x1, const float *in, float *out, int step, float strength,
                      float *row, float *light) {
  const nfx_file *file = frame->file;
  uint32_t w = file->cells_w;
  int has_sky = frame->mask >> SKY & 1, planes = has_sky ? CELL_CHANNELS : 12;
  read_row(frame, y, planes, row);
  int shines = lamps_on(frame, y, x0, x1, in, step, light);
  for (int x = x0; x < x1; x++, in += step, out += step) {
    double place = ((double)x + 0.5) * w / file->facts.width - 0.5;
    place = fmin(fmax(place, 0), w - 1.0);
    uint32_t left = (uint32_t)place, right = left + 1 < w ? left + 1 : left;
    float on = (float)(place - left), m[CELL_CHANNELS], p[3] = {in[0], in[1], in[2]}, value[3];
    read_pixel(row, w, left, right, on, 0, 12, m);
    for (int c = 0; c < 3; c++) value[c] = dot(m + 4 * c, p) + m[4 * c + 3];
    if (has_sky && (row[32 * w + left] > 0 || row[32 * w + right] > 0)) {
      read_pixel(row, w, left, right, on, 12, CELL_CHANNELS, m);
      through_sky(frame, m, p, value);
    }
    const float *lamp = light + 3 * (x - x0);
    if (shines && (lamp[0] > 0 || lamp[1] > 0 || lamp[2] > 0)) shine(lamp, value);
    if (frame->grain > 0) put_grain(frame, y, x, value);
    for (int c = 0; c < 3; c++) out[c] = fmaxf(p[c] + strength * (value[c] - p[c]), fminf(p[c], 0));
  }
}

/* No light is the plate, bit for bit. */
static int copy(int width, int height, const float *in, ptrdiff_t in_row, float *out, ptrdiff_t out_row, int step) {
  for (int y = 0; y < height; y++, in += in_row, out += out_row)
    for (ptrdiff_t x = 0; x < width; x++)
      for (ptrdiff_t c = 0; c < 3; c++) out[x * step + c] = in[x * step + c];
  return 1;
}

int nfx_light(const nfx_frame *frame, int x0, int y0, int x1, int y1, const float *in, ptrdiff_t in_row, float *out,
              ptrdiff_t out_row, int step, float strength) {
  const nfx_facts *facts = &frame->file->facts;
  if (frame->made < 0 || x0 < 0 || y0 < 0 || x1 > (int)facts->width || y1 > (int)facts->height || x0 >= x1) return 0;
  if (!(strength > 0)) return copy(x1 - x0, y1 - y0, in, in_row, out, out_row, step);
  size_t cells = (size_t)frame->file->cells_w * CELL_CHANNELS;
  float *room = malloc((cells + (size_t)(x1 - x0) * 3) * sizeof *room);
  if (!room) return 0;
  for (int y = y0; y < y1; y++) {
    light_row(frame, y, x0, x1, in, out, step, fminf(strength, 1) * frame->strength, room, room + cells);
    in += in_row, out += out_row;
  }
  free(room);
  return 1;
}

/* How much of a pixel shines: the panes of a window on the plate's own edges, or the round head of a lamp. */
#include <math.h>
#include "nfx_inside.h"

#define PANES 256u
#define ROUND 1.2f
#define TEXTURE 0.7f
#define TOP 1.25f
#define FOOT 0.6f
#define LEAST_CONTRAST 0.04f

static float clamp(float value, float low, float high) { return fminf(fmaxf(value, low), high); }
static float least4(const float *v) { return fminf(fminf(v[0], v[2]), fminf(v[4], v[6])); }
static float most4(const float *v) { return fmaxf(fmaxf(v[0], v[2]), fmaxf(v[4], v[6])); }

static float inside(const float *quad, float x, float y) {
  float least = 1;
  for (int i = 0; i < 4; i++) {
    const float *a = quad + 2 * i, *b = quad + 2 * ((i + 1) % 4);
    float along_x = b[0] - a[0], along_y = b[1] - a[1];
    float length = fmaxf(sqrtf(along_x * along_x + along_y * along_y), 1e-6f);
    least = fminf(least, (along_x * (y - a[1]) - along_y * (x - a[0])) / length + 0.5f);
  }
  return fmaxf(least, 0);
}

static float glow(float value, float wall, float glass) {
  float share = 1, contrast = wall - glass;
  if (fabsf(contrast) > LEAST_CONTRAST) {
    float t = clamp((wall - value) / contrast, 0, 1);
    share = t * t * (3 - 2 * t);
  }
  float own = clamp(fmaxf(value, 0.004f) / fmaxf(glass, 0.02f), 0.5f, 1.6f);
  return share * (1 + TEXTURE * (own * own - 1));
}

static float head(const float *quad, float x, float y) {
  float middle_x = (quad[0] + quad[2] + quad[4] + quad[6]) / 4, middle_y = (quad[1] + quad[3] + quad[5] + quad[7]) / 4;
  float across = (x - middle_x) / fmaxf((most4(quad) - least4(quad)) / 2, 0.7f);
  float down = (y - middle_y) / fmaxf((most4(quad + 1) - least4(quad + 1)) / 2, 0.7f);
  return clamp(ROUND - across * across - down * down, 0, 1);
}

/* `x` and `y` count from the corner of its box; `rgb` is the plate's pixel */
float nfx_cover(const nfx_file *file, const nfx_lamp *lamp, int x, int y, const float *rgb) {
  float at_x = (float)x + 0.5f, at_y = (float)y + 0.5f;
  if (!(lamp->kind & PANES)) return head(lamp->quad, at_x, at_y);
  float cover = inside(lamp->quad, at_x, at_y);
  if (cover <= 0) return 0;
  float top = least4(lamp->quad + 1), foot = most4(lamp->quad + 1);
  float room = TOP + (FOOT - TOP) * clamp((at_y - top) / fmaxf(foot - top, 1), 0, 1);
  float seen = file->clear[0] * rgb[0] + file->clear[1] * rgb[1] + file->clear[2] * rgb[2];
  return cover * room * glow(clamp(file->black + file->scale * seen, 0, 1), lamp->wall, lamp->glass);
}

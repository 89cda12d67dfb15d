/* A frei0r filter that lights a shot by its bake: for MLT (Kdenlive, Shotcut), FFmpeg, and whoever else loads frei0r.
 *
 * A plate that is not the bake's, and a frame that it has not, passes through as it is.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "frei0r_abi.h"
#include "nfx.h"

#define EXPORT __attribute__((visibility("default")))
#define MOST_TEXT 4096
#define USUAL_RATE 24.0

enum { FILE_, FIRST, CLOCK, STRENGTH, GROUP, PARAMS = GROUP + NFX_GROUPS };
enum { UNKNOWN, SECONDS, MILLISECONDS };

static const f0r_param_info params[PARAMS] = {
    {"file", F0R_STRING, "The bake, a .nfx that `nightfx bake` wrote"},
    {"first", F0R_STRING, "Number of the frame shown at time 0; empty for the first of the bake"},
    {"clock", F0R_STRING, "What the host counts time in: auto, seconds or milliseconds"},
    {"strength", F0R_DOUBLE, "0 is the plate, 1 the night"},
    {"lamps", F0R_DOUBLE, "Light of street lamps: 0 none, 0.5 as baked, 1 twice"},
    {"windows", F0R_DOUBLE, "Light of windows: 0 none, 0.5 as baked, 1 twice"},
    {"cars", F0R_DOUBLE, "Light of cars: 0 none, 0.5 as baked, 1 twice"},
    {"signs", F0R_DOUBLE, "Light of signs: 0 none, 0.5 as baked, 1 twice"},
    {"street", F0R_DOUBLE, "Light of lamps outside the picture: 0 none, 0.5 as baked, 1 twice"},
};

typedef struct {
  unsigned width, height;
  char texts[STRENGTH][MOST_TEXT];
  char *told[STRENGTH];
  double numbers[PARAMS];
  int is_looked_at; /* at the file that is named now */
  nfx_file *file;
  nfx_frame *frame;
  int clock;
  double last_time;
} instance;

EXPORT int f0r_init(void) { return 1; }
EXPORT void f0r_deinit(void) {}

EXPORT void f0r_get_plugin_info(f0r_plugin_info *info) {
  f0r_plugin_info own = {"nightfx", "nightfx", F0R_FILTER, F0R_RGBA8888, 1, 0, 1, PARAMS, "Day for night, by a bake of the shot"};
  *info = own;
}

EXPORT void f0r_get_param_info(f0r_param_info *info, int index) {
  if (index >= 0 && index < PARAMS) *info = params[index];
}

EXPORT f0r_instance f0r_construct(unsigned width, unsigned height) {
  instance *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->width = width, self->height = height, self->last_time = -1;
  self->numbers[STRENGTH] = 1;
  for (int i = GROUP; i < PARAMS; i++) self->numbers[i] = 0.5;
  return self;
}

static void forget(instance *self) {
  nfx_frame_free(self->frame), nfx_close(self->file);
  self->frame = NULL, self->file = NULL, self->is_looked_at = 0;
}

EXPORT void f0r_destruct(f0r_instance of) {
  instance *self = of;
  if (self) forget(self);
  free(self);
}

static void set_text(instance *self, int index, const char *text) {
  if (!text || strlen(text) >= MOST_TEXT || !strcmp(text, self->texts[index])) return;
  strcpy(self->texts[index], text);
  if (index == FILE_) forget(self);
  self->clock = UNKNOWN, self->last_time = -1;
}

EXPORT void f0r_set_param_value(f0r_instance of, void *value, int index) {
  instance *self = of;
  if (!self || !value || index < 0 || index >= PARAMS) return;
  if (index < STRENGTH) set_text(self, index, *(char **)value);
  else self->numbers[index] = *(double *)value;
}

EXPORT void f0r_get_param_value(f0r_instance of, void *value, int index) {
  instance *self = of;
  if (!self || !value || index < 0 || index >= PARAMS) return;
  if (index < STRENGTH) self->told[index] = self->texts[index], *(char **)value = self->told[index];
  else *(double *)value = self->numbers[index];
}

static void look(instance *self) {
  char why[256];
  if (self->is_looked_at) return;
  self->is_looked_at = 1;
  self->file = nfx_open(self->texts[FILE_], why, sizeof why);
  if (!self->file) return;
  nfx_facts facts = nfx_facts_of(self->file);
  if (facts.width == self->width && facts.height == self->height && !facts.rotation) self->frame = nfx_frame_new(self->file);
}

static double rate_of(const nfx_facts *facts) {
  return facts->rate_num && facts->rate_den ? (double)facts->rate_num / facts->rate_den : USUAL_RATE;
}

/* The interface says seconds, and FFmpeg gives milliseconds. From one frame to the next it is seen; before, by where the bake ends:
 * milliseconds are whole. */
static int clock_of(instance *self, double time, double rate, double frames) {
  if (!strcmp(self->texts[CLOCK], "seconds")) return SECONDS;
  if (!strcmp(self->texts[CLOCK], "milliseconds")) return MILLISECONDS;
  double step = fabs(time - self->last_time) * rate;
  int is_next = self->last_time >= 0 && step > 0;
  self->last_time = time;
  if (self->clock != UNKNOWN) return self->clock;
  if (is_next && fabs(step - 1) < 0.1) self->clock = SECONDS;
  if (is_next && fabs(step / 1000 - 1) < 0.1) self->clock = MILLISECONDS;
  if (self->clock != UNKNOWN) return self->clock;
  return time * rate < frames || time != floor(time) ? SECONDS : MILLISECONDS;
}

static int64_t number_at(instance *self, double time) {
  nfx_facts facts = nfx_facts_of(self->file);
  double rate = rate_of(&facts);
  double seconds = clock_of(self, time, rate, facts.frames) == SECONDS ? time : time / 1000;
  long first = self->texts[FIRST][0] ? strtol(self->texts[FIRST], NULL, 10) : facts.first;
  double frame = fmin(fmax(seconds * rate, -1e9), 1e9);
  return (int64_t)first + llrint(frame);
}

static uint8_t code_of(float value) { return value <= 0 ? 0 : value >= 1 ? 255 : (uint8_t)(value * 255 + 0.5f); }

static void light(instance *self, float strength, const uint8_t *in, uint8_t *out, float *row) {
  int width = (int)self->width;
  for (int y = 0; y < (int)self->height; y++, in += 4 * width, out += 4 * width) {
    for (int x = 0; x < width; x++)
      for (int c = 0; c < 3; c++) row[3 * x + c] = in[4 * x + c] / 255.0f;
    if (!nfx_light(self->frame, 0, y, width, y + 1, row, 0, row, 0, 3, strength)) return;
    for (int x = 0; x < width; x++)
      for (int c = 0; c < 3; c++) out[4 * x + c] = code_of(row[3 * x + c]);
  }
}

EXPORT void f0r_update(f0r_instance of, double time, const uint32_t *in, uint32_t *out) {
  instance *self = of;
  float groups[NFX_GROUPS], strength = (float)self->numbers[STRENGTH];
  if (in != out) memcpy(out, in, (size_t)self->width * self->height * 4);
  look(self);
  if (!self->frame || !(strength > 0)) return;
  for (int g = 0; g < NFX_GROUPS; g++) groups[g] = (float)(2 * self->numbers[GROUP + g]);
  if (!nfx_frame_read(self->frame, number_at(self, time), groups)) return;
  float *row = malloc((size_t)self->width * 3 * sizeof *row);
  if (row) light(self, strength, (const uint8_t *)in, (uint8_t *)out, row);
  free(row);
}

EXPORT void f0r_update2(f0r_instance of, double time, const uint32_t *in, const uint32_t *in2, const uint32_t *in3, uint32_t *out) {
  (void)in2, (void)in3;
  f0r_update(of, time, in, out);
}

/* An OpenFX filter that lights a shot by its bake: no network and no Python in the host's process.
 *
 * A plate that is not the bake's, and a frame that it has not, passes through as it is. The interface counts rows from below.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "nfx.h"
#include "ofx_abi.h"

#define EXPORT __attribute__((visibility("default")))
#define MOST_PATH 4096

static ofx_host *host;
static const ofx_property_suite *props;
static const ofx_effect_suite *effects;
static const ofx_parameter_suite *params;

static const char *const groups[NFX_GROUPS] = {"lamps", "windows", "cars", "signs", "street"};
static const char *const group_labels[NFX_GROUPS] = {"Street lamps", "Windows", "Cars", "Signs", "Lamps outside the picture"};

typedef struct {
  ofx_clip source, output;
  ofx_param file, strength, first, encoding, group[NFX_GROUPS];
  char path[MOST_PATH]; /* what is open, or could not be */
  nfx_file *bake;
  nfx_frame *frame;
} instance;

typedef struct {
  int x1, y1, x2, y2;
} box;

typedef struct {
  ofx_props of;
  box bounds;
  int row_bytes;
  char *data;
  int is_byte, has_alpha;
} image;

static ofx_status load(void) {
  if (!host) return OFX_MISSING_HOST;
  props = host->fetch(host->host, "OfxPropertySuite", 1);
  effects = host->fetch(host->host, "OfxImageEffectSuite", 1);
  params = host->fetch(host->host, "OfxParameterSuite", 1);
  return props && effects && params ? OFX_OK : OFX_MISSING_HOST;
}

static ofx_status describe(ofx_effect effect) {
  ofx_props p;
  if (effects->property_set(effect, &p)) return OFX_FAILED;
  props->set_string(p, "OfxPropLabel", 0, "nightfx");
  props->set_string(p, "OfxImageEffectPluginPropGrouping", 0, "Relight");
  props->set_string(p, "OfxImageEffectPropSupportedContexts", 0, "OfxImageEffectContextFilter");
  props->set_string(p, "OfxImageEffectPropSupportedContexts", 1, "OfxImageEffectContextGeneral");
  props->set_string(p, "OfxImageEffectPropSupportedPixelDepths", 0, "OfxBitDepthFloat");
  props->set_string(p, "OfxImageEffectPropSupportedPixelDepths", 1, "OfxBitDepthByte");
  props->set_int(p, "OfxImageEffectPropSupportsTiles", 0, 1);
  props->set_int(p, "OfxImageEffectPropSupportsMultiResolution", 0, 0);
  props->set_int(p, "OfxImageEffectPropTemporalClipAccess", 0, 0);
  /* the frame that an instance has read is its own */
  props->set_string(p, "OfxImageEffectPluginRenderThreadSafety", 0, "OfxImageEffectRenderInstanceSafe");
  return OFX_OK;
}

static void define_number(ofx_param_set set, const char *name, const char *label, double most) {
  ofx_props p;
  if (params->define(set, "OfxParamTypeDouble", name, &p)) return;
  props->set_string(p, "OfxPropLabel", 0, label);
  props->set_double(p, "OfxParamPropDefault", 0, 1);
  props->set_double(p, "OfxParamPropMin", 0, 0), props->set_double(p, "OfxParamPropMax", 0, most);
  props->set_double(p, "OfxParamPropDisplayMin", 0, 0), props->set_double(p, "OfxParamPropDisplayMax", 0, most);
}

static void define_params(ofx_param_set set) {
  static const char *const curves[] = {"as the plate codes it", "linear, by sRGB's curve", "linear, by a gamma of 2.4"};
  ofx_props p;
  if (!params->define(set, "OfxParamTypeString", "file", &p)) {
    props->set_string(p, "OfxPropLabel", 0, "Bake (.nfx)");
    props->set_string(p, "OfxParamPropStringMode", 0, "OfxParamStringIsFilePath");
    props->set_string(p, "OfxParamPropDefault", 0, ""), props->set_int(p, "OfxParamPropAnimates", 0, 0);
  }
  define_number(set, "strength", "Strength", 1);
  for (int g = 0; g < NFX_GROUPS; g++) define_number(set, groups[g], group_labels[g], 4);
  if (!params->define(set, "OfxParamTypeInteger", "first", &p)) {
    props->set_string(p, "OfxPropLabel", 0, "The host's number of the first baked frame");
    props->set_int(p, "OfxParamPropDefault", 0, 0), props->set_int(p, "OfxParamPropAnimates", 0, 0);
  }
  if (!params->define(set, "OfxParamTypeChoice", "encoding", &p)) {
    props->set_string(p, "OfxPropLabel", 0, "What the host hands over");
    for (int i = 0; i < 3; i++) props->set_string(p, "OfxParamPropChoiceOption", i, curves[i]);
    props->set_int(p, "OfxParamPropDefault", 0, 0), props->set_int(p, "OfxParamPropAnimates", 0, 0);
  }
}

static ofx_status describe_in_context(ofx_effect effect) {
  static const char *const clips[] = {"Source", "Output"};
  ofx_param_set set;
  ofx_props p;
  for (int i = 0; i < 2; i++) {
    if (effects->clip_define(effect, clips[i], &p)) return OFX_FAILED;
    props->set_string(p, "OfxImageEffectPropSupportedComponents", 0, "OfxImageComponentRGBA");
    props->set_string(p, "OfxImageEffectPropSupportedComponents", 1, "OfxImageComponentRGB");
    props->set_int(p, "OfxImageEffectPropSupportsTiles", 0, 1);
  }
  if (effects->param_set(effect, &set)) return OFX_FAILED;
  define_params(set);
  return OFX_OK;
}

static instance *instance_of(ofx_effect effect) {
  ofx_props p;
  void *self = NULL;
  if (!effects->property_set(effect, &p)) props->get_pointer(p, "OfxPropInstanceData", 0, &self);
  return self;
}

static ofx_status create(ofx_effect effect) {
  ofx_props p;
  ofx_param_set set;
  instance *self = calloc(1, sizeof *self);
  if (!self) return OFX_NO_MEMORY;
  int wrong = effects->property_set(effect, &p) || effects->param_set(effect, &set) ||
              effects->clip_handle(effect, "Source", &self->source, NULL) ||
              effects->clip_handle(effect, "Output", &self->output, NULL) ||
              params->handle(set, "file", &self->file, NULL) || params->handle(set, "strength", &self->strength, NULL) ||
              params->handle(set, "first", &self->first, NULL) || params->handle(set, "encoding", &self->encoding, NULL);
  for (int g = 0; g < NFX_GROUPS && !wrong; g++) wrong = params->handle(set, groups[g], &self->group[g], NULL);
  if (!wrong && !props->set_pointer(p, "OfxPropInstanceData", 0, self)) return OFX_OK;
  free(self);
  return OFX_FAILED;
}

static void forget(instance *self) {
  nfx_frame_free(self->frame), nfx_close(self->bake);
  self->frame = NULL, self->bake = NULL;
}

static ofx_status destroy(ofx_effect effect) {
  instance *self = instance_of(effect);
  if (self) forget(self);
  free(self);
  return OFX_OK;
}

static void look(instance *self) {
  char *path = NULL, why[256];
  if (params->value(self->file, &path) || !path || strlen(path) >= MOST_PATH) path = "";
  if (!strcmp(path, self->path)) return;
  forget(self);
  strcpy(self->path, path);
  self->bake = nfx_open(path, why, sizeof why);
  if (self->bake && !nfx_facts_of(self->bake).rotation) self->frame = nfx_frame_new(self->bake);
}

static int open_image(ofx_clip clip, double time, image *found) {
  char *depth = "", *kind = "";
  void *data = NULL;
  memset(found, 0, sizeof *found);
  if (effects->clip_image(clip, time, NULL, &found->of) || !found->of) return found->of = NULL, 0;
  if (props->get_ints(found->of, "OfxImagePropBounds", 4, &found->bounds.x1)) return 0;
  if (props->get_int(found->of, "OfxImagePropRowBytes", 0, &found->row_bytes)) return 0;
  if (props->get_pointer(found->of, "OfxImagePropData", 0, &data) || !data) return 0;
  if (props->get_string(found->of, "OfxImageEffectPropPixelDepth", 0, &depth)) return 0;
  props->get_string(found->of, "OfxImageEffectPropComponents", 0, &kind);
  found->data = data, found->is_byte = !strcmp(depth, "OfxBitDepthByte"), found->has_alpha = strcmp(kind, "OfxImageComponentRGB") != 0;
  return found->is_byte || !strcmp(depth, "OfxBitDepthFloat");
}

static void close_image(image *one) {
  if (one->of) effects->clip_release(one->of);
}

static char *pixel(const image *one, int x, int y) {
  int size = (one->has_alpha ? 4 : 3) * (one->is_byte ? 1 : 4);
  return one->data + (ptrdiff_t)(y - one->bounds.y1) * one->row_bytes + (ptrdiff_t)(x - one->bounds.x1) * size;
}

static uint8_t byte_of(float value) { return value <= 0 ? 0 : value >= 1 ? 255 : (uint8_t)(value * 255 + 0.5f); }

typedef struct {
  const nfx_frame *frame; /* NULL: the plate passes through */
  box plate; /* in px of the plate */
  int curve, width, height;
  float strength;
  double scale[2]; /* of the host's picture, a proxy's less than 1 */
  float *wide;     /* a row of the plate, where that is not the host's */
} work;

static int held(double place, int count) { return place < 0 ? 0 : place >= count ? count - 1 : (int)place; }

/* Of a proxy each pixel is lit as that of the plate which is in its middle. */
static int light_proxy(const work *of, int x1, int count, int y, int channels, float *row) {
  double across = of->scale[0], from_top = of->height - 1 - (floor((y + 0.5) / of->scale[1]) - of->plate.y1);
  int at = held(from_top, of->height);
  for (int x = 0; x < of->width; x++) {
    int near = held(floor((x + of->plate.x1 + 0.5) * across) - x1, count);
    memcpy(of->wide + (ptrdiff_t)x * channels, row + (ptrdiff_t)near * channels, (size_t)channels * sizeof *row);
  }
  if (!nfx_light(of->frame, 0, at, of->width, at + 1, of->wide, 0, of->wide, 0, channels, of->strength)) return 0;
  for (int x = 0; x < count; x++) {
    int near = held(floor((x + x1 + 0.5) / across) - of->plate.x1, of->width);
    memcpy(row + (ptrdiff_t)x * channels, of->wide + (ptrdiff_t)near * channels, 3 * sizeof *row);
  }
  return 1;
}

/* Light one row, in `row` as red, green, blue and alpha, from x1 of the host's picture on. */
static int light_row(const work *of, int x1, int x2, int y, int channels, float *row) {
  int count = x2 - x1, from_top = of->height - 1 - (y - of->plate.y1);
  for (int x = 0; x < count && of->curve; x++)
    for (int c = 0; c < 3; c++) row[x * channels + c] = nfx_encoded(row[x * channels + c], of->curve);
  int left = x1 - of->plate.x1;
  int done = of->wide ? light_proxy(of, x1, count, y, channels, row)
                      : nfx_light(of->frame, left, from_top, left + count, from_top + 1, row, 0, row, 0, channels, of->strength);
  for (int x = 0; x < count && of->curve; x++)
    for (int c = 0; c < 3; c++) row[x * channels + c] = nfx_decoded(row[x * channels + c], of->curve);
  return done;
}

static int render_row(const work *of, const image *in, const image *out, box window, int y, float *row) {
  int channels = in->has_alpha ? 4 : 3, count = (window.x2 - window.x1) * channels;
  const char *from = pixel(in, window.x1, y);
  char *to = pixel(out, window.x1, y);
  memmove(to, from, (size_t)count * (in->is_byte ? 1 : 4));
  if (!of->frame) return 1;
  for (int i = 0; i < count && in->is_byte; i++) row[i] = (float)((const uint8_t *)from)[i] / 255;
  if (!in->is_byte) memcpy(row, from, (size_t)count * 4);
  if (!light_row(of, window.x1, window.x2, y, channels, row)) return 0;
  for (int i = 0; i < count && in->is_byte; i++)
    if (i % channels < 3) ((uint8_t *)to)[i] = byte_of(row[i]);
  if (!in->is_byte) memcpy(to, row, (size_t)count * 4);
  return 1;
}

static box cut(box window, box a, box b) {
  box both = {window.x1 > a.x1 ? window.x1 : a.x1, window.y1 > a.y1 ? window.y1 : a.y1,
              window.x2 < a.x2 ? window.x2 : a.x2, window.y2 < a.y2 ? window.y2 : a.y2};
  box all = {both.x1 > b.x1 ? both.x1 : b.x1, both.y1 > b.y1 ? both.y1 : b.y1,
             both.x2 < b.x2 ? both.x2 : b.x2, both.y2 < b.y2 ? both.y2 : b.y2};
  return all;
}

static ofx_status render_rows(ofx_effect effect, const work *of, const image *in, const image *out, box window) {
  window = cut(window, in->bounds, out->bounds);
  if (window.x1 >= window.x2) return OFX_OK;
  float *row = malloc((size_t)(window.x2 - window.x1) * 4 * sizeof *row);
  ofx_status status = row ? OFX_OK : OFX_NO_MEMORY;
  for (int y = window.y1; y < window.y2 && !status && !effects->abort(effect); y++)
    if (!render_row(of, in, out, window, y, row)) status = OFX_NO_MEMORY;
  free(row);
  return status;
}

/* Where the plate lies in the host's picture: what the clip says, else the image. It is lit where it is the bake's size alone. */
static box plate_of(const instance *self, double time, const image *in) {
  double region[4] = {0, 0, 0, 0};
  box plate = in->bounds;
  if (!effects->clip_region || effects->clip_region(self->source, time, region)) return plate;
  box said = {(int)lrint(region[0]), (int)lrint(region[1]), (int)lrint(region[2]), (int)lrint(region[3])};
  return said.x1 < said.x2 && said.y1 < said.y2 ? said : plate;
}

/* Whether a picture of the host's lies in the plate, at its scale. */
static int is_in(const work *of, const image *in) {
  box plate = of->plate;
  double x = of->scale[0], y = of->scale[1];
  return in->bounds.x1 >= floor(plate.x1 * x) && in->bounds.y1 >= floor(plate.y1 * y) &&
         in->bounds.x2 <= ceil(plate.x2 * x) && in->bounds.y2 <= ceil(plate.y2 * y);
}

static work plan(instance *self, double time, const image *in, const double *scale) {
  work made = {NULL, plate_of(self, time, in), 0, 0, 0, 1, {scale[0], scale[1]}, NULL};
  float turned[NFX_GROUPS];
  double number = 1;
  int first = 0, is_proxy = scale[0] != 1 || scale[1] != 1;
  look(self);
  if (!self->frame) return made;
  nfx_facts facts = nfx_facts_of(self->bake);
  made.width = (int)facts.width, made.height = (int)facts.height;
  if (made.plate.x2 - made.plate.x1 != made.width || made.plate.y2 - made.plate.y1 != made.height) return made;
  if (!is_in(&made, in)) return made;
  if (!params->value_at(self->strength, time, &number)) made.strength = (float)number;
  for (int g = 0; g < NFX_GROUPS; g++) {
    number = 1;
    params->value_at(self->group[g], time, &number);
    turned[g] = (float)number;
  }
  params->value(self->first, &first), params->value(self->encoding, &made.curve);
  if (!(made.strength > 0) || !nfx_frame_read(self->frame, facts.first + (int64_t)llrint(time) - first, turned)) return made;
  if (is_proxy && !(made.wide = malloc((size_t)made.width * 4 * sizeof *made.wide))) return made;
  made.frame = self->frame;
  return made;
}

static ofx_status render(ofx_effect effect, ofx_props asked) {
  instance *self = instance_of(effect);
  image in = {0}, out = {0};
  double time = 0, scale[2] = {1, 1};
  box window;
  ofx_status status = OFX_FAILED;
  if (!self || props->get_double(asked, "OfxPropTime", 0, &time) || !(fabs(time) < 1e9)) return OFX_FAILED;
  if (props->get_ints(asked, "OfxImageEffectPropRenderWindow", 4, &window.x1)) return OFX_FAILED;
  if (props->get_doubles(asked, "OfxImageEffectPropRenderScale", 2, scale) || !(scale[0] > 0 && scale[1] > 0)) scale[0] = scale[1] = 1;
  int opened = open_image(self->source, time, &in) & open_image(self->output, time, &out);
  if (opened && in.is_byte == out.is_byte && in.has_alpha == out.has_alpha) {
    work planned = plan(self, time, &in, scale);
    status = render_rows(effect, &planned, &in, &out, window);
    free(planned.wide);
  }
  close_image(&in), close_image(&out);
  return status;
}

static ofx_status entry(const char *action, const void *handle, ofx_props in, ofx_props out) {
  ofx_effect effect = (ofx_effect)(uintptr_t)handle;
  (void)out;
  if (!strcmp(action, "OfxActionLoad")) return load();
  if (!strcmp(action, "OfxActionDescribe")) return describe(effect);
  if (!strcmp(action, "OfxImageEffectActionDescribeInContext")) return describe_in_context(effect);
  if (!strcmp(action, "OfxActionCreateInstance")) return create(effect);
  if (!strcmp(action, "OfxActionDestroyInstance")) return destroy(effect);
  if (!strcmp(action, "OfxImageEffectActionRender")) return render(effect, in);
  return OFX_DEFAULT;
}

static void set_host(ofx_host *of) { host = of; }

static ofx_plugin plugin = {"OfxImageEffectPluginAPI", 1, "org.nightfx.relight", 0, 1, set_host, entry};

EXPORT int OfxGetNumberOfPlugins(void) { return 1; }
EXPORT ofx_plugin *OfxGetPlugin(int index) { return index ? NULL : &plugin; }

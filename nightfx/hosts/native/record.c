/* A frame of a bake: its planes of whole numbers, each told from the frame before, and its lamps. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "nfx_inside.h"

#define MOST (1 << 20) /* no number of a plane is so large */
#define TOLD 31u
#define MOST_K 20u
#define ONES 24u
#define FRAME 20u
#define LAMP 72u
#define MOST_NUMBER 65536.0f

typedef struct {
  const uint8_t *data;
  uint64_t bit, end;
} bits;

static uint32_t u32(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }
static float f32(const uint8_t *p) {
  uint32_t raw = u32(p);
  float value;
  memcpy(&value, &raw, 4);
  return value;
}

static int take(bits *from, uint32_t k, int64_t *code) {
  uint32_t ones = 0;
  while (from->bit < from->end && ones < ONES && from->data[from->bit >> 3] >> (7 - (from->bit & 7)) & 1) ones++, from->bit++;
  uint32_t wide = ones < ONES ? k : 32;
  from->bit += ones < ONES;
  if (from->bit + wide > from->end) return 0;
  uint64_t rest = 0;
  for (uint32_t i = 0; i < wide; i++, from->bit++) rest = rest << 1 | (from->data[from->bit >> 3] >> (7 - (from->bit & 7)) & 1);
  *code = (int64_t)(ones == ONES ? rest : (uint64_t)ones << k | rest);
  return 1;
}

static int32_t middle(int32_t left, int32_t above, int32_t corner) {
  int32_t low = left < above ? left : above, high = left < above ? above : left, plane = left + above - corner;
  return plane < low ? low : plane > high ? high : plane;
}

/* `own` is the row being read, `over` the one above it or NULL; of both less what they were before, where `was` is given */
static int32_t guess(const int32_t *own, const int32_t *over, const int32_t *was, const int32_t *was_over, size_t x) {
  int32_t left = x ? own[x - 1] - (was ? was[x - 1] : 0) : 0, above = over ? over[x] - (was ? was_over[x] : 0) : 0;
  if (!x || !over) return left + above;
  return middle(left, above, over[x - 1] - (was ? was_over[x - 1] : 0));
}

static int unpack_row(bits *from, uint32_t k, uint32_t how, const int32_t *over, const int32_t *was, const int32_t *was_over,
                      size_t width, int32_t *own) {
  for (size_t x = 0; x < width; x++) {
    int64_t code = 0;
    if (k != TOLD && !take(from, k, &code)) return 0;
    int32_t near = how == 1 ? 0 : guess(own, over, how ? was : NULL, was_over, x);
    int64_t value = (int64_t)near + (how ? was[x] : 0) + (code & 1 ? -(code >> 1) - 1 : code >> 1);
    if (value <= -MOST || value >= MOST) return 0;
    own[x] = (int32_t)value;
  }
  from->bit = (from->bit + 7) & ~(uint64_t)7;
  return 1;
}

/* `planes` hold the numbers of the frame before, where that has any, and those of this one then. */
int nfx_unpack(const uint8_t *data, size_t size, const nfx_track *track, int has_before, int32_t *planes) {
  size_t width = track->width, count = (size_t)track->channels * track->height;
  int32_t *was = malloc(2 * width * sizeof *was);
  bits from = {data, 0, (uint64_t)size * 8};
  if (!was) return 0;
  int sound = 1;
  for (size_t row = 0; row < count && sound; row++) {
    int32_t *own = planes + row * width, *kept = was + (row & 1) * width;
    const int32_t *over = row % track->height ? own - width : NULL;
    memcpy(kept, own, width * sizeof *own);
    uint32_t head = from.bit < from.end ? data[from.bit >> 3] : 255, k = head & 31, how = head >> 5;
    from.bit += 8;
    sound = how <= (has_before ? 2u : 0u) && (k <= MOST_K || k == TOLD) && from.bit <= from.end &&
            unpack_row(&from, k, how, over, kept, was + (~row & 1) * width, width, own);
  }
  free(was);
  return sound && from.bit == from.end;
}

static int read_lamp(const nfx_file *file, const uint8_t *p, nfx_lamp *lamp) {
  int32_t place[4];
  for (int i = 0; i < 4; i++) place[i] = (int32_t)u32(p + 4 * i);
  lamp->left = place[0], lamp->top = place[1], lamp->width = place[2], lamp->height = place[3];
  int64_t right = (int64_t)lamp->left + lamp->width, bottom = (int64_t)lamp->top + lamp->height;
  if (lamp->left < 0 || lamp->width <= 0 || right > file->facts.width) return 0;
  if (lamp->top < 0 || lamp->height <= 0 || bottom > file->facts.height) return 0;
  float numbers[13];
  for (int i = 0; i < 13; i++) {
    numbers[i] = f32(p + 16 + 4 * i);
    if (!(fabsf(numbers[i]) <= MOST_NUMBER)) return 0;
  }
  memcpy(lamp->quad, numbers, sizeof lamp->quad);
  memcpy(lamp->light, numbers + 8, sizeof lamp->light);
  lamp->wall = numbers[11], lamp->glass = numbers[12], lamp->kind = u32(p + 68);
  return (lamp->kind & ~256u) < NFX_GROUPS;
}

static int read_lamps(nfx_frame *frame, const uint8_t *p, uint32_t count) {
  if (count > frame->lamp_room) {
    nfx_lamp *more = realloc(frame->lamps, count * sizeof *more);
    if (!more) return 0;
    frame->lamps = more, frame->lamp_room = count;
  }
  frame->lamp_count = count;
  for (uint32_t i = 0; i < count; i++)
    if (!read_lamp(frame->file, p + (size_t)i * LAMP, &frame->lamps[i])) return 0;
  return 1;
}

static int read_planes(nfx_frame *frame, int track, const uint8_t **at, const uint8_t *end, int has_before) {
  const nfx_track *one = &frame->file->tracks[track];
  size_t count = (size_t)one->channels * one->height * one->width;
  if (!one->channels || end - *at < 4) return 0;
  uint32_t size = u32(*at);
  *at += 4;
  if (size > (size_t)(end - *at)) return 0;
  if (!frame->numbers[track] && !(frame->numbers[track] = calloc(count, sizeof(int32_t)))) return 0;
  if (!nfx_unpack(*at, size, one, has_before, frame->numbers[track])) return 0;
  *at += size;
  return 1;
}

/* Read the next frame, or a key; 0, and nothing of it is kept, where it is damaged. */
int nfx_read_record(nfx_frame *frame, int64_t place) {
  nfx_entry entry = nfx_entry_of(frame->file, place);
  const uint8_t *p = frame->file->data + entry.at, *end = p + entry.size, *at = p + FRAME;
  uint32_t before = entry.is_key ? 0 : frame->mask;
  frame->place = -1;
  if (entry.size < FRAME || nfx_crc(0, p, entry.size) != entry.crc) return 0;
  uint32_t mask = u32(p), lamps = u32(p + 4);
  frame->strength = entry.strength, frame->sky = f32(p + 8), frame->grain = f32(p + 12), frame->seed = u32(p + 16);
  if (mask >> TRACKS || !(mask & 1) || lamps > (entry.size - FRAME) / LAMP) return 0;
  if (!(mask >> SKY & 1) != !(mask >> MATTE & 1)) return 0;
  if (!(frame->sky >= 0 && frame->sky <= 1 && frame->grain >= 0 && frame->grain <= 1)) return 0;
  if (!read_lamps(frame, at, lamps)) return 0;
  at += (size_t)lamps * LAMP;
  for (int track = 0; track < TRACKS; track++)
    if (mask >> track & 1 && !read_planes(frame, track, &at, end, before >> track & 1)) return 0;
  if (at != end) return 0;
  frame->mask = mask, frame->place = place;
  return 1;
}

/* What the parts of the core share, and nobody else. */
#ifndef NFX_INSIDE_H
#define NFX_INSIDE_H
#include "nfx.h"

enum { GROUND, VEIL, SKY, MATTE, SHARES, TRACKS };
#define MOST_CHANNELS (6 * NFX_GROUPS)
#define CELL_CHANNELS 33 /* 12 of the ground, 15 of the sky and its day, 6 of the matte */

typedef struct {
  uint32_t channels, height, width; /* 0 channels: the file has no such planes */
  float steps[MOST_CHANNELS];
} nfx_track;

typedef struct {
  uint64_t at;
  uint32_t size, crc, is_key;
  float strength;
} nfx_entry;

struct nfx_file {
  const uint8_t *data;
  size_t size;
  int is_mapped;
  nfx_facts facts;
  uint32_t cells_h, cells_w;
  float luma[3], clear[3], black, scale;
  nfx_track tracks[TRACKS];
  uint64_t index_at;
};

typedef struct {
  int32_t left, top, width, height;
  float quad[8], light[3], wall, glass;
  uint32_t kind;
} nfx_lamp;

struct nfx_frame {
  const nfx_file *file;
  int64_t place;      /* of the frame in `numbers`, -1 for none */
  int64_t made;       /* of the frame in `cells`, -1 for none */
  float groups[NFX_GROUPS];
  int32_t *numbers[TRACKS];
  uint32_t mask;      /* of the planes in `numbers` */
  float *cells;       /* CELL_CHANNELS planes of the grid of cells */
  float *wide;        /* one track's planes on that grid */
  nfx_lamp *lamps;
  uint32_t lamp_count, lamp_room;
  float strength, sky, grain;
  uint32_t seed;
};

int nfx_read_head(nfx_file *file, char *why, size_t why_size);
int nfx_read_record(nfx_frame *frame, int64_t place);
nfx_entry nfx_entry_of(const nfx_file *file, int64_t place);
uint32_t nfx_crc(uint32_t crc, const uint8_t *data, size_t size);
int nfx_unpack(const uint8_t *data, size_t size, const nfx_track *track, int has_before, int32_t *planes);
void nfx_make_cells(nfx_frame *frame);
float nfx_cover(const nfx_file *file, const nfx_lamp *lamp, int x, int y, const float *rgb);
#endif

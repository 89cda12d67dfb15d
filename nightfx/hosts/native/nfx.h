/* Read a bake of nightfx and put its light on rows of float RGB. C11, no dependency; see docs/hosts/bake.md.
 *
 * The file comes from others: every number in it is checked before it is used. A file may be shared by threads once it is
 * open; a frame belongs to one thread while it is read, and may be shared by threads while it lights.
 */
#ifndef NFX_H
#define NFX_H
#include <stddef.h>
#include <stdint.h>

#define NFX_GROUPS 5 /* lamps, windows, cars, signs, street */

typedef struct nfx_file nfx_file;
typedef struct nfx_frame nfx_frame;

typedef struct {
  uint32_t width, height;           /* of the plate, in px */
  uint32_t rate_num, rate_den;      /* frames a second; 0 where the plate does not say */
  int32_t first;                    /* number of the first frame that is lit */
  uint32_t frames;                  /* how many are lit */
  int32_t plate_first;              /* number of the plate's first frame */
  uint32_t plate_frames;            /* how many frames the plate has */
  uint32_t rotation;                /* degrees by which a player turns the plate */
} nfx_facts;

/* NULL where the file cannot be read or is no bake; a line in `why` then says what is wrong. */
nfx_file *nfx_open(const char *path, char *why, size_t why_size);
void nfx_close(nfx_file *file);
nfx_facts nfx_facts_of(const nfx_file *file);

/* A place for one frame of a file, which must stay open as long. NULL without memory. */
nfx_frame *nfx_frame_new(const nfx_file *file);
void nfx_frame_free(nfx_frame *frame);

/* Read the light of the frame of a number, with the light of each group of lamps times `groups` (NULL: as baked).
 * 0 where the frame is not in the file, or damaged. */
int nfx_frame_read(nfx_frame *frame, int64_t number, const float *groups);

/* Light the pixels x0 <= x < x1, y0 <= y < y1 of the plate, rows counted from the top. `in` and `out` point at the first of
 * them and may be the same; a row is `in_row` floats after the one before, a pixel `step` floats, of which the first three
 * are red, green and blue as the plate codes them (1 is white); no other is written. Of the light, `strength` (0 to 1) is put
 * on; at 0 every pixel is itself, bit for bit. 0 where the memory for a row cannot be had. */
int nfx_light(const nfx_frame *frame, int x0, int y0, int x1, int y1, const float *in, ptrdiff_t in_row, float *out,
              ptrdiff_t out_row, int step, float strength);

/* Between linear light and a plate's codes, for hosts that hand over light. */
enum { NFX_CODED = 0, NFX_SRGB = 1, NFX_GAMMA24 = 2 };
float nfx_encoded(float light, int curve);
float nfx_decoded(float code, int curve);
#endif

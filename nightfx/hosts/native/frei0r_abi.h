/* The part of the frei0r 1.2 interface that nightfx uses, written from its published description. */
#ifndef FREI0R_ABI_H
#define FREI0R_ABI_H
#include <stdint.h>

enum { F0R_FILTER = 0 };
enum { F0R_RGBA8888 = 1 };
enum { F0R_BOOL = 0, F0R_DOUBLE = 1, F0R_STRING = 4 };

typedef void *f0r_instance;
typedef struct {
  const char *name, *author;
  int plugin_type, color_model, frei0r_version, major_version, minor_version, num_params;
  const char *explanation;
} f0r_plugin_info;
typedef struct {
  const char *name;
  int type;
  const char *explanation;
} f0r_param_info;
#endif

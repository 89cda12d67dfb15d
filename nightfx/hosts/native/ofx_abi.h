/* The part of the OpenFX 1.4 C interface that nightfx uses, written from the published specification. */
#ifndef OFX_ABI_H
#define OFX_ABI_H

typedef int ofx_status;
typedef void *ofx_props, *ofx_effect, *ofx_clip, *ofx_param_set, *ofx_param;
enum { OFX_OK = 0, OFX_FAILED = 1, OFX_DEFAULT = 14, OFX_MISSING_HOST = 4, OFX_NO_MEMORY = 6 };

typedef struct {
  ofx_props host;
  const void *(*fetch)(ofx_props host, const char *suite, int version);
} ofx_host;

typedef ofx_status ofx_entry(const char *action, const void *handle, ofx_props in, ofx_props out);

typedef struct {
  const char *api;
  int api_version;
  const char *id;
  unsigned major, minor;
  void (*set_host)(ofx_host *);
  ofx_entry *main;
} ofx_plugin;

typedef struct {
  ofx_status (*set_pointer)(ofx_props, const char *, int, void *);
  ofx_status (*set_string)(ofx_props, const char *, int, const char *);
  ofx_status (*set_double)(ofx_props, const char *, int, double);
  ofx_status (*set_int)(ofx_props, const char *, int, int);
  ofx_status (*set_pointers)(ofx_props, const char *, int, void *const *);
  ofx_status (*set_strings)(ofx_props, const char *, int, const char *const *);
  ofx_status (*set_doubles)(ofx_props, const char *, int, const double *);
  ofx_status (*set_ints)(ofx_props, const char *, int, const int *);
  ofx_status (*get_pointer)(ofx_props, const char *, int, void **);
  ofx_status (*get_string)(ofx_props, const char *, int, char **);
  ofx_status (*get_double)(ofx_props, const char *, int, double *);
  ofx_status (*get_int)(ofx_props, const char *, int, int *);
  ofx_status (*get_pointers)(ofx_props, const char *, int, void **);
  ofx_status (*get_strings)(ofx_props, const char *, int, char **);
  ofx_status (*get_doubles)(ofx_props, const char *, int, double *);
  ofx_status (*get_ints)(ofx_props, const char *, int, int *);
  ofx_status (*reset)(ofx_props, const char *);
  ofx_status (*dimension)(ofx_props, const char *, int *);
} ofx_property_suite;

typedef struct {
  ofx_status (*property_set)(ofx_effect, ofx_props *);
  ofx_status (*param_set)(ofx_effect, ofx_param_set *);
  ofx_status (*clip_define)(ofx_effect, const char *, ofx_props *);
  ofx_status (*clip_handle)(ofx_effect, const char *, ofx_clip *, ofx_props *);
  ofx_status (*clip_property_set)(ofx_clip, ofx_props *);
  ofx_status (*clip_image)(ofx_clip, double time, const void *region, ofx_props *);
  ofx_status (*clip_release)(ofx_props);
  ofx_status (*clip_region)(ofx_clip, double time, void *);
  int (*abort)(ofx_effect);
  void *memory[4];
} ofx_effect_suite;

typedef struct {
  ofx_status (*define)(ofx_param_set, const char *type, const char *name, ofx_props *);
  ofx_status (*handle)(ofx_param_set, const char *, ofx_param *, ofx_props *);
  ofx_status (*set_properties)(ofx_param_set, ofx_props *);
  ofx_status (*properties)(ofx_param, ofx_props *);
  ofx_status (*value)(ofx_param, ...);
  ofx_status (*value_at)(ofx_param, double time, ...);
  void *rest[12];
} ofx_parameter_suite;
#endif

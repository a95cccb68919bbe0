/* maps.h - maps loaded once and kept by address: one table per thread. Internal to v8layout.
 *
 * A map is accepted when it stands in a live page, its own map is a map, and its numbers are in range. */
#ifndef PM_V8LAYOUT_MAPS_H
#define PM_V8LAYOUT_MAPS_H

#include "v8layout/heap.h"

struct v8_map_table;

struct v8_map_table *v8_map_table_create(void); /* NULL without memory */
void v8_map_table_destroy(struct v8_map_table *table);
/* The map at an address, loaded if need be; NULL = no sane map there (also without memory). */
const struct v8_map *v8_map_table_get(struct v8_map_table *table, const struct v8 *v8, pm_addr address);
size_t v8_map_table_count(const struct v8_map_table *table);
/* Copies the size rules of the layout into all maps again. */
void v8_map_table_refresh(struct v8_map_table *table, const struct v8 *v8);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/xdp_lib.h"

#include "base/dynlib.h"

static const struct dynlib_symbol symbols[] = {
#define SYMBOL(name, field)                            \
	{                                              \
#name, offsetof(struct xdp_lib, field) \
	}
    SYMBOL(bpf_link_create, link_create),
    SYMBOL(bpf_link_update, link_update),
    SYMBOL(bpf_map__fd, map_fd),
    SYMBOL(bpf_map__set_pin_path, map_set_pin_path),
    SYMBOL(bpf_map_delete_elem, delete_elem),
    SYMBOL(bpf_map_get_next_key, get_next_key),
    SYMBOL(bpf_map_lookup_batch, lookup_batch),
    SYMBOL(bpf_map_lookup_elem, lookup_elem),
    SYMBOL(bpf_map_update_batch, update_batch),
    SYMBOL(bpf_map_update_elem, update_elem),
    SYMBOL(bpf_obj_get, obj_get),
    SYMBOL(bpf_obj_get_info_by_fd, obj_get_info_by_fd),
    SYMBOL(bpf_obj_pin, obj_pin),
    SYMBOL(bpf_object__close, object_close),
    SYMBOL(bpf_object__find_map_by_name, find_map_by_name),
    SYMBOL(bpf_object__find_program_by_name, find_program_by_name),
    SYMBOL(bpf_object__load, object_load),
    SYMBOL(bpf_object__open_mem, object_open_mem),
    SYMBOL(bpf_program__fd, program_fd),
    SYMBOL(bpf_xdp_query, xdp_query),
    SYMBOL(libbpf_set_print, set_print),
#undef SYMBOL
};

int xdp_lib_load(struct xdp_lib *lib, struct err *e)
{
	static const char *const names[] = {"libbpf.so.1", NULL};
	int r = dynlib_load(names, symbols, ARRAY_LEN(symbols), lib, e);

	if (!r)
		(void)lib->set_print(NULL); /* it would write to our stderr */
	return r;
}

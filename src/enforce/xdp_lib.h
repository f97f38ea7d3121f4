/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * xdp_lib - the functions of libbpf that we use, loaded by name
 *
 * Failures are negative errno, of functions that give a pointer NULL with errno.
 */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"

struct xdp_lib {
	__typeof__(bpf_link_create) *link_create;
	__typeof__(bpf_link_update) *link_update;
	__typeof__(bpf_map__fd) *map_fd;
	__typeof__(bpf_map__set_pin_path) *map_set_pin_path;
	__typeof__(bpf_map_delete_elem) *delete_elem;
	__typeof__(bpf_map_get_next_key) *get_next_key;
	__typeof__(bpf_map_lookup_batch) *lookup_batch;
	__typeof__(bpf_map_lookup_elem) *lookup_elem;
	__typeof__(bpf_map_update_batch) *update_batch;
	__typeof__(bpf_map_update_elem) *update_elem;
	__typeof__(bpf_obj_get) *obj_get;
	__typeof__(bpf_obj_get_info_by_fd) *obj_get_info_by_fd;
	__typeof__(bpf_obj_pin) *obj_pin;
	__typeof__(bpf_object__close) *object_close;
	__typeof__(bpf_object__find_map_by_name) *find_map_by_name;
	__typeof__(bpf_object__find_program_by_name) *find_program_by_name;
	__typeof__(bpf_object__load) *object_load;
	__typeof__(bpf_object__open_mem) *object_open_mem;
	__typeof__(bpf_program__fd) *program_fd;
	__typeof__(bpf_xdp_query) *xdp_query;
	__typeof__(libbpf_set_print) *set_print;
};

/* Return: 0, or -ENOSYS with @e. */
int xdp_lib_load(struct xdp_lib *lib, struct err *e);

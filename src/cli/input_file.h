/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * input_file - an open log as runs of lines, as often as one asks for the next
 *
 * Plain or compressed (source/blocks.h). What was read before a failure is handed out
 * first. A line without end at the end of the file is a line. Needs memory for one
 * block and one line, whatever the size of the file.
 */

#include "base/err.h"
#include "source/split.h"

/* For reading, once: standard input for "-". Return: negative errno with @e. */
int input_open(const char *path, struct err *e);

struct input_file;

/* @fd stays the caller's. Return: NULL: out of memory. */
struct input_file *input_file_new(int fd);
struct input_file *input_file_free(struct input_file *f);
DEFINE_CLEANUP(struct input_file *, input_file_free)

enum { INPUT_FILE_END = 1 };

/**
 * input_file_next()
 * @out: dies at the next call
 *
 * Return: 0, INPUT_FILE_END, -EINTR (a signal came first: call again, or end), or
 * negative errno with @e: there is no more.
 */
int input_file_next(struct input_file *f, struct split_run *out, struct err *e);

/* Bytes of the file, as it is stored, that were read. */
uint64_t input_file_n_bytes(const struct input_file *f);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_test.h"

#include "conf/schema.h"

static struct text text_at(const char *s)
{
	static struct text_mark mark = {.at = {"f", 1, 1}};

	return (struct text){.p = s, .n = strlen(s), .marks = &mark, .n_marks = 1};
}

static void the_table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < schema_n_options; i++) {
		const struct schema_option *o = &schema_options[i];
		struct text t = text_at(o->initial ? o->initial : "");
		struct diag d = {0};
		double sec;
		int64_t v;
		bool b;

		assert_true(o->where != 0);
		assert_true(strlen(o->help) > 10);
		assert_int_equal(o->help[strlen(o->help) - 1], '.');
		assert_ptr_equal(schema_find(span_of(o->name), o->where), o);
		if (o->type == SCHEMA_COUNT) {
			assert_non_null(o->unit);
			if (o->initial)
				assert_int_equal(schema_read_count(&d, o, &t, &v), 0);
		}
		if (o->type == SCHEMA_DURATION && o->initial)
			assert_int_equal(schema_read_duration(&d, o, &t, &sec), 0);
		if (o->type == SCHEMA_BOOL && o->initial)
			schema_read_bool(&d, o, &t, &b);
		assert_silent(&d);
	}
}

static const char *near(const char *name)
{
	const struct schema_option *o =
	    schema_find_near(span_of(name), SCHEMA_JAIL | SCHEMA_MATERIAL);

	return o ? o->name : "";
}

static void near_misses_are_seen(void **state)
{
	(void)state;
	assert_string_equal(near("maxretrys"), "maxretry");
	assert_string_equal(near("maxrerty"), "maxretry");
	assert_string_equal(near("bantme"), "bantime");
	assert_string_equal(near("max_retry"), "maxretry");
	assert_string_equal(near("logpaht"), "logpath");
	assert_string_equal(near("enable"), "enabled");
	assert_string_equal(near("prot"), "port");
	assert_string_equal(near("nod"), "");
	assert_string_equal(near("apache_error_log"), "");
	assert_string_equal(near("model"), "mode");
	assert_string_equal(
	    near("something_else_that_is_much_longer_than_any_name"), "");
	assert_null(schema_find(SPAN("loglevel"), SCHEMA_JAIL));
}

static void bools(void **state)
{
	static const char *const yes[] = {"1", "on", "TRUE", "Yes", " yes "};
	static const char *const no[] = {"0", "off", "false", "NO"};
	const struct schema_option *o = schema_find(SPAN("enabled"), SCHEMA_JAIL);
	struct diag d = {0};
	struct text t;
	bool v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		t = text_at(yes[i]);
		schema_read_bool(&d, o, &t, &v);
		assert_true(v);
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		t = text_at(no[i]);
		schema_read_bool(&d, o, &t, &v);
		assert_false(v);
	}
	assert_silent(&d);
	t = text_at("yse");
	v = true;
	schema_read_bool(&d, o, &t, &v);
	assert_false(v);
	assert_says(&d, "f:1:1: warning: enabled: 'yse' is neither yes nor no");
	diag_deinit(&d);
}

static void counts(void **state)
{
	const struct schema_option *o = schema_find(SPAN("maxretry"), SCHEMA_JAIL);
	static const char *const bad[] = {
	    "three", "", "1.5", "3 4", "-1", "1000001", "99999999999999999999"};
	struct diag d = {0};
	struct text t = text_at("1000000");
	int64_t v = 7;

	(void)state;
	assert_int_equal(schema_read_count(&d, o, &t, &v), 0);
	assert_int_equal(v, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		t = text_at(bad[i]);
		assert_int_equal(schema_read_count(&d, o, &t, &v), -EINVAL);
	}
	assert_int_equal(v, 1000000);
	assert_int_equal(d.n_errors, ARRAY_LEN(bad));
	assert_says(
	    &d, "f:1:1: error: maxretry: 'three' is not a whole number (try 3)");
	assert_says(&d, "maxretry: -1 is out of range, expected 0 to 1000000 failures");
	diag_deinit(&d);
}

static void durations(void **state)
{
	const struct schema_option *o = schema_find(SPAN("findtime"), SCHEMA_JAIL);
	struct diag d = {0};
	struct text t = text_at("1d12h");
	double v = 0;

	(void)state;
	assert_int_equal(schema_read_duration(&d, o, &t, &v), 0);
	assert_true(v == 129600.0);
	t = text_at("10 parsecs");
	assert_int_equal(schema_read_duration(&d, o, &t, &v), -EINVAL);
	t = text_at("  ");
	assert_int_equal(schema_read_duration(&d, o, &t, &v), -EINVAL);
	assert_says(&d, "f:1:1: error: findtime: '10 parsecs' is not a duration (try "
			"600, 10m, 1h30m)\n");
	diag_deinit(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_table_is_sound),
	    cmocka_unit_test(near_misses_are_seen),
	    cmocka_unit_test(bools),
	    cmocka_unit_test(counts),
	    cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

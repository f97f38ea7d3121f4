/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pages have in common. They load nothing, and say so to the browser; what comes
 * from configuration or logs goes through report_html_escape().
 */
#include "cli/report.h"

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>";
static const char page_style[] =
    "</title>\n<style>\n"
    ":root { color-scheme: light dark; --passed: #c77d00; --stopped: #2b8a4b;"
    " --line: #ccc; --faint: #666; }\n"
    "@media (prefers-color-scheme: dark) { :root { --passed: #e8a33d;"
    " --stopped: #4fb673; --line: #444; --faint: #999; } }\n"
    "body { font: 15px/1.45 system-ui, sans-serif; max-width: 64em;"
    " margin: 2em auto; padding: 0 1em; }\n"
    "table { border-collapse: collapse; width: 100%; }\n"
    "th, td { text-align: left; padding: .25em .6em;"
    " border-bottom: 1px solid var(--line); vertical-align: top; }\n"
    "th { font-weight: 600; }\n"
    "td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }\n"
    "td code { color: var(--faint); overflow-wrap: anywhere; display: block; }\n"
    "svg { display: block; max-width: 100%; height: auto; }\n"
    "svg text { fill: var(--faint); font: 12px system-ui, sans-serif; }\n"
    ".passed { fill: var(--passed); } .stopped { fill: var(--stopped); }\n"
    ".active { fill: var(--faint); }\n"
    ".rule { stroke: var(--line); }\n"
    ".tiles { display: flex; flex-wrap: wrap; gap: 2.5em; margin: 1.5em 0; }\n"
    ".tiles b { display: block; font-size: 2em; line-height: 1.1; }\n"
    ".faint { color: var(--faint); }\n"
    "</style>\n</head>\n<body>\n";

void report_html_escape(struct buf *out, struct span text)
{
	while (text.n) {
		size_t n = span_utf8_len(text);
		uint8_t c = (uint8_t)text.p[0];

		if (!n || (c < 0x20 && c != '\t') || c == 0x7f)
			buf_add_str(out, "\xef\xbf\xbd");
		else if (c == '&')
			buf_add_str(out, "&amp;");
		else if (c == '<')
			buf_add_str(out, "&lt;");
		else if (c == '>')
			buf_add_str(out, "&gt;");
		else if (c == '"')
			buf_add_str(out, "&quot;");
		else if (c == '\'')
			buf_add_str(out, "&#39;");
		else
			buf_add(out, text.p, n);
		text = span_skip(text, n ? n : 1);
	}
}

void report_page_begin(struct buf *out, const char *title)
{
	buf_add_str(out, page_head);
	report_html_escape(out, span_of(title));
	buf_add_str(out, page_style);
	buf_add_str(out, "<h1>");
	report_html_escape(out, span_of(title));
	buf_add_str(out, "</h1>\n");
}

void report_rect(
    struct buf *out, const char *kind, double x, double y, double w, double h)
{
	if (h > 0 && w > 0)
		buf_printf(out,
		    "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
		    "height=\"%.2f\"/>",
		    kind, x, y, w, h);
}

/* html_assets.h - page/page.css and page/page.js as texts, written into every page, and their SHA-256 sums
 * for its Content-Security-Policy. Made by embed.cmake; plain ASCII. */
#ifndef PM_REPORT_HTML_ASSETS_H
#define PM_REPORT_HTML_ASSETS_H

extern const char pm_html_style[], pm_html_script[];
extern const unsigned char pm_html_style_sha256[32], pm_html_script_sha256[32];

#endif

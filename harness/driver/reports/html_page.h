/* html_page.h - the parts of the HTML report that are files of their own, in html/: as cmake/embed.cmake puts them
 * into the program. */
#ifndef HEDDLE_DRIVER_HTML_PAGE_H
#define HEDDLE_DRIVER_HTML_PAGE_H

extern const char html_style[], html_script[];
/* The base64 of their SHA-256. */
extern const char html_style_hash[], html_script_hash[];

#endif /* HEDDLE_DRIVER_HTML_PAGE_H */

/* format_junit.c - JUnit XML, as both the schema of Jenkins and that of Ant have it: one failure a
 * test, with all its reports. Without skipped tests, which Ant's does not know, it is valid for both.
 */
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "formats.h"
#include "test_document.h"
#include "util/alloc.h"

/* XML has no way to write most control characters, nor U+FFFE and U+FFFF. */
static char *xml_text(const char *text)
{
    char *copy = mem_copy(text);

    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < ' ' && *p != '\n' && *p != '\t')
            *p = '?';
        else if (strncmp(p, "\xef\xbf\xbe", 3) == 0 || strncmp(p, "\xef\xbf\xbf", 3) == 0)
            memset(p, '?', 3);
    return copy;
}

static void attribute(xmlTextWriter *w, const char *name, const char *value)
{
    char *text = xml_text(value);
    xmlTextWriterWriteAttribute(w, BAD_CAST name, BAD_CAST text);
    free(text);
}

static void attribute_number(xmlTextWriter *w, const char *name, size_t value)
{
    xmlTextWriterWriteFormatAttribute(w, BAD_CAST name, "%zu", value);
}

static void body(xmlTextWriter *w, const char *value)
{
    char *text = xml_text(value);
    xmlTextWriterWriteString(w, BAD_CAST text);
    free(text);
}

static void property(xmlTextWriter *w, const char *name, const char *value)
{
    xmlTextWriterStartElement(w, BAD_CAST "property");
    attribute(w, "name", name);
    attribute(w, "value", value);
    xmlTextWriterEndElement(w);
}

/* The reports of a test that fail it, or those that do not. free() it. */
static char *reports(const json_t *test, bool failing, size_t *count, const char **headline)
{
    char *text = NULL;
    size_t bytes = 0, at = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (!out)
        return mem_copy("");
    *count = 0;
    for (json_t *f; (f = document_finding(test, &at));) {
        if (document_fails(f) != failing)
            continue;
        fprintf(out, "%s%s", *count ? "\n\n" : "", document_word(f, "report"));
        if (!(*count)++)
            *headline = document_word(f, "headline");
    }
    fclose(out);
    return text;
}

static void failure(xmlTextWriter *w, const json_t *test)
{
    size_t count, at = 0;
    const char *headline = "", *kind = "failure";
    char *text = reports(test, true, &count, &headline);
    char *message = count == 1 ? mem_copy(headline)
                               : mem_format("%zu findings; the first: %s", count, headline);

    for (json_t *f; (f = document_finding(test, &at));)
        if (document_fails(f)) {
            kind = document_word(f, "kind");
            break;
        }
    xmlTextWriterStartElement(w, BAD_CAST "failure");
    attribute(w, "message", message);
    attribute(w, "type", kind);
    body(w, text);
    xmlTextWriterEndElement(w);
    free(message);
    free(text);
}

static void test_case(xmlTextWriter *w, const json_t *test)
{
    const char *verdict = document_word(test, "verdict"), *why = document_word(test, "why");

    xmlTextWriterStartElement(w, BAD_CAST "testcase");
    attribute(w, "name", document_word(test, "name"));
    attribute(w, "classname", "heddle");
    xmlTextWriterWriteFormatAttribute(w, BAD_CAST "time", "%.3f",
                                      json_number_value(json_object_get(test, "seconds")));
    if (strcmp(verdict, "skipped") == 0) {
        xmlTextWriterStartElement(w, BAD_CAST "skipped");
        body(w, why ? why : "");
        xmlTextWriterEndElement(w);
    } else if (strcmp(verdict, "error") == 0) {
        xmlTextWriterStartElement(w, BAD_CAST "error");
        attribute(w, "message", why ? why : "");
        attribute(w, "type", "trouble");
        xmlTextWriterEndElement(w);
    } else if (strcmp(verdict, "failed") == 0) {
        failure(w, test);
    }
    xmlTextWriterEndElement(w);
}

/* What fails nothing: doubtful findings, known ones, those of kinds that are not to fail. */
static void warnings(xmlTextWriter *w, const json_t *tests)
{
    size_t i;
    json_t *test;

    xmlTextWriterStartElement(w, BAD_CAST "system-out");
    json_array_foreach(tests, i, test)
    {
        size_t count;
        const char *headline;
        char *text = reports(test, false, &count, &headline);
        if (count) {
            body(w, document_word(test, "name"));
            body(w, ": does not fail it:\n");
            body(w, text);
            body(w, "\n");
        }
        free(text);
    }
    xmlTextWriterEndElement(w);
    xmlTextWriterWriteElement(w, BAD_CAST "system-err", BAD_CAST "");
}

static double seconds_of(const json_t *tests)
{
    double sum = 0;
    size_t i;
    json_t *test;

    json_array_foreach(tests, i, test)
    {
        sum += json_number_value(json_object_get(test, "seconds"));
    }
    return sum;
}

static void suite(xmlTextWriter *w, const json_t *document)
{
    const json_t *tests = json_object_get(document, "tests");
    size_t skipped = test_document_count(document, "skipped"), i;
    char host[256] = "localhost", when[32];
    time_t now = time(NULL);
    json_t *test;

    gethostname(host, sizeof host - 1);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", gmtime(&now));
    xmlTextWriterStartElement(w, BAD_CAST "testsuite");
    attribute(w, "name", "heddle");
    attribute(w, "package", "heddle");
    attribute_number(w, "id", 0);
    attribute(w, "timestamp", when);
    attribute(w, "hostname", *host ? host : "localhost");
    attribute_number(w, "tests", json_array_size(tests));
    attribute_number(w, "failures", test_document_count(document, "failed"));
    attribute_number(w, "errors", test_document_count(document, "error"));
    if (skipped)
        attribute_number(w, "skipped", skipped);
    xmlTextWriterWriteFormatAttribute(w, BAD_CAST "time", "%.3f", seconds_of(tests));
    xmlTextWriterStartElement(w, BAD_CAST "properties");
    property(w, "heddle.version", document_word(document, "heddle"));
    xmlTextWriterEndElement(w);
    json_array_foreach(tests, i, test)
    {
        test_case(w, test);
    }
    warnings(w, tests);
    xmlTextWriterEndElement(w);
}

static int write_to(void *to, const char *data, int bytes)
{
    return (int)fwrite(data, 1, (size_t)bytes, to);
}

void format_junit(FILE *to, const json_t *document)
{
    xmlOutputBuffer *out = xmlOutputBufferCreateIO(write_to, NULL, to, NULL);
    xmlTextWriter *w = out ? xmlNewTextWriter(out) : NULL;

    if (!w)
        return;
    xmlTextWriterSetIndent(w, 1);
    xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
    xmlTextWriterStartElement(w, BAD_CAST "testsuites");
    suite(w, document);
    xmlTextWriterEndDocument(w);
    xmlFreeTextWriter(w);
}

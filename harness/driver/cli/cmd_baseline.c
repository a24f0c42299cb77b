/* cmd_baseline.c - heddle baseline: the findings of runs as known ones. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "findings/baseline.h"
#include "reports/test_document.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/options.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    switch (key) {
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            *(int *)state->input = state->next - 1;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, EXIT_USAGE, 0,
                     "whose findings? heddle baseline DIR, the output folder of a run");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Those that belong to others, too: each has a fingerprint of its own. */
static void write_all(const json_t *document)
{
    size_t i, k;
    json_t *test, *f;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        json_array_foreach(json_object_get(json_object_get(test, "report"), "findings"), k, f)
        {
            baseline_write(stdout, document_word(f, "fingerprint"), document_word(f, "kind"),
                           document_word(test, "name"), document_word(f, "headline"));
        }
    }
}

int cmd_baseline(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "DIR...",
        .doc = "Print the findings in DIR, output folders of `heddle run`, as a baseline: with "
               "--baseline=FILE they are known and fail no run."
               "\vExit codes: 0 printed, 2 wrong usage, or DIR holds no report."};
    int first = 0;

    options_parse(&argp, "heddle baseline", argc, argv, 0, &first);
    /* All are read before anything is written: half a baseline is none. */
    json_t *documents = json_array(), *document;
    char *why = NULL;
    for (int i = first; i < argc && !why; i++)
        if ((document = test_document_read(argv[i], &why)))
            json_array_append_new(documents, document);
    if (why) {
        complain("%s", why);
    } else {
        size_t i;
        baseline_write_head(stdout);
        json_array_foreach(documents, i, document)
        {
            write_all(document);
        }
    }
    json_decref(documents);
    int code = why ? EXIT_USAGE : EXIT_NOTHING;
    free(why);
    return code;
}

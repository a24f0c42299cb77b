/* Package errors, and the parts of fmt that make errors. */
#include "check.h"

static const struct hd_error not_found[1] = {HD_ERROR(HD_ERR_USER, "not found")};
static const struct hd_error refused[1] = {HD_ERROR(HD_ERR_USER + 1, "refused")};

static bool says(hd_err err, const char *text)
{
    bool so = strcmp(hd_err_message(err), text) == 0;

    hd_err_unref(err);
    return so;
}

CHECK(nil_is_no_error)
{
    expect(hd_err_code(NULL) == HD_ERR_NONE && !hd_err_cause(NULL) && hd_err_is(NULL, NULL));
    expect(strcmp(hd_err_message(NULL), "") == 0 && !hd_err_is(NULL, not_found));
    hd_err_unref(NULL);
}

CHECK(an_error_has_its_text)
{
    expect(says(hd_errorf(HD_ERR_USER, "open %s: %d", "file", 7), "open file: 7"));
}

CHECK(errors_with_one_text_are_not_the_same)
{
    hd_err a = hd_errorf(HD_ERR_USER, "x"), b = hd_errorf(HD_ERR_USER, "x");

    expect(!hd_err_is(a, b) && hd_err_is(a, a));
    hd_err_unref(a);
    hd_err_unref(b);
}

CHECK(a_wrapped_error_is_still_what_it_was)
{
    hd_err outer = hd_wrapf(not_found, "reading %d", 3);

    expect(hd_err_is(outer, not_found) && !hd_err_is(outer, refused));
    expect(hd_err_cause(outer) == not_found);
    expect(says(outer, "reading 3: not found"));
}

CHECK(wrapping_nil_is_nil)
{
    expect(!hd_wrapf(NULL, "nothing"));
}

CHECK(is_looks_through_many_wraps)
{
    hd_err err = not_found;

    for (int i = 0; i < 20; i++)
        err = hd_wrapf(err, "%d", i);
    expect(hd_err_is(err, not_found));
    hd_err_unref(err);
}

CHECK(a_plain_error_has_no_cause)
{
    expect(!hd_err_cause(not_found));
}

CHECK(a_join_is_each_of_its_errors)
{
    hd_err err = hd_err_join((hd_err[]){not_found, refused}, 2);

    expect(hd_err_is(err, not_found) && hd_err_is(err, refused));
    expect(says(err, "not found\nrefused"));
}

CHECK(a_join_leaves_nil_out)
{
    hd_err err = hd_err_join((hd_err[]){NULL, not_found, NULL}, 3);

    expect(hd_err_is(err, not_found));
    expect(says(err, "not found"));
}

CHECK(a_join_of_nils_is_nil)
{
    expect(!hd_err_join((hd_err[]){NULL, NULL}, 2) && !hd_err_join(NULL, 0));
}

CHECK(a_join_has_no_single_cause)
{
    hd_err err = hd_err_join((hd_err[]){not_found, refused}, 2);

    expect(!hd_err_cause(err));
    hd_err_unref(err);
}

CHECK(is_looks_into_joins_of_wraps)
{
    hd_err inner = hd_wrapf(refused, "dial");
    hd_err err = hd_wrapf(hd_err_join((hd_err[]){not_found, inner}, 2), "both");

    expect(hd_err_is(err, refused) && hd_err_is(err, inner) && hd_err_is(err, not_found));
    hd_err_unref(err);
}

CHECK(find_gives_the_first_of_a_code)
{
    hd_err err = hd_wrapf(hd_err_join((hd_err[]){not_found, refused}, 2), "both");

    expect(hd_err_find(err, HD_ERR_USER) == not_found);
    expect(hd_err_find(err, HD_ERR_USER + 1) == refused);
    expect(!hd_err_find(err, HD_ERR_USER + 2) && !hd_err_find(NULL, HD_ERR_USER));
    hd_err_unref(err);
}

CHECK(references_are_counted)
{
    hd_err err = hd_errorf(HD_ERR_USER, "kept");

    hd_err_ref(err);
    hd_err_unref(err);
    expect(says(err, "kept"));
}

CHECK(must_panics_with_an_error_alone)
{
    hd_must(NULL);
    expect(panics((void (*)(void *))(void (*)(void))hd_must, (void *)(uintptr_t)not_found,
                  "not found"));
}

/* classes.c - see classes.h. Scores are shifted by their largest before exp. */
#include "problem/classes.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static int compare_labels(const void *a, const void *b)
{
    double x = *(const double *) a;
    double y = *(const double *) b;

    return (x > y) - (x < y);
}

enum cnv_status cnv_classes_new(const struct cnv_problem_setup *setup,
                                const char *kind,
                                uint32_t **ret_classes,
                                struct cnv_error *err)
{
    size_t rows = setup->shard->rows;
    uint32_t *classes = NULL;

    if (setup->classes < 2) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "problem/kind=%s needs data with at least 2 label values, this has %zu",
                        kind,
                        setup->classes);
    }
    classes = cnv_array_new(rows, sizeof(*classes));
    if (classes == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "classes of %zu rows", rows);
    }
    for (size_t i = 0; i < rows; i++) {
        const double *label = &setup->shard->labels[i];
        const double *found =
            bsearch(label, setup->labels, setup->classes, sizeof(*label), compare_labels);

        if (found == NULL) {
            cnv_free(classes);
            return cnv_fail(err,
                            CNV_E_MISFIT,
                            "label %g is not one of the run's %zu, %g to %g",
                            *label,
                            setup->classes,
                            setup->labels[0],
                            setup->labels[setup->classes - 1]);
        }
        classes[i] = (uint32_t) (found - setup->labels);
    }
    *ret_classes = classes;
    return CNV_OK;
}

double cnv_classes_normalise(double *z, size_t k)
{
    double largest = z[0];
    double mass = 0.0;

    for (size_t c = 1; c < k; c++) {
        largest = z[c] > largest ? z[c] : largest;
    }
    for (size_t c = 0; c < k; c++) {
        z[c] = exp(z[c] - largest);
        mass += z[c];
    }
    for (size_t c = 0; c < k; c++) {
        z[c] /= mass;
    }
    return largest + log(mass);
}

double
cnv_classes_right(const double *z, size_t k, size_t rows, const double *labels, const double *truth)
{
    double right = 0.0;

    for (size_t i = 0; i < rows; i++) {
        size_t best = 0;

        for (size_t c = 1; c < k; c++) {
            best = z[i * k + c] > z[i * k + best] ? c : best;
        }
        right += labels[best] == truth[i] ? 1.0 : 0.0;
    }
    return right;
}

/*
 * classes.h - what problems over several classes share: labels as indices, scores as
 * probabilities, the predicted class.
 *
 * Scores are one row of k numbers for each row of data, in the order of the run's label map.
 */
#ifndef CNV_AGENT_PROBLEM_CLASSES_H
#define CNV_AGENT_PROBLEM_CLASSES_H

#include "problem/problem.h"

/*
 * The index of each row's label in the run's label map, [rows]; the caller frees it with cnv_free.
 * CNV_E_INPUT: fewer than two classes (kind names the problem); CNV_E_MISFIT: a label that the
 * map has not; CNV_E_NOMEM.
 */
CNV_MUST_CHECK enum cnv_status cnv_classes_new(const struct cnv_problem_setup *setup,
                                               const char *kind,
                                               uint32_t **ret_classes,
                                               struct cnv_error *err);

/* Scores z[k] of one row become probabilities; returns log sum exp of the scores. No overflow. */
double cnv_classes_normalise(double *z, size_t k);

/* How many of the rows have the label of their largest score; the first class wins a tie. */
double cnv_classes_right(
    const double *z, size_t k, size_t rows, const double *labels, const double *truth);

#endif

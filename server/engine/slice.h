/*
 * slice.h - one slice of a merge as a job: what merge.c hands out and slice.c works off on any
 * thread. Inside the two.
 */
#ifndef CNV_SERVER_ENGINE_SLICE_H
#define CNV_SERVER_ENGINE_SLICE_H

#include "internal.h"

/* What the job of one slice leaves behind. */
struct slice_row {
    bool is_done;
    uint32_t crc;
    double variance;
    double square;
};

struct cnv_merge {
    struct cnv_merge *next; /* in the list of abandoned ones */
    bool is_abandoned;
    size_t outstanding; /* jobs submitted and not back */
    enum cnv_status status;

    /* Read by jobs, not written while one is out. */
    const struct cnv_aggregate_ops *aggregate;
    const void *aggregate_state;
    bool has_variance;                         /* it is wanted */
    const struct cnv_optimiser_ops *optimiser; /* NULL: not the model */
    void *optimiser_state;
    const struct cnv_table_ops *table; /* of the optimiser, instead of the aggregator; or NULL */
    uint64_t *table_rows;              /* [contributors] each one's of the table; NULL: no table */
    const struct cnv_encoding_ops *encoding; /* of the contributions */
    const struct cnv_encoding_ops *down;
    struct cnv_width width;
    size_t coordinates;
    size_t slice_len;    /* coordinates of a slice */
    size_t contributors; /* 1 for a relative encoding: all have sent the same */
    double *weights;
    double *scales;               /* NULL: contributions are taken as they are */
    uint64_t version;             /* of base */
    uint64_t last;                /* iteration of the round's last local step */
    struct cnv_parcel *base;      /* the committed model */
    struct cnv_parcel *reference; /* what a relative encoding refers to */
    struct cnv_parcel *snapshot;  /* async: the version the contribution was made from; or NULL */
    size_t slot;                  /* async: of its member */
    uint8_t *out_bytes;
    const struct cnv_scoring *scoring; /* NULL: none */
    bool is_scoring;                   /* in the pass before merging */
    size_t score_size;
    double *scores; /* [slices * score_size] each job writes those of its slice */

    struct cnv_blob *out;
    size_t slices;
    struct slice_row *rows; /* [slices] */
    bool *is_bad;           /* [contributors] */
    size_t submitted;       /* slices below have been submitted */
    size_t merged;          /* slices below are merged */
    size_t blocker;         /* contributors below have the chunks of slice `submitted` */
};

/* What one contributor has sent of a slice: shares of the blobs it lies in. */
struct slice_part {
    struct cnv_extent extent; /* in the payload; a sparse one may have nothing of this slice */
    size_t first_offset;      /* where it begins in the first of its blobs */
    struct cnv_blob **blobs;  /* [blob_count] */
    size_t blob_count;
    struct cnv_blob *index; /* sparse: begins with the payload's head; else NULL */
};

struct slice_job {
    struct cnv_job job;
    struct cnv_merge *merge;
    struct cnv_merge_input input; /* in numbers as they are merged */
    size_t slice;
    size_t first; /* its coordinates: [first, first + count) */
    size_t count;
    struct slice_part *parts; /* [contributors] */
    double *reference;        /* [count] for relative encodings; room of run */
    double *offered;          /* [count x offered] where the optimiser widens; room of run */
    size_t gather_len;        /* of the longest extent that spans blobs; 0: none does */
    uint8_t *gather;          /* [gather_len] room of run */
    bool *is_bad;             /* [contributors] */
    enum cnv_status status;
};

/* The job. */
void cnv_slice_run(struct cnv_job *base);
/* What aggregators are given. */
bool cnv_slice_load(const struct cnv_merge_input *input, size_t i, double *buffer);
bool cnv_slice_add(
    const struct cnv_merge_input *input, size_t i, double weight, double *sum, double *buffer);

#endif

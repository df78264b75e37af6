/* SPDX-License-Identifier: Apache-2.0 */
/* Split mode row: matrices of GPU layers lie in slices of rows on all GPUs, everything else on the layer's own
 * (63d93d173 ggml/src/ggml-cuda/ggml-cuda.cu get_row_split, ggml_backend_cuda_split_buffer_type, supports_op). */
#include "engine/llamacpp/params.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 512 }; /* MATRIX_ROW_PADDING: a slice is followed by room for the rest of a row */

/* Where each GPU's share begins, as float like the engine's. */
static uint32_t shares(const struct lc_plan *p, float begin[17])
{
    const char *text = hwl_opt_text(p->settings, HWL_OPT_TENSOR_SPLIT, "");
    const uint32_t n = p->place.n_gpus;
    float sum = 0, given[16] = {0}, all = 0;
    for (uint32_t i = 0; i < n && *text; i++) {
        char *end;
        given[i] = strtof(text, &end);
        all += given[i];
        text = *end ? end + 1 : end;
    }
    for (uint32_t i = 0; i < n; i++) {
        begin[i] = sum;
        sum += all > 0 ? given[i] : (float)p->devices->gpu[p->place.gpu[i]].memory_bytes;
    }
    for (uint32_t i = 0; i < n; i++)
        begin[i] /= sum;
    begin[n] = 1.0f;
    uint32_t rounding = 0; /* get_mmq_y_host of the GPUs that take part */
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t major = p->devices->gpu[p->place.gpu[i]].compute_major, rows = major && major < 7 ? 64 : 128;
        if (begin[i] < begin[i + 1] && rows > rounding)
            rounding = rows;
    }
    return rounding ? rounding : 128;
}

static uint64_t row_at(uint64_t rows, float share, uint32_t rounding)
{
    const uint64_t at = (uint64_t)((float)rows * share);
    return at - at % rounding;
}

/* Only the left side of a plain matrix product is split. */
static bool is_product(const struct lc_tensor *t)
{
    static const char *const others[] = {"ssm_conv1d", "ssm_a", "ssm_d", "shortconv.conv", "rope_f", "time_mix_first", "time_mix_lerp"};
    if (t->t->dims[1] < 2 || t->t->dims[2] > 1 || t->where == LC_WHERE_INPUT || t->per_device || strstr(t->base, ".bias"))
        return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(t->base, others[i], strlen(others[i])) == 0)
            return false;
    return true;
}

bool hwl_lc_can_split_rows(const struct lc_plan *p)
{
    return p->params.rules->row_split || p->devices->gpu[p->place.gpu[0]].backend == HWL_BACKEND_SYCL;
}

bool hwl_lc_by_rows(const struct lc_plan *p)
{
    return p->params.split_mode == 2 && p->place.n_gpus > 0;
}

bool hwl_lc_slices(struct lc_plan *p, const struct lc_tensor *t, uint64_t out[16])
{
    float begin[17];
    const uint16_t home = hwl_lc_where(p->m, &p->place, t);
    if (!hwl_lc_by_rows(p) || home == LC_HOST || !is_product(t))
        return false;
    const uint32_t rounding = shares(p, begin), n = p->place.n_gpus;
    const uint64_t rows = t->t->dims[1], width = t->t->dims[0], rest = width % COLUMNS ? COLUMNS - width % COLUMNS : 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t low = i ? row_at(rows, begin[i], rounding) : 0, high = i + 1 < n ? row_at(rows, begin[i + 1], rounding) : rows;
        uint64_t row = 0, more = 0;
        if (i == home && low >= high) /* its own GPU would have no rows: not split */
            return false;
        const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)t->t->dtype);
        if (!hwl_dtype_row((enum hwl_dtype)t->t->dtype, width, &row))
            p->ck.overflow = true;
        more = hwl_div_ceil(rest, d->block) * d->bytes;
        out[i] = low < high ? hwl_ck_add(&p->ck, hwl_ck_mul(&p->ck, row, high - low), more) : 0;
    }
    return true;
}

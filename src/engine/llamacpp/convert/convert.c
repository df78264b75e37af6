/* SPDX-License-Identifier: Apache-2.0 */
/* A model in the publisher's form as the GGUF that it would become: tensors and metadata as llama.cpp's converter writes them.
 * Which tensors, under which names and shapes, follows from roles by table (names.c, families.c). */
#include "engine/llamacpp/convert.h"

#include "engine/llamacpp/convert/job.h"

#include <hwledger/plan.h>

#include <stdio.h>
#include <string.h>

/* Kept in f32 whatever the file's type (conversion/base.py, prepare_tensors). */
static bool always_f32(enum hwl_role role, enum hwl_part part, struct hwl_str stem, unsigned n_dims)
{
    static const char *const stems[] = {"shortconv.conv", "ssm_conv1d_q", "ssm_conv1d_k", "ssm_conv1d_v", "indexer.proj", "time_mix_first",
                                        "time_mix_w1", "time_mix_w2", "time_mix_decay_w1", "time_mix_decay_w2", "time_mix_lerp_fused"};
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++)
        if (hwl_str_eq(stem, stems[i]))
            return true;
    return n_dims <= 1 || part == HWL_PART_BIAS || role == HWL_ROLE_ROUTER || role == HWL_ROLE_SHEXP_ROUTER || role == HWL_ROLE_POS_EMBD ||
           role == HWL_ROLE_TYPE_EMBD || role == HWL_ROLE_ATTN_REL_BIAS || role == HWL_ROLE_SSM_CONV || role == HWL_ROLE_SSM_A || hwl_role_component(role) == HWL_COMP_NORM;
}

static hwl_status put_named(struct lc_job *j, const struct hwl_tensor *t, struct hwl_str stem, bool bare, unsigned n_dims, const uint64_t *dims)
{
    char name[128];
    const char *suffix = bare ? "" : t->part == HWL_PART_BIAS ? ".bias" : ".weight";
    const struct hwl_model *m = j->model;
    const bool pair = j->family->keys & LC_ENC_DEC;
    const int32_t first = pair && t->layer >= (int32_t)m->n_layers ? (int32_t)(m->n_layers + m->n_mtp) : 0;
    const char *side = !pair ? "" : first ? "enc." : "dec.";
    if (t->layer >= 0)
        (void)snprintf(name, sizeof name, "%sblk.%d.%.*s%s", side, t->layer - first, (int)stem.n, stem.p, suffix);
    else if (pair && t->role == HWL_ROLE_OUTPUT_NORM)
        (void)snprintf(name, sizeof name, "%s%.*s%s", t->name && strncmp(t->name, "encoder", 7) == 0 ? "enc." : "dec.", (int)stem.n, stem.p, suffix);
    else
        (void)snprintf(name, sizeof name, "%.*s%s", (int)stem.n, stem.p, suffix);
    enum hwl_dtype type = j->model->dtype == HWL_DTYPE_F32 || j->model->dtype == HWL_DTYPE_F16 ? (enum hwl_dtype)j->model->dtype : HWL_DTYPE_BF16;
    if (bare || always_f32((enum hwl_role)t->role, (enum hwl_part)t->part, stem, n_dims))
        type = HWL_DTYPE_F32;
    else if (t->part == HWL_PART_WEIGHT && t->component == HWL_COMP_EXPERTS && strcmp(m->quant.method, "mxfp4") == 0)
        type = HWL_DTYPE_MXFP4; /* repacked, not unpacked (conversion/gpt_oss.py, repack_mxfp4) */
    return hwl_gguf_put_tensor(j->gguf, j->arena, name, type, n_dims, dims, j->error);
}

/* A and D of a state space stand without a suffix; names that end in one bring their own. */
static hwl_status put_tensor(struct lc_job *j, const struct hwl_tensor *t, struct hwl_str stem, unsigned n_dims, const uint64_t *dims)
{
    const bool bare = t->role == HWL_ROLE_SSM_A || t->role == HWL_ROLE_SSM_D || hwl_str_ends(stem, ".bias");
    return put_named(j, t, stem, bare, n_dims, dims);
}

static hwl_status put_kv_b(struct lc_job *j, const struct hwl_tensor *t)
{
    const struct hwl_attention *a = &j->model->layers[t->layer].attn;
    const uint64_t k[3] = {a->qk_nope_dim, a->kv_lora_rank, a->n_heads}, v[3] = {a->kv_lora_rank, a->head_dim_v, a->n_heads};
    HWL_TRY(put_tensor(j, t, hwl_str_of("attn_k_b"), 3, k));
    return put_tensor(j, t, hwl_str_of("attn_v_b"), 3, v);
}

/* Parts of a fused matrix or vector along its output side; the names stand one behind the other, parted by a comma or a space. */
static hwl_status put_parts(struct lc_job *j, const struct hwl_tensor *t, struct hwl_str names, unsigned n, uint64_t *dims, unsigned side,
                            const uint64_t *widths)
{
    for (unsigned i = 0; names.n; i++) {
        size_t word = 0;
        while (word < names.n && names.p[word] != ',' && names.p[word] != ' ')
            word++;
        dims[side] = widths[i];
        HWL_TRY(put_tensor(j, t, (struct hwl_str){names.p, word}, n, dims));
        word += word < names.n;
        names = (struct hwl_str){names.p + word, names.n - word};
    }
    return HWL_OK;
}

static hwl_status bad_shape(struct lc_job *j, const struct hwl_tensor *t)
{
    return hwl_fail(j->error, HWL_E_UNSUPPORTED, "%s: tensor %s has a shape that its conversion does not expect", j->model->arch, t->name ? t->name : "?");
}

static hwl_status put_halves(struct lc_job *j, const struct hwl_tensor *t, struct hwl_str names, unsigned n, uint64_t *dims)
{
    const unsigned side = t->part == HWL_PART_BIAS ? 0 : 1;
    /* all experts in one tensor are stored [experts, in, 2 x out] (gpt-oss, Llama 4): the fused side lies innermost */
    if (side && t->count <= 1 && n == 3 && dims[1] == j->model->hidden) {
        dims[1] = dims[0];
        dims[0] = j->model->hidden;
    }
    const uint64_t half[2] = {dims[side] / 2, dims[side] / 2};
    return put_parts(j, t, names, n, dims, side, half);
}

static hwl_status put_qkv(struct lc_job *j, const struct hwl_tensor *t, struct hwl_str names, unsigned n, uint64_t *dims)
{
    if (t->layer < 0)
        return bad_shape(j, t);
    const struct hwl_attention *a = &j->model->layers[t->layer].attn;
    const uint64_t widths[3] = {(uint64_t)a->n_heads * a->head_dim_k, (uint64_t)a->n_kv_heads * a->head_dim_k, (uint64_t)a->n_kv_heads * a->head_dim_v};
    return put_parts(j, t, names, n, dims, n - 1, widths);
}

/* Query, key and value of a gated delta net stay together, the gate becomes a matrix of its own. */
static hwl_status put_qkvz(struct lc_job *j, const struct hwl_tensor *t, struct hwl_str names, unsigned n, uint64_t *dims)
{
    if (t->layer < 0 || n != 2)
        return bad_shape(j, t);
    const struct hwl_state *s = &j->model->layers[t->layer].state;
    const uint64_t v = (uint64_t)s->n_heads * s->head_dim, k = (uint64_t)s->n_k_heads * s->head_dim_k, widths[2] = {2 * k + v, v};
    return put_parts(j, t, names, n, dims, 1, widths);
}

/* All experts in one tensor, [experts, in, out]: turned to [in, out, experts] as the file has it. */
static hwl_status put_down(struct lc_job *j, const struct hwl_tensor *t, struct hwl_str name, unsigned n, uint64_t *dims)
{
    const uint64_t width = t->layer >= 0 ? j->model->layers[t->layer].ffn.d_expert : 0;
    if (n == 3 && t->count <= 1 && dims[0] == j->model->hidden && dims[1] == width) {
        dims[0] = width;
        dims[1] = j->model->hidden;
    }
    return put_tensor(j, t, name, n, dims);
}

/* Convolutions of query, key and value that stand in one: [kernel, 3 x channels]. */
static hwl_status put_thirds(struct lc_job *j, const struct hwl_tensor *t, struct hwl_str names, unsigned n, uint64_t *dims)
{
    if (n != 2)
        return bad_shape(j, t);
    const uint64_t third = dims[1] / 3, widths[3] = {third, third, third};
    dims[1] = 1;
    return put_parts(j, t, names, 3, dims, 2, widths);
}

/* Experts below one another, [experts * width, hidden] as the file has it. */
static hwl_status put_stacked(struct lc_job *j, const struct hwl_tensor *t, struct hwl_str name, unsigned n, uint64_t *dims, bool down)
{
    const uint64_t experts = t->layer >= 0 ? j->model->layers[t->layer].ffn.n_experts : 0;
    if (n != 2 || !experts || dims[1] % experts)
        return bad_shape(j, t);
    const uint64_t width = dims[1] / experts, hidden = dims[0];
    dims[0] = down ? width : hidden;
    dims[1] = down ? hidden : width;
    dims[2] = experts;
    return put_tensor(j, t, name, 3, dims);
}

/* A shape in the converter's order: innermost first, ones squeezed, equal tensors stacked. Returns the count, 0: does not fit. */
static unsigned reversed(const struct hwl_tensor *t, uint64_t *dims)
{
    unsigned n = 0;
    for (unsigned i = t->n_dims; i-- > 0;)
        if (t->dims[i] != 1 || t->n_dims == 1)
            dims[n++] = t->dims[i];
    if (t->count > 1)
        dims[n++] = t->count;
    return n <= 4 ? n : 0;
}

static hwl_status convert_as(struct lc_job *j, const struct hwl_tensor *t, const struct lc_name *row)
{
    uint64_t dims[8];
    unsigned n = reversed(t, dims);
    if (!n)
        return bad_shape(j, t);
    const uint64_t groups = t->layer >= 0 ? j->model->layers[t->layer].state.n_groups : 0;
    switch (row->change) {
    case LC_HALVES: return put_halves(j, t, row->name, n, dims);
    case LC_QKV: return put_qkv(j, t, row->name, n, dims);
    case LC_QKVZ: return put_qkvz(j, t, row->name, n, dims);
    case LC_DOWN: return put_down(j, t, row->name, n, dims);
    case LC_THIRDS: return put_thirds(j, t, row->name, n, dims);
    case LC_BARE: return put_named(j, t, row->name, true, n, dims);
    case LC_EXPERTS: return put_stacked(j, t, row->name, n, dims, false);
    case LC_EXPERTS_T: return put_stacked(j, t, row->name, n, dims, true);
    case LC_COLUMN:
        if (n == 1) {
            dims[1] = dims[0];
            dims[0] = 1;
            n = 2;
        }
        break;
    case LC_GROUPS:
        if (n == 1 && groups && dims[0] % groups == 0) {
            dims[0] /= groups;
            dims[1] = groups;
            n = 2;
        }
        break;
    case LC_TRANSPOSE:
        if (n == 2) {
            const uint64_t inner = dims[0];
            dims[0] = dims[1];
            dims[1] = inner;
        }
        break;
    case LC_CHOP:
        if (n == 2 && dims[1] > j->model->context_train)
            dims[1] = j->model->context_train;
        break;
    default: break;
    }
    return put_tensor(j, t, row->name, n, dims);
}

static hwl_status convert_tensor(struct lc_job *j, const struct hwl_tensor *t)
{
    const bool buffer = t->buffer && t->role != HWL_ROLE_ROUTER_BIAS; /* the correction bias of the scores is stored */
    if (t->tied || buffer || t->component == HWL_COMP_VISION || t->component == HWL_COMP_AUDIO || t->component == HWL_COMP_PROJECTOR)
        return HWL_OK; /* towers become a file of their own (mmproj) */
    if (t->layer >= (int32_t)hwl_lc_layers(j->family, j->model) && !(j->family->keys & LC_ENC_DEC))
        return HWL_OK;
    struct lc_name row;
    if (!hwl_lc_name(j->family, t, &row))
        return hwl_fail(j->error, HWL_E_UNSUPPORTED, "%s: what llama.cpp's converter makes of tensor %s is not known here", j->model->arch,
                        t->name ? t->name : "?");
    if (row.change == LC_DROP || t->part == HWL_PART_SCALE || t->part == HWL_PART_META)
        return HWL_OK; /* scales of what is read unpacked (fp8 checkpoints) */
    if (t->part != HWL_PART_WEIGHT && t->part != HWL_PART_BIAS)
        return hwl_fail(j->error, HWL_E_UNSUPPORTED, "%s: packed %s weights have no GGUF form; choose one with --quant", j->model->arch,
                        j->model->quant.method);
    if (row.change == LC_KV_B && t->part == HWL_PART_WEIGHT && t->layer >= 0)
        return put_kv_b(j, t);
    return convert_as(j, t, &row);
}

/* Frequencies of Llama 3.1, and of the layers without a window of Gemma 4, are stored as a tensor of factors (generate_extra_tensors
 * of conversion/llama.py and gemma.py). */
static hwl_status put_rope_factors(struct lc_job *j)
{
    const char *type = j->model->hints.rope_type;
    const struct hwl_model *m = j->model;
    uint64_t n = 0;
    if (j->family->keys & LC_WINDOW_DIMS) {
        for (uint32_t i = 0; i < m->n_layers && !n; i++)
            n = m->layers[i].attn.window ? 0 : m->layers[i].attn.head_dim_k / 2;
    } else if (type && strcmp(type, "llama3") == 0 && m->n_layers) {
        n = m->layers[0].attn.head_dim_k / 2;
    }
    if (!n)
        return HWL_OK;
    return hwl_gguf_put_tensor(j->gguf, j->arena, "rope_freqs.weight", HWL_DTYPE_F32, 1, &n, j->error);
}

hwl_status hwl_lc_convert(const struct hwl_model *model, struct hwl_arena *arena, struct hwl_gguf **out, hwl_error *error)
{
    bool moe = false;
    for (uint32_t i = 0; i < model->n_layers; i++)
        moe = moe || model->layers[i].feed_forward == HWL_FFN_MOE;
    const struct lc_family *family = model->hints.class_name ? hwl_lc_family(model->hints.class_name, moe) : NULL;
    if (!family)
        family = hwl_lc_family(model->arch, moe);
    if (!family && model->text_arch) /* towers around a language model: the file holds the language model */
        family = hwl_lc_family(model->text_arch, moe);
    struct lc_job j = {model, family, NULL, arena, error};
    const bool ungated = family && family->keys & LC_GATED && model->n_layers && !model->layers[0].ffn.gated;
    if (ungated)
        return hwl_fail(error, HWL_E_REFUSED, "llama.cpp refuses: its class of %s reads gated feed-forwards only", family->arch);
    if (!family && hwl_lc_no_family(model->arch))
        return hwl_fail(error, HWL_E_REFUSED, "llama.cpp refuses: its converter knows no model of type %s", model->arch);
    if (!family)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "%s: what llama.cpp's converter makes of this family is not known here; give a .gguf file", model->arch);
    j.gguf = hwl_gguf_new(arena);
    if (!j.gguf)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    hwl_status status = hwl_lc_put_metadata(&j);
    /* packed weights are read as what they stand for: the converter unpacks them */
    const struct hwl_tensor *tensors = model->n_logical ? model->logical : model->tensors;
    const uint64_t n = model->n_logical ? model->n_logical : model->n_tensors;
    if (status == HWL_OK)
        status = put_rope_factors(&j);
    for (uint64_t i = 0; i < n && status == HWL_OK; i++)
        status = convert_tensor(&j, &tensors[i]);
    if (status == HWL_E_NOMEM)
        return hwl_fail(error, status, "out of memory");
    if (status != HWL_OK)
        return status;
    *out = j.gguf;
    return HWL_OK;
}

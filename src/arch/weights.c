/* SPDX-License-Identifier: Apache-2.0 */
/* Stored tensors meet the inventory of the configuration. Names differ in leading words between releases of transformers
 * ("model.language_model.layers.0" and "language_model.model.layers.0"), in running numbers (experts) and in the parts that a
 * packed format makes of one weight; a table of suffixes and a list of leading words undo that. */
#include "arch/weights.h"

#include "base/status.h"
#include "source/name_map.h"

#include <hwledger/plan.h>

#include <stdio.h>
#include <string.h>

#define NAME_BYTES 1100u
#define NONE UINT32_MAX

/* Longer suffixes before their own endings. stem: what stands in the inventory instead. */
static const struct suffix {
    const char *end, *stem;
    uint8_t part;
    bool packed; /* several elements in one stored number */
} suffixes[] = {
    {".weight.quant_state.bitsandbytes__nf4", ".weight", HWL_PART_META, false},
    {".weight.quant_state.bitsandbytes__fp4", ".weight", HWL_PART_META, false},
    {".weight.nested_quant_map", ".weight", HWL_PART_META, false},
    {".weight.nested_absmax", ".weight", HWL_PART_SCALE, false},
    {".weight.quant_map", ".weight", HWL_PART_META, false},
    {".weight.absmax", ".weight", HWL_PART_SCALE, false},
    {".weight_zero_point", ".weight", HWL_PART_ZERO, false},
    {".weight_global_scale", ".weight", HWL_PART_SCALE, false},
    {".input_global_scale", ".weight", HWL_PART_SCALE, false},
    {".weight_scale_inv", ".weight", HWL_PART_SCALE, false},
    {".weight_scale_2", ".weight", HWL_PART_SCALE, false},
    {".weight_scale", ".weight", HWL_PART_SCALE, false},
    {".activation_scale", ".weight", HWL_PART_SCALE, false},
    {".output_scale", ".weight", HWL_PART_SCALE, false},
    {".input_scale", ".weight", HWL_PART_SCALE, false},
    {".pre_quant_scale", ".weight", HWL_PART_SCALE, false},
    {".k_scale", ".weight", HWL_PART_SCALE, false},
    {".v_scale", ".weight", HWL_PART_SCALE, false},
    {".q_scale", ".weight", HWL_PART_SCALE, false},
    {".weight_packed", ".weight", HWL_PART_WEIGHT, true},
    {".weight_shape", ".weight", HWL_PART_META, false},
    {".weight_g_idx", ".weight", HWL_PART_INDEX, false},
    {".weight_format", ".weight", HWL_PART_META, false},
    {".qweight", ".weight", HWL_PART_WEIGHT, true},
    {".qzeros", ".weight", HWL_PART_ZERO, false},
    {".scales", ".weight", HWL_PART_SCALE, false},
    {".biases", ".weight", HWL_PART_ZERO, false},
    {".g_idx", ".weight", HWL_PART_INDEX, false},
    {".SCB", ".weight", HWL_PART_SCALE, false},
    {"_scale_inv", "", HWL_PART_SCALE, false},
    {"_weight_scale", "", HWL_PART_SCALE, false},
    {"_blocks", "", HWL_PART_WEIGHT, true},
    {"_scales", "", HWL_PART_SCALE, false},
    {"_scale", "", HWL_PART_SCALE, false},
};
#define N_SUFFIXES (sizeof suffixes / sizeof *suffixes)

/* Words in front of a name that only say which class saved it. */
static const char *const leading[] = {"base_model", "model", "language_model", "text_model", "transformer", "module", "llm", "bert",
                                      "roberta", "encoder_model", "backbone", "gpt_neox", "thinker"};

struct meet {
    struct hwl_model *model;
    const struct hwl_safetensors *st;
    hwl_error *error;
    struct hwl_arena scratch;
    struct hwl_name_map map; /* stripped inventory names to indexes */
    struct hwl_name_map runs; /* names with a star for the last number, to list entries: the fast way for experts */
    struct hwl_tensor *list;
    uint32_t *next;          /* chain of list entries of one inventory entry */
    uint32_t *first;         /* [n inventory] */
    uint64_t n, cap, cap_next, matched;
};

struct hwl_str hwl_name_bare(struct hwl_str s)
{
    for (unsigned i = 0; i < sizeof leading / sizeof *leading;) {
        uint64_t n = strlen(leading[i]);
        if (s.n > n && s.p[n] == '.' && memcmp(s.p, leading[i], (size_t)n) == 0) {
            s.p += n + 1;
            s.n -= n + 1;
            i = 0;
        } else {
            i++;
        }
    }
    return s;
}

static hwl_status nomem(struct meet *m)
{
    return hwl_fail(m->error, HWL_E_NOMEM, "out of memory");
}

static hwl_status index_inventory(struct meet *m)
{
    const struct hwl_model *model = m->model;
    m->first = HWL_NEW_ARRAY(&m->scratch, uint32_t, model->n_tensors + 1);
    if (!m->first || model->n_tensors >= NONE || !hwl_name_map_init(&m->map, &m->scratch, model->n_tensors * 2) ||
        !hwl_name_map_init(&m->runs, &m->scratch, model->n_tensors * 4))
        return nomem(m);
    for (uint64_t i = 0; i < model->n_tensors; i++) {
        m->first[i] = NONE;
        bool added;
        struct hwl_str s = hwl_str_of(model->tensors[i].name), bare = hwl_name_bare(s);
        /* the full name too: where two towers have the same stripped names the exact one must win */
        if (hwl_name_map_put(&m->map, s, (uint32_t)i, &added) == HWL_NAME_NONE ||
            hwl_name_map_put(&m->map, bare, (uint32_t)i, &added) == HWL_NAME_NONE)
            return hwl_fail(m->error, HWL_E_LIMIT, "the tensor names collide");
    }
    return HWL_OK;
}

/* name with the number at [at, at + n) as a star. */
static struct hwl_str starred(struct hwl_str name, uint64_t at, uint64_t n, char buf[NAME_BYTES])
{
    memcpy(buf, name.p, (size_t)at);
    buf[at] = '*';
    memcpy(buf + at + 1, name.p + at + n, (size_t)(name.n - at - n));
    return (struct hwl_str){buf, name.n - n + 1};
}

static uint32_t look(const struct meet *m, struct hwl_str s)
{
    uint32_t i = hwl_name_map_get(&m->map, s);
    return i != HWL_NAME_NONE ? i : hwl_name_map_get(&m->map, hwl_name_bare(s));
}

/* The inventory's entry of a plain name: as it is, or with one of its numbers as a running one (from the right). */
static uint32_t find(const struct meet *m, struct hwl_str name)
{
    uint32_t i = look(m, name);
    char buf[NAME_BYTES];
    for (uint64_t end = name.n; i == HWL_NAME_NONE && end > 0;) {
        uint64_t begin = end;
        while (begin && name.p[begin - 1] != '.')
            begin--;
        bool number = end > begin;
        for (uint64_t k = begin; k < end; k++)
            number = number && name.p[k] >= '0' && name.p[k] <= '9';
        if (number)
            i = look(m, starred(name, begin, end - begin, buf));
        end = begin ? begin - 1 : 0;
    }
    return i;
}

static uint32_t match(const struct meet *m, struct hwl_str name, const struct suffix **suffix)
{
    static const struct suffix plain = {"", "", HWL_PART_WEIGHT, false};
    *suffix = &plain;
    if (name.n + 16 >= NAME_BYTES)
        return HWL_NAME_NONE;
    uint32_t i = find(m, name);
    char buf[NAME_BYTES];
    for (unsigned k = 0; k < N_SUFFIXES && i == HWL_NAME_NONE; k++) {
        if (!hwl_str_ends(name, suffixes[k].end))
            continue;
        uint64_t n = name.n - strlen(suffixes[k].end), more = strlen(suffixes[k].stem);
        memcpy(buf, name.p, (size_t)n);
        memcpy(buf + n, suffixes[k].stem, (size_t)more);
        i = find(m, (struct hwl_str){buf, n + more});
        *suffix = &suffixes[k]; /* holds for an unknown stem as well */
        if (i == HWL_NAME_NONE && !more) { /* "experts.down_proj_scale_inv" beside "experts.down_proj.weight" */
            memcpy(buf + n, ".weight", 7);
            i = find(m, (struct hwl_str){buf, n + 7});
        }
        if (i == HWL_NAME_NONE)
            break;
    }
    return i;
}

/* Elements that one stored number of a packed weight stands for, as ratio a / b. */
static void packing(const struct hwl_model *model, const struct hwl_st_tensor *t, uint64_t *a, uint64_t *b)
{
    const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)t->dtype);
    uint32_t bits = model->quant.bits ? model->quant.bits : 4;
    *a = (uint64_t)d->bytes * 8 / (d->block ? d->block : 1);
    *b = bits;
}

static const char *words_in(struct hwl_str name, const char *list)
{
    /* a NUL-terminated copy for strstr; names are at most NAME_BYTES by the reader */
    char buf[NAME_BYTES];
    (void)snprintf(buf, sizeof buf, "%.*s", (int)(name.n < NAME_BYTES ? name.n : NAME_BYTES - 1), name.p);
    for (const char *w = list; *w;) {
        char word[32];
        uint64_t n = strcspn(w, " ");
        (void)snprintf(word, sizeof word, "%.*s", (int)n, w);
        if (n && strstr(buf, word))
            return w;
        w += n + (w[n] == ' ');
    }
    return NULL;
}

/* A name that the inventory does not have: what it most likely is, by its words. First row that fits. */
static const struct {
    const char *words;
    uint8_t role, component;
    bool bias;
} guesses[] = {
    {"vision visual image_encoder vit.", HWL_ROLE_VISION, HWL_COMP_VISION, false},
    {"audio speech", HWL_ROLE_AUDIO, HWL_COMP_AUDIO, false},
    {"projector connector mm_proj merger", HWL_ROLE_PROJECTOR, HWL_COMP_PROJECTOR, false},
    {"embed_tokens word_embeddings wte.", HWL_ROLE_TOK_EMBD, HWL_COMP_EMBEDDING, false},
    {"lm_head embed_out", HWL_ROLE_OUTPUT, HWL_COMP_OUTPUT, false},
    {"inv_freq rotary", HWL_ROLE_ROPE_FREQS, HWL_COMP_OTHER, false},
    {"shared_expert", HWL_ROLE_SHEXP_UP, HWL_COMP_SHARED_EXPERT, false},
    {"experts", HWL_ROLE_EXP_UP, HWL_COMP_EXPERTS, false},
    {"indexer", HWL_ROLE_INDEXER, HWL_COMP_ATTENTION, false},
    {"norm ln_", HWL_ROLE_OTHER, HWL_COMP_NORM, false},
    {"router mlp.gate. block_sparse_moe.gate", HWL_ROLE_ROUTER, HWL_COMP_ROUTER, false},
    {"q_proj", HWL_ROLE_ATTN_Q, HWL_COMP_ATTENTION, false},
    {"k_proj", HWL_ROLE_ATTN_K, HWL_COMP_ATTENTION, false},
    {"v_proj", HWL_ROLE_ATTN_V, HWL_COMP_ATTENTION, false},
    {"o_proj", HWL_ROLE_ATTN_OUT, HWL_COMP_ATTENTION, false},
    {"qkv query_key_value", HWL_ROLE_ATTN_QKV, HWL_COMP_ATTENTION, false},
    {"mamba ssm mixer conv1d", HWL_ROLE_OTHER, HWL_COMP_RECURRENT, false},
    {"attn attention", HWL_ROLE_OTHER, HWL_COMP_ATTENTION, false},
    {"gate_proj", HWL_ROLE_FFN_GATE, HWL_COMP_FFN, false},
    {"up_proj", HWL_ROLE_FFN_UP, HWL_COMP_FFN, false},
    {"down_proj", HWL_ROLE_FFN_DOWN, HWL_COMP_FFN, false},
    {"mlp ffn feed_forward", HWL_ROLE_OTHER, HWL_COMP_FFN, false},
    {"embed", HWL_ROLE_OTHER, HWL_COMP_EMBEDDING, false},
};

/* The number behind "layers.", "h.", "blocks." or "layer.", where it is a layer of the stack. */
static int32_t layer_of(const struct hwl_model *model, struct hwl_str name)
{
    for (uint64_t i = 0; i + 1 < name.n; i++) {
        if (name.p[i] != '.' || name.p[i + 1] < '0' || name.p[i + 1] > '9')
            continue;
        uint64_t n = 0, k = i + 1;
        for (; k < name.n && name.p[k] >= '0' && name.p[k] <= '9' && n < INT32_MAX / 10; k++)
            n = n * 10 + (uint64_t)(name.p[k] - '0');
        return n < (uint64_t)model->n_layers + model->n_mtp && (k == name.n || name.p[k] == '.') ? (int32_t)n : -1;
    }
    return -1;
}

/* Of multi-token prediction although the configuration counts no such layers: by a word, or a number behind the stack's. */
static bool is_draft(const struct hwl_model *model, struct hwl_str name)
{
    if (words_in(name, "mtp. mtp_ nextn eh_proj"))
        return true;
    const char *const at = model->n_encoder ? NULL : words_in(name, ".layers.");
    for (uint64_t i = 0; at && i + 9 < name.n; i++) {
        if (memcmp(name.p + i, ".layers.", 8) != 0 || (i < 5 ? i != 0 : memcmp(name.p + i - 5, "model", 5) != 0))
            continue;
        uint64_t n = 0, k = i + 8;
        for (; k < name.n && name.p[k] >= '0' && name.p[k] <= '9' && n < INT32_MAX / 10; k++)
            n = n * 10 + (uint64_t)(name.p[k] - '0');
        return k > i + 8 && n >= (uint64_t)model->n_layers + model->n_mtp;
    }
    return false;
}

static void guess(const struct hwl_model *model, struct hwl_str name, struct hwl_tensor *t)
{
    t->role = HWL_ROLE_OTHER;
    t->component = HWL_COMP_OTHER;
    t->layer = -1;
    for (unsigned i = 0; i < sizeof guesses / sizeof *guesses; i++)
        if (words_in(name, guesses[i].words)) {
            t->role = guesses[i].role;
            t->component = guesses[i].component;
            break;
        }
    if (t->component != HWL_COMP_VISION && t->component != HWL_COMP_AUDIO && t->component != HWL_COMP_PROJECTOR) {
        t->draft = is_draft(model, name);
        t->layer = t->draft ? -1 : layer_of(model, name);
    }
    t->routed = t->component == HWL_COMP_EXPERTS;
    if (t->part == HWL_PART_WEIGHT && hwl_str_ends(name, ".bias"))
        t->part = HWL_PART_BIAS;
}

/* Shape in at most five numbers: what is beyond is multiplied into the last. */
static void copy_dims(struct hwl_tensor *t, const struct hwl_st_tensor *s)
{
    for (unsigned d = 0; d < s->n_dims; d++) {
        if (d < 5)
            t->dims[t->n_dims++] = s->dims[d];
        else
            t->dims[4] *= s->dims[d]; /* cannot overflow where no dimension is 0: the product of all did not */
    }
}

static bool same_shape(const struct hwl_tensor *t, const struct hwl_st_tensor *s)
{
    if (t->n_dims != (s->n_dims < 5 ? s->n_dims : 5) || s->n_dims > 5)
        return false;
    for (unsigned d = 0; d < t->n_dims; d++)
        if (t->dims[d] != s->dims[d])
            return false;
    return true;
}

/* The name with its last number as a star; as it is where it has none. */
static struct hwl_str last_starred(struct hwl_str name, char buf[NAME_BYTES])
{
    if (name.n + 16 >= NAME_BYTES)
        return name;
    for (uint64_t end = name.n; end > 0;) {
        uint64_t begin = end;
        while (begin && name.p[begin - 1] != '.')
            begin--;
        if (end > begin && name.p[begin] >= '0' && name.p[begin] <= '9')
            return starred(name, begin, end - begin, buf);
        end = begin ? begin - 1 : 0;
    }
    return name;
}

/* Is the star of an inventory's name behind all its numbers? */
static bool star_is_last(const char *name)
{
    const char *star = strrchr(name, '*');
    for (const char *p = star; p && *p; p++)
        if (p[0] == '.' && p[1] >= '0' && p[1] <= '9')
            return false;
    return star;
}

static hwl_status add_to(struct meet *m, struct hwl_tensor *t, uint64_t bytes, uint64_t elements)
{
    if (!hwl_add(&t->bytes, t->bytes, bytes) || !hwl_add(&t->elements, t->elements, elements) || t->count == UINT32_MAX)
        return hwl_fail(m->error, HWL_E_OVERFLOW, "the weights overflow 64 bits");
    t->count++;
    return HWL_OK;
}

static hwl_status add(struct meet *m, const struct hwl_st_tensor *s)
{
    char run_buf[NAME_BYTES];
    const struct hwl_str run = last_starred(s->name, run_buf);
    const uint32_t before = run.p == run_buf ? hwl_name_map_get(&m->runs, run) : HWL_NAME_NONE;
    if (before != HWL_NAME_NONE && m->list[before].dtype == s->dtype && same_shape(&m->list[before], s)) {
        m->matched++;
        return add_to(m, &m->list[before], s->bytes, m->list[before].elements / m->list[before].count);
    }
    const struct suffix *suffix;
    const uint32_t at = match(m, s->name, &suffix);
    const struct hwl_tensor *known = at == HWL_NAME_NONE ? NULL : &m->model->tensors[at];
    const bool many = known && known->count > 1;
    uint64_t elements = s->elements, a = 1, b = 1;
    const uint8_t part = known && known->part != HWL_PART_WEIGHT && suffix->part == HWL_PART_WEIGHT ? known->part : suffix->part;
    const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)s->dtype);
    const uint64_t want = known ? known->elements / (known->count ? known->count : 1) : 0;
    const bool whole = strcmp(d->name, "U8") == 0 || strcmp(d->name, "I8") == 0 || strcmp(d->name, "I32") == 0 || strcmp(d->name, "U32") == 0;
    if (part != HWL_PART_WEIGHT && part != HWL_PART_BIAS) {
        elements = 0;
    } else if (known && known->buffer) {
        elements = 0;
    } else if (known && part == HWL_PART_WEIGHT && whole && want > elements) {
        elements = want; /* packed: the configuration knows the shape, also where rows are padded */
    } else if (!known && suffix->packed) {
        packing(m->model, s, &a, &b);
        if (!hwl_mul(&elements, elements, a))
            return hwl_fail(m->error, HWL_E_OVERFLOW, "a shape overflows 64 bits");
        elements /= b;
    }
    m->matched += known != NULL;
    if (many)
        for (uint32_t k = m->first[at]; k != NONE; k = m->next[k]) {
            struct hwl_tensor *t = &m->list[k];
            if (t->part != part || t->dtype != s->dtype || !same_shape(t, s) || !hwl_str_ends(hwl_str_of(t->name), suffix->end))
                continue;
            return add_to(m, t, s->bytes, elements);
        }
    struct hwl_tensor *list = hwl_arena_grow(&m->model->arena, m->list, &m->cap, m->n + 1, sizeof *list);
    uint32_t *next = hwl_arena_grow(&m->scratch, m->next, &m->cap_next, m->n + 1, sizeof *next);
    if (!list || !next)
        return nomem(m);
    m->list = list;
    m->next = next;
    struct hwl_tensor *t = &list[m->n];
    *t = known ? *known : (struct hwl_tensor){.layer = -1};
    const struct hwl_str name = many ? run : s->name;
    t->name = hwl_arena_strn(&m->model->arena, name.p, name.n);
    if (!t->name)
        return nomem(m);
    t->part = part;
    t->dtype = s->dtype;
    t->count = 1;
    t->n_dims = 0;
    memset(t->dims, 0, sizeof t->dims);
    copy_dims(t, s);
    t->bytes = t->tied ? 0 : s->bytes;
    t->elements = t->tied ? 0 : elements;
    t->offset = s->offset;
    if (!known)
        guess(m->model, s->name, t);
    next[m->n] = NONE;
    if (known) {
        next[m->n] = m->first[at];
        m->first[at] = (uint32_t)m->n;
        bool added;
        if (many && run.p == run_buf && star_is_last(known->name)) /* a full map only makes it slower */
            (void)hwl_name_map_put(&m->runs, hwl_str_of(t->name), (uint32_t)m->n, &added);
    }
    m->n++;
    return HWL_OK;
}

/* Of multi-token prediction the checkpoint alone says what is there: layers that it lacks are none, and so are parts of one, such as
 * the copies of embedding and output matrix that some releases bring. */
static void drop_absent_mtp(struct hwl_model *model, const uint32_t *first)
{
    uint64_t kept = 0;
    bool any = false;
    for (uint64_t i = 0; i < model->n_logical; i++) {
        if (hwl_tensor_is_mtp(model, &model->logical[i])) {
            if (first[i] == NONE)
                continue;
            any = true;
        }
        model->logical[kept++] = model->logical[i];
    }
    model->n_logical = kept;
    if (!any && !model->n_encoder) /* with encoders the numbers behind are theirs */
        model->n_mtp = 0;
}

hwl_status hwl_weights_apply(struct hwl_model *model, const struct hwl_safetensors *st, hwl_error *error)
{
    struct meet m = {.model = model, .st = st, .error = error};
    hwl_status status = st->n_tensors >= NONE ? hwl_fail(error, HWL_E_LIMIT, "too many tensors") : index_inventory(&m);
    for (uint64_t i = 0; i < st->n_tensors && status == HWL_OK; i++)
        status = add(&m, &st->tensors[i]);
    if (status == HWL_OK) {
        char text[64];
        (void)snprintf(text, sizeof text, "%llu of %llu", (unsigned long long)m.matched, (unsigned long long)st->n_tensors);
        hwl_model_add_fact(model, "tensors known to the configuration", text, "derived: by name");
        model->logical = model->tensors;
        model->n_logical = model->n_tensors;
        model->tensors = m.list;
        model->n_tensors = m.n;
        model->cap_tensors = m.cap;
        drop_absent_mtp(model, m.first);
    }
    hwl_arena_free(&m.scratch);
    return status;
}

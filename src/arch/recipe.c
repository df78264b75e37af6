/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a recipe: line by line, each a word and what it needs. See data/recipes/README for the lines. */
#include "arch/recipe.h"

#include "arch/family.h"
#include "arch/hf.h"
#include "arch/hf_mtp.h"

#include <hwledger/plan.h>

#include <stdio.h>
#include <string.h>

#define MAX_LINES 512u
#define MAX_TENSORS 400000u
#define MAX_ARGS 8u
#define MAX_STEPS 2000000u /* lines run: absurd numbers of layers in one another end here */

struct run {
    struct hwl_recipe r;
    const char *line[MAX_LINES];
    uint32_t end[MAX_LINES]; /* of an if, else or each: the line that closes it */
    uint32_t n, steps;
    uint32_t stack; /* the line of the last each of layers of the stack */
    bool stop, stars;
};

struct args {
    uint64_t v[MAX_ARGS];
    uint32_t n;
    enum hwl_role role;
};

void hwl_recipe_bad(struct hwl_recipe *r, const char *what, const char *at)
{
    hwl_cfg_bad(&r->objects[0].cfg, "model_type", "fault in the recipe: %s at \"%.40s\"", what, at);
}

bool hwl_recipe_set(struct hwl_recipe *r, const char *name, size_t n, uint64_t value)
{
    for (uint32_t i = 0; i < r->n_vars; i++)
        if (r->vars[i].n == n && memcmp(r->vars[i].name, name, n) == 0) {
            r->vars[i].value = value;
            return true;
        }
    if (r->n_vars == HWL_RECIPE_VARS)
        return false;
    r->vars[r->n_vars++] = (struct hwl_recipe_var){name, n, value};
    return true;
}

static bool starts(const char *line, const char *word, const char **rest)
{
    const size_t n = strlen(word);
    if (strncmp(line, word, n) != 0 || (line[n] != ' ' && line[n] != 0))
        return false;
    *rest = line + n + (line[n] == ' ');
    return true;
}

/* The next word of at most size - 1 letters. */
static void word(struct run *u, const char **p, char *out, size_t size)
{
    while (**p == ' ')
        ++*p;
    const size_t n = strcspn(*p, " ");
    if (n >= size)
        hwl_recipe_bad(&u->r, "a long word", *p);
    const size_t keep = n < size ? n : 0;
    memcpy(out, *p, keep);
    out[keep] = 0;
    *p += n;
}

/* A name: a word in which {e} stands for a number and * for the number of the innermost each. "-" is no name. */
static void name_of(struct run *u, const char **p, char *out, size_t size)
{
    char raw[96];
    word(u, p, raw, sizeof raw);
    size_t n = 0;
    const uint64_t star = u->r.depth ? u->r.index[u->r.depth - 1] : 0;
    for (const char *s = strcmp(raw, "-") == 0 ? "" : raw; *s && n + 24 < size; s++) {
        if (*s == '*' && u->stars) {
            n += (size_t)snprintf(out + n, size - n, "%llu", (unsigned long long)star);
        } else if (*s == '{') {
            s++;
            n += (size_t)snprintf(out + n, size - n, "%llu", (unsigned long long)hwl_recipe_eval(&u->r, &s));
            if (*s != '}')
                hwl_recipe_bad(&u->r, "no }", raw);
        } else {
            out[n++] = *s;
        }
    }
    out[n] = 0;
}

static enum hwl_role role_named(struct run *u, const char *name)
{
    for (int i = 0; i < HWL_ROLE_COUNT; i++)
        if (strcmp(hwl_role_name((enum hwl_role)i), name) == 0)
            return (enum hwl_role)i;
    hwl_recipe_bad(&u->r, "unknown role", name);
    return HWL_ROLE_OTHER;
}

/* e, e, e @role */
static struct args arguments(struct run *u, const char *p)
{
    const int part = u->r.b->component;
    struct args a = {.role = part == HWL_COMP_VISION ? HWL_ROLE_VISION
                             : part == HWL_COMP_AUDIO ? HWL_ROLE_AUDIO
                             : part == HWL_COMP_PROJECTOR ? HWL_ROLE_PROJECTOR : HWL_ROLE_OTHER};
    while (*p == ' ')
        p++;
    while (*p && *p != '@') {
        if (a.n == MAX_ARGS) {
            hwl_recipe_bad(&u->r, "too many sizes", p);
            break;
        }
        a.v[a.n++] = hwl_recipe_eval(&u->r, &p);
        if (*p == ',')
            p++;
        else if (*p && *p != '@') {
            hwl_recipe_bad(&u->r, "an expression", p);
            break;
        }
    }
    if (*p == '@') {
        char name[32];
        p++;
        word(u, &p, name, sizeof name);
        a.role = role_named(u, name);
    }
    return a;
}

static void tensor(struct run *u, const char *name, const char *suffix, const struct args *a, uint32_t first, uint32_t dims, uint64_t count)
{
    struct hwl_hb *const b = u->r.b;
    if (count > UINT32_MAX || b->m->n_tensors > MAX_TENSORS) {
        hwl_cfg_bad(&u->r.objects[0].cfg, "config.json", "absurdly many tensors");
        u->stop = true;
        return;
    }
    const size_t mark = hwl_hb_push(b, "%s", name);
    if (count)
        (void)hwl_hb_tensor(b, suffix, a->role, (uint32_t)count, a->v + first, (uint8_t)(dims < 5 ? dims : 5));
    hwl_hb_pop(b, mark);
}

/* w: weight; b: weight and bias; f: weight, and bias where the first argument says so; t: a bare name; x: as many as the
 * first argument says, * in the name; n: a weight with as long a bias (norms), its bias where the second argument says so */
static bool emit(struct run *u, const char *line)
{
    const char *p;
    char name[128];
    const char kind = line[0];
    if (!kind || !strchr("wbftxzs", kind) || line[1] != ' ')
        return false;
    p = line + 2;
    u->stars = false; /* of experts, which stay */
    name_of(u, &p, name, sizeof name);
    const struct args a = arguments(u, p);
    const uint32_t lead = kind == 'f' || kind == 'x' ? 1 : 0;
    if (a.n < 1 + lead) {
        hwl_recipe_bad(&u->r, "no size", line);
        return true;
    }
    if (kind == 's') { /* stored, no parameter */
        hwl_hb_buffer(u->r.b, name, a.role, a.v[0]);
        return true;
    }
    tensor(u, name, kind == 't' ? "" : ".weight", &a, lead, a.n - lead, kind == 'x' ? a.v[0] : 1);
    if (kind == 'b' || (kind == 'f' && a.v[0]))
        tensor(u, name, ".bias", &a, lead, 1, 1);
    return true;
}

static uint32_t u32(uint64_t v)
{
    return (uint32_t)hwl_min(v, UINT32_MAX);
}

static void tower(struct run *u, uint8_t component, const char *p)
{
    struct hwl_hb *const b = u->r.b;
    char line[512];
    b->component = component;
    b->layer = -1;
    const size_t n = strcspn(p, " ,");
    if (!n)
        return;
    if (p[n] == 0 && n < sizeof u->r.objects[0].name) { /* the usual keys of the object of that name */
        const int o = *p == '.' ? 0 : (int)n; /* "." is the root */
        const char *const dot = o ? "." : "";
        (void)snprintf(line, sizeof line, "%.*s%snum_hidden_layers|depth|encoder_layers|num_layers:0, "
                       "%.*s%snum_attention_heads|num_heads|encoder_attention_heads:0, %.*s%shidden_size|d_model|embed_dim:0, "
                       "%.*s%sintermediate_size|encoder_ffn_dim:0, %.*s%spatch_size[0]:0, %.*s%simage_size[0]:0",
                       o, p, dot, o, p, dot, o, p, dot, o, p, dot, o, p, dot, o, p, dot);
        p = line;
    }
    const struct args a = arguments(u, p);
    struct hwl_encoder *const e = hwl_hb_encoder(b, component, a.v[0], a.v[1], a.v[2], a.v[3]);
    if (!e)
        return;
    e->patch = a.v[4];
    e->image_size = a.v[5];
    e->max_tokens = a.v[6];
}

/* NAME OBJECT TYPE: the object that stands at a path from the root, its class where it names none that has defaults */
static struct hwl_recipe_object *object(struct run *u, const char **p)
{
    struct hwl_recipe *const r = &u->r;
    if (r->n_objects == sizeof r->objects / sizeof *r->objects) {
        hwl_recipe_bad(r, "too many objects", *p);
        return &r->objects[0];
    }
    struct hwl_recipe_object *const o = &r->objects[r->n_objects++];
    char path[64], type[48];
    word(u, p, o->name, sizeof o->name);
    word(u, p, path, sizeof path);
    word(u, p, type, sizeof type);
    o->cfg = strcmp(path, ".") == 0 ? r->objects[0].cfg : hwl_cfg_obj(&r->objects[0].cfg, path);
    o->type = strcmp(path, ".") == 0 ? "" : hwl_cfg_str(&o->cfg, "model_type", "");
    const char *const own = hwl_class_known(o->type) ? o->type : type;
    const char *const outer = hwl_arena_printf(&r->b->m->arena, "%s/%s", r->objects[0].type, path);
    o->type = outer ? hwl_class_known(outer) ? hwl_arena_printf(&r->b->m->arena, "%s>%s", outer, own) : hwl_arena_str(&r->b->m->arena, own) : NULL;
    r->b->no_memory = r->b->no_memory || !o->type;
    o->type = o->type ? o->type : "";
    return o;
}

/* text OBJECT TYPE NAME [tied EXPR]: the language model, from then on the object "t". NAME ends in ! where it stands for the
 * "model." of its tensors, else it stands before all names. An object of "." is the root. */
static void text(struct run *u, const char *p)
{
    struct hwl_recipe *const r = &u->r;
    struct hwl_hb *const b = r->b;
    char line[320], name[64];
    const char *q = line;
    (void)snprintf(line, sizeof line, "t %s", p);
    struct hwl_recipe_object *const o = object(u, &q);
    word(u, &q, name, sizeof name);
    while (*q == ' ')
        q++;
    const bool told = strncmp(q, "tied ", 5) == 0;
    q = told ? q + 5 : "tie_word_embeddings:0 or t.tie_word_embeddings:0";
    struct hwl_build sub = *b->build;
    sub.tie = hwl_recipe_eval(r, &q) ? 2 : 1;
    char *const copy = hwl_arena_str(&b->m->arena, name);
    const char *const inner = strchr(o->type, '>');
    if (inner)
        sub.outer = hwl_arena_strn(&b->m->arena, o->type, (uint64_t)(inner - o->type));
    if (!copy) {
        b->no_memory = true;
        return;
    }
    if (strcmp(copy, "-") == 0) /* nothing before the names */
        *copy = 0;
    char *const mark = strchr(copy, '!');
    if (mark)
        *mark = 0;
    sub.prefix = mark ? "" : copy;
    sub.body = mark ? copy : NULL;
    char type[48];
    const char *w = line + 2;
    word(u, &w, type, sizeof type);
    if (strcmp(type, ".") == 0)
        sub.outer = r->objects[0].type;
    const bool whole = strcmp(type, ".") == 0, flat = !o->cfg.obj && hwl_cfg_has(&r->objects[0].cfg, "hidden_size");
    word(u, &w, type, sizeof type);
    if (flat) /* older files keep the text part's keys in the root */
        o->cfg = r->objects[0].cfg;
    if (whole || !o->cfg.obj || flat) /* the root's own type is this recipe's */
        hwl_build_text_as(&sub, &o->cfg, type, sub.prefix);
    else
        hwl_build_text(&sub, &o->cfg, type, sub.prefix);
    b->build->nomem = b->build->nomem || sub.nomem;
    b->build->overflow = b->build->overflow || sub.overflow;
}

static void attn(struct hwl_hb *b, struct hwl_layer *l, const struct args *a)
{
    hwl_hf_attn_fill(b, (uint64_t)b->layer, (struct hwl_attn_shape){0, a->v[0], a->v[1], a->v[2]}, a->v[3]);
    l->attn.causal = !l->encoder;
    if (a->n > 4)
        l->attn.head_dim_v = u32(a->v[4]);
}

static void mla(struct hwl_hb *b, struct hwl_layer *l, const struct args *a)
{
    (void)b;
    l->mixer = HWL_MIXER_MLA;
    l->attn = (struct hwl_attention){.n_heads = u32(a->v[0]), .n_kv_heads = 1, .head_dim_k = u32(a->v[1]), .head_dim_v = u32(a->v[2]),
                                     .q_lora_rank = u32(a->v[3]), .kv_lora_rank = u32(a->v[4]), .qk_rope_dim = u32(a->v[5]),
                                     .qk_nope_dim = u32(a->v[6]), .kv_shared_with = -1, .causal = true};
}

static void rwkv(struct hwl_hb *b, struct hwl_layer *l, const struct args *a)
{
    const uint64_t inner = hwl_hb_mul(b, a->v[0], a->v[1]);
    l->mixer = HWL_MIXER_RWKV;
    l->state = (struct hwl_state){.d_inner = inner, .d_state = a->v[1], .n_heads = u32(a->v[0]), .n_k_heads = u32(a->v[0]),
                                  .head_dim = u32(a->v[1]), .shift_dim = a->v[2], .ssm_elems = hwl_hb_mul(b, inner, a->v[1])};
}

static void index_keys(struct hwl_hb *b, struct hwl_layer *l, const struct args *a)
{
    (void)b;
    l->mixer = HWL_MIXER_SPARSE;
    l->attn.index_topk = u32(a->v[2]);
    if (a->n > 3 && !a->v[3]) /* reads the choice of a layer before */
        return;
    l->attn.index_heads = u32(a->v[0]);
    l->attn.index_head_dim = u32(a->v[1]);
}

/* The last layer before the one named that is of the same kind. */
static void share(struct hwl_hb *b, struct hwl_layer *l, const struct args *a)
{
    for (uint64_t k = hwl_min(a->v[0], (uint64_t)b->layer); k-- > 0;)
        if (b->m->layers[k].mixer == l->mixer) {
            l->attn.kv_shared_with = (int32_t)k;
            return;
        }
}

static void dense(struct hwl_hb *b, struct hwl_layer *l, const struct args *a)
{
    (void)b;
    l->feed_forward = l->feed_forward == HWL_FFN_MOE ? HWL_FFN_MOE : HWL_FFN_DENSE;
    l->ffn.d_ff = a->v[0];
    l->ffn.gated = a->v[1] != 0;
}

static void moe(struct hwl_hb *b, struct hwl_layer *l, const struct args *a)
{
    (void)b;
    l->feed_forward = HWL_FFN_MOE;
    l->ffn.n_experts = u32(a->v[0]);
    l->ffn.n_experts_used = u32(a->v[1]);
    l->ffn.d_expert = a->v[2];
    l->ffn.n_shared = u32(a->v[3]);
    l->ffn.d_shared = a->v[4];
    l->ffn.gated = true;
}

static void recurrent(struct hwl_layer *l, uint8_t mixer, const struct args *a)
{
    if (l->mixer == HWL_MIXER_NONE) /* beside attention the layer is called after that */
        l->mixer = mixer;
    l->state = (struct hwl_state){.d_conv = u32(a->v[0]), .conv_dim = a->v[1], .ssm_elems = a->v[2], .n_heads = u32(a->v[3]),
                                  .n_k_heads = u32(a->v[3]), .head_dim = u32(a->v[4]), .d_state = a->v[5], .d_inner = a->v[6]};
}

static void short_conv(struct hwl_hb *b, struct hwl_layer *l, const struct args *a)
{
    (void)b;
    recurrent(l, HWL_MIXER_SHORT_CONV, &(struct args){.v = {a->v[0], a->v[1]}, .n = 2});
}

static void mamba(struct hwl_hb *b, struct hwl_layer *l, const struct args *a) { (void)b; recurrent(l, HWL_MIXER_MAMBA, a); }
static void mamba2(struct hwl_hb *b, struct hwl_layer *l, const struct args *a)
{
    (void)b;
    recurrent(l, HWL_MIXER_MAMBA2, a);
    l->state.n_groups = u32(a->v[7]); /* 0 where a row says none */
}
static void gdn(struct hwl_hb *b, struct hwl_layer *l, const struct args *a) { (void)b; recurrent(l, HWL_MIXER_GATED_DELTA_NET, a); }
static void kda(struct hwl_hb *b, struct hwl_layer *l, const struct args *a) { (void)b; recurrent(l, HWL_MIXER_KDA, a); }
static void linear(struct hwl_hb *b, struct hwl_layer *l, const struct args *a) { (void)b; recurrent(l, HWL_MIXER_LINEAR, a); }

/* Shapes of the layer under way. Arguments left out are 0. */
static bool shape(struct run *u, const char *line)
{
    static const struct {
        const char *word;
        void (*fill)(struct hwl_hb *b, struct hwl_layer *l, const struct args *a);
    } rows[] = {
        {"attn", attn},     /* heads, kv heads, head, window, width of a value head */
        {"mla", mla},       /* heads, key, value, rank of q, of kv, rope, nope */
        {"share", share},   /* reads the cache of a layer before this one */
        {"dense", dense},   /* width, gated */
        {"moe", moe},       /* experts, used, width, shared, width of all shared */
        {"mamba", mamba},   /* kernel, channels of the convolution, elements of the state, heads, head, state, inner */
        {"mamba2", mamba2}, {"gdn", gdn}, {"kda", kda}, {"linear", linear},
        {"short_conv", short_conv}, /* kernel, channels */
        {"rwkv", rwkv},     /* heads, head, elements of the token shift */
        {"index", index_keys}, /* heads of the indexer, width, tokens chosen, whether its keys are this layer's own */
    };
    struct hwl_hb *const b = u->r.b;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *p;
        if (!starts(line, rows[i].word, &p))
            continue;
        const struct args a = arguments(u, p);
        const uint64_t n = (uint64_t)b->m->n_layers + b->m->n_mtp + b->m->n_encoder;
        if (b->layer >= 0 && (uint64_t)b->layer < n)
            rows[i].fill(b, &b->m->layers[b->layer], &a);
        return true;
    }
    return false;
}

static bool state(struct run *u, const char *line)
{
    struct hwl_recipe *const r = &u->r;
    struct hwl_hb *const b = r->b;
    const char *p;
    char a[64];
    if (starts(line, "set", &p)) {
        const size_t n = strcspn(p, " ");
        const char *const name = p;
        p += n;
        if (strncmp(p, " = ", 3) != 0) {
            hwl_recipe_bad(r, "no =", p);
            return true;
        }
        p += 3;
        if (!hwl_recipe_set(r, name, n, hwl_recipe_eval(r, &p)))
            hwl_recipe_bad(r, "too many variables", name);
    } else if (starts(line, "as", &p)) {
        (void)object(u, &p);
    } else if (starts(line, "text", &p)) {
        text(u, p);
    } else if (starts(line, "vision", &p)) {
        tower(u, HWL_COMP_VISION, p);
    } else if (starts(line, "audio", &p)) {
        tower(u, HWL_COMP_AUDIO, p);
    } else if (starts(line, "projector", &p)) {
        b->component = HWL_COMP_PROJECTOR;
    } else if (starts(line, "plain", &p)) {
        b->component = -1;
        b->layer = -1;
    } else if (starts(line, "model", &p)) { /* hidden, vocabulary, context */
        const struct args m = arguments(u, p);
        b->m->hidden = m.v[0];
        b->m->vocab = m.v[1];
        b->m->context_train = m.v[2];
    } else if (starts(line, "layers", &p)) { /* decoder layers, encoder layers, those for multi-token prediction */
        const struct args l = arguments(u, p);
        u->stop = u->stop || !hwl_hb_layers(b, l.v[0], l.v[2], l.v[1]);
    } else if (starts(line, "tie", &p)) { /* name, tied, vocabulary, width */
        word(u, &p, a, sizeof a);
        const struct args h = arguments(u, p);
        hwl_hf_head(b, a, h.v[1], h.v[2], h.v[0] != 0);
    } else if (starts(line, "refuse", &p)) {
        hwl_cfg_bad(&r->objects[0].cfg, "config.json", "%s", p);
        u->stop = true;
    } else {
        return false;
    }
    return true;
}

static void execute(struct run *u, uint32_t from, uint32_t to);

/* each N NAME*. [layer]: the lines below with NAME before every name, * the running number */
static void each(struct run *u, uint32_t at, const char *p)
{
    struct hwl_recipe *const r = &u->r;
    struct hwl_hb *const b = r->b;
    char name[96];
    const uint64_t n = hwl_recipe_eval(r, &p);
    if (*p == ',')
        p++;
    while (*p == ' ')
        p++;
    const char *const text = p;
    p += strcspn(p, " ");
    while (*p == ' ')
        p++;
    const bool layers = strncmp(p, "layer", 5) == 0;
    if (layers)
        u->stack = at;
    const bool mtp = strncmp(p, "layer mtp", 9) == 0, encoder = strncmp(p, "layer +", 7) == 0;
    const uint64_t base = mtp ? b->m->n_layers : encoder ? (uint64_t)b->m->n_layers + b->m->n_mtp : 0;
    if (n > HWL_HB_MAX_LAYERS || r->depth == 3) {
        hwl_cfg_bad(&r->objects[0].cfg, "num_hidden_layers", "more than %d layers", HWL_HB_MAX_LAYERS);
        u->stop = true;
        return;
    }
    const uint32_t depth = r->depth++;
    for (uint64_t i = 0; i < n && !u->stop; i++) {
        r->index[depth] = i;
        if (layers)
            b->layer = (int32_t)(base + i);
        const char *at_name = text;
        u->stars = true;
        name_of(u, &at_name, name, sizeof name);
        const size_t mark = hwl_hb_push(b, "%s", name);
        execute(u, at + 1, u->end[at]);
        hwl_hb_pop(b, mark);
        if (layers)
            b->layer = -1;
    }
    r->depth = depth;
}

/* predict FORM: layers for multi-token prediction, which are the last one of the stack once more, behind it, and what FORM says. */
static void predict(struct run *u, const char *name)
{
    static const struct {
        const char *name;
        const struct hwl_mtp_form *form;
    } forms[] = {{"final", &hwl_mtp_hunyuan}, {"head", &hwl_mtp_deepseek}, {"shared", &hwl_mtp_shared}};
    struct hwl_recipe *const r = &u->r;
    struct hwl_hb *const b = r->b;
    const struct hwl_mtp_form *form = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].name, name) == 0)
            form = forms[i].form;
    if (!form || !b->m->n_layers || r->depth) {
        hwl_recipe_bad(r, "no such prediction", name);
        return;
    }
    r->depth = 1;
    r->index[0] = b->m->n_layers - 1;
    (void)hwl_recipe_set(r, "mtp", 3, 1);
    for (uint32_t k = 0; k < b->m->n_mtp && !u->stop; k++) {
        b->layer = (int32_t)(b->m->n_layers + k);
        const size_t mark = hwl_hb_push(b, "model.layers.%d.", (int)b->layer);
        execute(u, u->stack + 1, u->end[u->stack]);
        hwl_hb_pop(b, mark);
        hwl_mtp_parts(b->build, form, b->layer, k, "model.layers", b->m->hidden, b->m->vocab);
    }
    r->depth = 0;
    b->layer = -1;
}

static void execute(struct run *u, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to && !u->stop; i++) {
        const char *p, *const line = u->line[i];
        if (++u->steps > MAX_STEPS) {
            hwl_cfg_bad(&u->r.objects[0].cfg, "config.json", "absurdly many layers");
            u->stop = true;
            return;
        }
        if (starts(line, "each", &p)) {
            each(u, i, p);
            i = u->end[i];
        } else if (starts(line, "predict", &p)) {
            predict(u, p);
        } else if (starts(line, "if", &p)) {
            const uint32_t close = u->end[i];
            const bool yes = hwl_recipe_eval(&u->r, &p) != 0, other = starts(u->line[close], "else", &p);
            if (yes)
                execute(u, i + 1, close);
            else if (other)
                execute(u, close + 1, u->end[close]);
            i = other ? u->end[close] : close;
        } else if (starts(line, "under", &p)) { /* NAME [if EXPR]: before the names below */
            char name[96];
            u->stars = false;
            name_of(u, &p, name, sizeof name);
            const bool yes = strncmp(p, " if ", 4) != 0 || (p += 4, hwl_recipe_eval(&u->r, &p) != 0);
            const size_t mark = hwl_hb_push(u->r.b, "%s", yes ? name : "");
            execute(u, i + 1, u->end[i]);
            hwl_hb_pop(u->r.b, mark);
            i = u->end[i];
        } else if (!emit(u, line) && !state(u, line) && !shape(u, line)) {
            hwl_recipe_bad(&u->r, "unknown line", line);
            u->stop = true;
        }
    }
}

/* Copies line n with its words in place of their bytes to out, where it is not NULL; its length. */
static size_t expand(uint16_t n, char *out)
{
    size_t length = 0;
    for (const uint8_t *s = hwl_recipe_line + hwl_recipe_line_at[n]; *s; s++) {
        const bool word = *s >= 128;
        const uint8_t *const from = word ? hwl_recipe_word + hwl_recipe_word_at[*s - 128] : s;
        const size_t add = word ? strlen((const char *)from) : 1;
        if (out)
            memcpy(out + length, from, add);
        length += add;
    }
    return length;
}

static const char *line_of(struct run *u, uint16_t n)
{
    char *const text = HWL_NEW_ARRAY(&u->r.b->m->arena, char, expand(n, NULL) + 1);
    u->r.b->no_memory = u->r.b->no_memory || !text;
    if (text)
        text[expand(n, text)] = 0;
    return text;
}

/* Lines and which closes which. */
static bool parse(struct run *u, const uint16_t *lines)
{
    uint32_t open[16], depth = 0;
    const char *rest;
    for (; lines[u->n] != UINT16_MAX; u->n++) {
        const uint32_t i = u->n;
        if (i + 1 == MAX_LINES) {
            hwl_recipe_bad(&u->r, "too long", u->line[0]);
            return false;
        }
        const char *const p = u->line[i] = line_of(u, lines[i]);
        if (!p)
            return false;
        const bool ends = starts(p, "end", &rest), other = starts(p, "else", &rest);
        if (ends || other) {
            if (!depth) {
                hwl_recipe_bad(&u->r, "end without beginning", p);
                return false;
            }
            u->end[open[--depth]] = i;
        }
        if ((other || starts(p, "each", &rest) || starts(p, "if", &rest) || starts(p, "under", &rest)) && depth < 16)
            open[depth++] = i;
    }
    if (depth)
        hwl_recipe_bad(&u->r, "no end", u->line[open[depth - 1]]);
    return depth == 0;
}

void hwl_recipe_read(struct hwl_build *build, const uint16_t *lines)
{
    struct hwl_hb hb;
    hwl_hb_init(&hb, build->model, &build->cfg);
    hb.build = build;
    hb.body = build->body;
    const size_t mark = hwl_hb_push(&hb, "%s", build->prefix);
    struct run *const u = HWL_NEW(&build->model->arena, struct run);
    if (!u) {
        build->nomem = true;
        return;
    }
    u->r = (struct hwl_recipe){.b = &hb, .n_objects = 1};
    u->r.objects[0] = (struct hwl_recipe_object){"", build->cfg, build->type};
    (void)hwl_recipe_set(&u->r, "mtp", 3, 0);
    if (parse(u, lines))
        execute(u, 0, u->n);
    if (!u->stop && !build->model->layers)
        (void)hwl_hb_layers(&hb, 0, 0, 0);
    hwl_hb_pop(&hb, mark);
    build->nomem = build->nomem || hb.no_memory;
    build->overflow = build->overflow || hb.ck.overflow;
    if (hb.too_long)
        hwl_cfg_bad(&build->cfg, "model_type", "a tensor name is too long");
}

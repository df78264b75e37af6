/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the family of a configuration and runs its reader. */
#include "arch/family.h"

#include "arch/hf_text.h"
#include "arch/recipe.h"
#include "base/status.h"
#include "base/str.h"

#include <string.h>

/* Lists of families, each closed by a row without types. The first that names the type wins. */
static const struct hwl_family *const lists[] = {hwl_families_text, hwl_families_moe, hwl_families_further, hwl_families_more,
                                                  hwl_families_recipes};
enum { N_LISTS = sizeof lists / sizeof *lists };

const struct hwl_family *hwl_family_find(const char *type, const char *class_name)
{
    for (int by_class = 0; by_class < 2; by_class++)
        for (int l = 0; l < N_LISTS; l++)
            for (const struct hwl_family *f = lists[l]; f->types; f++) {
                const char *words = by_class ? f->classes : f->types, *word = by_class ? class_name : type;
                if (words && word && *word && !strchr(word, ' ') && hwl_words_have(words, word))
                    return f;
            }
    return NULL;
}

const struct hwl_family *hwl_family_special(const struct hwl_config *c, const char *type, const char *class_name)
{
    for (const struct hwl_family_rule *r = hwl_family_rules; r->key || r->classes; r++) {
        const bool named = !r->classes || (*class_name && !strchr(class_name, ' ') && hwl_words_have(r->classes, class_name));
        if (named && (!r->type || strcmp(type, r->type) == 0) && (!r->key || hwl_cfg_has(c, r->key)))
            return &hwl_families_recipes[r->family];
    }
    return NULL;
}

/* The nearest known model type, "" where nothing is near. */
static void nearest(const char *type, char out[64])
{
    uint32_t best = 5;
    out[0] = 0;
    for (int l = 0; l < N_LISTS; l++)
        for (const struct hwl_family *f = lists[l]; f->types; f++)
            for (const char *p = f->types; *p;) {
                const size_t n = strcspn(p, " ");
                char word[64] = "";
                if (n < sizeof word)
                    memcpy(word, p, n);
                const uint32_t d = hwl_text_distance(type, word, best);
                if (d < best) {
                    best = d;
                    memcpy(out, word, sizeof word);
                }
                p += n + (p[n] == ' ');
            }
}

static void read_family(struct hwl_build *b, const struct hwl_family *f, const char *type)
{
    /* class defaults of the type itself where it has a class, else of the family's first type */
    if (!*type || !hwl_words_have(f->types, type)) {
        const size_t n = strcspn(f->types, " ");
        const char *first = hwl_arena_strn(&b->model->arena, f->types, n);
        b->type = first ? first : "";
    } else {
        b->type = type;
    }
    if (b->outer && *b->outer) {
        const char *both = hwl_arena_printf(&b->model->arena, "%s>%s", b->outer, b->type);
        b->type = both ? both : b->type;
        b->outer = NULL;
    }
    if (f->recipe)
        hwl_recipe_read(b, f->recipe);
    else
        f->read(b, f->row);
}

static void read_part(struct hwl_build *b, const struct hwl_family *f, const struct hwl_config *text, const char *type, const char *prefix)
{
    struct hwl_build sub = *b;
    sub.cfg = *text;
    sub.prefix = prefix;
    read_family(&sub, f, type);
    b->nomem = b->nomem || sub.nomem;
    b->overflow = b->overflow || sub.overflow;
}

void hwl_build_text(struct hwl_build *b, const struct hwl_config *text, const char *type, const char *prefix)
{
    const char *own = hwl_cfg_str(text, "model_type", type);
    const struct hwl_family *f = hwl_family_find(own, hwl_cfg_at_str(text, "architectures", 0, ""));
    if (!f)
        f = hwl_family_find(type, NULL);
    if (!f) {
        hwl_cfg_bad(text, "model_type", "unknown language model \"%s\"", own);
        return;
    }
    read_part(b, f, text, own, prefix);
}

void hwl_build_text_as(struct hwl_build *b, const struct hwl_config *text, const char *type, const char *prefix)
{
    const struct hwl_family *f = hwl_family_find(type, NULL);
    if (f)
        read_part(b, f, text, type, prefix);
    else
        hwl_cfg_bad(text, "model_type", "unknown language model \"%s\"", type);
}

static void copy_facts(const struct hwl_config *root, struct hwl_model *m)
{
    const char *key, *value, *origin;
    for (uint64_t i = 0; hwl_config_fact(root, i, &key, &value, &origin); i++)
        hwl_model_add_fact(m, key, value, origin);
}

static uint16_t stored_type(const struct hwl_config *root)
{
    const char *name = hwl_cfg_str(root, "torch_dtype|dtype", "");
    const struct hwl_config text = hwl_cfg_obj(root, "text_config");
    if (!*name)
        name = hwl_cfg_str(&text, "torch_dtype|dtype", "");
    const enum hwl_dtype t = hwl_dtype_of_name(name);
    return (uint16_t)(t != HWL_DTYPE_NONE ? t : HWL_DTYPE_BF16);
}

/* The class without a head, which embedding models are saved as: Qwen3Model beside Qwen3ForCausalLM. */
static bool is_base_class(const struct hwl_family *f, const char *class_name)
{
    for (const char *p = f->row && f->classes ? f->classes : ""; *p;) {
        const size_t n = strcspn(p, " "), tail = strlen("ForCausalLM");
        if (n > tail && strncmp(p + n - tail, "ForCausalLM", tail) == 0 && strncmp(class_name, p, n - tail) == 0 &&
            strcmp(class_name + n - tail, "Model") == 0)
            return true;
        p += n;
        p += strspn(p, " ");
    }
    return false;
}

hwl_status hwl_arch_from_config(const struct hwl_config *root, struct hwl_model *model, hwl_error *error)
{
    HWL_TRY(hwl_config_status(root, error));
    hwl_config_set_defaults(root, hwl_class_default);
    const char *type = hwl_cfg_str(root, "model_type", "");
    const char *class_name = hwl_cfg_at_str(root, "architectures", 0, "");
    HWL_TRY(hwl_config_status(root, error));
    const bool may_guess = model->generic;
    const struct hwl_family *special = hwl_family_special(root, type, class_name), *f = special ? special : hwl_family_find(type, class_name);
    /* A text model's type over a nested text_config means the model around it (Ministral 3): its class decides. */
    if (f && f->row && hwl_cfg_has(root, "text_config"))
        f = hwl_family_find("", class_name);
    model->generic = false;
    if (!f && may_guess) {
        f = &hwl_family_generic;
        model->generic = true;
    }
    if (!f) {
        char near[64];
        nearest(type, near);
        return hwl_fail(error, HWL_E_UNSUPPORTED, "unknown model_type \"%s\"%s%s%s%s%s; --generic reads it as a dense decoder", type,
                        *class_name ? " (" : "", class_name, *class_name ? ")" : "", *near ? ", nearest known: " : "", near);
    }
    model->dtype = stored_type(root);
    const char *arch = hwl_arena_str(&model->arena, *type ? type : f->types);
    model->arch = arch ? arch : "";
    struct hwl_build b = {.root = root, .cfg = *root, .model = model, .type = type, .prefix = "", .component = HWL_COMP_COUNT};
    b.headless = is_base_class(f, class_name);
    if (!arch)
        b.nomem = true;
    read_family(&b, f, type);
    const struct hwl_config text = hwl_cfg_obj(root, "text_config|llm_config|language_config|llm_cfg");
    hwl_hints_read(model, root, text.obj ? &text : root);
    HWL_TRY(hwl_config_status(root, error));
    if (b.nomem)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (b.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "a tensor of this configuration exceeds 64 bits");
    copy_facts(root, model);
    return HWL_OK;
}

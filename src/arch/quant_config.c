/* SPDX-License-Identifier: Apache-2.0 */
/* Quantisation configurations of the tool kits, read into one form. Fields as written by transformers, AutoGPTQ, AutoAWQ,
 * compressed-tensors, bitsandbytes, NVIDIA ModelOpt and MLX. */
#include "arch/quant_config.h"

#include "arch/weights.h"
#include "base/file.h"
#include "base/status.h"
#include "base/str.h"

#include <fnmatch.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MODULE_BYTES 512u
#define SKIP_MAX 65536u
#define SKIP_KEYS "modules_to_not_convert|ignored_layers|ignore|exclude_modules|llm_int8_skip_modules"

static uint32_t u32(uint64_t n)
{
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void read_skip(const struct hwl_config *q, struct hwl_arena *arena, struct hwl_quant *out)
{
    uint64_t n = hwl_cfg_n(q, SKIP_KEYS);
    if (n > SKIP_MAX) {
        hwl_cfg_bad(q, "modules_to_not_convert", "%llu modules", (unsigned long long)n);
        return;
    }
    const char **list = n ? HWL_NEW_ARRAY(arena, const char *, n) : NULL;
    if (!list)
        return;
    for (uint64_t i = 0; i < n; i++)
        list[i] = hwl_cfg_at_str(q, SKIP_KEYS, i, "");
    out->skip = list;
    out->n_skip = (uint32_t)n;
}

/* compressed-tensors and ModelOpt: the weights of the first group. Groups of different kinds are told apart by nobody's
 * loader but the engine's own; the first stands for all. */
static void read_groups(const struct hwl_config *q, struct hwl_quant *out)
{
    const struct hwl_config groups = hwl_cfg_obj(q, "config_groups");
    const struct hwl_config group = hwl_cfg_obj(&groups, "group_0|group_1|default");
    const struct hwl_config w = hwl_cfg_obj(&group, "weights");
    if (!w.obj)
        return;
    const char *strategy = hwl_cfg_str(&w, "strategy", "");
    out->bits = u32(hwl_cfg_u64(&w, "num_bits", out->bits));
    out->group_size = hwl_cfg_has(&w, "group_size") && strcmp(strategy, "channel") != 0 && strcmp(strategy, "tensor") != 0
                          ? u32(hwl_cfg_u64(&w, "group_size", 0))
                          : out->group_size;
    out->per_channel = strcmp(strategy, "channel") == 0;
    out->zero_point = !hwl_cfg_bool(&w, "symmetric", true);
    out->desc_act = strcmp(hwl_cfg_str(&w, "actorder", ""), "group") == 0;
    if (hwl_cfg_n(&w, "block_structure") == 2 && strcmp(strategy, "block") == 0)
        for (unsigned i = 0; i < 2; i++)
            out->block[i] = u32(hwl_cfg_at_u64(&w, "block_structure", i, 0));
}

static void read_kv(const struct hwl_config *q, struct hwl_quant *out)
{
    yyjson_val *scheme = hwl_json_get(q->obj, "kv_cache_scheme");
    const char *algo = yyjson_is_str(scheme) ? hwl_cfg_str(q, "kv_cache_scheme", "") : hwl_cfg_str(q, "kv_cache_quant_algo", "");
    if (strcasecmp(algo, "FP8") == 0)
        out->kv_dtype = (uint16_t)hwl_dtype_of_name("F8_E4M3");
    if (!yyjson_is_obj(scheme))
        return;
    const struct hwl_config kv = hwl_cfg_obj(q, "kv_cache_scheme");
    if (hwl_cfg_u64(&kv, "num_bits", 0) == 8 && strcmp(hwl_cfg_str(&kv, "type", ""), "float") == 0)
        out->kv_dtype = (uint16_t)hwl_dtype_of_name("F8_E4M3");
}

static const struct algo {
    const char *algo, *format;
    uint32_t bits, group;
} algos[] = {
    {"FP8", "fp8", 8, 0},          {"FP8_PER_CHANNEL_PER_TOKEN", "fp8-channel", 8, 0}, {"FP8_PB_WO", "fp8-block", 8, 0},
    {"NVFP4", "nvfp4", 4, 16},     {"NVFP4_AWQ", "nvfp4", 4, 16},                      {"MXFP8", "mxfp8", 8, 32},
    {"MIXED_PRECISION", "mixed", 0, 0}, {"W4A16_AWQ", "awq", 4, 128},                  {"W4A16_NVFP4", "nvfp4", 4, 16},
};

static const struct algo *algo_of(const char *name)
{
    for (unsigned i = 0; i < sizeof algos / sizeof *algos; i++)
        if (strcasecmp(name, algos[i].algo) == 0)
            return &algos[i];
    return NULL;
}

/* ModelOpt names an algorithm instead of a method. */
static void read_algo(const struct hwl_config *q, struct hwl_quant *out)
{
    const char *algo = hwl_cfg_str(q, "quant_algo", "");
    if (!*algo)
        return;
    if (!*out->method)
        out->method = "modelopt";
    const struct algo *row = algo_of(algo);
    if (strncmp(out->method, "modelopt", 8) != 0 || !row)
        return;
    out->format = row->format;
    out->bits = row->bits;
    out->group_size = u32(hwl_cfg_u64(q, "group_size", row->group));
    if (strcmp(out->format, "fp8-block") == 0)
        out->block[0] = out->block[1] = 128;
    out->per_channel = strcmp(out->format, "fp8-channel") == 0;
}

static int by_module(const void *a, const void *b)
{
    const struct hwl_quant_layer *x = a, *y = b;
    return strcmp(x->module, y->module);
}

/* quantized_layers: {"model.layers.0.mlp.gate_proj": {"quant_algo": "NVFP4", "group_size": 16}, ...}. A module of an unknown
 * algorithm leaves the format to be refused. */
static hwl_status read_layers(const struct hwl_config *q, struct hwl_arena *arena, struct hwl_quant *out, hwl_error *error)
{
    yyjson_val *list = hwl_json_get(q->obj, "quantized_layers"), *key;
    const size_t n = yyjson_obj_size(list);
    if (strcmp(out->format, "mixed") != 0 || !n || n > 1u << 22)
        return HWL_OK;
    struct hwl_quant_layer *layers = HWL_NEW_ARRAY(arena, struct hwl_quant_layer, n);
    if (!layers)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    yyjson_obj_iter it = yyjson_obj_iter_with(list);
    uint32_t count = 0;
    while ((key = yyjson_obj_iter_next(&it)) != NULL) {
        yyjson_val *v = yyjson_obj_iter_get_val(key), *group = hwl_json_get(v, "group_size"), *name = hwl_json_get(v, "quant_algo");
        const struct algo *row = yyjson_is_str(name) ? algo_of(yyjson_get_str(name)) : NULL;
        struct hwl_quant_layer *l = &layers[count++];
        *l = (struct hwl_quant_layer){.module = hwl_arena_str(arena, yyjson_get_str(key)),
                                      .format = row ? row->format : "of an unknown algorithm",
                                      .bits = row ? row->bits : 0,
                                      .group_size = yyjson_is_uint(group) ? u32(yyjson_get_uint(group)) : row ? row->group : 0};
        if (!l->module)
            return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    }
    qsort(layers, count, sizeof *layers, by_module);
    out->layers = layers;
    out->n_layers = count;
    return HWL_OK;
}

const struct hwl_quant_layer *hwl_quant_layer_of(const struct hwl_quant *quant, const char *tensor)
{
    char module[512];
    size_t n = 0;
    for (const char *p = tensor; *p && n + 1 < sizeof module; p++)
        module[n++] = *p == '*' ? '0' : *p;
    module[n] = 0;
    /* the module of the tensor, or one that holds it: "layers.0.ffn.experts" */
    for (int up = 0; up < 3; up++) {
        char *dot = strrchr(module, '.');
        if (!dot)
            break;
        *dot = 0;
        const struct hwl_quant_layer key = {.module = module};
        const struct hwl_quant_layer *found = quant->n_layers ? bsearch(&key, quant->layers, quant->n_layers, sizeof key, by_module) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static hwl_status read_object(const struct hwl_config *q, struct hwl_arena *arena, struct hwl_quant *out, hwl_error *error)
{
    out->method = hwl_cfg_str(q, "quant_method", "");
    out->format = hwl_cfg_str(q, "format|checkpoint_format", "");
    out->bits = u32(hwl_cfg_u64(q, "bits|w_bit", 0));
    /* -1 is per channel in GPTQ and AWQ */
    yyjson_val *group = hwl_json_get(q->obj, "group_size");
    out->group_size = yyjson_is_sint(group) && yyjson_get_sint(group) < 0 ? 0 : u32(hwl_cfg_u64(q, "group_size|q_group_size", 0));
    out->desc_act = hwl_cfg_bool(q, "desc_act", false);
    out->zero_point = hwl_cfg_bool(q, "zero_point", true);
    for (unsigned i = 0; i < 2 && hwl_cfg_n(q, "weight_block_size") == 2; i++)
        out->block[i] = u32(hwl_cfg_at_u64(q, "weight_block_size", i, 0));
    if (strcmp(out->method, "fp8") == 0)
        out->bits = 8;
    if (strcmp(out->method, "bitsandbytes") == 0) {
        out->bits = hwl_cfg_bool(q, "load_in_8bit|_load_in_8bit", false) ? 8 : 4;
        out->format = hwl_cfg_str(q, "bnb_4bit_quant_type", "fp4");
        out->nested = hwl_cfg_bool(q, "bnb_4bit_use_double_quant", false);
    }
    if (strcmp(out->method, "mxfp4") == 0 || strcmp(out->format, "mxfp4-pack-quantized") == 0) {
        out->bits = 4;
        out->group_size = 32;
    }
    read_groups(q, out);
    read_algo(q, out);
    read_kv(q, out);
    read_skip(q, arena, out);
    if (!*out->method && out->bits && out->group_size)
        out->method = "mlx";
    return read_layers(q, arena, out, error);
}

static hwl_status read_beside(const char *folder, struct hwl_arena *arena, struct hwl_quant *out, hwl_error *error)
{
    const char *path = hwl_arena_printf(arena, "%s/hf_quant_config.json", folder);
    if (!path)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (!hwl_file_is_regular(path))
        return HWL_OK;
    char *text;
    uint64_t n;
    HWL_TRY(hwl_file_read(path, (uint64_t)16 << 20, &text, &n, error));
    yyjson_doc *doc;
    hwl_status status = hwl_json_parse(text, n, HWL_JSON_ALLOW_NAN, path, &doc, error);
    free(text);
    if (status != HWL_OK)
        return status;
    const struct hwl_config root = hwl_config_root(yyjson_doc_get_root(doc), path, arena);
    const struct hwl_config q = hwl_cfg_obj(&root, "quantization");
    if (q.obj)
        status = read_object(&q, arena, out, error);
    if (status == HWL_OK)
        status = hwl_config_status(&root, error);
    yyjson_doc_free(doc);
    return status;
}

hwl_status hwl_quant_read(const struct hwl_config *root, const char *folder, struct hwl_arena *arena, struct hwl_quant *out,
                          hwl_error *error)
{
    *out = (struct hwl_quant){.method = "", .format = "", .experts = ""};
    const struct hwl_config text = hwl_cfg_obj(root, "text_config|llm_config|language_config");
    struct hwl_config q = hwl_cfg_obj(root, "quantization_config|quantization");
    if (!q.obj)
        q = hwl_cfg_obj(&text, "quantization_config");
    if (!q.obj && folder)
        return read_beside(folder, arena, out, error);
    if (q.obj)
        HWL_TRY(read_object(&q, arena, out, error));
    if (strcmp(out->method, "fp8") == 0) /* DeepSeek-V4; ModelOpt packs its experts anew and leaves the rest */
        out->experts = strcasecmp(hwl_cfg_str(&q, "moe_quant_algo", ""), "NVFP4") == 0     ? "nvfp4"
                       : strcmp(hwl_cfg_str(root, "expert_dtype", ""), "fp4") == 0 ? "fp4"
                                                                                          : "";
    return HWL_OK;
}

/* Python's regular expressions in POSIX extended form: groups without capture become groups. */
static bool regex_hit(const char *pattern, const char *module)
{
    char ere[MODULE_BYTES] = "^(";
    uint64_t k = 2;
    for (const char *p = pattern; *p && k + 4 < sizeof ere; p++) {
        if (p[0] == '(' && p[1] == '?' && p[2] == ':') {
            ere[k++] = '(';
            p += 2;
        } else if (p[0] == '\\' && p[1] == 'd') {
            memcpy(ere + k, "[0-9]", 5);
            k += 5;
            p++;
        } else {
            ere[k++] = *p;
        }
    }
    ere[k++] = ')';
    ere[k] = 0;
    regex_t re;
    if (regcomp(&re, ere, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool hit = regexec(&re, module, 0, NULL, 0) == 0;
    regfree(&re);
    return hit;
}

/* The pattern's words in a row somewhere among the module's words. */
static bool parts_hit(const char *pattern, const char *module)
{
    uint64_t n = strlen(pattern);
    if (!n)
        return false;
    for (const char *at = module; (at = strstr(at, pattern)); at++)
        if ((at == module || at[-1] == '.') && (at[n] == 0 || at[n] == '.'))
            return true;
    return false;
}

static bool glob_hit(const char *pattern, const char *module)
{
    char children[MODULE_BYTES];
    return fnmatch(pattern, module, 0) == 0 ||
           ((uint64_t)snprintf(children, sizeof children, "%s.*", pattern) < sizeof children && fnmatch(children, module, 0) == 0);
}

/* A checkpoint names modules as the class did that saved it, the inventory as today's does: without the leading words they meet. */
static bool pattern_hit(const char *pattern, const char *module, const char *bare)
{
    if (strncmp(pattern, "re:", 3) == 0) {
        static const char *const leading[] = {"", "model.", "language_model.model.", "model.language_model."};
        bool hit = regex_hit(pattern + 3, module);
        for (size_t i = 0; i < sizeof leading / sizeof *leading && !hit; i++) {
            char other[MODULE_BYTES];
            hit = (uint64_t)snprintf(other, sizeof other, "%s%s", leading[i], bare) < sizeof other && regex_hit(pattern + 3, other);
        }
        return hit;
    }
    const char *const rest = hwl_name_bare(hwl_str_of(pattern)).p;
    return strpbrk(pattern, "*?[") ? glob_hit(pattern, module) || glob_hit(rest, bare)
                                   : parts_hit(pattern, module) || parts_hit(rest, bare);
}

bool hwl_quant_skips(const struct hwl_quant *quant, const char *tensor)
{
    char module[MODULE_BYTES];
    (void)snprintf(module, sizeof module, "%s", tensor);
    uint64_t n = strlen(module);
    if (hwl_str_ends(hwl_str_of(module), ".weight"))
        module[n - 7] = 0;
    for (char *star; (star = strchr(module, '*'));) /* the first of equal ones stands for all */
        *star = '0';
    const char *const bare = hwl_name_bare(hwl_str_of(module)).p;
    for (uint32_t i = 0; i < quant->n_skip; i++)
        if (pattern_hit(quant->skip[i], module, bare))
            return true;
    return false;
}

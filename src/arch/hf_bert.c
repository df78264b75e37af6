/* SPDX-License-Identifier: Apache-2.0 */
/* Encoders of the BERT kind with the head that the class in `architectures` names. Shapes: transformers 5.24.0,
 * models/{bert,roberta,xlm_roberta,camembert,electra,mpnet,deberta_v2,distilbert,albert}. */
#include "arch/hf.h"
#include "base/str.h"

#include <string.h>

enum head { HEAD_NONE, HEAD_LM, HEAD_PRETRAIN, HEAD_CLASSIFY, HEAD_TOKENS, HEAD_SPAN, HEAD_CHOICE, HEAD_NEXT };

static bool ends(const char *s, const char *end)
{
    const size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static enum head head_of(const struct hwl_config *root)
{
    static const struct {
        const char *end;
        enum head head;
    } rows[] = {
        {"ForMaskedLM", HEAD_LM},          {"ForCausalLM", HEAD_LM},
        {"LMHeadModel", HEAD_LM},          {"ForPreTraining", HEAD_PRETRAIN},
        {"ForSequenceClassification", HEAD_CLASSIFY}, {"ForTokenClassification", HEAD_TOKENS},
        {"ForQuestionAnswering", HEAD_SPAN}, {"ForMultipleChoice", HEAD_CHOICE},
        {"ForNextSentencePrediction", HEAD_NEXT},
    };
    const char *const name = hwl_cfg_at_str(root, "architectures", 0, "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ends(name, rows[i].end))
            return rows[i].head;
    return HEAD_NONE;
}

/* num_labels, or the length of id2label; two where neither stands there (PretrainedConfig). */
uint64_t hwl_hf_labels(const struct hwl_config *root)
{
    if (hwl_cfg_has(root, "num_labels"))
        return hwl_cfg_u64(root, "num_labels", 2);
    const struct hwl_config map = hwl_cfg_obj(root, "id2label");
    return map.obj && yyjson_obj_size(map.obj) ? yyjson_obj_size(map.obj) : 2;
}

struct shape {
    uint64_t vocab, hidden, heads, d_ff, n, positions, types, embedding;
};

static struct shape read_shape(const struct hwl_config *c)
{
    struct shape s = {0};
    s.vocab = hwl_cfg_need(c, "vocab_size");
    s.hidden = hwl_cfg_u64(c, "hidden_size|dim", 768);
    s.heads = hwl_cfg_u64(c, "num_attention_heads|n_heads", 12);
    s.d_ff = hwl_cfg_u64(c, "intermediate_size|hidden_dim", 3072);
    s.n = hwl_cfg_u64(c, "num_hidden_layers|n_layers", 12);
    s.positions = hwl_cfg_u64(c, "max_position_embeddings", 512);
    s.embedding = hwl_cfg_u64(c, "embedding_size", s.hidden);
    return s;
}

static bool fill(struct hwl_hb *b, const struct shape *s, bool causal)
{
    if (!hwl_hb_layers(b, s->n, 0, 0))
        return false;
    const uint64_t head_dim = hwl_hb_div(b, "num_attention_heads", s->hidden, s->heads);
    b->m->encoder_only = !causal;
    b->m->hidden = s->hidden;
    b->m->vocab = s->vocab;
    b->m->context_train = s->positions;
    for (uint64_t i = 0; i < s->n; i++) {
        struct hwl_layer *const l = &b->m->layers[i];
        hwl_hf_attn_fill(b, i, (struct hwl_attn_shape){s->hidden, s->heads, s->heads, head_dim}, 0);
        l->attn.causal = causal;
        l->feed_forward = HWL_FFN_DENSE;
        l->ffn.d_ff = s->d_ff;
    }
    return true;
}

static void embeddings(struct hwl_hb *b, const struct shape *s, bool positions)
{
    const size_t mark = hwl_hb_push(b, "embeddings.");
    hwl_hb_mat(b, "word_embeddings.weight", HWL_ROLE_TOK_EMBD, s->vocab, s->embedding);
    if (positions)
        hwl_hb_mat(b, "position_embeddings.weight", HWL_ROLE_POS_EMBD, s->positions, s->embedding);
    if (s->types)
        hwl_hb_mat(b, "token_type_embeddings.weight", HWL_ROLE_TYPE_EMBD, s->types, s->embedding);
    hwl_hb_norm(b, "LayerNorm", HWL_ROLE_EMBD_NORM, s->embedding, true);
    hwl_hb_pop(b, mark);
}

struct names {
    const char *types, *base, *q, *k, *v, *o, *o_norm;
    bool pooler, roberta_head;
};
#define BERT_ATTENTION "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "attention.output.LayerNorm"
static const struct names names[] = {
    {"bert", "bert.", BERT_ATTENTION, true, false},
    {"roberta xlm-roberta camembert data2vec-text", "roberta.", BERT_ATTENTION, true, true},
    {"electra", "electra.", BERT_ATTENTION, false, true},
    {"mpnet", "mpnet.", "attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o", "attention.LayerNorm", true, true},
    {"deberta-v2", "deberta.", "attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj", "attention.output.dense",
     "attention.output.LayerNorm", false, false},
};

static const struct names *names_of(const char *type)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (hwl_words_have(names[i].types, type))
            return &names[i];
    return &names[0];
}

static void layer(struct hwl_hb *b, const struct names *w, const struct shape *s)
{
    const uint64_t h = s->hidden;
    hwl_hb_linear(b, w->q, HWL_ROLE_ATTN_Q, h, h, true);
    hwl_hb_linear(b, w->k, HWL_ROLE_ATTN_K, h, h, true);
    hwl_hb_linear(b, w->v, HWL_ROLE_ATTN_V, h, h, true);
    hwl_hb_linear(b, w->o, HWL_ROLE_ATTN_OUT, h, h, true);
    hwl_hb_norm(b, w->o_norm, HWL_ROLE_ATTN_POST_NORM, h, true);
    hwl_hb_linear(b, "intermediate.dense", HWL_ROLE_FFN_UP, s->d_ff, h, true);
    hwl_hb_linear(b, "output.dense", HWL_ROLE_FFN_DOWN, h, s->d_ff, true);
    hwl_hb_norm(b, "output.LayerNorm", HWL_ROLE_FFN_POST_NORM, h, true);
}

/* The table of words again as the output matrix, tied as a rule. */
static void decoder(struct hwl_hb *b, const struct hwl_config *root, const char *name, uint64_t rows, uint64_t cols)
{
    hwl_hf_head(b, name, rows, cols, hwl_cfg_bool(root, "tie_word_embeddings", true));
}

static void dense_out(struct hwl_hb *b, const char *name, uint64_t out, uint64_t in)
{
    hwl_hb_linear(b, name, HWL_ROLE_CLASSIFIER, out, in, true);
}

/* Its own where the matrix is. */
static void decoder_bias(struct hwl_hb *b, const char *name, uint64_t vocab)
{
    if (b->m->tied)
        hwl_hb_tied(b, name, HWL_ROLE_CLASSIFIER, vocab, 0);
    else
        hwl_hb_vec(b, name, HWL_ROLE_CLASSIFIER, vocab);
}

static void lm_head(struct hwl_hb *b, const struct hwl_config *root, const char *type, const struct names *w, const struct shape *s)
{
    if (strcmp(type, "electra") == 0) {
        hwl_hb_norm(b, "generator_predictions.LayerNorm", HWL_ROLE_CLASSIFIER, s->embedding, true);
        dense_out(b, "generator_predictions.dense", s->embedding, s->hidden);
        decoder(b, root, "generator_lm_head.weight", s->vocab, s->embedding);
        hwl_hb_vec(b, "generator_lm_head.bias", HWL_ROLE_CLASSIFIER, s->vocab);
    } else if (w->roberta_head) {
        hwl_hb_vec(b, "lm_head.bias", HWL_ROLE_CLASSIFIER, s->vocab);
        dense_out(b, "lm_head.dense", s->hidden, s->hidden);
        hwl_hb_norm(b, "lm_head.layer_norm", HWL_ROLE_CLASSIFIER, s->hidden, true);
        decoder(b, root, "lm_head.decoder.weight", s->vocab, s->hidden);
        decoder_bias(b, "lm_head.decoder.bias", s->vocab);
    } else {
        hwl_hb_vec(b, "cls.predictions.bias", HWL_ROLE_CLASSIFIER, s->vocab);
        dense_out(b, "cls.predictions.transform.dense", s->hidden, s->hidden);
        hwl_hb_norm(b, "cls.predictions.transform.LayerNorm", HWL_ROLE_CLASSIFIER, s->hidden, true);
        decoder(b, root, "cls.predictions.decoder.weight", s->vocab, s->hidden);
        decoder_bias(b, "cls.predictions.decoder.bias", s->vocab);
    }
}

static void write_head(struct hwl_hb *b, const struct hwl_config *root, const char *type, const struct names *w, const struct shape *s,
                       enum head head)
{
    const uint64_t h = s->hidden, n = hwl_hf_labels(root);
    const bool deberta = strcmp(type, "deberta-v2") == 0, electra = strcmp(type, "electra") == 0;
    switch (head) {
    case HEAD_LM:
        lm_head(b, root, type, w, s);
        break;
    case HEAD_PRETRAIN:
        if (electra) {
            dense_out(b, "discriminator_predictions.dense", h, h);
            dense_out(b, "discriminator_predictions.dense_prediction", 1, h);
            break;
        }
        lm_head(b, root, type, w, s);
        dense_out(b, "cls.seq_relationship", 2, h);
        break;
    case HEAD_NEXT:
        dense_out(b, "cls.seq_relationship", 2, h);
        break;
    case HEAD_CLASSIFY:
        if (w->roberta_head) {
            dense_out(b, "classifier.dense", h, h);
            dense_out(b, "classifier.out_proj", n, h);
            break;
        }
        if (deberta)
            dense_out(b, "pooler.dense", h, h);
        dense_out(b, "classifier", n, h);
        break;
    case HEAD_TOKENS:
        dense_out(b, "classifier", n, h);
        break;
    case HEAD_SPAN:
        dense_out(b, "qa_outputs", n, h);
        break;
    case HEAD_CHOICE:
        if (deberta)
            dense_out(b, "pooler.dense", h, h);
        if (electra)
            dense_out(b, "sequence_summary.summary", h, h);
        dense_out(b, "classifier", 1, h);
        break;
    case HEAD_NONE:
        break;
    }
}

/* The base model keeps its pooler under heads that read the first token through it. */
static bool has_pooler(const struct names *w, enum head head)
{
    if (!w->pooler)
        return false;
    return head == HEAD_NONE || head == HEAD_CHOICE || head == HEAD_NEXT || (!w->roberta_head && (head == HEAD_CLASSIFY || head == HEAD_PRETRAIN));
}

void hwl_hf_bert(struct hwl_hb *b, const struct hwl_config *root)
{
    const char *const type = hwl_cfg_str(root, "model_type", "bert");
    const struct names *const w = names_of(type);
    const enum head head = head_of(root);
    struct shape s = read_shape(root);
    const bool deberta = strcmp(type, "deberta-v2") == 0, mpnet = strcmp(type, "mpnet") == 0;
    s.types = mpnet ? 0 : hwl_cfg_u64(root, "type_vocab_size", deberta ? 0 : 2);
    if (!deberta && strcmp(type, "electra") != 0)
        s.embedding = s.hidden;
    if (!fill(b, &s, hwl_cfg_bool(root, "is_decoder", false)))
        return;
    const size_t mark = hwl_hb_push(b, "%s", head == HEAD_NONE ? "" : w->base);
    embeddings(b, &s, !deberta || hwl_cfg_bool(root, "position_biased_input", true));
    if (s.embedding != s.hidden)
        hwl_hb_linear(b, deberta ? "embeddings.embed_proj" : "embeddings_project", HWL_ROLE_EMBD_PROJ, s.hidden, s.embedding, !deberta);
    for (uint64_t i = 0; i < s.n; i++) {
        const size_t inner = hwl_hb_push(b, "encoder.layer.%llu.", (unsigned long long)i);
        b->layer = (int32_t)i;
        layer(b, w, &s);
        hwl_hb_pop(b, inner);
    }
    b->layer = -1;
    if (mpnet)
        hwl_hb_mat(b, "encoder.relative_attention_bias.weight", HWL_ROLE_ATTN_REL_BIAS, hwl_cfg_u64(root, "relative_attention_num_buckets", 32), s.heads);
    if (deberta && hwl_cfg_bool(root, "relative_attention", false)) {
        const uint64_t buckets = hwl_cfg_u64(root, "position_buckets", 0);
        hwl_hb_mat(b, "encoder.rel_embeddings.weight", HWL_ROLE_ATTN_REL_BIAS, hwl_hb_mul(b, buckets ? buckets : s.positions, 2), s.hidden);
        if (strstr(hwl_cfg_str(root, "norm_rel_ebd", "none"), "layer_norm"))
            hwl_hb_norm(b, "encoder.LayerNorm", HWL_ROLE_EMBD_NORM, s.hidden, true);
        const uint64_t k = hwl_cfg_u64(root, "conv_kernel_size", 0);
        if (k) {
            hwl_hb_conv1d(b, "encoder.conv.conv", HWL_ROLE_OTHER, s.hidden, s.hidden, k, true);
            hwl_hb_norm(b, "encoder.conv.LayerNorm", HWL_ROLE_EMBD_NORM, s.hidden, true);
        }
    }
    if (has_pooler(w, head))
        dense_out(b, "pooler.dense", s.hidden, s.hidden);
    hwl_hb_pop(b, mark);
    write_head(b, root, type, w, &s, head);
}

void hwl_hf_distilbert(struct hwl_hb *b, const struct hwl_config *root)
{
    const enum head head = head_of(root);
    struct shape s = read_shape(root);
    s.embedding = s.hidden;
    if (!fill(b, &s, false))
        return;
    static const char *const proj[] = {"attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"};
    static const enum hwl_role roles[] = {HWL_ROLE_ATTN_Q, HWL_ROLE_ATTN_K, HWL_ROLE_ATTN_V, HWL_ROLE_ATTN_OUT};
    const size_t mark = hwl_hb_push(b, "%s", head == HEAD_NONE ? "" : "distilbert.");
    embeddings(b, &s, true);
    for (uint64_t i = 0; i < s.n; i++) {
        const size_t inner = hwl_hb_push(b, "transformer.layer.%llu.", (unsigned long long)i);
        b->layer = (int32_t)i;
        for (size_t k = 0; k < 4; k++)
            hwl_hb_linear(b, proj[k], roles[k], s.hidden, s.hidden, true);
        hwl_hb_norm(b, "sa_layer_norm", HWL_ROLE_ATTN_POST_NORM, s.hidden, true);
        hwl_hb_linear(b, "ffn.lin1", HWL_ROLE_FFN_UP, s.d_ff, s.hidden, true);
        hwl_hb_linear(b, "ffn.lin2", HWL_ROLE_FFN_DOWN, s.hidden, s.d_ff, true);
        hwl_hb_norm(b, "output_layer_norm", HWL_ROLE_FFN_POST_NORM, s.hidden, true);
        hwl_hb_pop(b, inner);
    }
    b->layer = -1;
    hwl_hb_pop(b, mark);
    if (head == HEAD_LM) {
        dense_out(b, "vocab_transform", s.hidden, s.hidden);
        hwl_hb_norm(b, "vocab_layer_norm", HWL_ROLE_CLASSIFIER, s.hidden, true);
        decoder(b, root, "vocab_projector.weight", s.vocab, s.hidden);
        hwl_hb_vec(b, "vocab_projector.bias", HWL_ROLE_CLASSIFIER, s.vocab);
    } else if (head == HEAD_CLASSIFY || head == HEAD_CHOICE) {
        dense_out(b, "pre_classifier", s.hidden, s.hidden);
        dense_out(b, "classifier", head == HEAD_CHOICE ? 1 : hwl_hf_labels(root), s.hidden);
    } else if (head == HEAD_TOKENS || head == HEAD_SPAN) {
        dense_out(b, head == HEAD_TOKENS ? "classifier" : "qa_outputs", hwl_hf_labels(root), s.hidden);
    }
}

/* One group of layers is shared by all: its weights are stored once. */
void hwl_hf_albert(struct hwl_hb *b, const struct hwl_config *root)
{
    const enum head head = head_of(root);
    struct shape s = read_shape(root);
    s.embedding = hwl_cfg_u64(root, "embedding_size", 128);
    s.types = hwl_cfg_u64(root, "type_vocab_size", 2);
    if (!fill(b, &s, false))
        return;
    const uint64_t groups = hwl_cfg_u64(root, "num_hidden_groups", 1), inner_n = hwl_cfg_u64(root, "inner_group_num", 1);
    if (groups > HWL_HB_MAX_LAYERS || inner_n > HWL_HB_MAX_LAYERS) {
        hwl_cfg_bad(root, "num_hidden_groups", "too many");
        return;
    }
    const size_t mark = hwl_hb_push(b, "%s", head == HEAD_NONE ? "" : "albert.");
    embeddings(b, &s, true);
    hwl_hb_linear(b, "encoder.embedding_hidden_mapping_in", HWL_ROLE_EMBD_PROJ, s.hidden, s.embedding, true);
    b->layer = 0;
    for (uint64_t g = 0; g < groups * inner_n; g++) {
        const size_t inner = hwl_hb_push(b, "encoder.albert_layer_groups.%llu.albert_layers.%llu.", (unsigned long long)(g / inner_n),
                                         (unsigned long long)(g % inner_n));
        hwl_hb_norm(b, "full_layer_layer_norm", HWL_ROLE_FFN_POST_NORM, s.hidden, true);
        hwl_hb_linear(b, "attention.query", HWL_ROLE_ATTN_Q, s.hidden, s.hidden, true);
        hwl_hb_linear(b, "attention.key", HWL_ROLE_ATTN_K, s.hidden, s.hidden, true);
        hwl_hb_linear(b, "attention.value", HWL_ROLE_ATTN_V, s.hidden, s.hidden, true);
        hwl_hb_linear(b, "attention.dense", HWL_ROLE_ATTN_OUT, s.hidden, s.hidden, true);
        hwl_hb_norm(b, "attention.LayerNorm", HWL_ROLE_ATTN_POST_NORM, s.hidden, true);
        hwl_hb_linear(b, "ffn", HWL_ROLE_FFN_UP, s.d_ff, s.hidden, true);
        hwl_hb_linear(b, "ffn_output", HWL_ROLE_FFN_DOWN, s.hidden, s.d_ff, true);
        hwl_hb_pop(b, inner);
    }
    b->layer = -1;
    if (head == HEAD_NONE || head == HEAD_PRETRAIN || head == HEAD_CLASSIFY || head == HEAD_CHOICE)
        dense_out(b, "pooler", s.hidden, s.hidden);
    hwl_hb_pop(b, mark);
    if (head == HEAD_LM || head == HEAD_PRETRAIN) {
        hwl_hb_vec(b, "predictions.bias", HWL_ROLE_CLASSIFIER, s.vocab);
        hwl_hb_norm(b, "predictions.LayerNorm", HWL_ROLE_CLASSIFIER, s.embedding, true);
        dense_out(b, "predictions.dense", s.embedding, s.hidden);
        decoder(b, root, "predictions.decoder.weight", s.vocab, s.embedding);
        decoder_bias(b, "predictions.decoder.bias", s.vocab);
        if (head == HEAD_PRETRAIN)
            dense_out(b, "sop_classifier.classifier", hwl_hf_labels(root), s.hidden);
    } else if (head == HEAD_SPAN) {
        dense_out(b, "qa_outputs", hwl_hf_labels(root), s.hidden);
    } else if (head != HEAD_NONE) {
        dense_out(b, "classifier", head == HEAD_CHOICE ? 1 : hwl_hf_labels(root), s.hidden);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Writes every graph for which the library reserves memory as a line of JSON, by standing before its allocator. */
#ifndef HWL_TESTS_ORACLE_GRAPH_DUMP_H
#define HWL_TESTS_ORACLE_GRAPH_DUMP_H

struct cgraph {
    int size, n_nodes, n_leafs;
    struct tensor **nodes, **grads, **grad_accs, **leafs;
};
static FILE *graph_out;
static int graph_no;
static size_t (*dump_alloc_size)(buffer_type *, const struct tensor *);
#define IDMAX (1 << 20)
static const struct tensor *id_key[IDMAX];
static int id_val[IDMAX], id_n;
static const struct tensor *id_list[IDMAX / 2];
static int tensor_id(const struct tensor *t)
{
    if (!t)
        return -1;
    size_t h = ((uintptr_t)t >> 4) * 2654435761u % IDMAX;
    while (id_key[h] && id_key[h] != t)
        h = (h + 1) % IDMAX;
    if (!id_key[h]) {
        id_key[h] = t;
        id_val[h] = id_n;
        id_list[id_n++] = t;
    }
    return id_val[h];
}
static void dump_graph(void *galloc, struct cgraph *g, const int *node_ids, const int *leaf_ids, const char *how)
{
    buffer_type **bufts = *(buffer_type ***)galloc;
    memset(id_key, 0, sizeof id_key);
    id_n = 0;
    fprintf(graph_out, "{\"graph\":%d,\"how\":\"%s\",\"nodes\":[", graph_no++, how);
    for (int i = 0; i < g->n_nodes; i++)
        fprintf(graph_out, "%s[%d,%d]", i ? "," : "", tensor_id(g->nodes[i]), node_ids ? node_ids[i] : 0);
    fprintf(graph_out, "],\"leafs\":[");
    for (int i = 0; i < g->n_leafs; i++)
        fprintf(graph_out, "%s[%d,%d]", i ? "," : "", tensor_id(g->leafs[i]), leaf_ids ? leaf_ids[i] : 0);
    fprintf(graph_out, "],\"tensors\":[");
    int maxb = 0;
    for (int i = 0; i < g->n_nodes; i++)
        if (node_ids && node_ids[i] > maxb)
            maxb = node_ids[i];
    for (int i = 0; i < g->n_leafs; i++)
        if (leaf_ids && leaf_ids[i] > maxb)
            maxb = leaf_ids[i];
    for (int i = 0; i < id_n; i++) {
        const struct tensor *t = id_list[i];
        for (int j = 0; j < 10; j++)
            tensor_id(t->src[j]);
        tensor_id(t->view_src);
        fprintf(graph_out, "%s{\"name\":\"", i ? "," : "");
        for (const char *c = t->name; *c; c++)
            fputc(*c == '"' || *c == '\\' ? '_' : *c, graph_out);
        fprintf(
            graph_out,
            "\",\"op\":\"%s\",\"type\":\"%s\",\"ne\":[%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "],\"nb\":[%zu,%zu,%zu,%zu],\"src\":[",
            ggml_op_name(t->op), ggml_type_name(t->type), t->ne[0], t->ne[1], t->ne[2], t->ne[3], t->nb[0], t->nb[1], t->nb[2], t->nb[3]);
        for (int j = 0, f = 0; j < 10; j++)
            if (t->src[j])
                fprintf(graph_out, "%s%d", f++ ? "," : "", tensor_id(t->src[j]));
        fprintf(graph_out, "],\"view\":%d,\"offs\":%zu,\"flags\":%d,\"ext\":%s,\"same_data\":%s,\"size\":[", tensor_id(t->view_src),
                t->view_offs, t->flags, t->data || t->buffer ? "true" : "false",
                t->view_src && t->view_src->data == t->data ? "true" : "false");
        for (int b = 0; b <= maxb; b++)
            fprintf(graph_out, "%s%zu", b ? "," : "", dump_alloc_size(bufts[b], t));
        fprintf(graph_out, "]}");
    }
    fprintf(graph_out, "],\"buffers\":[");
    for (int b = 0; b <= maxb; b++)
        fprintf(graph_out, "%s\"%s\"", b ? "," : "", buft_name(bufts[b]));
    fprintf(graph_out, "],\"align\":[");
    for (int b = 0; b <= maxb; b++)
        fprintf(graph_out, "%s%zu", b ? "," : "", bufts[b]->iface.get_alignment(bufts[b]));
    fprintf(graph_out, "]}\n");
}
bool ggml_gallocr_reserve_n(void *ga, struct cgraph *g, const int *n, const int *l)
{
    static bool (*real)(void *, struct cgraph *, const int *, const int *);
    if (!real)
        *(void **)&real = dlsym(h_base, "ggml_gallocr_reserve_n");
    if (graph_out)
        dump_graph(ga, g, n, l, "reserve");
    return real(ga, g, n, l);
}
void ggml_gallocr_reserve_n_size(void *ga, struct cgraph *g, const int *n, const int *l, size_t *sizes)
{
    static void (*real)(void *, struct cgraph *, const int *, const int *, size_t *);
    if (!real)
        *(void **)&real = dlsym(h_base, "ggml_gallocr_reserve_n_size");
    if (graph_out)
        dump_graph(ga, g, n, l, "size");
    real(ga, g, n, l, sizes);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What scripts ask of the program: frame times and pictures. */
#include "gtk/harness.h"

#include "gtk/harness_cut.h"
#include "gtk/job.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
    int bench, rest, steps;
    char *shot, *page, *size;
    gboolean pins, cut;
} options;

enum { BENCH_WAIT_MS = 300, BENCH_PATIENCE_MS = 30000 };

/* Of a step: plan, view and widgets; until the frame begins; styles and sizes; the picture. */
enum { ANSWER, WAIT, LAYOUT, PAINT, PARTS };
static const char *const part_names[PARTS] = {"answer", "wait", "layout", "paint"};

struct harness {
    HwlWindow *window;
    gint64 start, step_start;
    double *ms, *cpu_ms, *own_ms, cpu_start, others_start;
    double part_ms[PARTS]; /* sums: where a step's time goes */
    gint64 last;
    int n, settled, waits;
    unsigned cut, turn;
    size_t before; /* bytes in use after the first half of the steps */
    gulong handler[PARTS];
};

void hwl_harness_options(GApplication *app)
{
    static const GOptionEntry entries[] = {
        {"bench", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &options.bench, NULL, NULL},
        {"rest", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &options.rest, NULL, NULL},
        {"steps", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &options.steps, NULL, NULL},
        {"shot", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &options.shot, NULL, NULL},
        {"page", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &options.page, NULL, NULL},
        {"size", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &options.size, NULL, NULL},
        {"cut", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options.cut, NULL, NULL},
        {"pins", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options.pins, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_application_add_main_option_entries(app, entries);
}

void hwl_harness_prepare(void)
{
    hwl_job_set_rest(options.rest > 0 ? (unsigned)options.rest : 0);
}

/* What this thread has used: on a machine that is shared, wall time says more of the others. */
static double thread_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* What this thread has waited for others to leave a processor. */
static double others_ms(void)
{
    char *text = NULL;
    double ms = 0;
    if (g_file_get_contents("/proc/thread-self/schedstat", &text, NULL, NULL) && strchr(text, ' '))
        ms = g_ascii_strtod(strchr(text, ' '), NULL) / 1e6;
    g_free(text);
    return ms;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void leave(struct harness *h)
{
    gtk_window_destroy(GTK_WINDOW(h->window));
}

static void part(struct harness *h, int which)
{
    const gint64 now = g_get_monotonic_time();
    if (h->step_start)
        h->part_ms[which] += (double)(now - h->last) / 1000;
    h->last = now;
}

static void step(struct harness *h)
{
    char text[32];
    g_snprintf(text, sizeof text, "%d", 4096 + h->n * 512);
    h->step_start = h->last = g_get_monotonic_time();
    h->cpu_start = thread_ms();
    h->others_start = others_ms();
    hwl_desk_set(hwl_window_desk(h->window), "ctx", text);
    part(h, ANSWER);
}

static void before_paint(GdkFrameClock *clock, struct harness *h)
{
    (void)clock;
    part(h, WAIT);
}

static void laid_out(GdkFrameClock *clock, struct harness *h)
{
    (void)clock;
    part(h, LAYOUT);
}

static void figures(struct harness *h, const char *what, double *ms)
{
    qsort(ms, (size_t)h->n, sizeof *ms, by_value);
    printf(", \"median_%sms\": %.2f, \"p95_%sms\": %.2f, \"worst_%sms\": %.2f", what, ms[h->n / 2], what, ms[h->n * 95 / 100], what, ms[h->n - 1]);
}

/* From the change of the option to the end of the frame that shows it. */
static void painted(GdkFrameClock *clock, struct harness *h)
{
    if (!h->step_start)
        return;
    h->cpu_ms[h->n] = thread_ms() - h->cpu_start;
    h->ms[h->n] = (double)(g_get_monotonic_time() - h->step_start) / 1000;
    h->own_ms[h->n] = h->ms[h->n] - (others_ms() - h->others_start);
    h->n++;
    part(h, PAINT);
    h->step_start = 0;
    if (h->n < options.bench)
        return;
    for (int i = 0; i < PARTS; i++)
        g_clear_signal_handler(&h->handler[i], clock);
    printf("{\"steps\": %d", h->n);
    figures(h, "", h->ms);
    figures(h, "own_", h->own_ms);
    figures(h, "cpu_", h->cpu_ms);
    for (int i = 0; i < PARTS; i++)
        printf(", \"mean_%s_ms\": %.2f", part_names[i], h->part_ms[i] / h->n);
    printf("}\n");
    leave(h);
}

static gboolean next(void *user)
{
    struct harness *h = user;
    if (h->n >= options.bench)
        return G_SOURCE_REMOVE;
    if (!h->step_start)
        step(h);
    return G_SOURCE_CONTINUE;
}

static bool picture(struct harness *h)
{
    GtkWidget *w = GTK_WIDGET(h->window);
    GdkPaintable *paintable = gtk_widget_paintable_new(w);
    GtkSnapshot *snapshot = gtk_snapshot_new();
    const int width = gdk_paintable_get_intrinsic_width(paintable), height = gdk_paintable_get_intrinsic_height(paintable);
    gdk_paintable_snapshot(paintable, snapshot, width, height);
    GskRenderNode *node = gtk_snapshot_free_to_node(snapshot);
    bool good = false;
    if (node) {
        GdkTexture *texture = gsk_renderer_render_texture(gtk_native_get_renderer(GTK_NATIVE(w)), node, &GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height));
        good = gdk_texture_save_to_png(texture, options.shot);
        g_object_unref(texture);
        gsk_render_node_unref(node);
    }
    g_object_unref(paintable);
    return good;
}

/* Every page in turn, some frames each; true after the last. */
static bool through_pages(struct harness *h)
{
    static const char *const pages[] = {"plan", "charts", "compare", "monitor", "settings"};
    const size_t step = h->turn++;
    if (step % 4 == 0 && step / 4 < G_N_ELEMENTS(pages) && strcmp(pages[step / 4], "settings") != 0)
        hwl_window_show_page(h->window, pages[step / 4]);
    else if (step % 4 == 0 && step / 4 < G_N_ELEMENTS(pages))
        hwl_window_turn(h->window);
    if (step % 4 == 3) {
        printf("%s\n", pages[step / 4]);
        h->cut += hwl_harness_cut(GTK_WIDGET(h->window));
    }
    if (step < 4 * G_N_ELEMENTS(pages) - 1)
        return false;
    printf("%u cut\n", h->cut);
    return true;
}

/* A picture is taken once everything that follows the plan has come, and the page has been drawn with it. */
static gboolean wait_to_shoot(void *user)
{
    struct harness *h = user;
    HwlDesk *desk = hwl_window_desk(h->window);
    const struct hwl_extras *x = hwl_desk_extras(desk);
    const bool charts = g_strcmp0(options.page, "charts") == 0;
    const bool late = g_get_monotonic_time() - h->start > 60 * G_USEC_PER_SEC;
    const bool ready = hwl_desk_session(desk)->failed || (hwl_desk_extras_fresh(desk) && x->has_advice && (!charts || x->has_quant));
    const bool welcome = !hwl_desk_session(desk)->planner && !hwl_desk_session(desk)->ask->model && g_get_monotonic_time() - h->start > G_USEC_PER_SEC;
    if (!late && !ready && !welcome)
        return G_SOURCE_CONTINUE;
    if (!h->settled++ && options.pins) {
        struct hwl_session *s = hwl_desk_session(desk);
        (void)hwl_session_pin(s);
        hwl_desk_set(desk, "ctx", "64k");
        (void)hwl_session_pin(s);
        hwl_desk_set(desk, "kv-type", "q8_0");
        (void)hwl_session_pin(s);
        hwl_window_show_page(h->window, options.page ? options.page : "plan");
    }
    if (h->settled < 8)
        return G_SOURCE_CONTINUE;
    if (options.cut && !through_pages(h))
        return G_SOURCE_CONTINUE;
    if (options.shot && !picture(h))
        (void)fprintf(stderr, "%s was not written\n", options.shot);
    leave(h);
    return G_SOURCE_REMOVE;
}

/* There with AddressSanitizer only. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t in_use(void)
{
    return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() : mallinfo2().uordblks;
}

#define PLACES 97   /* of the slider; the same ones again and again */
#define AT_ONCE 10  /* steps between two frames */

/* Steps of the real window, a frame now and then; what it holds more after the second half than after the first. */
static gboolean step_on(void *user)
{
    struct harness *h = user;
    char text[32];
    for (int i = 0; i < AT_ONCE; i++, h->n++) {
        if (h->n == options.steps / 2 / PLACES * PLACES)
            h->before = in_use();
        if (h->n == options.steps / PLACES * PLACES) {
            const size_t after = in_use();
            printf("{\"steps\": %d, \"grown_bytes\": %lld}\n", h->n, (long long)after - (long long)h->before);
            leave(h);
            return G_SOURCE_REMOVE;
        }
        g_snprintf(text, sizeof text, "%d", 4096 + h->n % PLACES * 512);
        hwl_desk_set(hwl_window_desk(h->window), "ctx", text);
        if (h->n % 3 == 0)
            hwl_session_settle(hwl_desk_session(hwl_window_desk(h->window)));
    }
    return G_SOURCE_CONTINUE;
}

static gboolean wait_to_step(void *user)
{
    struct harness *h = user;
    if (!hwl_desk_extras_fresh(hwl_window_desk(h->window)) || !hwl_desk_extras(hwl_window_desk(h->window))->has_advice)
        return G_SOURCE_CONTINUE;
    g_timeout_add(17, step_on, h);
    return G_SOURCE_REMOVE;
}

static gboolean wait_to_bench(void *user)
{
    struct harness *h = user;
    const bool planned = hwl_desk_session(hwl_window_desk(h->window))->plan != NULL;
    if (!planned && ++h->waits * BENCH_WAIT_MS < BENCH_PATIENCE_MS)
        return G_SOURCE_CONTINUE;
    if (!planned) { /* a model or device that is not there: the window says so and waits for another */
        (void)fputs("hwledger-desktop: nothing was planned, so no step can be timed\n", stderr);
        exit(EXIT_FAILURE);
    }
    GdkFrameClock *clock = gtk_widget_get_frame_clock(GTK_WIDGET(h->window));
    h->handler[WAIT] = g_signal_connect(clock, "before-paint", G_CALLBACK(before_paint), h);
    h->handler[LAYOUT] = g_signal_connect_after(clock, "layout", G_CALLBACK(laid_out), h);
    h->handler[PAINT] = g_signal_connect(clock, "after-paint", G_CALLBACK(painted), h);
    g_timeout_add(30, next, h);
    return G_SOURCE_REMOVE;
}

static void first_frame(GdkFrameClock *clock, struct harness *h)
{
    g_clear_signal_handler(&h->handler[PAINT], clock);
    printf("{\"first_frame_ms\": %.0f, \"cpu_ms\": %.0f}\n", (double)(g_get_monotonic_time() - h->start) / 1000, thread_ms());
    (void)fflush(stdout);
    g_timeout_add(BENCH_WAIT_MS, wait_to_bench, h);
}

static void free_harness(void *data)
{
    struct harness *h = data;
    g_free(h->ms);
    g_free(h->cpu_ms);
    g_free(h->own_ms);
    g_free(h);
}

/* When this process began, by the kernel's clock. */
static gint64 process_start(void)
{
    char *text = NULL;
    double up = 0;
    gint64 start = g_get_monotonic_time();
    if (g_file_get_contents("/proc/self/stat", &text, NULL, NULL)) {
        const char *p = strrchr(text, ')');
        for (int i = 0; p && i < 20; i++)
            p = strchr(p + 1, ' ');
        up = p ? g_ascii_strtod(p, NULL) / 100 : 0; /* ticks of 1/100 s since boot, as the monotonic clock counts */
        g_free(text);
    }
    return up > 0 ? (gint64)(up * 1e6) : start;
}

void hwl_harness_start(HwlWindow *window)
{
    if (!options.bench && !options.shot && !options.cut && !options.steps)
        return;
    struct harness *h = g_new0(struct harness, 1);
    h->window = window;
    h->start = process_start();
    g_object_set_data_full(G_OBJECT(window), "hwl-harness", h, free_harness);
    int width = 0, height = 0;
    if (options.size && sscanf(options.size, "%dx%d", &width, &height) == 2)
        gtk_window_set_default_size(GTK_WINDOW(window), width, height);
    if (options.page)
        hwl_window_show_page(window, options.page);
    if (options.steps > 0) {
        g_timeout_add(100, wait_to_step, h);
    } else if (options.bench > 0) {
        h->ms = g_new0(double, (gsize)options.bench);
        h->cpu_ms = g_new0(double, (gsize)options.bench);
        h->own_ms = g_new0(double, (gsize)options.bench);
        h->handler[PAINT] = g_signal_connect(gtk_widget_get_frame_clock(GTK_WIDGET(window)), "after-paint", G_CALLBACK(first_frame), h);
    } else {
        h->start = g_get_monotonic_time();
        g_timeout_add(100, wait_to_shoot, h);
    }
}

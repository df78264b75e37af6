/* SPDX-License-Identifier: Apache-2.0 */
/* The session and its threads. A question that is answered quickly is answered in the call that changes it, so a slider's picture
 * follows in the same frame; what takes longer than a frame, and all reading of files, goes to a thread, the latest question wins. */
#include "gtk/desk.h"

#include "gtk/job.h"
#include "gtk/threads.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define QUICK_US 12000     /* an answer within a frame, with room to draw it */
#define EXTRAS_DELAY_MS 120
#define SETTLE_MS 1000

struct _HwlDesk {
    GObject parent_instance;
    struct hwl_session *session;
    struct hwl_extras extras;
    struct hwl_job *job;        /* at work for the answer */
    struct hwl_job *extras_job; /* at work for the extras */
    char *reading;
    bool again;                 /* the question changed while job was at work */
    bool slow;                  /* the last answer took longer than a frame */
    bool charts;
    guint extras_timer, progress_timer, settle_timer;
};

enum { ANSWER, EXTRAS, QUESTION, BUSY, TROUBLE, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(HwlDesk, hwl_desk, G_TYPE_OBJECT)

static void ask_now(HwlDesk *d);

static void drop(struct hwl_job **job)
{
    if (*job)
        g_atomic_int_set(&(*job)->cancelled, 1);
    g_clear_pointer(job, hwl_job_unref);
}

void hwl_desk_stop(HwlDesk *d)
{
    g_clear_handle_id(&d->extras_timer, g_source_remove);
    g_clear_handle_id(&d->progress_timer, g_source_remove);
    g_clear_handle_id(&d->settle_timer, g_source_remove);
    drop(&d->job);
    drop(&d->extras_job);
    d->again = false;
}

static void finalize(GObject *object)
{
    HwlDesk *d = HWL_DESK(object);
    hwl_desk_stop(d);
    g_free(d->reading);
    hwl_session_free(d->session);
    G_OBJECT_CLASS(hwl_desk_parent_class)->finalize(object);
}

static void hwl_desk_class_init(HwlDeskClass *class)
{
    static const char *const names[] = {"answer", "extras", "question", "busy"};
    G_OBJECT_CLASS(class)->finalize = finalize;
    for (int i = 0; i < TROUBLE; i++)
        signals[i] = g_signal_new(names[i], HWL_TYPE_DESK, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[TROUBLE] = g_signal_new("trouble", HWL_TYPE_DESK, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void hwl_desk_init(HwlDesk *d)
{
    d->session = hwl_session_new();
}

HwlDesk *hwl_desk_new(void)
{
    return g_object_new(HWL_TYPE_DESK, NULL);
}

struct hwl_session *hwl_desk_session(HwlDesk *d)
{
    return d->session;
}

const struct hwl_extras *hwl_desk_extras(HwlDesk *d)
{
    return &d->extras;
}

bool hwl_desk_extras_fresh(HwlDesk *d)
{
    return d->extras.generation == d->session->generation && !d->session->failed;
}

const hwl_range *hwl_desk_range(HwlDesk *d, const char *option)
{
    for (uint32_t i = 0; i < d->extras.n_ranges; i++)
        if (strcmp(d->extras.range[i].option, option) == 0)
            return &d->extras.range[i].range;
    return NULL;
}

static void trouble(HwlDesk *d, const hwl_error *error)
{
    char text[1200];
    g_signal_emit(d, signals[TROUBLE], 0, hwl_error_text(error, text, sizeof text));
}

/* --- extras: the thread hands copies to the main loop */

struct parcel {
    HwlDesk *desk;
    struct hwl_job *job;
    struct hwl_extras extras;
};

static gboolean deliver(void *data)
{
    struct parcel *p = data;
    if (p->job == p->desk->extras_job) {
        /* a part replaces what is shown once it is there, so that marks do not flicker */
        struct hwl_extras *x = &p->desk->extras;
        const struct hwl_extras old = *x;
        *x = p->extras;
        if (!x->n_ranges) {
            x->n_ranges = old.n_ranges;
            memcpy(x->range, old.range, sizeof x->range);
        }
        if (!x->has_advice) {
            x->n_advice = old.n_advice;
            memcpy(x->advice, old.advice, sizeof x->advice);
        }
        if (!x->has_context)
            x->context = old.context;
        if (!x->has_quant)
            x->quant = old.quant;
        g_signal_emit(p->desk, signals[EXTRAS], 0);
    }
    return G_SOURCE_REMOVE;
}

static void free_parcel(void *data)
{
    struct parcel *p = data;
    g_object_unref(p->desk);
    hwl_job_unref(p->job);
    g_free(p);
}

static void send_part(void *user, const struct hwl_extras *extras)
{
    const struct parcel *from = user;
    struct parcel *p = g_new(struct parcel, 1);
    *p = (struct parcel){g_object_ref(from->desk), hwl_job_ref(from->job), *extras};
    g_main_context_invoke_full(NULL, G_PRIORITY_DEFAULT_IDLE, deliver, p, free_parcel);
}

static void extras_thread(GTask *task, void *source, void *data, GCancellable *cancellable)
{
    struct parcel from = {.desk = HWL_DESK(source), .job = data};
    struct hwl_extras *x = g_new0(struct hwl_extras, 1);
    (void)cancellable;
    hwl_extras_run(data, x, send_part, &from);
    g_free(x);
    g_task_return_boolean(task, TRUE);
}

static gboolean start_extras(void *data)
{
    HwlDesk *d = data;
    d->extras_timer = 0;
    drop(&d->extras_job);
    if (d->session->failed || !hwl_session_ready(d->session))
        return G_SOURCE_REMOVE;
    d->extras_job = hwl_job_new(d->session, d->session->ask, false);
    if (hwl_devices_copy(d->session->devices, &d->extras_job->devices) != HWL_OK)
        g_error("out of memory");
    d->extras_job->charts = d->charts;
    GTask *task = g_task_new(d, NULL, NULL, NULL);
    g_task_set_task_data(task, hwl_job_ref(d->extras_job), hwl_job_unref);
    hwl_threads_run(task, extras_thread);
    g_object_unref(task);
    return G_SOURCE_REMOVE;
}

static void later_extras(HwlDesk *d)
{
    drop(&d->extras_job);
    g_clear_handle_id(&d->extras_timer, g_source_remove);
    d->extras_timer = g_timeout_add(EXTRAS_DELAY_MS, start_extras, d);
}

void hwl_desk_want_charts(HwlDesk *d, bool want)
{
    const bool newly = want && !d->charts;
    d->charts = want;
    if (newly)
        later_extras(d);
}

/* --- the answer */

/* A second of rest ends a step of undo. */
static gboolean settle(void *data)
{
    HwlDesk *d = data;
    d->settle_timer = 0;
    hwl_session_settle(d->session);
    return G_SOURCE_REMOVE;
}

static void answered(HwlDesk *d)
{
    g_signal_emit(d, signals[ANSWER], 0);
    later_extras(d);
}

static gboolean tick(void *data)
{
    g_signal_emit(data, signals[BUSY], 0);
    return G_SOURCE_CONTINUE;
}

static void stop_reading(HwlDesk *d)
{
    g_clear_handle_id(&d->progress_timer, g_source_remove);
    if (d->reading) {
        g_clear_pointer(&d->reading, g_free);
        g_signal_emit(d, signals[BUSY], 0);
    }
}

/* The question that came with a model or a plan file becomes the session's only now that it has an answer. */
static void adopt(HwlDesk *d, struct hwl_job *j)
{
    const bool opened = j->fresh_model;
    if (opened)
        hwl_session_take_ask(d->session, hwl_ask_copy(j->ask), j->remember && d->session->plan);
    if (j->status == HWL_OK) {
        hwl_session_take(d->session, j->planner, j->plan);
        j->plan = NULL;
    } else {
        hwl_session_fail(d->session, &j->error);
    }
    if (opened)
        g_signal_emit(d, signals[QUESTION], 0);
}

static void done(GObject *source, GAsyncResult *result, void *user)
{
    HwlDesk *d = HWL_DESK(source);
    struct hwl_job *j = g_task_get_task_data(G_TASK(result));
    (void)user;
    if (j != d->job)
        return; /* cancelled, or overtaken */
    struct hwl_job *hold = hwl_job_ref(j);
    g_clear_pointer(&d->job, hwl_job_unref);
    stop_reading(d);
    d->slow = j->plan_us > QUICK_US;
    if (j->status != HWL_OK && (j->fresh_model || !j->model)) {
        /* a bad file, or a model that these settings cannot have: the last plan stays, question and all */
        trouble(d, &j->error);
    } else {
        adopt(d, j);
        answered(d);
    }
    hwl_job_unref(hold);
    if (d->again)
        ask_now(d);
}

static void job_thread(GTask *task, void *source, void *data, GCancellable *cancellable)
{
    (void)source;
    (void)cancellable;
    hwl_job_run(data);
    g_task_return_boolean(task, TRUE);
}

static void start_job(HwlDesk *d, struct hwl_job *job)
{
    drop(&d->job);
    d->job = job;
    d->again = false;
    GTask *task = g_task_new(d, NULL, done, NULL);
    g_task_set_task_data(task, hwl_job_ref(job), hwl_job_unref);
    hwl_threads_run(task, job_thread);
    g_object_unref(task);
}

/* Answers the question as it stands: at once where that is quick. */
static void ask_now(HwlDesk *d)
{
    d->again = false;
    if (!d->session->planner)
        return;
    if (d->job) {
        d->again = true;
        return;
    }
    if (hwl_session_ready(d->session) && !d->slow) {
        const gint64 start = g_get_monotonic_time();
        (void)hwl_session_replan(d->session);
        d->slow = g_get_monotonic_time() - start > QUICK_US;
        answered(d);
        return;
    }
    start_job(d, hwl_job_new(d->session, d->session->ask, false));
}

static void open_ask(HwlDesk *d, struct hwl_ask *ask, bool remember)
{
    if (ask->model) {
        g_free(d->reading);
        d->reading = g_strdup(ask->model);
        struct hwl_job *job = hwl_job_new(d->session, ask, true);
        job->remember = remember;
        start_job(d, job);
        g_clear_handle_id(&d->progress_timer, g_source_remove);
        d->progress_timer = g_timeout_add(150, tick, d);
        g_signal_emit(d, signals[BUSY], 0);
        hwl_ask_free(ask);
    } else {
        hwl_session_take_ask(d->session, ask, remember && d->session->plan);
        g_signal_emit(d, signals[QUESTION], 0);
        ask_now(d);
    }
}

void hwl_desk_open_ask(HwlDesk *d, struct hwl_ask *ask)
{
    open_ask(d, ask, true);
}

void hwl_desk_open(HwlDesk *d, const char *model)
{
    struct hwl_ask *ask = hwl_ask_copy(d->session->ask);
    g_free(ask->model);
    ask->model = g_strdup(model);
    /* layers, quantisation and engine were chosen for another model */
    static const char *const of_model[] = {"ngl", "n-cpu-moe", "quant", "engine-version", "mmproj", "draft", "tensor-split"};
    for (size_t i = 0; i < G_N_ELEMENTS(of_model); i++)
        (void)hwl_settings_clear(ask->settings, of_model[i], NULL);
    hwl_desk_open_ask(d, ask);
}

#define DOCUMENT_MAX (64 << 20)

/* What may be a plan document: read here, since its request becomes the question. */
static bool is_small_json(const char *path)
{
    GStatBuf s;
    return g_str_has_suffix(path, ".json") && g_stat(path, &s) == 0 && S_ISREG(s.st_mode) && s.st_size <= DOCUMENT_MAX;
}

void hwl_desk_open_file(HwlDesk *d, const char *path)
{
    const bool plan = g_str_has_suffix(path, ".hwplan"), document = !plan && is_small_json(path);
    char *text = NULL;
    gsize n = 0;
    GError *e = NULL;
    hwl_error error = {.offset = HWL_NO_OFFSET};
    if (!plan && !document) {
        hwl_desk_open(d, path);
        return;
    }
    if (!g_file_get_contents(path, &text, &n, &e)) {
        g_signal_emit(d, signals[TROUBLE], 0, e->message);
        g_error_free(e);
        return;
    }
    struct hwl_ask *ask = plan ? hwl_ask_parse(text, n, &error) : hwl_ask_from_document(text, n, &error);
    g_free(text);
    if (ask) {
        hwl_desk_open_ask(d, ask);
        return;
    }
    if (document && error.status == HWL_E_NOT_FOUND) { /* a config.json, say */
        hwl_desk_open(d, path);
        return;
    }
    g_strlcpy(error.file, path, sizeof error.file);
    trouble(d, &error);
}

void hwl_desk_cancel(HwlDesk *d)
{
    if (!d->reading)
        return;
    drop(&d->job); /* the reader asks between parts of a file, and ends */
    stop_reading(d);
    ask_now(d);
}

const char *hwl_desk_reading(HwlDesk *d, double *fraction)
{
    const int n = d->job ? g_atomic_int_get(&d->job->permille) : -1;
    *fraction = n < 0 ? -1 : n / 1000.0;
    return d->reading;
}

void hwl_desk_set(HwlDesk *d, const char *option, const char *value)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    const uint64_t before = d->session->generation;
    if (hwl_session_set(d->session, option, value, &error) != HWL_OK)
        trouble(d, &error);
    if (d->session->generation == before)
        return;
    g_clear_handle_id(&d->settle_timer, g_source_remove);
    d->settle_timer = g_timeout_add(SETTLE_MS, settle, d);
    ask_now(d);
}

void hwl_desk_set_engine(HwlDesk *d, const char *engine)
{
    hwl_session_set_engine(d->session, engine);
    g_signal_emit(d, signals[QUESTION], 0);
    ask_now(d);
}

bool hwl_desk_set_devices(HwlDesk *d, bool detected, const char *const *gpus, const char *ram, hwl_error *error)
{
    if (hwl_session_set_devices(d->session, detected, gpus, ram, error) != HWL_OK)
        return false;
    g_signal_emit(d, signals[QUESTION], 0);
    ask_now(d);
    return true;
}

void hwl_desk_use(HwlDesk *d, const hwl_advice *advice)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    if (hwl_session_change(d->session, advice->change, advice->n_changes, &error) != HWL_OK) {
        trouble(d, &error);
        return;
    }
    g_signal_emit(d, signals[QUESTION], 0);
    ask_now(d);
}

bool hwl_desk_undo(HwlDesk *d)
{
    char *model = g_strdup(d->session->ask->model);
    const bool any = hwl_session_undo(d->session);
    if (any && g_strcmp0(model, d->session->ask->model) != 0) {
        /* another model: it is read again, its question is the one just brought back */
        open_ask(d, hwl_ask_copy(d->session->ask), false);
    } else if (any) {
        g_signal_emit(d, signals[QUESTION], 0);
        ask_now(d);
    }
    g_free(model);
    return any;
}

void hwl_desk_reprobe(HwlDesk *d)
{
    hwl_session_probe(d->session);
    g_signal_emit(d, signals[QUESTION], 0);
    ask_now(d);
}

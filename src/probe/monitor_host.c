/* SPDX-License-Identifier: Apache-2.0 */
/* The host as it is now, and the processes of engines from /proc. */
#include "base/bytes.h"
#include "base/str.h"
#include "probe/monitor_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

hwl_status hwl_monitor_host(struct hwl_monitor *m, hwl_error *error)
{
    const hwl_probe_options options = {.root = m->root, .nvml = ""};
    uint64_t total = 0, available = 0;
    const hwl_status status = hwl_probe_ram(&options, &total, &available, error);
    if (status == HWL_OK)
        m->device[m->n_devices++] = (hwl_monitor_device){.id = "cpu", .name = "host memory", .kind = HWL_DEVICE_CPU, .total_bytes = total,
                                                         .reserved_bytes = HWL_UNKNOWN, .used_bytes = total - available,
                                                         .free_bytes = available, .temperature_mc = HWL_UNKNOWN, .power_mw = HWL_UNKNOWN,
                                                         .power_limit_mw = HWL_UNKNOWN, .busy_percent = HWL_UNKNOWN};
    return status;
}

/* The last part of a path. */
static const char *base(const char *word)
{
    const char *slash = strrchr(word, '/');
    return slash ? slash + 1 : word;
}

static const char *next_word(const char *word)
{
    return word + strlen(word) + 1;
}

const char *hwl_monitor_engine(const char *command)
{
    /* By the program (at the head, or the script or module that an interpreter runs). A server's workers rename themselves. */
    static const struct {
        const char *program, *engine;
    } rows[] = {
        {"llama-server", "llama.cpp"},       {"llama-cli", "llama.cpp"},        {"llama-bench", "llama.cpp"},   {"llama-box", "llama.cpp"},
        {"llama_cpp.server", "llama.cpp"},   {"koboldcpp", "llama.cpp"},        {"ollama", "ollama"},           {"ollama_llama_server", "ollama"},
        {"vllm", "vllm"},                    {"vllm.entrypoints.openai.api_server", "vllm"}, {"VLLM::EngineCore", "vllm"}, {"VLLM::Worker", "vllm"},
        {"sglang.launch_server", "sglang"},  {"sglang::scheduler", "sglang"},   {"trtllm-serve", "tensorrt-llm"}, {"mlx_lm.server", "mlx"},
        {"text-generation-launcher", "tgi"}, {"text-generation-server", "tgi"}, {"text-generation-router", "tgi"},
    };
    uint32_t n = 0;
    for (const char *word = command; *word && n < 5; word = next_word(word), n++) {
        const char *name = base(word);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            const size_t len = strlen(rows[i].program);
            if (strncmp(name, rows[i].program, len) == 0 && (!name[len] || name[len] == '_' || name[len] == ' ' || strcmp(name + len, ".exe") == 0))
                return rows[i].engine;
        }
        /* behind an interpreter stand its options and then what it runs; behind another program its own words */
        if (!n && strncmp(name, "python", 6) != 0 && strncmp(name, "uv", 2) != 0)
            return NULL;
    }
    return NULL;
}

/* The words of /proc/PID/cmdline with an empty one behind them. */
static bool read_command(const char *root, uint64_t pid, char *buf, size_t size)
{
    char path[640];
    (void)snprintf(path, sizeof path, "%s/proc/%llu/cmdline", root, (unsigned long long)pid);
    FILE *f = fopen(path, "re");
    const size_t n = f ? fread(buf, 1, size - 2, f) : 0;
    if (f)
        (void)fclose(f);
    buf[n] = buf[n + 1] = 0;
    return n > 0;
}

/* Resident memory that is not a file's: RssAnon + RssShmem of /proc/PID/status. */
static uint64_t resident(const char *root, uint64_t pid)
{
    char path[640], line[256];
    uint64_t sum = 0;
    bool any = false;
    (void)snprintf(path, sizeof path, "%s/proc/%llu/status", root, (unsigned long long)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "RssAnon:", 8) == 0 || strncmp(line, "RssShmem:", 9) == 0) {
            sum += strtoull(strchr(line, ':') + 1, NULL, 10) * 1024;
            any = true;
        }
    if (f)
        (void)fclose(f);
    return any ? sum : HWL_UNKNOWN;
}

/* The fourth field of /proc/PID/stat; the second, a name in brackets, may hold anything. 0: nobody. */
static uint64_t parent(const char *root, uint64_t pid)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    if (!hwl_probe_slurp(root, path, text, sizeof text))
        return 0;
    const char *p = strrchr(text, ')');
    return p && strlen(p) > 4 ? strtoull(p + 4, NULL, 10) : 0;
}

/* The farthest ancestor that is of the same engine. */
static uint64_t root_of(const struct hwl_monitor *m, uint64_t pid, const char *engine)
{
    char command[HWL_MONITOR_COMMAND];
    for (int depth = 0; depth < 8; depth++) {
        const uint64_t up = parent(m->root, pid);
        const char *same = up && read_command(m->root, up, command, sizeof command) ? hwl_monitor_engine(command) : NULL;
        if (!same || strcmp(same, engine) != 0)
            break;
        pid = up;
    }
    return pid;
}

static void name_one(struct hwl_monitor *m, uint32_t i)
{
    hwl_monitor_process *p = &m->process[i];
    char path[64];
    p->command = m->command[i];
    (void)read_command(m->root, p->pid, m->command[i], sizeof m->command[i]);
    p->engine = hwl_monitor_engine(p->command);
    p->root = p->engine ? root_of(m, p->pid, p->engine) : p->pid;
    (void)snprintf(path, sizeof path, "/proc/%llu/comm", (unsigned long long)p->pid);
    if (!hwl_probe_line(m->root, path, p->name, sizeof p->name))
        (void)snprintf(p->name, sizeof p->name, "%.60s", *p->command ? base(p->command) : "unknown");
    for (char *c = p->name; *c; c++)
        *c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
}

void hwl_monitor_name_processes(struct hwl_monitor *m)
{
    char path[640], command[HWL_MONITOR_COMMAND];
    const uint32_t host = m->n_devices - 1;
    (void)snprintf(path, sizeof path, "%s/proc", m->root);
    DIR *dir = opendir(path);
    const struct dirent *e;
    while (dir && (e = readdir(dir))) {
        uint64_t pid;
        if (!isdigit((unsigned char)e->d_name[0]) || !hwl_text_u64(e->d_name, &pid) || !read_command(m->root, pid, command, sizeof command) ||
            !hwl_monitor_engine(command))
            continue;
        const uint64_t bytes = resident(m->root, pid);
        if (bytes != HWL_UNKNOWN)
            hwl_monitor_add_process(m, pid, host, bytes);
    }
    if (dir)
        (void)closedir(dir);
    for (uint32_t i = 0; i < m->n_processes; i++)
        name_one(m, i);
}

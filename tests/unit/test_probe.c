/* SPDX-License-Identifier: Apache-2.0 */
/* Probing machines made for the test: folders with proc and sys, and a library that plays NVML. */
#include "unit/tap.h"

#include "view/watch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];

static int make_root(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/hwledger-probe-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int drop_root(void **state)
{
    (void)state;
    return nftw(root, drop, 16, FTW_DEPTH | FTW_PHYS);
}

static void file(const char *path, const char *text)
{
    char full[512];
    (void)snprintf(full, sizeof full, "%s%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        (void)mkdir(full, 0755);
        *p = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static hwl_devices *probe(const char *nvml)
{
    const hwl_probe_options options = {.root = root, .nvml = nvml};
    hwl_devices *d = NULL;
    hwl_error error;
    assert_int_equal(hwl_probe_devices(&options, &d, &error), HWL_OK);
    return d;
}

#define MEMINFO "MemTotal:       16384000 kB\nMemFree:         1000000 kB\nMemAvailable:   12000000 kB\n"

static void host_alone(void **state)
{
    (void)state;
    file("/proc/meminfo", MEMINFO);
    hwl_devices *d = probe("/nonexistent/libnvidia-ml.so.1");
    assert_int_equal(hwl_devices_gpus(d), 0);
    assert_true(hwl_devices_get(d, 0)->memory_bytes == 16384000ull * 1024);
    assert_true(hwl_devices_get(d, 0)->free_bytes == 12000000ull * 1024);
    hwl_devices_free(d);
}

static void control_groups_limit_it(void **state)
{
    (void)state;
    file("/proc/meminfo", MEMINFO);
    file("/proc/self/cgroup", "0::/job.slice/one\n");
    file("/sys/fs/cgroup/memory.max", "max\n");
    file("/sys/fs/cgroup/job.slice/one/memory.max", "4294967296\n");
    file("/sys/fs/cgroup/job.slice/one/memory.current", "2147483648\n");
    file("/sys/fs/cgroup/job.slice/one/memory.stat", "anon 1073741824\ninactive_file 1073741824\n");
    hwl_devices *d = probe("");
    assert_true(hwl_devices_get(d, 0)->memory_bytes == 4294967296u);
    assert_true(hwl_devices_get(d, 0)->free_bytes == 3221225472u);
    hwl_devices_free(d);
}

static void control_groups_of_version_1(void **state)
{
    (void)state;
    file("/proc/meminfo", MEMINFO);
    file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    file("/sys/fs/cgroup/memory/memory.usage_in_bytes", "536870912\n");
    hwl_devices *d = probe("");
    assert_true(hwl_devices_get(d, 0)->memory_bytes == 1073741824u);
    assert_true(hwl_devices_get(d, 0)->free_bytes == 536870912u);
    hwl_devices_free(d);
}

static void amd_cards(void **state)
{
    (void)state;
    file("/proc/meminfo", MEMINFO);
    file("/sys/class/drm/card0/device/vendor", "0x8086\n");
    file("/sys/class/drm/card1/device/vendor", "0x1002\n");
    file("/sys/class/drm/card1/device/mem_info_vram_total", "25753026560\n");
    file("/sys/class/drm/card1/device/mem_info_vram_used", "1000000000\n");
    file("/sys/class/drm/card1/device/product_name", "AMD Radeon RX 7900 XTX\n");
    file("/sys/class/drm/card2/device/vendor", "0x1002\n");
    file("/sys/class/drm/card2/device/mem_info_vram_total", "536870912\n");
    file("/sys/class/drm/card2/device/mem_info_gtt_total", "8388608000\n");
    file("/sys/class/drm/card2/device/mem_info_gtt_used", "88608000\n");
    hwl_devices *d = probe("");
    assert_int_equal(hwl_devices_gpus(d), 2);
    assert_true(hwl_devices_get(d, 0)->memory_bytes == 25753026560u);
    assert_true(hwl_devices_get(d, 0)->free_bytes == 24753026560u);
    assert_string_equal(hwl_devices_get(d, 0)->name, "AMD Radeon RX 7900 XTX");
    assert_int_equal(hwl_devices_get(d, 1)->kind, HWL_DEVICE_UNIFIED);
    assert_true(hwl_devices_get(d, 1)->free_bytes == 8300000000u);
    hwl_devices_free(d);
}

static void nvidia_through_its_library(void **state)
{
    (void)state;
    file("/proc/meminfo", MEMINFO);
    hwl_devices *d = probe(FAKE_NVML);
    assert_int_equal(hwl_devices_gpus(d), 2);
    const hwl_device *h100 = hwl_devices_get(d, 0), *old = hwl_devices_get(d, 1);
    assert_string_equal(h100->name, "NVIDIA H100 80GB HBM3");
    assert_true(h100->memory_bytes == 85029158912u);
    assert_true(h100->free_bytes == 85029158912u - ((uint64_t)1 << 30));
    assert_int_equal(h100->compute_major, 9);
    assert_true(h100->detected && h100->bandwidth == 3350000000000u);
    assert_true(old->memory_bytes == (uint64_t)8 << 30 && old->free_bytes == (uint64_t)7 << 30);
    assert_int_equal(old->compute_major, 0);
    hwl_devices_free(d);
}

static void no_meminfo_is_said(void **state)
{
    (void)state;
    const hwl_probe_options options = {.root = root};
    hwl_devices *d = NULL;
    hwl_error error;
    assert_int_equal(hwl_probe_devices(&options, &d, &error), HWL_E_SYSTEM);
    assert_null(d);
}

static void words(const char *path, const char *text, size_t n)
{
    char full[512];
    file(path, "x");
    (void)snprintf(full, sizeof full, "%s%s", root, path);
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}
#define WORDS(path, text) words(path, text, sizeof text)

static void monitored(void **state)
{
    (void)state;
    const hwl_probe_options options = {.root = root, .nvml = FAKE_NVML};
    hwl_monitor *m = NULL;
    hwl_error error;
    file("/proc/meminfo", MEMINFO);
    WORDS("/proc/4711/cmdline", "/opt/llama.cpp/llama-server\0-m\0model.gguf\0-c\0" "8192");
    file("/proc/4711/comm", "llama-server\n");
    file("/proc/4711/status", "Name:\tllama-server\nVmRSS:\t 900 kB\nRssAnon:\t 300 kB\nRssFile:\t 500 kB\nRssShmem:\t 100 kB\n");
    WORDS("/proc/4712/cmdline", "python3\0train.py");
    WORDS("/proc/4713/cmdline", "grep\0llama-server"); /* names it, is none */
    file("/proc/4713/status", "RssAnon:\t 300 kB\n");
    file("/sys/class/drm/card0/device/vendor", "0x1002\n");
    file("/sys/class/drm/card0/device/mem_info_vram_total", "17163091968\n");
    file("/sys/class/drm/card0/device/mem_info_vram_used", "1073741824\n");
    file("/sys/class/drm/card0/device/gpu_busy_percent", "3\n");
    file("/sys/class/drm/card0/device/hwmon/hwmon4/temp1_input", "52000\n");
    file("/sys/class/drm/card0/device/hwmon/hwmon4/power1_average", "35000000\n");
    assert_int_equal(hwl_monitor_open(&options, &m, &error), HWL_OK);
    for (int round = 0; round < 3; round++) { /* nothing piles up */
        assert_int_equal(hwl_monitor_sample(m, &error), HWL_OK);
        assert_int_equal(hwl_monitor_n_devices(m), 4);
        const hwl_monitor_device *d = hwl_monitor_get_device(m, 0);
        assert_string_equal(d->id, "gpu0");
        assert_true(d->total_bytes == 81559ull << 20 && d->used_bytes == 1ull << 30);
        assert_true(d->used_bytes + d->free_bytes + d->reserved_bytes == d->total_bytes);
        assert_true(d->temperature_mc == 41000 && d->power_mw == 123456 && d->power_limit_mw == 700000 && d->busy_percent == 87);
        d = hwl_monitor_get_device(m, 1); /* the old card tells memory alone */
        assert_true(d->used_bytes == 1ull << 30 && d->reserved_bytes == HWL_UNKNOWN && d->temperature_mc == HWL_UNKNOWN && d->power_mw == HWL_UNKNOWN);
        d = hwl_monitor_get_device(m, 2);
        assert_true(d->used_bytes == 1073741824 && d->temperature_mc == 52000 && d->power_mw == 35000 && d->busy_percent == 3);
        assert_string_equal(hwl_monitor_get_device(m, 3)->id, "cpu");
        assert_int_equal(hwl_monitor_n_processes(m), 3);
        const hwl_monitor_process *p = hwl_monitor_get_process(m, 0);
        assert_true(p->pid == 4711 && p->device == 0 && p->bytes == 1ull << 29);
        assert_string_equal(p->engine, "llama.cpp");
        assert_string_equal(p->name, "llama-server");
        assert_string_equal(p->command + strlen(p->command) + 1, "-m");
        p = hwl_monitor_get_process(m, 1);
        assert_true(p->pid == 4712 && p->bytes == HWL_UNKNOWN && !p->engine);
        p = hwl_monitor_get_process(m, 2); /* the host's part of the first */
        assert_true(p->pid == 4711 && p->device == 3 && p->bytes == 400 * 1024);
    }
    assert_null(hwl_monitor_get_device(m, 4));
    assert_null(hwl_monitor_get_process(m, 3));
    hwl_monitor_close(m);
}

static void look(hwl_monitor *m, const char *mode)
{
    hwl_error error;
    assert_int_equal(setenv("FAKE_NVML_MODE", mode, 1), 0);
    assert_int_equal(hwl_monitor_sample(m, &error), HWL_OK);
}

static void open_monitor(hwl_monitor **m, const char *nvml)
{
    const hwl_probe_options options = {.root = root, .nvml = nvml};
    hwl_error error;
    assert_int_equal(hwl_monitor_open(&options, m, &error), HWL_OK);
}

/* Is there a note that begins so? */
static bool noted(const hwl_monitor *m, const char *words)
{
    const char *note;
    for (uint32_t i = 0; (note = hwl_monitor_note(m, i)); i++)
        if (strstr(note, words))
            return true;
    return false;
}

static void a_card_that_drops_off_keeps_its_place(void **state)
{
    (void)state;
    hwl_monitor *m = NULL;
    file("/proc/meminfo", MEMINFO);
    file("/sys/class/drm/card0/device/vendor", "0x1002\n");
    file("/sys/class/drm/card0/device/mem_info_vram_total", "17163091968\n");
    file("/sys/class/drm/card0/device/product_name", "Radeon\n");
    open_monitor(&m, FAKE_NVML);
    look(m, "");
    assert_int_equal(hwl_monitor_n_devices(m), 4);
    assert_true(noted(m, "NVIDIA GPU 2 has fallen off the bus")); /* was never there: no device */
    assert_false(noted(m, "answer"));
    look(m, "lost");
    assert_int_equal(hwl_monitor_n_devices(m), 4);
    const hwl_monitor_device *d = hwl_monitor_get_device(m, 1);
    assert_string_equal(d->name, "Old card");
    assert_true(d->used_bytes == HWL_UNKNOWN && d->total_bytes == HWL_UNKNOWN && d->free_bytes == HWL_UNKNOWN);
    assert_string_equal(hwl_monitor_get_device(m, 2)->name, "Radeon");
    assert_string_equal(hwl_monitor_get_device(m, 2)->id, "gpu2");
    assert_true(noted(m, "gpu1 (Old card) does not answer any more"));
    look(m, "gone"); /* no driver at all */
    assert_int_equal(hwl_monitor_n_devices(m), 4);
    assert_true(hwl_monitor_get_device(m, 0)->used_bytes == HWL_UNKNOWN && hwl_monitor_get_device(m, 0)->temperature_mc == HWL_UNKNOWN);
    assert_int_equal(hwl_monitor_n_processes(m), 0);
    look(m, ""); /* and it is back */
    assert_int_equal(hwl_monitor_n_devices(m), 4);
    assert_true(hwl_monitor_get_device(m, 0)->used_bytes == 1ull << 30 && hwl_monitor_get_device(m, 1)->used_bytes == 1ull << 30);
    assert_false(noted(m, "answer"));
    file("/sys/class/drm/card0/device/vendor", "0xffff\n"); /* pulled out */
    look(m, "");
    assert_int_equal(hwl_monitor_n_devices(m), 4);
    assert_true(noted(m, "gpu2 (Radeon) does not answer any more"));
    assert_string_equal(hwl_monitor_get_device(m, 3)->id, "cpu");
    hwl_monitor_close(m);
}

static void what_nvml_may_not_tell(void **state)
{
    (void)state;
    hwl_monitor *m = NULL;
    file("/proc/meminfo", MEMINFO);
    open_monitor(&m, FAKE_NVML);
    look(m, "denied");
    assert_int_equal(hwl_monitor_n_devices(m), 2); /* the H100 tells nothing: only the old card, and the host */
    assert_true(noted(m, "NVIDIA GPU 0: its driver tells this user nothing of its memory"));
    assert_true(noted(m, "gpu0: the driver does not tell this user its processes"));
    hwl_monitor_close(m);
    open_monitor(&m, FAKE_NVML);
    look(m, "many");
    assert_int_equal(hwl_monitor_n_processes(m), 0);
    assert_true(noted(m, "gpu0: more than 512 processes"));
    look(m, "held graphics");
    const hwl_monitor_device *d = hwl_monitor_get_device(m, 0);
    assert_true(d->used_bytes == 1ull << 30 && d->used_bytes + d->reserved_bytes + d->free_bytes == d->total_bytes);
    assert_int_equal(hwl_monitor_n_processes(m), 3);
    assert_true(hwl_monitor_get_process(m, 0)->bytes == 1ull << 29); /* once, not twice */
    assert_true(hwl_monitor_get_process(m, 2)->pid == 4720 && hwl_monitor_get_process(m, 2)->bytes == 5 << 20);
    hwl_monitor_close(m);
    assert_int_equal(unsetenv("FAKE_NVML_MODE"), 0);
}

static void instances_of_mig(void **state)
{
    (void)state;
    hwl_monitor *m = NULL;
    file("/proc/meminfo", MEMINFO);
    open_monitor(&m, FAKE_NVML);
    look(m, "mig denied");
    assert_int_equal(hwl_monitor_n_devices(m), 4);
    const hwl_monitor_device *d = hwl_monitor_get_device(m, 0);
    assert_string_equal(d->name, "NVIDIA H100 80GB HBM3 MIG 3g.40gb");
    assert_true(d->total_bytes == 40448ull << 20 && d->used_bytes == 2ull << 30 && d->temperature_mc == 41000);
    assert_true(d->power_mw == HWL_UNKNOWN && d->busy_percent == HWL_UNKNOWN); /* of the whole alone */
    assert_true(hwl_monitor_get_device(m, 1)->used_bytes == 12 << 20);
    assert_string_equal(hwl_monitor_get_device(m, 2)->name, "Old card");
    look(m, "mig");
    assert_int_equal(hwl_monitor_n_processes(m), 1);
    assert_true(hwl_monitor_get_process(m, 0)->pid == 4711 && hwl_monitor_get_process(m, 0)->bytes == 3ull << 29);
    hwl_monitor_close(m);
    hwl_devices *v = probe(FAKE_NVML); /* a program gets one instance */
    assert_int_equal(hwl_devices_gpus(v), 2);
    assert_true(hwl_devices_get(v, 0)->memory_bytes == 40448ull << 20 && hwl_devices_get(v, 0)->free_bytes == 38400ull << 20);
    assert_int_equal(hwl_devices_get(v, 0)->compute_major, 9);
    hwl_devices_free(v);
    assert_int_equal(unsetenv("FAKE_NVML_MODE"), 0);
}

/* A descriptor of pid that is a link to target, and what the kernel tells of it. */
static void descriptor(const char *pid, const char *fd, const char *target, const char *info)
{
    char path[256], full[512];
    (void)snprintf(path, sizeof path, "/proc/%s/fdinfo/%s", pid, fd);
    file(path, info);
    (void)snprintf(path, sizeof path, "/proc/%s/fd/x", pid);
    file(path, "");
    (void)snprintf(full, sizeof full, "%s/proc/%s/fd/%s", root, pid, fd);
    assert_int_equal(symlink(target, full), 0);
}

static void amd_processes(void **state)
{
    (void)state;
    hwl_monitor *m = NULL;
    file("/proc/meminfo", MEMINFO);
    file("/sys/class/drm/card0/device/vendor", "0x1002\n");
    file("/sys/class/drm/card0/device/mem_info_vram_total", "17163091968\n");
    file("/sys/class/drm/card0/device/uevent", "DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_SLOT_NAME=0000:03:00.0\nMODALIAS=x\n");
    file("/sys/class/drm/card1/device/vendor", "0x1002\n"); /* an APU: its programs live in GTT */
    file("/sys/class/drm/card1/device/mem_info_vram_total", "536870912\n");
    file("/sys/class/drm/card1/device/mem_info_gtt_total", "8388608000\n");
    file("/sys/class/drm/card1/device/uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.1\n");
    WORDS("/proc/100/cmdline", "/usr/bin/llama-server\0-m\0model.gguf");
    /* as kernel 6.12 tells it; the same client a second time, another client, a file that is none of DRM, a card that is not there */
    descriptor("100", "7", "/dev/dri/renderD128",
               "pos:\t0\nflags:\t02100002\ndrm-driver:\tamdgpu\ndrm-client-id:\t4\ndrm-pdev:\t0000:03:00.0\npasid:\t32771\n"
               "drm-total-vram:\t9 GiB\ndrm-shared-vram:\t0\ndrm-resident-vram:\t8388608 KiB\ndrm-total-gtt:\t2392 KiB\n"
               "drm-memory-vram:\t8388608 KiB\ndrm-memory-gtt: \t2392 KiB\namd-requested-vram:\t8388608 KiB\n");
    descriptor("100", "8", "/dev/dri/renderD128",
               "drm-driver:\tamdgpu\ndrm-client-id:\t4\ndrm-pdev:\t0000:03:00.0\ndrm-resident-vram:\t8388608 KiB\n");
    descriptor("100", "9", "/dev/dri/card0", "drm-pdev:\t0000:03:00.0\ndrm-driver:\tamdgpu\ndrm-client-id:\t5\ndrm-resident-vram:\t3 MiB\n");
    descriptor("100", "10", "/tmp/renderD128", "drm-driver:\tamdgpu\ndrm-client-id:\t6\ndrm-pdev:\t0000:03:00.0\ndrm-resident-vram:\t1 GiB\n");
    descriptor("100", "11", "/dev/dri/renderD130", "drm-driver:\tamdgpu\ndrm-client-id:\t6\ndrm-pdev:\t0000:0c:00.0\ndrm-resident-vram:\t1 GiB\n");
    /* the older kernel's words; a client that was handed on counts where it was first; the APU */
    descriptor("200", "3", "/dev/dri/renderD128", "drm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.0\ndrm-client-id:\t12\ndrm-memory-vram:\t1024 KiB\ndrm-memory-gtt: \t4096 KiB\n");
    descriptor("200", "4", "/dev/dri/renderD128", "drm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.0\ndrm-client-id:\t4\ndrm-resident-vram:\t8388608 KiB\n");
    descriptor("200", "5", "/dev/dri/renderD129", "drm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.1\ndrm-client-id:\t12\ndrm-memory-vram:\t1024 KiB\ndrm-memory-gtt: \t4096 KiB\n");
    /* nothing there, nonsense, more than any number holds */
    descriptor("300", "3", "/dev/dri/renderD128", "drm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.0\ndrm-client-id:\t20\ndrm-resident-vram:\t0\n");
    descriptor("300", "4", "/dev/dri/renderD128", "drm-pdev:\t0000:03:00.0\ndrm-resident-vram:\tmany KiB\ndrm-resident-vramx:\t1 MiB\n");
    descriptor("300", "5", "/dev/dri/renderD128", "drm-pdev:\t0000:03:00.0\ndrm-resident-vram:\t99999999999999999999 MiB\n");
    descriptor("300", "6", "/dev/dri/renderD128", "drm-pdev:\t0000:03:00.0\ndrm-resident-vram:\t18446744073709551615 MiB\n");
    /* the compute driver's own account: the larger of the two, and a process that fdinfo does not show */
    file("/sys/class/kfd/kfd/topology/nodes/0/gpu_id", "0\n");
    file("/sys/class/kfd/kfd/topology/nodes/1/gpu_id", "30381\n");
    file("/sys/class/kfd/kfd/topology/nodes/1/properties", "cpu_cores_count 0\nlocation_id 768\ndomain 0\n");
    file("/sys/class/kfd/kfd/proc/200/vram_30381", "5242880\n");
    file("/sys/class/kfd/kfd/proc/100/vram_30381", "4096\n");
    file("/sys/class/kfd/kfd/proc/400/vram_30381", "7340032\n");
    file("/sys/class/kfd/kfd/proc/500/vram_30381", "0\n");
    open_monitor(&m, "");
    for (int round = 0; round < 2; round++) {
        look(m, "");
        assert_int_equal(hwl_monitor_n_devices(m), 3);
        uint64_t bytes[500][2] = {{0}};
        for (uint32_t i = 0; i < hwl_monitor_n_processes(m); i++) {
            const hwl_monitor_process *p = hwl_monitor_get_process(m, i);
            assert_true(p->pid < 500);
            if (p->device < 2)
                bytes[p->pid][p->device] = p->bytes;
        }
        /* readdir gives no order: the shared client 4 counts in one of the two */
        assert_true(bytes[100][0] == (8ull << 30) + (3 << 20) || bytes[100][0] == 3 << 20);
        assert_true(bytes[100][0] + bytes[200][0] == (8ull << 30) + (3 << 20) + (bytes[100][0] > 3 << 20 ? 5242880 : 1 << 20));
        assert_true(bytes[200][1] == 4 << 20);
        assert_true(!bytes[300][0] && bytes[400][0] == 7340032);
    }
    hwl_monitor_close(m);
}

static void intel_cards(void **state)
{
    (void)state;
    hwl_monitor *m = NULL;
    file("/proc/meminfo", MEMINFO);
    file("/sys/class/drm/card0/device/vendor", "0x8086\n"); /* no memory of its own */
    file("/sys/class/drm/card0/device/uevent", "DRIVER=i915\nPCI_SLOT_NAME=0000:00:02.0\n");
    file("/sys/class/drm/card1/device/vendor", "0x8086\n");
    file("/sys/class/drm/card1/device/device", "0xe20b\n");
    file("/sys/class/drm/card1/device/uevent", "DRIVER=xe\nPCI_SLOT_NAME=0000:04:00.0\n");
    file("/sys/class/drm/card1/device/tile0/physical_vram_size_bytes", "6442450944\n");
    file("/sys/class/drm/card1/device/tile1/physical_vram_size_bytes", "6442450944\n");
    file("/sys/class/drm/card1/device/hwmon/hwmon2/power1_max", "190000000\n");
    file("/sys/class/drm/card2/device/vendor", "0x8086\n");
    file("/sys/class/drm/card2/device/uevent", "DRIVER=i915\nPCI_SLOT_NAME=0000:05:00.0\n");
    file("/sys/class/drm/card2/lmem_total_bytes", "17179869184\n");
    descriptor("100", "3", "/dev/dri/renderD129", "drm-driver:\txe\ndrm-client-id:\t3\ndrm-pdev:\t0000:04:00.0\ndrm-resident-system:\t5 MiB\n"
               "drm-resident-gtt:\t192 KiB\ndrm-total-vram0:\t30 MiB\ndrm-resident-vram0:\t23992 KiB\ndrm-resident-vram1:\t8 KiB\ndrm-resident-stolen:\t0\n");
    descriptor("100", "4", "/dev/dri/renderD130", "drm-driver:\ti915\ndrm-client-id:\t7\ndrm-pdev:\t0000:05:00.0\n"
               "drm-total-local0:\t256 MiB\ndrm-resident-local0:\t128 MiB\ndrm-resident-system0:\t64 MiB\ndrm-resident-stolen-local0:\t2 MiB\n");
    hwl_devices *v = probe("");
    assert_int_equal(hwl_devices_gpus(v), 2);
    assert_string_equal(hwl_devices_get(v, 0)->name, "Intel GPU 0xe20b");
    assert_true(hwl_devices_get(v, 0)->memory_bytes == 12884901888u && hwl_devices_get(v, 0)->free_bytes == HWL_UNKNOWN);
    assert_int_equal(hwl_devices_get(v, 0)->backend, HWL_BACKEND_SYCL);
    assert_true(hwl_devices_get(v, 1)->memory_bytes == 17179869184u);
    hwl_devices_free(v);
    open_monitor(&m, "");
    look(m, "");
    assert_int_equal(hwl_monitor_n_devices(m), 3);
    const hwl_monitor_device *d = hwl_monitor_get_device(m, 0);
    assert_true(d->total_bytes == 12884901888u && d->used_bytes == HWL_UNKNOWN && d->free_bytes == HWL_UNKNOWN && d->power_limit_mw == 190000);
    assert_int_equal(hwl_monitor_n_processes(m), 2);
    assert_true(hwl_monitor_get_process(m, 0)->bytes == 24000 * 1024 || hwl_monitor_get_process(m, 1)->bytes == 24000 * 1024);
    assert_true(hwl_monitor_get_process(m, 0)->bytes == 130 << 20 || hwl_monitor_get_process(m, 1)->bytes == 130 << 20);
    hwl_monitor_close(m);
}

/* vLLM's core and workers hold the memory, and rename themselves: the process that began it all tells what was asked for. */
static void a_server_is_its_workers_too(void **state)
{
    (void)state;
    const hwl_probe_options options = {.root = root, .nvml = FAKE_NVML};
    struct hwl_watch *w = calloc(1, sizeof *w);
    struct hwl_watch_row row;
    char text[320];
    assert_non_null(w);
    assert_int_equal(setenv("FAKE_NVML_MODE", "graphics", 1), 0); /* 4711 and 4720 on the first card */
    file("/proc/meminfo", MEMINFO);
    WORDS("/proc/4700/cmdline", "/usr/bin/python3\0/usr/bin/vllm\0serve\0llama-3.1-8b\0--max-model-len\0" "8192");
    file("/proc/4700/stat", "4700 (vllm) S 1 4700 4700 0 -1 4194304\n");
    file("/proc/4700/status", "RssAnon:\t 300 kB\n");
    WORDS("/proc/4711/cmdline", "VLLM::EngineCore");
    file("/proc/4711/stat", "4711 (a) (b) S 4700 4700 4700 0 -1 4194304\n");
    file("/proc/4711/status", "RssAnon:\t 400 kB\n");
    WORDS("/proc/4720/cmdline", "VLLM::Worker_TP0");
    file("/proc/4720/stat", "4720 (VLLM::Worker_TP) S 4711 4700 4700 0 -1 4194304\n");
    hwl_watch_look(w, &options, NULL, 100);
    assert_string_equal(w->trouble, "");
    assert_true(w->planned_pid == 4700 && w->n_planned >= 3);
    assert_string_equal(hwl_watch_plan(w, text, sizeof text), "Process 4700 against its plan: llama-3.1-8b");
    assert_true(hwl_live_measured(w->monitor, 4700, 0) == (1ull << 29) + (5 << 20));
    assert_true(hwl_watch_row(w, 0, &row));
    assert_true(row.pid == 4711 && row.planned_bytes == w->planned[0] && row.planned_bytes > 10ull << 30);
    assert_string_equal(row.engine, "vllm");
    assert_non_null(strstr(row.sentence, "with those that it started 542,113,792 bytes"));
    assert_true(hwl_watch_row(w, 2, &row)); /* a worker's share is in the line before */
    assert_true(row.pid == 4720 && row.planned_bytes == HWL_UNKNOWN);
    const uint64_t planned = w->planned[0];
    hwl_watch_look(w, &options, NULL, 101); /* the plan is kept as long as anything of it runs */
    assert_true(w->planned_pid == 4700 && w->planned[0] == planned);
    hwl_watch_free(w);
    free(w);
    assert_int_equal(unsetenv("FAKE_NVML_MODE"), 0);
}

/* Another user's processes: their descriptors may not be read. Root may read everything, so it looks as nobody does. */
static void others_are_hidden(void **state)
{
    (void)state;
    char path[512];
    int status = -1;
    file("/proc/meminfo", MEMINFO);
    file("/sys/class/drm/card0/device/vendor", "0x1002\n");
    file("/sys/class/drm/card0/device/mem_info_vram_total", "17163091968\n");
    file("/sys/class/drm/card0/device/uevent", "PCI_SLOT_NAME=0000:03:00.0\n");
    WORDS("/proc/100/cmdline", "someone");
    file("/proc/100/fd/x", "");
    file("/proc/2/fd/x", ""); /* the kernel's own has no command line */
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/proc/%s/fd", root, i ? "2" : "100");
        assert_int_equal(chmod(path, 0), 0);
    }
    assert_int_equal(chmod(root, 0755), 0);
    const pid_t pid = fork();
    if (!pid) {
        const hwl_probe_options options = {.root = root, .nvml = ""};
        hwl_monitor *m = NULL;
        if ((geteuid() == 0 && setuid(65534) != 0) || hwl_monitor_open(&options, &m, NULL) != HWL_OK || hwl_monitor_sample(m, NULL) != HWL_OK)
            _exit(2);
        _exit(noted(m, "1 process of other users may not be looked into") ? 0 : 1);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/proc/%s/fd", root, i ? "2" : "100");
        (void)chmod(path, 0700);
    }
    assert_int_equal(status, 0);
}

int main(void)
{
#define IN_ROOT(f) cmocka_unit_test_setup_teardown(f, make_root, drop_root)
    const struct CMUnitTest tests[] = {
        IN_ROOT(host_alone), IN_ROOT(control_groups_limit_it),   IN_ROOT(control_groups_of_version_1),
        IN_ROOT(amd_cards),  IN_ROOT(nvidia_through_its_library), IN_ROOT(no_meminfo_is_said),
        IN_ROOT(monitored),  IN_ROOT(a_card_that_drops_off_keeps_its_place), IN_ROOT(what_nvml_may_not_tell),
        IN_ROOT(instances_of_mig), IN_ROOT(amd_processes), IN_ROOT(intel_cards), IN_ROOT(others_are_hidden),
        IN_ROOT(a_server_is_its_workers_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

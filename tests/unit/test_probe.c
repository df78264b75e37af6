/* SPDX-License-Identifier: Apache-2.0 */
/* Probing machines made for the test: folders with proc and sys, and a library that plays NVML. */
#include "unit/tap.h"

#include <hwledger/monitor.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
        (void)mkdir(full, 0700);
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

int main(void)
{
#define IN_ROOT(f) cmocka_unit_test_setup_teardown(f, make_root, drop_root)
    const struct CMUnitTest tests[] = {
        IN_ROOT(host_alone), IN_ROOT(control_groups_limit_it),   IN_ROOT(control_groups_of_version_1),
        IN_ROOT(amd_cards),  IN_ROOT(nvidia_through_its_library), IN_ROOT(no_meminfo_is_said),
        IN_ROOT(monitored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Probing machines made for the test: folders with proc and sys, and a library that plays NVML. */
#include "unit/tap.h"

#include <hwledger/probe.h>

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

int main(void)
{
#define IN_ROOT(f) cmocka_unit_test_setup_teardown(f, make_root, drop_root)
    const struct CMUnitTest tests[] = {
        IN_ROOT(host_alone), IN_ROOT(control_groups_limit_it),   IN_ROOT(control_groups_of_version_1),
        IN_ROOT(amd_cards),  IN_ROOT(nvidia_through_its_library), IN_ROOT(no_meminfo_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

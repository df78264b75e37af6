/* SPDX-License-Identifier: Apache-2.0 */
/* Accelerators by name, and sets of devices from the forms of the command line. */
#include "unit/tap.h"

#include <hwledger/device.h>

#include <string.h>

/* The name that was found, or the error's text. */
static const char *found(const char *name)
{
    static hwl_error error;
    const hwl_accelerator *a = hwl_accelerator_find(name, &error);
    return a ? a->name : error.message;
}

static void names_match_as_people_write_them(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"H100-80GB", "NVIDIA H100 80GB HBM3"},
        {"NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"},
        {"h100", "NVIDIA H100 80GB HBM3"},
        {"H100 PCIe", "NVIDIA H100 PCIe"},
        {"RTX4090", "NVIDIA GeForce RTX 4090"},
        {"rtx 4090", "NVIDIA GeForce RTX 4090"},
        {"GeForce RTX 4090", "NVIDIA GeForce RTX 4090"},
        {"4090", "NVIDIA GeForce RTX 4090"},
        {"RTX-4090-D", "NVIDIA GeForce RTX 4090 D"},
        {"A100-80GB", "NVIDIA A100-SXM4-80GB"},
        {"A100 80GB PCIe", "NVIDIA A100 80GB PCIe"},
        {"a10", "NVIDIA A10"},
        {"A10G", "NVIDIA A10G"},
        {"L4", "NVIDIA L4"},
        {"T4", "Tesla T4"},
        {"MI300X", "AMD Instinct MI300X"},
        {"RX 7900 XTX", "AMD Radeon RX 7900 XTX"},
        {"RX7600", "AMD Radeon RX 7600"},
        {"M3 Max 64GB", "Apple M3 Max 64GB"},
        {"RTX 6000 Ada", "NVIDIA RTX 6000 Ada Generation"},
        {"A6000", "NVIDIA RTX A6000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(found(rows[i][0]), rows[i][1]);
}

static void every_row_is_found_by_its_own_name(void **state)
{
    (void)state;
    const hwl_accelerator *a;
    uint32_t n = 0;
    for (; (a = hwl_accelerator_at(n)); n++) {
        assert_string_equal(found(a->name), a->name);
        if (a->driver_bytes != HWL_UNKNOWN)
            assert_true(a->usable_bytes == a->driver_bytes);
        if (a->marketing_bytes != HWL_UNKNOWN)
            assert_true(a->usable_bytes <= a->marketing_bytes && a->usable_bytes > a->marketing_bytes / 2);
    }
    assert_true(n > 200);
}

static void a_wrong_name_says_the_nearest(void **state)
{
    (void)state;
    assert_non_null(strstr(found("H10O"), "H100"));
    assert_non_null(strstr(found("RTX 4091"), "RTX 4090"));
    assert_non_null(strstr(found("M3 Max"), "several"));
    assert_non_null(strstr(found(""), "no accelerator"));
    assert_non_null(strstr(found("nvidia"), "no accelerator"));
}

static void counts_and_memory(void **state)
{
    (void)state;
    hwl_devices *d = NULL;
    hwl_error error;
    assert_int_equal(hwl_devices_new(&d), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(d, "H100-80GBx2", &error), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(d, "MI300Xx3", &error), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(d, "RX7600", &error), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu_memory(d, "24GiB/20GiBx2", &error), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu_memory(d, "8G", &error), HWL_OK);
    assert_int_equal(hwl_devices_gpus(d), 9);
    assert_int_equal(hwl_devices_count(d), 10);
    assert_true(hwl_devices_get(d, 1)->memory_bytes == 85029158912u);
    assert_string_equal(hwl_devices_get(d, 1)->id, "gpu1");
    assert_true(hwl_devices_get(d, 2)->memory_bytes == 206141652992u);
    assert_true(hwl_devices_get(d, 7)->free_bytes == (uint64_t)20 << 30);
    assert_true(hwl_devices_get(d, 8)->memory_bytes == 8000000000u);
    assert_string_equal(hwl_devices_get(d, 9)->id, "cpu");
    assert_null(hwl_devices_get(d, 10));
    static const char *const bad[] = {"", "x2", "24GiB/", "24GiB/25GiB", "24GiBx0", "24GiBx999", "-1", "24QiB", "0", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(hwl_devices_add_gpu_memory(d, bad[i], &error), HWL_E_USAGE);
    assert_int_equal(hwl_devices_add_gpu(d, "H100x0", &error), HWL_E_USAGE);
    assert_int_equal(hwl_devices_add_gpu(d, "Radeon 780M", &error), HWL_E_UNSUPPORTED);
    assert_int_equal(hwl_devices_gpus(d), 9);
    hwl_devices_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_match_as_people_write_them),
        cmocka_unit_test(every_row_is_found_by_its_own_name),
        cmocka_unit_test(a_wrong_name_says_the_nearest),
        cmocka_unit_test(counts_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

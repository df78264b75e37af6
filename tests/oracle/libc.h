/* SPDX-License-Identifier: Apache-2.0 */
/* libc calls of the library that are answered here, so that a model of 600 GB loads from a file that is one hole, in a fraction of a
 * second and a few MB: fresh anonymous memory is zero already. Linked with -rdynamic, so that the library finds them first. */
#ifndef HWL_TESTS_ORACLE_LIBC_H
#define HWL_TESTS_ORACLE_LIBC_H

// Real allocation (no_alloc=0 load_mode=1) then touches neither the sparse file nor fresh buffers, so a
// 600 GB model loads in a fraction of a second and a few MB of RAM. Fresh anonymous memory is zero already.
void *mmap(void *a, size_t n, int prot, int flags, int fd, long off)
{
    return (void *)syscall(SYS_mmap, a, n, prot, flags & ~0x8000 /* MAP_POPULATE */, fd, off);
}
int posix_fadvise(int fd, long o, long n, int adv)
{
    (void)fd;
    (void)o;
    (void)n;
    (void)adv;
    return 0;
}
int posix_madvise(void *a, size_t n, int adv)
{
    (void)a;
    (void)n;
    (void)adv;
    return 0;
}
void *memset(void *p, int c, size_t n)
{
    if (n >= ((size_t)16 << 20) && c == 0)
        return p;
    void *d = p;
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return p;
}

#endif

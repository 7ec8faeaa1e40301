/*
 * powerloss: an LD_PRELOAD library that makes SIGKILL behave like a power cut.
 *
 * The kernel's page cache outlives a killed process, so a plain SIGKILL cannot show a missing fsync. This library
 * keeps, beside every regular file below POWERLOSS_DIR, the image that a disk would hold: only fsync and fdatasync
 * bring written bytes into it. After the kill, tests/crash/powerloss.py puts the images in the files' place.
 *
 * The shadow folder (POWERLOSS_SHADOW):
 *     images/INODE   the durable content of an inode, whatever its names
 *     tree/PATH      the durable names: hard links to images. A name comes, goes or changes hands only when its
 *                    directory is fsynced, as POSIX has it; SQLite syncs the directory for journals and WALs.
 *     state          what is written and not yet synced: one table that all processes map, so that fork, dup,
 *                    passed descriptors and several processes need no care: one's fsync covers the other's writes.
 *
 * A file is known by its inode, asked from the descriptor at each call. There is no table of descriptors, hence
 * nothing to do in close and dup. Clean bytes are equal in the file and its image, so copying more than the dirty
 * ranges is always right and never wrong; files whose writes cannot be seen (stdio, shared mappings) are copied whole.
 *
 * Locks: SQLite's POSIX locks on a file die when any descriptor of that file is closed in the process. So the
 * library reads through the caller's own descriptor and opens data files only where no lock can be held yet.
 *
 * Covered: open, creat, fopen and their kin; write, pwrite, writev, pwritev(2); truncate, fallocate, sendfile,
 * copy_file_range; fsync and fdatasync of files (the size is part of it) and of directories; O_SYNC and O_DSYNC;
 * rename, link, unlink; writable shared mappings, made durable by fsync.
 *
 * Harsher than a disk: sync, syncfs, sync_file_range, msync and RWF_DSYNC make nothing durable; a synced file that is
 * new is lost without a sync of its directory; a file that is moved in from outside has an empty image until its
 * next fsync. Kinder than a disk: making, renaming and removing a *directory* needs no sync of its parent (removal is
 * seen at the parent's sync); a file that another program puts there is durable once it is opened by its path. Not
 * seen: io_uring, direct system calls, static programs; mkstemp and O_TMPFILE files are seen from their first fsync
 * on (mkstemp's count as put there by another program if they are opened by path before). No real fsync is made for watched files, since the page cache outlives the
 * kill: syncs are fast here, and slow-sync in the control file makes them slow.
 *
 * One mutex is held over each tracked call, the write itself included: an fsync must not miss a write that is under
 * way. The mutex is robust, since its owner may be killed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#if !defined(__linux__) || !defined(__LP64__)
#error "powerloss is written for 64-bit Linux"
#endif

enum {
    MAX_FILES = 8192,     /* inodes seen in one run; inode numbers are reused, so this is far from reached */
    MAX_RANGES = 64,      /* dirty ranges kept apart per file; beyond that the nearest ones grow together */
    COPY_BYTES = 16384,   /* small enough for any thread's stack */
    CONTROL_BYTES = 512,
};
#define END_OF_FILE INT64_MAX

struct range {
    int64_t from, to;
};

struct file {
    uint64_t inode; /* 0: the slot is free */
    int64_t born_ns; /* tells a reused inode number from the file it named before */
    bool ignored;   /* SQLite's -shm: shared memory that happens to have a name; never durable */
    bool opaque;    /* written by ways that cannot be seen: all of it is always dirty */
    uint32_t count;
    struct range dirty[MAX_RANGES];
};

struct orders { /* fault injection, as told by the control file */
    char text[CONTROL_BYTES];
    long fail_syncs, kill_syncs, slow_ms;
    bool lose, kill_after, disk_full;
};

struct shared {
    bool ready; /* stock was taken: a first process killed before that leaves it to the next */
    pthread_mutex_t lock;
    struct orders orders;
    struct file files[MAX_FILES];
};

struct place { /* what a path names, found without opening it */
    bool exists, inside;
    struct statx st;
    char rel[PATH_MAX];
};

static struct shared *shared; /* NULL: not asked to work, every call goes straight to the kernel */
static char root[PATH_MAX], shadow[PATH_MAX], control[PATH_MAX];
static dev_t root_device;

/* --- small tools: raw system calls, so that nothing here comes back through the wrappers below ------------------ */

static void die(const char *what)
{
    dprintf(STDERR_FILENO, "powerloss: %s: %s\n", what, strerror(errno));
    abort(); /* a broken shim must not let a test pass */
}

static int raw_open(const char *path, int flags, mode_t mode)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

static void raw_close(int fd)
{
    syscall(SYS_close, fd);
}

static void lock(void)
{
    int rc = pthread_mutex_lock(&shared->lock);
    if (rc == EOWNERDEAD)
        rc = pthread_mutex_consistent(&shared->lock);
    if (rc != 0) {
        errno = rc;
        die("lock");
    }
}

static void unlock(void)
{
    int saved = errno;
    pthread_mutex_unlock(&shared->lock);
    errno = saved;
}

static void join(char *out, const char *folder, const char *name)
{
    int n = snprintf(out, PATH_MAX, "%s%s%s", folder, *folder && *name ? "/" : "", name);
    if (n < 0 || n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        die(name);
    }
}

static void image_path(char *out, uint64_t inode)
{
    char name[40];
    snprintf(name, sizeof name, "images/%llu", (unsigned long long)inode);
    join(out, shadow, name);
}

static void name_path(char *out, const char *rel)
{
    char tree[PATH_MAX];
    join(tree, shadow, "tree");
    join(out, tree, rel);
}

static void make_folders(const char *path, bool last_too)
{
    char part[PATH_MAX];
    join(part, path, "");
    for (char *slash = part + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        mkdir(part, 0700);
    }
    if (last_too && mkdir(part, 0700) != 0 && errno != EEXIST)
        die(part);
}

static bool stat_fd(int fd, struct statx *st)
{
    return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, st) == 0;
}

static bool regular_here(const struct statx *st)
{
    return S_ISREG(st->stx_mode) && makedev(st->stx_dev_major, st->stx_dev_minor) == root_device;
}

static bool maybe_tracked(int fd, struct statx *st)
{
    return shared != NULL && stat_fd(fd, st) && regular_here(st);
}

/* The descriptor's path below the root, "" for the root itself. */
static bool path_of(int fd, char *rel)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    size_t length = strlen(root);
    if (n < (ssize_t)length)
        return false;
    path[n] = '\0';
    if (strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return false;
    join(rel, path[length] ? path + length + 1 : "", "");
    return true;
}

/* O_PATH descriptors may be closed without hurting POSIX locks. */
static int open_path(int dirfd, const char *path, int flags)
{
    return (int)syscall(SYS_openat, dirfd, path, O_PATH | O_CLOEXEC | flags, 0);
}

static void look_at_parent(int dirfd, const char *path, struct place *place)
{
    char parent[PATH_MAX], parent_rel[PATH_MAX];
    join(parent, path, "");
    char *slash = strrchr(parent, '/');
    const char *name = slash ? path + (slash - parent) + 1 : path;
    if (slash)
        slash[slash == parent] = '\0';
    int fd = open_path(dirfd, slash ? parent : ".", O_DIRECTORY);
    if (fd < 0)
        return;
    place->inside = path_of(fd, parent_rel);
    if (place->inside)
        join(place->rel, parent_rel, name);
    raw_close(fd);
}

static struct place look(int dirfd, const char *path, int flags)
{
    struct place place = {.exists = false, .inside = false};
    if (path == NULL || strlen(path) >= PATH_MAX)
        return place;
    int fd = open_path(dirfd, path, flags & O_NOFOLLOW);
    if (fd >= 0) {
        place.exists = stat_fd(fd, &place.st);
        place.inside = place.exists && path_of(fd, place.rel);
        raw_close(fd);
    } else if (errno == ENOENT) {
        look_at_parent(dirfd, path, &place);
    }
    return place;
}

/* --- the table of files ------------------------------------------------------------------------------------------ */

static int64_t born_ns(const struct statx *st)
{
    return st->stx_btime.tv_sec * INT64_C(1000000000) + st->stx_btime.tv_nsec;
}

static struct file *slot_of(uint64_t inode)
{
    for (uint64_t i = 0; i < MAX_FILES; i++) {
        struct file *file = &shared->files[(inode + i) % MAX_FILES];
        if (file->inode == inode || file->inode == 0)
            return file;
    }
    errno = ENFILE;
    die("more files than MAX_FILES");
    return NULL;
}

static struct file *find(const struct statx *st)
{
    struct file *file = slot_of(st->stx_ino);
    return file->inode == st->stx_ino && file->born_ns == born_ns(st) ? file : NULL;
}

static void mark(struct file *file, int64_t from, int64_t to)
{
    if (from >= to || file->opaque)
        return;
    struct range *best = NULL;
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < file->count; i++) {
        struct range *r = &file->dirty[i];
        int64_t gap = from > r->to ? from - r->to : r->from > to ? r->from - to : 0;
        if (gap < least)
            best = r, least = gap;
    }
    if (best == NULL || (least > 0 && file->count < MAX_RANGES)) {
        file->dirty[file->count] = (struct range){from, to};
        file->count++;
        return;
    }
    best->from = from < best->from ? from : best->from;
    best->to = to > best->to ? to : best->to;
}

static void make_opaque(struct file *file)
{
    file->count = 0;
    mark(file, 0, END_OF_FILE);
    file->opaque = true;
}

/* --- images and durable names ------------------------------------------------------------------------------------ */

static void copy_range(int in, int out, int64_t from, int64_t to)
{
    char buffer[COPY_BYTES];
    while (from < to) {
        size_t want = to - from < COPY_BYTES ? (size_t)(to - from) : COPY_BYTES;
        ssize_t n = pread(in, buffer, want, from);
        if (n == 0)
            return; /* the end of the file */
        if (n < 0 || syscall(SYS_pwrite64, out, buffer, n, from) != n)
            die("copy into the durable image");
        from += n;
    }
}

/* A new inode: its image is an empty file of its own, since the number's last owner may still have durable names. */
static struct file *enter(const struct statx *st, const char *rel)
{
    struct file *file = slot_of(st->stx_ino);
    *file = (struct file){.inode = st->stx_ino, .born_ns = born_ns(st)};
    size_t length = strlen(rel);
    file->ignored = length >= 4 && strcmp(rel + length - 4, "-shm") == 0;
    char image[PATH_MAX];
    image_path(image, st->stx_ino);
    syscall(SYS_unlinkat, AT_FDCWD, image, 0);
    if (file->ignored)
        return file;
    int fd = raw_open(image, O_CREAT | O_EXCL | O_WRONLY, (st->stx_mode & 0777) | 0600);
    if (fd < 0)
        die(image);
    raw_close(fd);
    return file;
}

static void make_durable(int fd, struct file *file)
{
    char path[PATH_MAX];
    image_path(path, file->inode);
    int image = raw_open(path, O_WRONLY, 0);
    if (image < 0)
        die(path);
    int reader = fd;
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
        /* Only stdio and inherited descriptors come here; closing this one would drop the process's POSIX locks. */
        char self[64];
        snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
        reader = raw_open(self, O_RDONLY, 0);
    }
    for (uint32_t i = 0; i < file->count; i++)
        copy_range(reader, image, file->dirty[i].from, file->dirty[i].to);
    struct statx st;
    if (!stat_fd(fd, &st) || syscall(SYS_ftruncate, image, st.stx_size) != 0)
        die(path);
    if (!file->opaque)
        file->count = 0;
    if (reader != fd)
        raw_close(reader);
    raw_close(image);
}

static void make_name_durable(uint64_t inode, const char *rel)
{
    char image[PATH_MAX], name[PATH_MAX], fresh[PATH_MAX];
    image_path(image, inode);
    name_path(name, rel);
    join(fresh, shadow, "fresh");
    struct stat a, b;
    if (stat(image, &a) == 0 && stat(name, &b) == 0 && a.st_ino == b.st_ino)
        return;
    make_folders(name, false);
    syscall(SYS_unlinkat, AT_FDCWD, fresh, 0);
    if (syscall(SYS_linkat, AT_FDCWD, image, AT_FDCWD, fresh, 0) != 0 ||
        syscall(SYS_renameat2, AT_FDCWD, fresh, AT_FDCWD, name, 0) != 0)
        die(name); /* the rename is atomic: a kill in between leaves the old name or the new one */
}

/* What stood there before the first process that watches it is durable. */
static struct file *adopt(const struct statx *st, const char *rel)
{
    char path[PATH_MAX];
    join(path, root, rel);
    struct file *file = enter(st, rel);
    if (file->ignored)
        return file;
    int fd = raw_open(path, O_RDONLY, 0);
    if (fd < 0)
        die(path);
    mark(file, 0, END_OF_FILE);
    make_durable(fd, file);
    raw_close(fd);
    make_name_durable(st->stx_ino, rel);
    return file;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st, (void)walk;
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, kind == FTW_DP ? AT_REMOVEDIR : 0);
}

typedef void visitor(const char *rel, const struct statx *st);

static void for_each_entry(const char *base, const char *rel, visitor *visit)
{
    char folder[PATH_MAX], child[PATH_MAX];
    join(folder, base, rel);
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        struct statx st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        join(child, rel, entry->d_name);
        if (statx(dirfd(dir), entry->d_name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &st) == 0)
            visit(child, &st);
    }
    closedir(dir);
}

static void adopt_entry(const char *rel, const struct statx *st)
{
    if (S_ISDIR(st->stx_mode))
        for_each_entry(root, rel, adopt_entry);
    else if (regular_here(st))
        adopt(st, rel);
}

static void keep_entry(const char *rel, const struct statx *st)
{
    char name[PATH_MAX];
    name_path(name, rel);
    if (S_ISDIR(st->stx_mode)) {
        make_folders(name, true);
    } else if (regular_here(st)) {
        struct file *file = find(st);
        if (file == NULL) { /* made by a call that is not watched: its name is durable, its content is not */
            file = enter(st, rel);
            make_opaque(file);
        }
        if (!file->ignored)
            make_name_durable(st->stx_ino, rel);
    }
}

static void drop_entry(const char *rel, const struct statx *st)
{
    char live[PATH_MAX], name[PATH_MAX];
    (void)st;
    join(live, root, rel);
    name_path(name, rel);
    if (faccessat(AT_FDCWD, live, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        nftw(name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* New names first: a kill in between may leave a renamed file under both, never under none. */
static void sync_folder(const char *rel)
{
    char tree[PATH_MAX];
    name_path(tree, "");
    for_each_entry(root, rel, keep_entry);
    for_each_entry(tree, rel, drop_entry);
}

/* --- fault injection --------------------------------------------------------------------------------------------- */

static void parse_order(struct orders *orders, const char *line)
{
    char word[16] = "";
    if (sscanf(line, "fail-sync %ld %15s", &orders->fail_syncs, word) >= 1)
        orders->lose = strcmp(word, "lose") == 0;
    else if (sscanf(line, "kill-sync %ld %15s", &orders->kill_syncs, word) >= 1)
        orders->kill_after = strcmp(word, "after") == 0;
    else if (sscanf(line, "fail-write %15s", word) == 1)
        orders->disk_full = strcmp(word, "enospc") == 0;
    else
        sscanf(line, "slow-sync %ld", &orders->slow_ms);
}

/* Counters go on while the text stays the same; a new text starts them anew. */
static struct orders *read_orders(void)
{
    char text[CONTROL_BYTES] = {0};
    int fd = *control ? raw_open(control, O_RDONLY, 0) : -1;
    if (fd >= 0) {
        if (read(fd, text, sizeof text - 1) < 0)
            text[0] = '\0';
        raw_close(fd);
    }
    struct orders *orders = &shared->orders;
    if (memcmp(text, orders->text, sizeof text) == 0)
        return orders;
    *orders = (struct orders){.lose = false};
    memcpy(orders->text, text, sizeof text);
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        parse_order(orders, line);
    return orders;
}

static bool counts_down_to_zero(long *counter)
{
    return *counter > 0 && --*counter == 0;
}

static void wait_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* --- syncing ----------------------------------------------------------------------------------------------------- */

static struct file *file_to_sync(int fd, const struct statx *st)
{
    char rel[PATH_MAX];
    struct file *file = find(st);
    if (file == NULL && path_of(fd, rel)) {
        file = enter(st, rel);
        make_opaque(file);
    }
    return file;
}

static int sync_file(int fd, struct file *file)
{
    struct orders *orders = read_orders();
    bool dies = counts_down_to_zero(&orders->kill_syncs);
    if (dies && !orders->kill_after)
        kill(getpid(), SIGKILL);
    if (orders->fail_syncs > 0) {
        orders->fail_syncs--;
        if (orders->lose && !file->opaque) /* as Linux does: pages whose writeback failed count as clean from then on */
            file->count = 0;
        errno = EIO;
        return -1;
    }
    make_durable(fd, file);
    if (dies)
        kill(getpid(), SIGKILL);
    return 0;
}

static int sync_call(int fd, long number)
{
    struct statx st;
    char rel[PATH_MAX];
    if (shared == NULL || !stat_fd(fd, &st))
        return (int)syscall(number, fd);
    int result = 1;
    if (S_ISDIR(st.stx_mode) && path_of(fd, rel)) {
        lock();
        sync_folder(rel);
        unlock();
        result = 0;
    } else if (regular_here(&st)) {
        lock();
        struct file *file = file_to_sync(fd, &st);
        long pause = file && !file->ignored ? read_orders()->slow_ms : 0;
        if (pause > 0) { /* others may write meanwhile, as they do beside a slow disk */
            unlock();
            wait_ms(pause);
            lock();
            file = file_to_sync(fd, &st);
        }
        if (file)
            result = file->ignored ? 0 : sync_file(fd, file);
        unlock();
    }
    return result == 1 ? (int)syscall(number, fd) : result;
}

int fsync(int fd)
{
    return sync_call(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_call(fd, SYS_fdatasync);
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

static ssize_t raw_put(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
    return syscall(SYS_pwritev2, fd, iov, count, offset, 0, flags); /* offset -1: where the descriptor stands */
}

static ssize_t put(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
    struct statx st;
    lock();
    struct file *file = stat_fd(fd, &st) ? find(&st) : NULL;
    if (file == NULL || file->ignored) {
        unlock();
        return raw_put(fd, iov, count, offset, flags);
    }
    ssize_t result = -1;
    if (read_orders()->disk_full) {
        errno = ENOSPC;
    } else {
        int mode = fcntl(fd, F_GETFL);
        bool at_end = (mode & O_APPEND) || (flags & RWF_APPEND);
        int64_t at = at_end ? (int64_t)st.stx_size : offset >= 0 ? offset : lseek(fd, 0, SEEK_CUR), length = 0;
        for (int i = 0; i < count; i++)
            length += (int64_t)iov[i].iov_len;
        mark(file, at, at + length); /* before the write: a kill in between must not leave bytes unmarked */
        result = raw_put(fd, iov, count, offset, flags);
        if (result >= 0 && (mode & O_DSYNC))
            result = sync_file(fd, file) == 0 ? result : -1;
    }
    unlock();
    return result;
}

ssize_t write(int fd, const void *data, size_t size)
{
    struct statx st;
    struct iovec one = {(void *)data, size};
    return maybe_tracked(fd, &st) ? put(fd, &one, 1, -1, 0) : syscall(SYS_write, fd, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    struct statx st;
    struct iovec one = {(void *)data, size};
    bool ours = offset >= 0 && maybe_tracked(fd, &st);
    return ours ? put(fd, &one, 1, offset, 0) : syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite64(fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    struct statx st;
    return maybe_tracked(fd, &st) ? put(fd, iov, count, -1, 0) : syscall(SYS_writev, fd, iov, count);
}

ssize_t pwritev64v2(int fd, const struct iovec *iov, int count, off64_t offset, int flags)
{
    struct statx st;
    return maybe_tracked(fd, &st) ? put(fd, iov, count, offset, flags) : raw_put(fd, iov, count, offset, flags);
}

ssize_t pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
    return pwritev64v2(fd, iov, count, offset, flags);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int count, off64_t offset)
{
    struct statx st;
    bool ours = offset >= 0 && maybe_tracked(fd, &st);
    return ours ? put(fd, iov, count, offset, 0) : syscall(SYS_pwritev, fd, iov, count, offset, 0);
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
    return pwritev64(fd, iov, count, offset);
}

/* For calls that change a file in ways not worth following: [from, end) becomes dirty, under the lock, and the call is
 * made by the caller before unlock(). */
static bool lock_and_mark(int fd, int64_t from, int64_t to)
{
    struct statx st;
    if (!maybe_tracked(fd, &st))
        return false;
    lock();
    struct file *file = stat_fd(fd, &st) ? find(&st) : NULL;
    if (file && !file->ignored)
        mark(file, from, to);
    return true;
}

static long unlock_after(bool locked, long result)
{
    if (locked)
        unlock();
    return result;
}

int ftruncate64(int fd, off64_t size)
{
    bool locked = lock_and_mark(fd, size, END_OF_FILE); /* what is cut off must not come back when the file grows */
    return (int)unlock_after(locked, syscall(SYS_ftruncate, fd, size));
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

int truncate64(const char *path, off64_t size)
{
    if (shared == NULL)
        return (int)syscall(SYS_truncate, path, size);
    lock();
    struct place place = look(AT_FDCWD, path, 0);
    if (place.exists && place.inside && regular_here(&place.st)) {
        struct file *file = find(&place.st);
        mark(file ? file : adopt(&place.st, place.rel), size, END_OF_FILE);
    }
    int result = (int)syscall(SYS_truncate, path, size);
    unlock();
    return result;
}

int truncate(const char *path, off_t size)
{
    return truncate64(path, size);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
    struct statx st;
    bool locked = lock_and_mark(fd, offset, END_OF_FILE);
    struct file *file = locked && stat_fd(fd, &st) ? find(&st) : NULL;
    if (file && !file->ignored && read_orders()->disk_full) {
        errno = ENOSPC;
        return (int)unlock_after(locked, -1);
    }
    return (int)unlock_after(locked, syscall(SYS_fallocate, fd, mode, offset, length));
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    return fallocate64(fd, mode, offset, length);
}

int posix_fallocate64(int fd, off64_t offset, off64_t length)
{
    return fallocate64(fd, 0, offset, length) == 0 ? 0 : errno;
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    return posix_fallocate64(fd, offset, length);
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
    bool locked = lock_and_mark(out, 0, END_OF_FILE);
    return unlock_after(locked, syscall(SYS_sendfile, out, in, offset, count));
}

ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    return sendfile64(out, in, offset, count);
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t length, unsigned flags)
{
    bool locked = lock_and_mark(out, 0, END_OF_FILE);
    return unlock_after(locked, syscall(SYS_copy_file_range, in, in_at, out, out_at, length, flags));
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
    struct statx st;
    bool writes = (flags & MAP_SHARED) && (protection & PROT_WRITE) && !(flags & MAP_ANONYMOUS);
    if (writes && maybe_tracked(fd, &st)) {
        lock();
        struct file *file = find(&st);
        if (file && !file->ignored)
            make_opaque(file);
        unlock();
    }
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return mmap64(address, length, protection, flags, fd, offset);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

/* Write-only becomes read-write, so that fsync can read the bytes through the caller's own descriptor. */
static int open_readable(int dirfd, const char *path, int flags, mode_t mode)
{
    if ((flags & O_ACCMODE) == O_WRONLY) {
        int fd = (int)syscall(SYS_openat, dirfd, path, (flags & ~O_ACCMODE) | O_RDWR, mode);
        if (fd >= 0 || errno != EACCES)
            return fd;
    }
    return (int)syscall(SYS_openat, dirfd, path, flags, mode);
}

static void know_existing(const struct place *place, bool cut)
{
    struct file *file = find(&place->st);
    if (file == NULL)
        file = adopt(&place->st, place->rel);
    if (cut)
        mark(file, 0, END_OF_FILE);
}

static int open_call(int dirfd, const char *path, int flags, mode_t mode)
{
    if (shared == NULL || (flags & O_PATH) || (flags & O_TMPFILE) == O_TMPFILE)
        return (int)syscall(SYS_openat, dirfd, path, flags, mode);
    struct place place = look(dirfd, path, flags);
    if (!place.inside || (place.exists ? !regular_here(&place.st) : !(flags & O_CREAT)))
        return (int)syscall(SYS_openat, dirfd, path, flags, mode);
    lock();
    place = look(dirfd, path, flags); /* again, now that nobody else can make or remove it */
    if (place.exists && regular_here(&place.st))
        know_existing(&place, flags & O_TRUNC);
    int fd = open_readable(dirfd, path, flags, mode);
    struct statx st;
    if (fd >= 0 && !place.exists && stat_fd(fd, &st) && regular_here(&st))
        enter(&st, place.rel);
    unlock();
    return fd;
}

static mode_t mode_argument(int flags, va_list arguments)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                               \
    int name(const char *path, int flags, ...)                   \
    {                                                            \
        va_list arguments;                                       \
        va_start(arguments, flags);                              \
        mode_t mode = mode_argument(flags, arguments);           \
        va_end(arguments);                                       \
        return open_call(AT_FDCWD, path, flags, mode);           \
    }
#define OPENAT(name)                                             \
    int name(int dirfd, const char *path, int flags, ...)        \
    {                                                            \
        va_list arguments;                                       \
        va_start(arguments, flags);                              \
        mode_t mode = mode_argument(flags, arguments);           \
        va_end(arguments);                                       \
        return open_call(dirfd, path, flags, mode);              \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int creat64(const char *path, mode_t mode)
{
    return open_call(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat(const char *path, mode_t mode)
{
    return creat64(path, mode);
}

/* What the compiler calls instead of open under _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags)
{
    return open_call(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_call(AT_FDCWD, path, flags, 0);
}

int __openat_2(int dirfd, const char *path, int flags)
{
    return open_call(dirfd, path, flags, 0);
}

int __openat64_2(int dirfd, const char *path, int flags)
{
    return open_call(dirfd, path, flags, 0);
}

static FILE *real_fopen(const char *path, const char *mode)
{
    static FILE *(*real)(const char *, const char *);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "fopen64");
    return real(path, mode);
}

/* stdio writes from inside the C library, unseen; its files are opaque. */
FILE *fopen64(const char *path, const char *mode)
{
    struct statx st;
    if (shared == NULL || strpbrk(mode, "wa+") == NULL || !look(AT_FDCWD, path, 0).inside)
        return real_fopen(path, mode);
    lock();
    struct place place = look(AT_FDCWD, path, 0);
    if (place.exists && regular_here(&place.st)) {
        know_existing(&place, false);
        make_opaque(find(&place.st));
    }
    FILE *stream = real_fopen(path, mode);
    if (stream && !place.exists && stat_fd(fileno(stream), &st) && regular_here(&st))
        make_opaque(enter(&st, place.rel));
    unlock();
    return stream;
}

FILE *fopen(const char *path, const char *mode)
{
    return fopen64(path, mode);
}

/* --- names: they change at once for the living, and in the durable tree when their directory is synced. The lock
 *     keeps a directory sync from seeing half a rename. --------------------------------------------------------- */

/* Directories are the exception: making and renaming one is durable at once. */
static void move_folder(const char *from, const char *to)
{
    char old_name[PATH_MAX], new_name[PATH_MAX];
    name_path(old_name, from);
    name_path(new_name, to);
    make_folders(new_name, false);
    nftw(new_name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    syscall(SYS_renameat2, AT_FDCWD, old_name, AT_FDCWD, new_name, 0);
}

static int rename_call(int old_dir, const char *old, int new_dir, const char *new, unsigned flags)
{
    if (shared == NULL)
        return (int)syscall(SYS_renameat2, old_dir, old, new_dir, new, flags);
    lock();
    struct place from = look(old_dir, old, O_NOFOLLOW);
    int result = (int)syscall(SYS_renameat2, old_dir, old, new_dir, new, flags);
    if (result == 0 && from.exists && from.inside && S_ISDIR(from.st.stx_mode)) {
        struct place to = look(new_dir, new, O_NOFOLLOW);
        if (to.inside)
            move_folder(from.rel, to.rel);
    }
    unlock();
    return result;
}

int rename(const char *old, const char *new)
{
    return rename_call(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
    return rename_call(old_dir, old, new_dir, new, 0);
}

int renameat2(int old_dir, const char *old, int new_dir, const char *new, unsigned flags)
{
    return rename_call(old_dir, old, new_dir, new, flags);
}

static bool lock_if_active(void)
{
    if (shared != NULL)
        lock();
    return shared != NULL;
}

int unlinkat(int dirfd, const char *path, int flags)
{
    bool locked = lock_if_active();
    return (int)unlock_after(locked, syscall(SYS_unlinkat, dirfd, path, flags));
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int linkat(int old_dir, const char *old, int new_dir, const char *new, int flags)
{
    bool locked = lock_if_active();
    return (int)unlock_after(locked, syscall(SYS_linkat, old_dir, old, new_dir, new, flags));
}

int link(const char *old, const char *new)
{
    return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

/* --- start ------------------------------------------------------------------------------------------------------- */

static struct shared *map_state(void)
{
    char path[PATH_MAX];
    join(path, shadow, "state");
    int fd = raw_open(path, O_RDWR | O_CREAT, 0600);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        die(path);
    if (st.st_size == 0 && syscall(SYS_ftruncate, fd, sizeof(struct shared)) != 0)
        die(path);
    void *map = (void *)syscall(SYS_mmap, NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
    if (map == MAP_FAILED)
        die(path);
    raw_close(fd);
    return map;
}

static void make_lock(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex, &kind);
}

__attribute__((constructor)) static void start(void)
{
    const char *dir = getenv("POWERLOSS_DIR"), *images = getenv("POWERLOSS_SHADOW");
    const char *told = getenv("POWERLOSS_CONTROL");
    if (dir == NULL || images == NULL)
        return;
    struct stat st;
    if (realpath(dir, root) == NULL || stat(root, &st) != 0)
        die("POWERLOSS_DIR");
    if (realpath(images, shadow) == NULL)
        die("POWERLOSS_SHADOW");
    root_device = st.st_dev;
    join(control, told ? told : "", "");
    int gate = raw_open(shadow, O_RDONLY | O_DIRECTORY, 0);
    if (gate < 0 || flock(gate, LOCK_EX) != 0) /* one process at a time begins; the first takes stock */
        die(shadow);
    struct shared *map = map_state();
    if (!map->ready) {
        char folder[PATH_MAX];
        join(folder, shadow, "images");
        make_folders(folder, true);
        name_path(folder, "");
        make_folders(folder, true);
        make_lock(&map->lock);
        shared = map;
        for_each_entry(root, "", adopt_entry);
        map->ready = true;
    }
    shared = map;
    raw_close(gate);
}

/*
 * replay.c - main of a fuzz target where libFuzzer is not: runs it on every file of the folders
 * named.
 *
 * Inputs are kept in corpus/TARGET; one that broke something is added there and stays.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/fuzz/fuzz.h"

static const size_t input_max = 1 << 20;

static bool replay_file(const char *path)
{
    /* Inputs lie at the end of the buffer, so that a sanitizer sees a read past them. */
    uint8_t *buffer = cnv_array_new(2, input_max);
    FILE *file = fopen(path, "rb");
    bool is_read = false;

    if (buffer != NULL && file != NULL) {
        size_t len = fread(buffer, 1, input_max, file);

        is_read = ferror(file) == 0 && feof(file) != 0;
        memmove(buffer + 2 * input_max - len, buffer, len);
        (void) LLVMFuzzerTestOneInput(buffer + 2 * input_max - len, len);
    }
    if (file != NULL) {
        (void) fclose(file);
    }
    cnv_free(buffer);
    return is_read;
}

/* Returns how many inputs were run, or -1 after saying what could not be read. */
static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry = NULL;
    int count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        char path[1024];

        if (entry->d_name[0] == '.') {
            continue;
        }
        (void) snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (!replay_file(path)) {
            (void) fprintf(stderr, "replay: %s cannot be read\n", path);
            count = -1;
            break;
        }
        count++;
    }
    if (dir == NULL || count == 0) {
        (void) fprintf(stderr, "replay: no inputs in %s\n", folder);
        count = -1;
    }
    if (dir != NULL) {
        (void) closedir(dir);
    }
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);

        if (count < 0) {
            return 1;
        }
        total += count;
    }
    (void) printf("%d inputs replayed\n", total);
    return total > 0 ? 0 : 2;
}

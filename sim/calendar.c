/* calendar.c - a binary heap. Invariant: no event is earlier than its parent at (i - 1) / 2. */
#include "calendar.h"

#include "base/mem.h"

static bool is_earlier(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us < b->at_us || (a->at_us == b->at_us && a->entry < b->entry);
}

bool sim_calendar_put(struct sim_calendar *calendar, const struct sim_event *event)
{
    size_t at = calendar->count;

    if (calendar->count == calendar->capacity) {
        size_t capacity = calendar->capacity == 0 ? 64 : 2 * calendar->capacity;
        struct sim_event *heap =
            cnv_array_resize(calendar->heap, calendar->count, capacity, sizeof(*heap));

        if (heap == NULL) {
            return false;
        }
        calendar->heap = heap;
        calendar->capacity = capacity;
    }
    struct sim_event entry = *event;
    entry.entry = calendar->entries++;
    while (at > 0 && is_earlier(&entry, &calendar->heap[(at - 1) / 2])) {
        calendar->heap[at] = calendar->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    calendar->heap[at] = entry;
    calendar->count++;
    return true;
}

bool sim_calendar_take(struct sim_calendar *calendar, struct sim_event *ret_event)
{
    size_t at = 0;

    if (calendar->count == 0) {
        return false;
    }
    *ret_event = calendar->heap[0];
    struct sim_event last = calendar->heap[--calendar->count];
    for (size_t child = 1; child < calendar->count; child = 2 * at + 1) {
        if (child + 1 < calendar->count &&
            is_earlier(&calendar->heap[child + 1], &calendar->heap[child])) {
            child++;
        }
        if (!is_earlier(&calendar->heap[child], &last)) {
            break;
        }
        calendar->heap[at] = calendar->heap[child];
        at = child;
    }
    calendar->heap[at] = last;
    return true;
}

void sim_calendar_fini(struct sim_calendar *calendar)
{
    cnv_free(calendar->heap);
    *calendar = (struct sim_calendar){ 0 };
}

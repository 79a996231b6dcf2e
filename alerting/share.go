package alerting

// fits reports whether an organization may take n more units of a capacity that it
// shares with others, when it has mine of those that are used. It may have no more
// than it leaves free: by itself up to half of the capacity, and one of several that
// want all of it up to an equal share, while as much stays free for the next.
func fits(n, mine, used, capacity int) bool { return mine+n <= capacity-used }

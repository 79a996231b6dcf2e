package memalerts

import "container/heap"

// A queue is a priority queue. Its elements know their places, so that they can be
// moved and removed.
type queue[T any] struct {
	elements []T
	// before reports whether a comes before b. It is constant while both are queued,
	// except between a change and the call of set that follows it.
	before func(a, b T) bool
	// place returns where an element keeps its index plus 1. This is 0 while it is not
	// in the queue.
	place func(T) *int
}

// first returns the first element, if there is one.
func (q *queue[T]) first() (first T, ok bool) {
	if len(q.elements) == 0 {
		return first, false
	}
	return q.elements[0], true
}

// set adds an element, or moves it to its new place after a change.
func (q *queue[T]) set(e T) {
	if place := *q.place(e); place > 0 {
		heap.Fix(q, place-1)
	} else {
		heap.Push(q, e)
	}
}

// remove removes an element if it is in the queue.
func (q *queue[T]) remove(e T) {
	if place := *q.place(e); place > 0 {
		heap.Remove(q, place-1)
	}
}

// Len, Less, Swap, Push and Pop implement [heap.Interface].

func (q *queue[T]) Len() int           { return len(q.elements) }
func (q *queue[T]) Less(i, j int) bool { return q.before(q.elements[i], q.elements[j]) }

func (q *queue[T]) Swap(i, j int) {
	q.elements[i], q.elements[j] = q.elements[j], q.elements[i]
	*q.place(q.elements[i]), *q.place(q.elements[j]) = i+1, j+1
}

func (q *queue[T]) Push(v any) {
	e, _ := v.(T)
	q.elements = append(q.elements, e)
	*q.place(e) = len(q.elements)
}

func (q *queue[T]) Pop() any {
	var none T
	last := len(q.elements) - 1
	e := q.elements[last]
	q.elements[last] = none
	q.elements = q.elements[:last]
	*q.place(e) = 0
	return e
}

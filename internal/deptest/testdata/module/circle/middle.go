package circle

// Middle is used by the front, and by what it uses itself.
type Middle struct{ part part }

func (m Middle) count() int { return m.part.count() }

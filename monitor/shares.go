package monitor

// shares says how much of a batch a lane may have. All events of a batch wait for the
// slowest of them, such as one that raises an alert, so a batch full of the alerts of
// one organization would have an event of another wait for all of these.
//
// A lane may have an equal share, of those that have had something lately, and
// leastShare at least. A lane that is alone may have all of it.
type shares struct {
	batch   int // the number of this one
	share   int // places
	lately  map[laneName]shared
	earlier int // lanes that had something in the batches before those that lately is of
}

// A shared is what a lane had of the last batch of which it had something.
type shared struct{ batch, places int }

const (
	leastShare = 16 // places
	// A lane that has had nothing of so many batches, or twice as many, is forgotten.
	rememberedBatches = 32
)

// begin starts a batch of so many places.
func (s *shares) begin(places int) {
	if s.batch++; s.lately == nil || s.batch%rememberedBatches == 0 {
		s.earlier, s.lately = len(s.lately), map[laneName]shared{}
	}
	s.share = max(leastShare, places/max(1, s.earlier, len(s.lately)))
}

// used reports whether a lane has had its share of this batch.
func (s *shares) used(name laneName) bool {
	had := s.lately[name]
	return had.batch == s.batch && had.places >= s.share
}

// took notes that a lane has had so many places of this batch.
func (s *shares) took(name laneName, places int) {
	had := s.lately[name]
	if had.batch != s.batch {
		had = shared{batch: s.batch}
	}
	had.places += places
	s.lately[name] = had
}

package memalerts

// ReadChunk is the number of alerts that are looked at before an organization is
// released for a moment, and KeptKeys that of the event keys of a fingerprint that are
// always kept.
const (
	ReadChunk = chunk
	KeptKeys  = keptKeys
)

// Used returns the bytes that the store takes by its own account.
func (s *Store) Used() int64 {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return s.registry.budget.used
}

// Organizations returns the number of organizations that the store knows.
func (s *Store) Organizations() int {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return len(s.registry.byName)
}

// Outdated returns how many alerts of an organization have the timers of old settings.
func (s *Store) Outdated(name string) int {
	org := s.hold(name)
	defer org.mu.Unlock()
	return org.outdated
}

// Occupy makes an organization busy until the returned function is called.
func (s *Store) Occupy(name string) (leave func()) { return s.hold(name).mu.Unlock }

// Step does what RunTimers does for an organization before it releases it for a moment.
func (s *Store) Step(name string) error {
	org := s.hold(name)
	_, _, err := org.runTimers(s.clock.now())
	s.registry.update(org)
	org.mu.Unlock()
	return err
}

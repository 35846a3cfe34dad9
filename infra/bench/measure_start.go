package main

// startMeasured starts p and lets it answer one event.
func (s *session) startMeasured(p program) (*instance, error) {
	l := s.w.launch(p, p.artifact)
	events, err := s.events(1, s.document(small))
	if err != nil {
		return nil, err
	}
	quiet()
	i, took, err := start(l)
	if err != nil {
		return nil, err
	}
	s.results.add(p.name, startWall, milliseconds(took.wall))
	s.results.add(p.name, startCPU, milliseconds(took.cpu))
	first, err := i.invoke(events[0])
	if err == nil {
		err = succeeded(first)
	}
	if err != nil {
		i.stop()
		return nil, err
	}
	s.results.add(p.name, firstWall, milliseconds(first.latency))
	s.results.add(p.name, firstCPU, milliseconds(first.cpu))
	return i, nil
}

// startEvicted starts p from a file that is not in memory.
func (s *session) startEvicted(p program) (*instance, error) {
	dir, err := s.w.scratch("evicted", p.name)
	if err != nil {
		return nil, err
	}
	artifact, err := copyTo(dir, p.artifact)
	if err != nil {
		return nil, err
	}
	l := s.w.launch(p, artifact)
	quiet()
	if err := evict(artifact); err != nil {
		return nil, err
	}
	i, took, err := start(l)
	if err != nil {
		return nil, err
	}
	s.results.add(p.name, coldStartWall, milliseconds(took.wall))
	s.results.add(p.name, coldStartCPU, milliseconds(took.cpu))
	return i, nil
}

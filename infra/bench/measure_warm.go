package main

// measureSmall takes what a process does that is started, serves small documents, then middling
// ones, and is frozen in between.
func (s *session) measureSmall(p program) error {
	i, err := s.startMeasured(p)
	if err != nil {
		return err
	}
	defer i.stop()
	if err := s.measureWarm(i, p, small); err != nil {
		return err
	}
	if err := s.measureThaw(i, p); err != nil {
		return err
	}
	list, err := s.warm(i, p, s.counts.warm[medium], medium)
	if err != nil {
		return err
	}
	s.record(p, list, warmCPU(medium), warmLatency(medium))
	return nil
}

// measureLarge takes what a process does that serves the largest documents from its start on.
func (s *session) measureLarge(p program) error {
	i, err := s.startEvicted(p)
	if err != nil {
		return err
	}
	defer i.stop()
	return s.measureWarm(i, p, large)
}

// measureWarm also takes the peak of the memory, so it must come first in the life of i.
func (s *session) measureWarm(i *instance, p program, size int) error {
	list, err := s.warm(i, p, s.counts.warm[size], size)
	if err != nil {
		return err
	}
	s.record(p, list, warmCPU(size), warmLatency(size))
	rss, err := i.peakRSS()
	if err != nil {
		return err
	}
	s.results.add(p.name, peakRSS(size), rss)
	return nil
}

// measureGrowth takes the CPU time of a call by the size of its document, in one process, and at
// last that of a document that cannot be compressed.
func (s *session) measureGrowth(p program) error {
	l := s.w.launch(p, p.artifact)
	i, _, err := start(l)
	if err != nil {
		return err
	}
	defer i.stop()
	for _, size := range growthSizes() {
		list, err := s.warm(i, p, s.counts.growth, size)
		if err != nil {
			return err
		}
		s.results.add(p.name, growthCPU(size), meanCPU(list))
	}
	list, err := s.warmWith(i, p, s.counts.growth, incompressible(medium, s.seed), randomUnits)
	if err != nil {
		return err
	}
	s.results.add(p.name, randomCPU, meanCPU(list))
	return nil
}
